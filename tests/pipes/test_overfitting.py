"""Every pipe learns a mixed corpus by heart, and keeps what it knows on disk and in bytes."""

from pathlib import Path
from typing import Any, Callable, Dict

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import load_model_from_config

from tests.pipes.cases import (
    CASES,
    TEXTS,
    VARIANTS,
    assert_same_answers,
    get_case_pipe,
    initialized,
    listed,
    make_case,
    mixed_examples,
    train,
)


def check_ents(docs: Dict[str, Doc]) -> None:
    assert listed(docs["Anna Keller flew to Paris ."].ents) == [(0, 2, "PER"), (4, 5, "LOC")]
    assert listed(docs["Nothing happened there ."].ents) == []


def check_spans(docs: Dict[str, Doc]) -> None:
    doc = docs["I saw a red fox near Rome ."]
    assert listed(doc.spans["multinerd"]) == [(3, 5, "ANIM"), (6, 7, "LOC")]
    assert len(doc.ents) == 0


def check_nested(docs: Dict[str, Doc]) -> None:
    nested = docs["The Bank of New York fell ."]
    assert listed(nested.spans["nerel"]) == [(1, 5, "ORG"), (3, 5, "CITY")]
    assert len(nested.ents) == 0
    assert listed(docs["It stood in New York ."].spans["nerel"]) == [(3, 5, "CITY")]


def check_tasks(docs: Dict[str, Doc]) -> None:
    great, awful = docs["What a great film ."], docs["A terrible film , truly awful ."]
    assert great.cats["sentiment/positive"] > 0.8 and awful.cats["sentiment/positive"] < 0.2
    for doc in docs.values():
        assert sum(doc._.tasks["sentiment"].values()) == pytest.approx(1.0)
    both = docs["The club sold its shares ."]._.tasks["topic"]
    assert both["SPORT"] > 0.8 and both["MONEY"] > 0.8
    assert docs["Shares fell at the bank ."]._.tasks["topic"]["SPORT"] < 0.2


def check_events(docs: Dict[str, Doc]) -> None:
    assert docs["He died in Rome ."]._.events == ["DEATH"]
    assert docs["She was born in a small town in 1950 ."]._.events == ["BIRTH"]


def check_vectors(docs: Dict[str, Doc]) -> None:
    for doc in docs.values():
        assert np.linalg.norm(doc.vector) == pytest.approx(1.0, abs=1e-5)


CHECKS: Dict[str, Callable[[Dict[str, Doc]], None]] = {
    "crf_ents": check_ents,
    "crf_spans": check_spans,
    "softmax": check_ents,
    "biluo": check_ents,
    "span": check_nested,
    "marker": check_nested,
    "span_ents": check_ents,
    "shape": check_ents,
    "span_shape": check_nested,
    "hidden": check_events,
    "separate": check_tasks,
    "attention": check_events,
    "multitask": check_tasks,
    "events": check_events,
    "sentence_vectors": check_vectors,
}


def from_bytes(nlp: Language) -> Language:
    loaded = load_model_from_config(nlp.config, auto_fill=True)
    return loaded.from_bytes(nlp.to_bytes())


@pytest.mark.parametrize("name", VARIANTS)
def test_overfitting_IO(name: str, backbone: Path, tmp_path: Path) -> None:
    nlp = initialized(make_case(backbone, name))
    examples = mixed_examples(nlp)
    losses = train(nlp, examples, 45)
    pipe: Any = get_case_pipe(nlp, name)
    assert losses[pipe.name] < 0.05

    docs = {eg.text.strip(): nlp(Doc(nlp.vocab, words=eg.text.split())) for eg in examples}
    CHECKS[name](docs)
    scores = nlp.evaluate(examples)
    assert [scores[key] for key in VARIANTS[name].scores] == [1.0] * len(VARIANTS[name].scores)

    nlp.to_disk(tmp_path)
    for loaded in (spacy.load(tmp_path), from_bytes(nlp)):
        assert loaded.get_pipe(pipe.name).labels == pipe.labels
        assert loaded.get_pipe(pipe.name).cfg == pipe.cfg
        for text in TEXTS:
            assert_same_answers(nlp(text), loaded(text), 1e-6)


@pytest.mark.parametrize("name", CASES)
def test_a_loaded_pipe_trains_on(name: str, backbone: Path, tmp_path: Path) -> None:
    nlp = initialized(make_case(backbone, name))
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    pipe: Any = get_case_pipe(loaded, name)
    first = train(loaded, mixed_examples(loaded), 1)[pipe.name]
    last = train(loaded, mixed_examples(loaded), 15)[pipe.name]
    assert last < first or name == "sentence_vectors"


def test_joint_training_learns_every_task(trained: Language) -> None:
    scores = trained.evaluate(mixed_examples(trained))
    for case in CASES.values():
        assert [scores[key] for key in case.scores] == [1.0] * len(case.scores)
    assert scores["cats_score"] == 1.0
