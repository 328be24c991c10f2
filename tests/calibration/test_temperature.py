"""Fitting a temperature: the best there is, on what is annotated, with the encoder run once."""

import logging
from math import cosh, exp, log
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Sequence

import pytest
import spacy
import torch
from scipy.optimize import minimize_scalar
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from mtnlp.calibration.collected_scores import CHUNK_SIZE, MEMORY, EntityScores, collect
from mtnlp.calibration.temperature import (
    LOWEST,
    PRIOR,
    TemperatureFit,
    fit_collected,
    minimize,
    penalised_loss,
    pipes_with_temperature,
    search,
)
from mtnlp.errors import MtnlpError
from tests.pipes.cases import get_case_pipe, initialized, make_case, mixed_examples, train
from tests.tiny import make_example, make_nlp

CASES = ["crf_ents", "biluo", "softmax", "span", "marker"]


def held_out(nlp: Language) -> List[Example]:
    """Like the training data but for some gold, so that certainty does not pay; partly
    annotated, and with documents that are not annotated at all."""
    nested = [(1, 5, "ORG"), (3, 4, "CITY")]
    return [
        *mixed_examples(nlp),
        make_example(
            nlp, "Tom Keller saw Anna .", ents=[(0, 1, "PER"), (3, 4, "LOC")], missing=[2]
        ),
        make_example(nlp, "Rome fell .", ents=[(0, 1, "PER")]),
        make_example(nlp, "The Bank of York fell .", spans=nested, key="nerel"),
        make_example(nlp, "Anna slept in New York .", spans=[(3, 5, "ORG")], key="nerel"),
        Example(Doc(nlp.vocab), Doc(nlp.vocab)),
    ]


def make_trained(backbone: Path, name: str, steps: int = 15) -> Language:
    nlp = initialized(make_case(backbone, name))
    train(nlp, mixed_examples(nlp), steps)
    return nlp


def fit_temperatures(
    nlp: Language, names: Sequence[str], examples: Iterable[Example], memory: int = MEMORY
) -> Dict[str, TemperatureFit]:
    """What `mtnlp calibrate` does with entity pipes."""
    collected = {name: EntityScores(nlp.get_pipe(name), memory) for name in names}
    collect(nlp, list(collected.values()), examples)
    return {name: fit_collected(scores) for name, scores in collected.items()}


def fit_temperature(nlp: Language, name: str, examples: Iterable[Example]) -> TemperatureFit:
    return fit_temperatures(nlp, [name], examples)[name]


@pytest.mark.parametrize(
    "function",
    [lambda x: (x - 1.3) ** 2, lambda x: exp(x) - 2 * x, lambda x: -log(cosh(x) ** -2 + 1e-3)],
    ids=["parabola", "skewed", "flat"],
)
def test_the_minimum_is_that_of_scipy(function: Callable[[float], float]) -> None:
    expected = minimize_scalar(function, bounds=(-3, 2), method="bounded").x
    assert minimize(function, -3, 2, 1e-4) == pytest.approx(expected, abs=1e-3)


def test_search() -> None:
    assert minimize(lambda x: (x - 1.3) ** 2, -3, 3, 1e-4) == pytest.approx(1.3, abs=1e-3)
    assert minimize(lambda x: abs(x), -3, 2, 1e-4) == pytest.approx(0.0, abs=1e-3)
    assert minimize(lambda x: x, -3, 2, 1e-4) == pytest.approx(-3.0, abs=1e-3)
    calls: List[float] = []
    minimize(lambda x: calls.append(x) or -x, 0, 1, 1e-3)  # type: ignore[func-returns-value]
    assert len(calls) < 20


@pytest.mark.parametrize("name", CASES)
def test_no_temperature_is_better(name: str, backbone: Path) -> None:
    nlp = make_trained(backbone, name)
    pipe = get_case_pipe(nlp, name)
    factory = pipe.name
    fit = fit_temperature(nlp, factory, held_out(nlp))
    assert pipe.cfg["temperature"] == fit.temperature != 1.0
    assert fit.loss_after < fit.loss_before
    collected = EntityScores(pipe, 10**9)
    collected.add([Example(nlp(eg.predicted), eg.reference) for eg in held_out(nlp)])
    assert fit.units == collected.units and fit.documents == collected.documents
    assert fit.loss_before == pytest.approx(collected.loss(1.0), rel=1e-5)
    assert fit.loss_after == pytest.approx(collected.loss(fit.temperature), rel=1e-5)
    others = [exp(x / 5) for x in range(-14, 15)]
    others += [fit.temperature * exp(x / 50) for x in (-1, 1)]
    least = min(penalised_loss(collected.loss, collected.units, other) for other in others)
    assert penalised_loss(collected.loss, collected.units, fit.temperature) <= least + 1e-4
    # A second fit starts from the first.
    again = fit_temperature(nlp, factory, held_out(nlp))
    assert again.loss_before == pytest.approx(fit.loss_after, rel=1e-6)
    assert again.temperature == pytest.approx(fit.temperature, rel=1e-3)


