"""`mtnlp compare` with real trainings of a tiny encoder."""

import csv
import itertools
import json
import shutil
from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
from spacy.training import Corpus

from mtnlp.models.windowed_model import hf_objects
from tests.data.corpora import flat, invoke
from tests.experiments.conftest import Executed, Mini

AXES = """
[axes.decoder.crf]
components.ner.model.decoder = "crf"

# This cell can be built, and fails when it trains.
[axes.decoder.softmax]
components.ner.model.decoder = "softmax"
components.ner.model.loss = { "@losses" = "mtnlp.CRFLikelihood.v1" }
"""


def rows(path: Path) -> List[Dict[str, str]]:
    with path.open(encoding="utf8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_help() -> None:
    result = invoke("compare", "--help")
    assert result.exit_code == 0
    assert "--dry-run" in result.output and "--train" in result.output


def test_a_wrong_grid(tmp_path: Path) -> None:
    result = invoke("compare", tmp_path / "nope.toml")
    assert result.exit_code == 1 and "E420" in result.output


def test_a_comparison(tmp_path: Path, grid_text: str, mini: Mini, executed: Executed) -> None:
    """One run has its own process, as all have outside of tests."""
    executed.outside = ("decoder=crf",)
    grid, output = tmp_path / "tiny.toml", tmp_path / "out"
    grid.write_text(grid_text + AXES, encoding="utf8")
    options = ["--output", output, "--training.batcher.size", "8", "--keep"]

    dry = invoke("compare", grid, *options, "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert "2 runs (2 cells × 1 seeds), 0 done, about" in flat(dry.output)
    assert executed == ["probe"] and not (output / "runs").exists()

    result = invoke("compare", grid, *options)
    assert result.exit_code == 1
    assert executed[1:] == ["decoder=crf", "decoder=softmax"]
    assert "E219" in result.output and "decoder=softmax, seed 3" in flat(result.output)
    folder = output / "runs" / "decoder=crf" / "seed-3"
    found: Dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf8"))
    assert found["cell"] == {"decoder": "crf"} and found["seed"] == 3

    # What `spacy evaluate` says of the same weights.
    nlp = spacy.load(folder / "model" / "model-last")
    scores = nlp.evaluate(list(Corpus(mini.corpus / "test" / "conll.spacy")(nlp)))
    for key in ("ents_p", "ents_r", "ents_f", "ents_per_type"):
        assert found["scores"]["test"][key] == scores[key]
    # 24 sentences in batches of 8, twice.
    words = sum(len(eg) for eg in Corpus(mini.corpus / "train" / "conll.spacy")(nlp))
    measures = found["measures"]
    assert measures["words"] == 2 * words
    assert 0 < measures["seconds"] < measures["total_seconds"]
    assert measures["words_per_second"] == pytest.approx(words * 2 / measures["seconds"])
    assert measures["peak_memory_mb"] > 100

    (row,) = rows(output / "table.csv")
    assert (row["decoder"], row["seeds"]) == ("crf", "1")
    assert float(row["test_ents_f_mean"]) == scores["ents_f"]
    (single,) = rows(output / "runs.csv")
    assert float(single["dev_ents_p"]) == found["scores"]["dev"]["ents_p"]
    assert "| crf | 1 |" in (output / "table.md").read_text(encoding="utf8")

    # Nothing is left but what failed, and nothing is forgotten.
    again = invoke("compare", grid, *options, "--dry-run")
    assert len(executed) == 3
    assert "2 runs (2 cells × 1 seeds), 1 done, about" in flat(again.output)


@pytest.mark.usefixtures("executed")
def test_axes_of_backbones_and_corpora(
    tmp_path: Path, grid_text: str, mini: Mini, backbones: Dict[str, Path]
) -> None:
    """Every cell trains its own encoder on its own corpus."""
    small = tmp_path / "small"
    for part in ("train", "dev", "test"):
        (small / part).mkdir(parents=True)
    # Another training corpus, and one to be scored on: the parts change places.
    shutil.copy(mini.corpus / "test" / "conll.spacy", small / "train")
    shutil.copy(mini.corpus / "dev" / "conll.spacy", small / "dev")
    shutil.copy(mini.corpus / "train" / "conll.spacy", small / "test")
    axes = "".join(
        f'[axes.encoder.{name}]\npaths.backbone = "{backbones[name]}"\n'
        for name in ("bert", "distilbert")
    )
    for name, folder in (("mini", mini.corpus), ("small", small)):
        axes += f"[axes.corpus.{name}]\n"
        axes += "".join(f'paths.{p} = "{folder / p}"\n' for p in ("train", "dev", "test"))
    grid, output = tmp_path / "grid.toml", tmp_path / "out"
    grid.write_text(grid_text + axes, encoding="utf8")
    options = ["--output", output, "--training.batcher.size", "8", "--no-probe", "--keep"]
    options += ["--training.optimizer.learn_rate.initial_rate", "0.002"]
    options += ["--components.ner.score_loss", "true"]
    result = invoke("compare", grid, *options)
    assert result.exit_code == 0, result.output

    cells = [
        (encoder, corpus) for encoder in ("bert", "distilbert") for corpus in ("mini", "small")
    ]
    found: Dict[Any, Dict[str, Any]] = {}
    for encoder, corpus in cells:
        folder = output / "runs" / f"encoder={encoder},corpus={corpus}" / "seed-3"
        found[encoder, corpus] = json.loads((folder / "result.json").read_text(encoding="utf8"))
        # The weights say which encoder they are of, and the scores which documents they are of.
        nlp = spacy.load(folder / "model" / "model-last")
        trained: Any = nlp.get_pipe("transformer")
        assert hf_objects(trained.model).transformer.config.model_type == encoder
        test = {"mini": mini.corpus, "small": small}[corpus] / "test" / "conll.spacy"
        scores = nlp.evaluate(list(Corpus(test)(nlp)))
        loss = found[encoder, corpus]["scores"]["test"]["ner_loss"]
        assert loss == pytest.approx(scores["ner_loss"], rel=1e-4)

    # Words are counted in the corpus of the cell, and every cell has its own scores.
    words = {cell: result["measures"]["words"] for cell, result in found.items()}
    assert words["bert", "mini"] == words["distilbert", "mini"] > words["bert", "small"] > 0
    losses = {cell: result["scores"]["test"]["ner_loss"] for cell, result in found.items()}
    apart = sorted(losses.values())
    assert all(low < 0.999 * high for low, high in itertools.pairwise(apart))
    assert [(row["encoder"], row["corpus"]) for row in rows(output / "table.csv")] == cells
