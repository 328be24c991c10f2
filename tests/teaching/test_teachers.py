"""Which of a teacher's components is asked, and for whom."""

from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from mtnlp.errors import MtnlpError
from mtnlp.gold.opinions import CategoryOpinion
from mtnlp.teaching.teachers import (
    LoadedTeacher,
    TeacherName,
    check_names,
    choose_heads,
    fingerprint_of,
    load_teachers,
    parse_teacher,
)


class Stub:
    """A component that has opinions: it says which words it saw, and who ran before it."""

    labels = ("t/A",)

    def __init__(self, nlp: Language, name: str):
        self.name = name

    def __call__(self, doc: Doc) -> Doc:
        doc.user_data["ran"] = [*doc.user_data.get("ran", []), self.name]
        return doc

    def opinions(self, docs: List[Doc]) -> List[Any]:
        made = []
        for doc in docs:
            ran = doc.user_data.get("ran", [])
            keys = (*ran, *(token.text_with_ws for token in doc))
            made.append(CategoryOpinion(keys, np.zeros(len(keys), dtype="f"), ()))
        return made


class Silent:
    """A component that has none."""

    def __init__(self, nlp: Language, name: str):
        self.name = name

    __call__ = Stub.__call__


Language.factory("stub_with_opinions", func=Stub)
Language.factory("stub_without_opinions", func=Silent)


def make(**pipes: bool) -> Language:
    """A pipeline of components by name, and whether they have opinions."""
    nlp = spacy.blank("en")
    for name, able in pipes.items():
        nlp.add_pipe(f"stub_{'with' if able else 'without'}_opinions", name=name)
    return nlp


@pytest.mark.parametrize(
    "text, expected",
    [
        ("en_mtnlp", TeacherName("en_mtnlp")),
        ("training/conll/model-best", TeacherName("training/conll/model-best")),
        ("ner=training/a=b", TeacherName("training/a=b", "ner")),
        ("=x", TeacherName("=x")),
        ("x=", TeacherName("x=")),
    ],
)
def test_names(text: str, expected: TeacherName) -> None:
    assert parse_teacher(text) == expected


def test_a_folder_with_an_equals_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of a comparison lie in such folders."""
    monkeypatch.chdir(tmp_path)
    Path("system=ner").mkdir()
    assert parse_teacher("system=ner") == TeacherName("system=ner")
    assert parse_teacher("ner=system=ner") == TeacherName("system=ner", "ner")


@pytest.mark.parametrize(
    "component, renamed, only, expected",
    [
        (None, {}, [], [("a", "a"), ("b", "b")]),
        (None, {"a": "x"}, [], [("x", "a"), ("b", "b")]),
        (None, {"a": "x"}, ["x"], [("x", "a")]),
        ("a", {}, [], [("a", "a")]),
        ("x", {"b": "x"}, [], [("x", "b")]),
        ("x", {"b": "x", "a": "y"}, ["x"], [("x", "b")]),
    ],
)
def test_heads(component: Any, renamed: Dict[str, str], only: List[str], expected: Any) -> None:
    nlp = make(first=False, a=True, b=True)
    assert choose_heads(nlp, TeacherName("t", component), renamed, only) == expected


def test_the_only_component_is_meant_whatever_its_name() -> None:
    nlp = make(first=False, a=True)
    assert choose_heads(nlp, TeacherName("t", "ner"), {}) == [("ner", "a")]


@pytest.mark.parametrize(
    "pipes, component, only, reason",
    [
        ({"first": False}, None, [], r"teaches anything\. .*opinions: none"),
        ({"a": True, "b": True}, None, ["c"], r"teaches c\. .*opinions: a, b"),
        ({"a": True, "b": True}, "c", [], r"'c' is not clear; say --to THEIR_COMPONENT=c"),
        ({"a": True}, "ner", ["c"], "teaches c"),
    ],
)
def test_no_head(pipes: Any, component: Any, only: Any, reason: str) -> None:
    with pytest.raises(MtnlpError, match=f"E747.* my_teacher: .*{reason}"):
        choose_heads(make(**pipes), TeacherName("my_teacher", component), {}, only)


def test_names_that_nobody_has() -> None:
    teachers = [LoadedTeacher(make(a=True), "t", [("x", "a")])]
    check_names(teachers, {"a": "x"}, ["x"])
    with pytest.raises(MtnlpError, match=r"E747.*--to b=y, --only z\. Taught are: x \(by a\)"):
        check_names(teachers, {"a": "x", "b": "y"}, ["x", "z"])


def test_asking() -> None:
    """Words and spaces are the document's, each component runs once, the last one asked not."""
    teacher = LoadedTeacher(
        make(first=False, a=True, between=False, b=True, behind=False),
        "t",
        [("x", "b"), ("y", "a"), ("z", "a")],
    )
    vocab = spacy.blank("de").vocab
    docs = [
        Doc(vocab, words=["it", "'s", "New York"], spaces=[False, True, False]),
        Doc(vocab, words=["one"]),
    ]
    docs[0].set_ents([docs[0][2:3]])
    asked = teacher.ask(docs)
    assert [len(head) for head in asked] == [2, 2, 2]
    keys = [[opinion.keys for opinion in head] for head in asked]  # type: ignore[union-attr]
    seen = ("it", "'s ", "New York")
    assert keys[0] == [("first", "a", "between", *seen), ("first", "a", "between", "one ")]
    assert keys[1] == keys[2] == [("first", *seen), ("first", "one ")]


def test_what_a_file_will_say_of_a_teacher(tmp_path: Path) -> None:
    nlp = make(a=True)
    nlp.meta.update(name="stub", version="2.0.0")
    nlp.to_disk(tmp_path / "model")
    (teacher,) = load_teachers([TeacherName(str(tmp_path / "model"), "x")])
    described = teacher.describe()
    assert described[:3] == ("en_stub", "2.0.0", str(tmp_path / "model"))
    (head,) = teacher.heads(3)
    assert (head.component, head.teacher, head.source, head.pipe_labels) == ("x", 3, "a", ("t/A",))
    # The same files elsewhere are the same teacher; another setting is another one.
    nlp.to_disk(tmp_path / "again")
    assert fingerprint_of(spacy.load(tmp_path / "again")) == described.fingerprint
    nlp.meta["description"] = "another"
    nlp.to_disk(tmp_path / "again")
    assert fingerprint_of(spacy.load(tmp_path / "again")) != described.fingerprint
    assert len(fingerprint_of(nlp)) == 16
    with pytest.raises(MtnlpError, match="E503"):
        load_teachers([TeacherName(str(tmp_path / "absent"))])