@pytest.mark.parametrize("name", ["crf_ents", "softmax", "span"])
def test_scores_that_are_twice_as_large_need_twice_the_temperature(
    name: str, backbone: Path
) -> None:
    nlp = make_trained(backbone, name)
    pipe = get_case_pipe(nlp, name)
    first = fit_temperature(nlp, pipe.name, held_out(nlp))
    collected = EntityScores(pipe, 10**9)
    examples = [Example(nlp(eg.predicted), eg.reference) for eg in held_out(nlp)]
    if name == "crf_ents":
        with torch.no_grad():
            for parameter in pipe.module.crf.parameters():
                parameter.mul_(2)
    collected.add(examples)
    for batch in collected.batches:
        batch.logits.mul_(2)
    assert collected.loss(2 * first.temperature) == pytest.approx(first.loss_after, rel=1e-4)


def test_mean_loss_of_the_default_losses_is_that_of_training(backbone: Path) -> None:
    """At a temperature of 1, per annotated token, as `loss_on` has it."""
    nlp = make_trained(backbone, "span", 3)
    pipe = get_case_pipe(nlp, "span")
    examples = [Example(nlp(eg.predicted), eg.reference) for eg in held_out(nlp)]
    loss, units = pipe.loss_on(examples)
    assert fit_temperature(nlp, "span_ner", held_out(nlp)).loss_before == pytest.approx(
        loss / units, rel=1e-4
    )


def test_several_pipes_read_one_encoding(
    backbone: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    names = ["ner", "fine_ner", "nested_ner"]
    nlp = make_nlp(backbone, [*names, "events"])
    initialized(nlp)
    nlp.add_pipe("trf_data_cleaner")
    train(nlp, mixed_examples(nlp), 8)
    assert pipes_with_temperature(nlp) == names
    encoder: Any = nlp.get_pipe("transformer")
    seen: List[int] = []
    predict = encoder.predict
    monkeypatch.setattr(encoder, "predict", lambda docs: seen.append(len(docs)) or predict(docs))
    examples = held_out(nlp) * 4
    fits = fit_temperatures(nlp, names, examples)
    monkeypatch.undo()
    layers = {"multinerd", "nerel"}
    annotated = [
        eg
        for eg in examples
        if (len(eg.reference) and eg.reference.has_annotation("ENT_IOB"))
        or layers & set(eg.reference.spans)
    ]
    assert sum(seen) == len(annotated) < len(examples) and len(annotated) > CHUNK_SIZE
    # What the caller gave is as it was.
    assert all(eg.predicted._.trf_data is None and not eg.predicted.spans for eg in examples)
    found: Dict[str, float] = {name: fit.temperature for name, fit in fits.items()}
    assert len(set(found.values())) == 3
    for name in names:
        alone = fit_temperature(nlp, name, examples)
        assert alone.temperature == pytest.approx(found[name], rel=1e-2)
    nlp.to_disk(tmp_path)
    loaded: Any = spacy.load(tmp_path)
    for name in names:
        assert loaded.get_pipe(name).cfg["temperature"] == pytest.approx(found[name], rel=1e-2)


def test_memory_is_bounded(backbone: Path, caplog: pytest.LogCaptureFixture) -> None:
    nlp = make_trained(backbone, "crf_ents", 3)
    examples = held_out(nlp) * 10
    everything = fit_temperature(nlp, "crf_ner", examples)
    logging.getLogger("spacy").propagate = True
    with caplog.at_level(logging.INFO, "spacy"):
        fits = fit_temperatures(nlp, ["crf_ner"], examples, memory=1)
    assert fits["crf_ner"].documents == CHUNK_SIZE < everything.documents
    assert f"the first {CHUNK_SIZE} documents" in caplog.text


def test_few_documents_without_an_error(backbone: Path) -> None:
    """On what it knows by heart a model could never be sure enough; a few documents do not show
    that it always is right."""
    nlp = make_trained(backbone, "crf_ents", 40)
    fit = fit_temperature(nlp, "crf_ner", mixed_examples(nlp))
    assert fit.loss_after < fit.loss_before < 0.2
    assert 0.25 < fit.temperature < 1.0


@pytest.mark.parametrize("units", [1, 4, 100, 1_000_000])
def test_the_prior_gives_way_to_documents(units: int) -> None:
    """The temperature with the least loss is 4 here; the analytic solution of both together."""
    found = search(lambda temperature: (log(temperature) - log(4)) ** 2 / 2, units, "it")
    assert log(found) == pytest.approx(log(4) * units / (units + PRIOR**-2), abs=2e-3)


def test_a_temperature_at_the_limit_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("spacy").propagate = True
    with caplog.at_level(logging.WARNING, "spacy"):
        found = search(lambda temperature: temperature, 1_000_000, "it")
    assert found == pytest.approx(LOWEST, rel=0.1)
    assert "not trained on" in caplog.text


def test_errors(backbone: Path) -> None:
    nlp = make_trained(backbone, "crf_ents", 1)
    bare = [eg for eg in mixed_examples(nlp) if not eg.reference.has_annotation("ENT_IOB")]
    for examples in (bare, [], [Example(Doc(nlp.vocab), Doc(nlp.vocab))]):
        with pytest.raises(MtnlpError, match=r"E415.*crf_ner.*doc\.ents"):
            fit_temperature(nlp, "crf_ner", examples)
