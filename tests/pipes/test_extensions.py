"""Custom attributes whose names another library has taken."""

import logging
from pathlib import Path
from typing import Any, Dict, Iterator, Tuple

import pytest
from spacy.tokens import Doc, Span
from spacy.tokens.underscore import Underscore
from spacy.vocab import Vocab

import mtnlp
from mtnlp.pipes.classifier import install_tasks
from mtnlp.pipes.entity_spans import install_confidence
from mtnlp.pipes.event_textcat import install_events
from mtnlp.pipes.vector_hooks import install_vectors
from tests.pipes.cases import TASKS, initialized
from tests.tiny import PIPES, make_nlp

TEXT = "Anna Keller flew to Paris ."
INSTALLED: Dict[str, Tuple[Any, Any]] = {
    "confidence": (Span, install_confidence),
    "tasks": (Doc, install_tasks),
    "events": (Doc, install_events),
    "sentence_vector": (Doc, install_vectors),
}


def theirs(owner: Any) -> str:
    return "theirs"


@pytest.fixture(autouse=True)
def extensions() -> Iterator[None]:
    """None of ours is there, and afterwards all are as they were."""
    before = [(table, dict(table)) for table in (Underscore.doc_extensions,)]
    before.append((Underscore.span_extensions, dict(Underscore.span_extensions)))
    for name, (owner, _) in INSTALLED.items():
        if owner.has_extension(name):
            owner.remove_extension(name)
    yield
    for table, saved in before:
        table.clear()
        table.update(saved)


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.WARNING, logger="spacy.mtnlp"):
        yield caplog


@pytest.mark.parametrize("name", INSTALLED)
def test_our_own_is_installed_once(name: str, told: pytest.LogCaptureFixture) -> None:
    owner, install = INSTALLED[name]
    install()
    first = owner.get_extension(name)
    install()
    assert owner.get_extension(name) == first
    assert not told.messages


@pytest.mark.parametrize("name", INSTALLED)
@pytest.mark.parametrize(
    "settings", [{"default": 0.0}, {"getter": theirs}, {"method": theirs}], ids=list("dgm")
)
def test_another_one_is_told(
    name: str, settings: Dict[str, Any], told: pytest.LogCaptureFixture
) -> None:
    owner, install = INSTALLED[name]
    owner.set_extension(name, **settings)
    there = owner.get_extension(name)
    install()
    assert owner.get_extension(name) == there
    (line,) = told.messages
    assert "E320" in line and f"{owner.__name__}._.{name}" in line


@pytest.mark.filterwarnings("ignore:.*W109.*")
def test_what_stands_in_its_place(backbone: Path, told: pytest.LogCaptureFixture) -> None:
    """Scores, categories and vectors are right whoever owns the names."""
    for name, (owner, _) in INSTALLED.items():
        owner.set_extension(name, getter=theirs)
    nlp = initialized(make_nlp(backbone, PIPES, {"textcat": {"tasks": TASKS}}))
    assert {
        name for name in INSTALLED if any(f"._.{name}," in line for line in told.messages)
    } == set(INSTALLED)
    doc = nlp(TEXT)
    assert doc._.events == doc._.sentence_vector == "theirs"
    assert isinstance(doc.user_data["events"], list)
    assert doc.vector.shape == (32,) and doc.similarity(doc) == pytest.approx(1.0, abs=1e-5)
    doc.spans["ner"].append(Span(doc, 0, 2, label="PER"))
    doc.spans["ner"].attrs["scores"] = [0.25] * len(doc.spans["ner"])
    assert mtnlp.confidence(Span(doc, 0, 2, label="PER"), key="ner") == 0.25
    again = Doc(Vocab()).from_bytes(doc.to_bytes())
    assert mtnlp.restore_vectors(again).vector.shape == (32,)
