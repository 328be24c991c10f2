"""Losses are sums divided by a constant: sub-batches add up."""

from pathlib import Path
from typing import Any, Dict, List

import pytest
from spacy.language import Language
from spacy.training import Example

from mtnlp.pipes.loss_normalization import expected_units, sample_examples
from tests.pipes.cases import EXACT, assert_close, gradients, initialized, mixed_examples, only
from tests.tiny import PIPES, make_nlp

HEADS = [name for name in PIPES if name != "sentence_vectors"]


@pytest.fixture
def exact(backbone: Path) -> Language:
    """A pipeline without dropout."""
    return initialized(make_nlp(backbone, PIPES, EXACT))


def accumulate(nlp: Language, *batches: List[Example]) -> Dict[str, Any]:
    """The gradients of the encoder and of all heads after some sub-batches, and the losses."""
    modules = {name: nlp.get_pipe(name).module for name in HEADS}  # type: ignore[attr-defined]
    modules["transformer"] = nlp.get_pipe("transformer").model.transformer  # type: ignore
    losses: Dict[str, float] = {}
    for module in modules.values():
        module.zero_grad(set_to_none=True)
    for batch in batches:
        nlp.update(batch, sgd=False, losses=losses)  # type: ignore[arg-type]
    return {"losses": losses, **{name: gradients(module) for name, module in modules.items()}}


@pytest.mark.parametrize("cut", [1, 4, 6])
def test_sub_batches_add_up(cut: int, exact: Language) -> None:
    examples = mixed_examples(exact)
    whole = accumulate(exact, examples)
    parts = accumulate(exact, examples[:cut], examples[cut:])
    for name in [*HEADS, "transformer"]:
        assert_close(whole[name], parts[name])
    for name in HEADS:
        assert whole["losses"][name] == pytest.approx(parts["losses"][name], rel=1e-5)


def test_the_same_batch_twice_doubles(exact: Language) -> None:
    examples = mixed_examples(exact)
    once, twice = accumulate(exact, examples), accumulate(exact, examples, examples)
    for name in [*HEADS, "transformer"]:
        doubled = {key: 2 * value for key, value in once[name].items()}
        assert_close(doubled, twice[name])


def test_losses_are_divided_by_the_units(exact: Language) -> None:
    examples = mixed_examples(exact)
    before = accumulate(exact, examples)
    units = {name: exact.get_pipe(name).cfg["loss_normalization"] for name in HEADS}  # type: ignore
    assert units == {
        "ner": 15.0,
        "fine_ner": 13.0,
        "nested_ner": 13.0,
        "textcat": 5.0,
        "events": 2.0,
    }
    for name in HEADS:
        exact.get_pipe(name).cfg["loss_normalization"] = 2 * units[name]  # type: ignore[attr-defined]
    after = accumulate(exact, examples)
    for name in HEADS:
        assert before["losses"][name] == pytest.approx(2 * after["losses"][name], rel=1e-5)
        assert_close(before[name], {k: 2 * v for k, v in after[name].items()})


def test_units_survive_a_round_trip(exact: Language) -> None:
    pipe: Any = exact.get_pipe("ner")
    other = make_nlp(Path("none"), ["ner"])
    made: Any = other.get_pipe("ner")
    made.from_bytes(pipe.to_bytes())
    assert made.cfg["loss_normalization"] == pipe.cfg["loss_normalization"] == 15.0


@pytest.mark.parametrize("name", HEADS)
def test_the_loss_for_reports(name: str, exact: Language) -> None:
    """`loss_on` in evaluation is the training loss at dropout 0, not yet divided."""
    examples = mixed_examples(exact)
    pipe: Any = exact.get_pipe(name)
    trained_on = accumulate(exact, examples)["losses"][name]
    for example in examples:
        exact.get_pipe("transformer")(example.predicted)  # type: ignore[operator]
    loss, units = pipe.loss_on(examples)
    assert units == pipe.get_target(examples).units
    assert loss / pipe.cfg["loss_normalization"] == pytest.approx(trained_on, rel=1e-5)
    assert pipe.loss_on([eg for eg in examples if eg not in only(exact, name)][:0]) == (0.0, 0.0)
    half = [pipe.loss_on(part) for part in (examples[:5], examples[5:])]
    assert sum(part[0] for part in half) == pytest.approx(loss, rel=1e-5)
    assert sum(part[1] for part in half) == units


def test_the_loss_for_reports_leaves_no_gradient(exact: Language) -> None:
    examples = mixed_examples(exact)
    for example in examples:
        exact.get_pipe("transformer")(example.predicted)  # type: ignore[operator]
    for name in HEADS:
        pipe: Any = exact.get_pipe(name)
        pipe.loss_on(examples)
        assert not gradients(pipe.module)


def count_docs(batch: Any) -> float:
    return float(len(batch))


def test_expected_units_of_the_configured_batcher(backbone: Path) -> None:
    nlp = make_nlp(backbone, ["ner"])
    examples = mixed_examples(nlp)
    assert len(examples) == 14
    for size, expected in ((4, 3.5), (7, 7.0), (100, 14.0)):
        nlp.config["training"]["batcher"] = {
            "@batchers": "spacy.batch_by_sequence.v1",
            "size": size,
        }
        assert expected_units(lambda: examples, count_docs, nlp) == expected


def test_expected_units_without_a_batcher(backbone: Path) -> None:
    nlp = make_nlp(backbone, ["ner"])
    examples = mixed_examples(nlp) * 4
    assert expected_units(lambda: examples, count_docs, None) == 28.0
    nlp.config["training"]["batcher"] = None
    assert expected_units(lambda: examples, count_docs, nlp) == 28.0


def test_expected_units_are_at_least_one() -> None:
    assert expected_units(lambda: [], count_docs, None) == 1.0


def test_units_go_by_the_batches_of_training(backbone: Path) -> None:
    """Annotated units of an average batch, those without any included."""
    nlp = make_nlp(backbone, ["ner"])
    nlp.config["training"]["batcher"] = {"@batchers": "spacy.batch_by_sequence.v1", "size": 3}
    initialized(nlp)
    pipe: Any = nlp.get_pipe("ner")
    assert pipe.cfg["loss_normalization"] == 15.0 / 5


def test_expected_units_of_one_corpus_after_another() -> None:
    """A reader that gives the annotated documents last: they count for their share."""
    corpus = 6000 * [0] + 4000 * [1]
    found = expected_units(lambda: iter(corpus), lambda batch: float(sum(batch)), None)  # type: ignore[arg-type, return-value]
    assert found == pytest.approx(32 * 0.4, rel=0.05)


def test_a_small_corpus_is_counted_as_it_is() -> None:
    assert sample_examples(iter(range(7)), 7) == list(range(7))  # type: ignore[arg-type, comparison-overlap]
    chosen = sample_examples(iter(range(1000)), 100)  # type: ignore[arg-type]
    assert len(set(chosen)) == 100 and chosen == sample_examples(iter(range(1000)), 100)  # type: ignore[arg-type]
