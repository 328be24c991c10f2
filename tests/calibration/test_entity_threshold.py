"""The threshold of `span_ner`: what brute force finds, with the pipe's own decoder and scorer."""

import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import numpy as np
import pytest
import spacy
import torch
from click.testing import Result
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example

from mtnlp.calibration.collected_scores import EntityScores
from mtnlp.calibration.entity_threshold import (
    FLAT,
    best_threshold,
    find_candidates,
    fit_entity_threshold,
    fscore_curve,
    threshold_figures,
)
from mtnlp.calibration.options import FitOptions
from mtnlp.calibration.thresholds import threshold_grid
from mtnlp.pipes.entity_spans import Predictions
from mtnlp.scorers.entities import score_entities
from mtnlp.types import LossBatch
from tests.pipes.cases import get_case_pipe, initialized, make_case, mixed_examples, train
from tests.tiny import make_example

RAW = FitOptions(min_positives=1, smoothing=0.0)
CASES = ["span", "marker", "span_ents"]


def held_out(nlp: Language, key: str) -> List[Example]:
    """Overlapping and flat gold, tokens of which nothing is known, white space between words, and
    tokens that differ from those of the reference."""
    examples = mixed_examples(nlp)
    nested = [(0, 2, "ORG"), (1, 2, "CITY")]
    spaced = make_example(nlp, "Anna Keller fell .", ents=[(0, 2, "PER")], spans=nested, key=key)
    for text in ("Anna  \n Keller fell.", "Anna Keller fell."):
        examples.append(Example(nlp.make_doc(text), spaced.reference))
    return examples


def plant(nlp: Language, name: str, seed: int) -> Tuple[EntityScores, Any]:
    """A pipe's scores for documents, overwritten by chance, higher for what is gold."""
    pipe = get_case_pipe(nlp, name)
    scores = EntityScores(pipe)
    examples = held_out(nlp, "nerel")
    for part in (examples[:7], examples[7:]):
        scores.add([Example(nlp(eg.predicted), eg.reference) for eg in part])
    generator = torch.Generator().manual_seed(seed)
    for i, batch in enumerate(scores.batches):
        logits = torch.randn(batch.logits.shape, generator=generator) * 2 - 1
        if pipe.module.exclusive:
            logits += 3 * torch.nn.functional.one_hot(batch.target, logits.shape[-1])
        else:
            logits += 3 * batch.target
        scores.batches[i] = LossBatch(logits, None, batch.target, batch.mask)
    return scores, pipe


def written_scores(scores: EntityScores, pipe: Any, threshold: float) -> Dict[str, Any]:
    """What the scorer says of what the pipe writes, from the same scores."""
    examples: List[Example] = []
    for batch, part in zip(scores.batches, scores.examples, strict=True):
        lengths = torch.tensor([len(eg.predicted) for eg in part])
        mask = torch.arange(batch.logits.shape[1]) < lengths[:, None]
        settings = pipe.decoder, threshold, pipe.cfg["temperature"]
        spans, best = pipe.module.decode(batch.logits, mask, *settings)
        found = Predictions(spans.numpy(), best.numpy())
        pipe.set_annotations([eg.predicted for eg in part], found)
        examples += part
    key = pipe.cfg["spans_key"]
    prefix = "ents" if key is None else f"spans_{key}"
    scored = score_entities(examples, spans_key=key)
    return {letter: scored[f"{prefix}_{letter}"] for letter in "prf"}


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest, backbone: Path) -> Tuple[Language, str]:
    nlp = initialized(make_case(backbone, request.param))
    train(nlp, mixed_examples(nlp), 2)
    return nlp, request.param


