from pathlib import Path
from typing import Any, Dict

import pytest
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.util import load_config
from thinc.api import Config

from mtnlp.errors import MtnlpError
from mtnlp.experiments.grid import Cell, read_grid
from mtnlp.experiments.settings import check_config, make_config, with_test_as_dev
from mtnlp.experiments.workload import WorkloadCounter, count_workload
from tests.experiments.conftest import CONFIG, Mini

GRIDS = CONFIG.parent / "grids"
# Grids whose configs have no `ner` by a CRF.
NOT_CRF = (
    "attention_imdb",
    "attention_nerel",
    "events",
    "goemotions",
    "imdb",
    "spans",
    "spacy_ner",
)
LOSS = ("components", "ner", "model", "loss")


def a_cell(folder: Path, text: str, axis: str = "") -> Cell:
    """The cell of a grid with one axis value `loss = mine`."""
    path = folder / "grid.toml"
    path.write_text(f"{text}\n[axes.loss.mine]\n{axis}\n", encoding="utf8")
    (cell,) = read_grid(path).cells
    return cell


def checked(cell: Cell) -> Language:
    return check_config(cell, make_config(cell, 3))


def test_a_block_takes_the_place_of_null(tmp_path: Path, grid_text: str, mini: Mini) -> None:
    focal = '{ "@losses" = "mtnlp.FocalLoss.v1", gamma = 1.5 }'
    compound = f'{{ "@losses" = "mtnlp.CompoundLoss.v1", losses.a = {focal}, weights.a = 0.5 }}'
    nlp = checked(a_cell(tmp_path, grid_text, f"components.ner.model.loss = {compound}"))
    block = nlp.config.interpolate()["components"]["ner"]["model"]["loss"]
    assert block["losses"]["a"]["gamma"] == 1.5 and block["weights"] == {"a": 0.5}
    # The rest is as in the config file, variables included.
    config = nlp.config
    assert config["corpora"]["dev"]["path"] == "${paths.dev}/conll.spacy"
    assert config.interpolate()["components"]["transformer"]["model"]["name"] == str(mini.backbone)


def test_a_setting_in_a_block_of_an_earlier_axis(tmp_path: Path, grid_text: str) -> None:
    axis = """components.ner.model.loss = { "@losses" = "mtnlp.FocalLoss.v1" }
    [axes.gamma.high]
    components.ner.model.loss.gamma = 4.0"""
    nlp = checked(a_cell(tmp_path, grid_text, axis))
    assert nlp.config["components"]["ner"]["model"]["loss"]["gamma"] == 4.0


def test_the_seed_and_no_bar(tmp_path: Path, grid_text: str) -> None:
    config = make_config(a_cell(tmp_path, grid_text), 5)
    complete = config.interpolate()
    assert complete["training"]["seed"] == complete["system"]["seed"] == 5
    assert complete["corpora"]["train"]["seed"] == 5
    assert "progress_bar" not in config["training"]["logger"]


def test_the_dev_reader_reads_test(tmp_path: Path, grid_text: str, mini: Mini) -> None:
    config = make_config(a_cell(tmp_path, grid_text), 0)
    path = with_test_as_dev(config).interpolate()["corpora"]["dev"]["path"]
    assert path == str(mini.corpus / "test" / "conll.spacy")


