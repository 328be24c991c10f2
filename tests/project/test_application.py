"""The example application: it reads every component, and notices answers that are wrong."""

import copy
import importlib.util
import runpy
from pathlib import Path
from types import ModuleType
from typing import Callable, List

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from tests.conftest import Joint

SCRIPT = Path(__file__).parents[2] / "scripts" / "project" / "application.py"

# A tiny random encoder cannot know these.
QUALITY = ("finds entities", "praise is more positive", "news is nearer")


@pytest.fixture(scope="module")
def application() -> ModuleType:
    spec = importlib.util.spec_from_file_location("application", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def pipeline(joint: Joint) -> Language:
    return joint.nlp


def failed(application: ModuleType, nlp: Language, docs: List[Doc]) -> List[str]:
    checks = application.run_checks(nlp, docs)
    wrong = [check.statement for check in checks if not check.holds]
    return [text for text in wrong if not any(part in text for part in QUALITY)]


def test_every_answer_is_shown_and_checked(
    application: ModuleType, pipeline: Language, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    pipeline.to_disk(tmp_path / "model")
    application.main(str(tmp_path / "model"))
    shown = capsys.readouterr().out
    for part in ("doc.ents", 'doc.spans["multinerd"]', "doc._.tasks", "doc._.events", "similarity"):
        assert part in shown
    assert "checks hold" in shown


def test_right_answers_pass(application: ModuleType, pipeline: Language) -> None:
    docs = list(pipeline.pipe(application.TEXTS))
    assert failed(application, pipeline, docs) == []
    statements = [check.statement for check in application.run_checks(pipeline, docs)]
    assert len(statements) > 20


def lose_a_score(doc: Doc) -> None:
    doc.spans["ner"].attrs["scores"] = doc.spans["ner"].attrs["scores"][:-1]


def invent_an_event(doc: Doc) -> None:
    doc._.events = ["INVENTED"]


def turn_the_vector(doc: Doc) -> None:
    doc._.sentence_vector = np.full_like(doc._.sentence_vector, np.nan)


def unbalance_a_task(doc: Doc) -> None:
    key = next(key for key in doc.cats if key.startswith("sentiment/"))
    doc.cats[key] += 0.5


def forget_a_group(doc: Doc) -> None:
    del doc.spans["multinerd"]


@pytest.mark.parametrize(
    "spoil, statement",
    [
        (lose_a_score, "one score per entity"),
        (invent_an_event, "doc._.events are the labels"),
        (turn_the_vector, "finite numbers"),
        (unbalance_a_task, "sums to one"),
        (forget_a_group, "has the group doc.spans['multinerd']"),
    ],
)
def test_wrong_answers_are_noticed(
    application: ModuleType,
    pipeline: Language,
    spoil: Callable[[Doc], None],
    statement: str,
) -> None:
    docs = list(pipeline.pipe(application.TEXTS))
    doc = max(docs, key=lambda doc: len(doc.ents))
    assert len(doc.ents), "the trained pipeline finds something"
    spoil(doc)
    assert any(statement in text for text in failed(application, pipeline, docs))


def test_exit_code_tells(
    application: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path)
    monkeypatch.setattr("sys.argv", [str(SCRIPT), str(tmp_path)])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    assert stopped.value.code == 0
    monkeypatch.setattr(application, "SENTENCES", copy.copy(application.SENTENCES)[::-1])
    assert application.main(str(tmp_path)) == 1
