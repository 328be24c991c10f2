"""`NAME_loss` in the scores."""

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest

from mtnlp.pipes.score_loss import HeadInputs
from tests.pipes.cases import initialized, make_case, mixed_examples, only, train

LAYERS = {"crf_ents": "ner", "span": "nested_ner", "multitask": "textcat", "events": "events"}


@pytest.mark.parametrize("name", LAYERS)
def test_mean_over_units(name: str, backbone: Path) -> None:
    """As `loss_on` has it from the encoder's own output."""
    nlp = initialized(make_case(backbone, name, score_loss=True))
    train(nlp, mixed_examples(nlp), 3)
    pipe: Any = nlp.get_pipe(nlp.pipe_names[-1])
    examples = mixed_examples(nlp)
    for example in examples:
        example.predicted = nlp(example.predicted)
    loss, units = pipe.loss_on(examples)
    key = f"{pipe.name}_loss"
    assert key not in pipe.score(examples), "not predicted by `pipe`, so nothing is known of them"
    nlp.add_pipe("trf_data_cleaner")
    found = nlp.evaluate(mixed_examples(nlp))[key]
    assert type(found) is float and found == pytest.approx(loss / units, rel=1e-5)
    # What others are annotated with does not count, and nothing is not None.
    assert nlp.evaluate(only(nlp, LAYERS[name]))[key] == pytest.approx(found, rel=1e-5)
    other = "events" if name != "events" else "ner"
    assert nlp.evaluate(only(nlp, other))[key] == 0.0


def test_off_by_default_and_kept_on_disk(backbone: Path, tmp_path: Path) -> None:
    nlp = initialized(make_case(backbone, "crf_ents"))
    assert "crf_ner_loss" not in nlp.evaluate(mixed_examples(nlp))
    nlp = initialized(make_case(backbone, "crf_ents", score_loss=True))
    expected = nlp.evaluate(mixed_examples(nlp))["crf_ner_loss"]
    nlp.to_disk(tmp_path)
    loaded = copy.deepcopy(nlp).from_disk(tmp_path)
    assert loaded.evaluate(mixed_examples(loaded))["crf_ner_loss"] == pytest.approx(expected)


def test_inputs_go_with_their_docs(backbone: Path) -> None:
    nlp = initialized(make_case(backbone, "crf_ents", score_loss=True))
    inputs: HeadInputs = nlp.get_pipe("crf_ner").head_inputs  # type: ignore[attr-defined]
    docs = list(nlp.pipe(["Anna flew .", "", "He died in Rome ."]))
    rows = inputs.of(docs)
    assert rows is not None and [len(row) for row in rows] == [3, 0, 5]
    assert copy.deepcopy(inputs).of(docs) is None
    assert pickle.loads(pickle.dumps(inputs)).of(docs) is None
    assert len(inputs._rows) == 3
    del docs
    assert len(inputs._rows) == 0