@pytest.mark.parametrize(
    ("axis", "code", "named"),
    [
        ("training.max_epoch = 1", "E421", "axis loss = mine: .*training.max_epoch'"),
        ("components.nerr.spans_key = 'a'", "E421", "axis loss = mine"),
        ("paths.trian = 'a'", "E421", "axis loss = mine"),
        ("training.max_epochs.more = 1", "E421", "axis loss = mine"),
        ("components.ner.model.decodr = 'crf'", "E423", "loss=mine: .*decodr"),
        ("components.ner.model.loss = {'@losses' = 'mtnlp.Nope.v1'}", "E423", "loss=mine: .*Nope"),
        (
            "components.ner.model.loss = {'@losses' = 'mtnlp.FocalLoss.v1', gama = 1}",
            "E423",
            "gama",
        ),
        ("corpora.train.corpora.conll.limti = 1", "E423", "loss=mine: .*limti"),
        ("paths.train = 'no/train'", "E422", "axis loss = mine.*'no/train'"),
        ("paths.backbone = './no/model'", "E422", "paths.backbone"),
        ("config = 'nope.cfg'", "E422", "nope.cfg"),
        ("corpora.dev.path = 'a.spacy'", "E426", "paths.dev"),
    ],
)
def test_what_could_not_run(
    axis: str, code: str, named: str, tmp_path: Path, grid_text: str
) -> None:
    with pytest.raises(MtnlpError, match=rf"(?s)\[{code}\].*{named}"):
        checked(a_cell(tmp_path, grid_text, axis))


def test_nothing_to_test_on(tmp_path: Path, grid_text: str) -> None:
    nlp = checked(a_cell(tmp_path, grid_text, 'paths.test = "null"'))
    assert nlp.config["paths"]["test"] is None


@pytest.mark.parametrize("path", sorted(GRIDS.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_grids(path: Path, mini: Mini, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell can be built; only cells without the excluded combinations are there."""
    monkeypatch.chdir(CONFIG.parents[1])
    overrides = {f"paths.{part}": str(mini.corpus / part) for part in ("train", "dev", "test")}
    if all("backbone" in load_config(cell.config)["paths"] for cell in read_grid(path).cells):
        overrides["paths.backbone"] = str(mini.backbone)
    grid = read_grid(path, overrides)
    # Domains differ in the paths alone, and those are given here.
    others = [tuple(cell.values[a] for a in cell.values if a != "domain") for cell in grid.cells]
    for cell in dict(zip(others, grid.cells, strict=True)).values():
        heads: Dict[str, Any] = checked(cell).config["components"]
        if heads.get("ner", {}).get("factory") != "crf_ner":
            assert grid.name in NOT_CRF
            continue
        model = heads["ner"]["model"]
        assert model["decoder"] == cell.values.get("decoder", model["decoder"])
        assert "CRFLikelihood" not in str(model["loss"]) or model["decoder"] == "crf"
    assert len({str(make_config(cell, 0)) for cell in grid.cells}) == len(set(others)) > 1


def words(config: Config, nlp: Language, part: str) -> int:
    path = config.interpolate()["paths"][part]
    return sum(len(doc) for doc in DocBin().from_disk(f"{path}/conll.spacy").get_docs(nlp.vocab))


def test_workload(tmp_path: Path, grid_text: str) -> None:
    """24 sentences in batches of 16, 2 epochs: 4 steps, the first and about one more evaluated."""
    nlp = checked(a_cell(tmp_path, grid_text))
    found = count_workload(nlp, nlp.config.interpolate())
    train, dev, test = (words(nlp.config, nlp, part) for part in ("train", "dev", "test"))
    assert found.train == 2 * train
    assert found.evaluated == 3 * dev + test


def test_workload_of_so_many_steps(tmp_path: Path, grid_text: str) -> None:
    nlp = checked(a_cell(tmp_path, grid_text, "training.max_epochs = 0\ntraining.max_steps = 7"))
    found = count_workload(nlp, nlp.config.interpolate())
    assert found.train == round(words(nlp.config, nlp, "train") / 2 * 8)


def test_a_training_without_an_end(tmp_path: Path, grid_text: str) -> None:
    nlp = checked(a_cell(tmp_path, grid_text, "training.max_epochs = 0"))
    with pytest.raises(MtnlpError, match=r"E424.*loss=mine"):
        WorkloadCounter()("loss=mine", nlp)


def test_a_corpus_that_is_not_there(tmp_path: Path, grid_text: str) -> None:
    nlp = checked(a_cell(tmp_path, grid_text, f"paths.train = '{tmp_path}'"))
    with pytest.raises(MtnlpError, match=r"E423.*loss=mine.*E190"):
        WorkloadCounter()("loss=mine", nlp)