@pytest.mark.parametrize("seed", range(2))
def test_the_best_threshold_is_that_of_brute_force(
    case: Tuple[Language, str], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mtnlp.calibration.thresholds.STEP", 0.5)
    nlp, name = case
    scores, pipe = plant(nlp, name, seed)
    pipe.cfg.update(threshold=0.97, temperature=1.3)
    before = written_scores(scores, pipe, 0.97)
    grid = [float(value) for value in threshold_grid()[1]]
    every = [written_scores(scores, pipe, value) for value in grid]
    fit = fit_entity_threshold(scores, RAW, 1.3)
    best = max(found["f"] for found in every)
    equal = [value for value, found in zip(grid, every, strict=True) if found["f"] >= best - 1e-12]
    assert pipe.cfg["threshold"] == min(equal, key=lambda value: abs(value - best / 2))
    assert 0.0 < best < 1.0 and fit.before["f"] < best
    for found, expected in ((fit.before, before), (fit.after, every[grid.index(equal[0])])):
        assert found["f"] == pytest.approx(expected["f"], abs=1e-12)
    after = written_scores(scores, pipe, pipe.cfg["threshold"])
    assert {key: fit.after[key] for key in "prf"} == pytest.approx(after, abs=1e-12)
    # The whole curve, not its peak alone.
    candidates = find_candidates(scores, 1.3, grid[0])
    curve = fscore_curve(candidates, pipe.decoder)
    assert curve == pytest.approx([found["f"] for found in every], abs=1e-12)
    assert threshold_figures(scores, fit)["after"] == fit.after


def test_a_flat_curve_is_cut_at_half_its_height() -> None:
    grid = threshold_grid()[1]
    for height in (0.3, 0.6, 0.9):
        flat = np.full(len(grid), height)
        for smoothing in (0.0, 0.4):
            found = best_threshold(flat, smoothing)
            assert abs(found - height / 2) == np.abs(grid - height / 2).min()
    # As flat, but only from 0.6 on.
    step = np.where(grid > 0.6, 0.8, 0.2)
    assert best_threshold(step, 0.0) == grid[grid > 0.6].min()
    assert best_threshold(step - 0.9 * FLAT * (grid < 0.8), 0.0) == grid[grid > 0.8].min()


def test_a_lonely_peak_is_chance() -> None:
    odds, grid = threshold_grid()
    curve = 0.7 - 0.01 * (odds - 1.0) ** 2
    assert best_threshold(curve, 0.4) == pytest.approx(best_threshold(curve, 0.0), abs=0.2)
    curve[20] += 0.5
    assert best_threshold(curve, 0.0) == grid[20]
    assert best_threshold(curve, 0.4) > 0.5


def test_few_entities_change_nothing(case: Tuple[Language, str]) -> None:
    nlp, name = case
    scores, pipe = plant(nlp, name, 0)
    pipe.cfg.update(threshold=0.9, temperature=1.0)
    fit = fit_entity_threshold(scores, FitOptions(min_positives=1000), 1.0)
    assert pipe.cfg["threshold"] == 0.9 and fit.before == fit.after


@pytest.fixture(scope="module")
def saved(backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline that has learnt little, as "model", and documents, as "dev.spacy"."""
    folder = tmp_path_factory.mktemp("threshold")
    nlp = initialized(make_case(backbone, "span"))
    train(nlp, mixed_examples(nlp), 6)
    nlp.get_pipe("span_ner").cfg["threshold"] = 0.95  # type: ignore[attr-defined]
    nlp.to_disk(folder / "model")
    doc = Doc(nlp.vocab, words=["The", "Bank", "of", "York", "fell", "."])
    doc.spans["nerel"] = [Span(doc, 1, 4, "ORG"), Span(doc, 3, 4, "CITY")]
    references = [eg.reference for eg in mixed_examples(nlp)]
    DocBin(docs=[*references, doc]).to_disk(folder / "dev.spacy")
    return folder


def entity_scores(folder: Path, dev: Path) -> Tuple[float, Dict[str, float]]:
    """The threshold of a saved pipeline, and what `spacy evaluate` says of it."""
    nlp = spacy.load(folder)
    docs = DocBin().from_disk(dev).get_docs(nlp.vocab)
    found = nlp.evaluate([Example(nlp.make_doc(doc.text), doc) for doc in docs])
    threshold = nlp.get_pipe("span_ner").cfg["threshold"]  # type: ignore[attr-defined]
    return threshold, {key: found[f"spans_nerel_{key}"] for key in "prf"}


@pytest.mark.parametrize("options", [[], ["--no-temperature"]])
def test_what_is_reported_is_what_the_saved_pipeline_scores(
    calibrate: Callable[..., Result], saved: Path, tmp_path: Path, options: List[str]
) -> None:
    dev = saved / "dev.spacy"
    result = calibrate(
        *(saved / "model", dev, "--output", tmp_path / "fitted", "--min-positives", 1, *options),
        *("--metrics", tmp_path / "figures.json", "--report", dev),
    )
    assert result.exit_code == 0, result.output
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf8"))
    fit = figures["thresholds"]["span_ner"]
    for way, folder in (("before", saved / "model"), ("after", tmp_path / "fitted")):
        threshold, found = entity_scores(folder, dev)
        assert threshold == fit[way]["threshold"]
        assert {key: fit[way][key] for key in "prf"} == pytest.approx(found, abs=1e-9)
        assert f"{fit[way]['f']:.4f}" in result.output
    assert fit["before"]["threshold"] == 0.95 != fit["after"]["threshold"]
    assert fit["after"]["f"] > fit["before"]["f"]
    assert figures["threshold_report"]["span_ner"] == fit
    assert ("span_ner" in figures["temperatures"]) == (not options)


def test_no_thresholds(calibrate: Callable[..., Result], saved: Path, tmp_path: Path) -> None:
    result = calibrate(
        *(saved / "model", saved / "dev.spacy", "--output", tmp_path / "fitted"),
        *("--no-thresholds", "--metrics", tmp_path / "figures.json"),
    )
    assert result.exit_code == 0, result.output
    assert entity_scores(tmp_path / "fitted", saved / "dev.spacy")[0] == 0.95
    assert json.loads((tmp_path / "figures.json").read_text(encoding="utf8"))["thresholds"] == {}
