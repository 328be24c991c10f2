"""What is stored is what the teachers' components say of the documents."""

from pathlib import Path
from typing import Any, List, NamedTuple

import numpy as np
import pytest
from spacy.tokens import Doc
from spacy.vocab import Vocab

from mtnlp.data.mixed_corpus import create_mixed_corpus_v1
from mtnlp.data.opinion_file import OpinionFile
from mtnlp.errors import MtnlpError
from mtnlp.gold.opinions import CategoryOpinion, TagOpinion, VectorOpinion, opinions_of
from mtnlp.pipes.run_encoders import encode
from mtnlp.teaching.teach import Teaching, find_files, require_free
from mtnlp.teaching.teachers import LoadedTeacher, TeacherName, choose_heads
from tests.data.corpora import files_below
from tests.data.mixed_cases import save
from tests.teaching.test_teachers import make

TEXT = "Anna Keller flew to Paris and a red fox died near Rome in 1950 ."
WORDS = TEXT.split()


class Taught(NamedTuple):
    teacher: LoadedTeacher
    corpus: Path
    docs: List[Doc]


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory, joint: Any) -> Taught:
    """A trained pipeline of all components, and two files of one name with empty documents."""
    folder = tmp_path_factory.mktemp("corpus")
    vocab = Vocab()
    docs = [Doc(vocab, words=WORDS[: i % len(WORDS) + 1]) for i in range(20)]
    docs[4] = Doc(vocab, words=["It", "'s", "Rome"], spaces=[False, True, False])
    docs[7] = Doc(vocab, words=[" ", "\n"], spaces=[False, False])
    docs[5].set_ents([], default="outside")
    save(folder / "x" / "a.spacy", [Doc(vocab), *docs[:6], Doc(vocab), *docs[6:9]])
    save(folder / "y" / "a.spacy", [*docs[9:], Doc(vocab)])
    pairs = choose_heads(joint.nlp, TeacherName("joint"), {"nested_ner": "inner"})
    return Taught(LoadedTeacher(joint.nlp, "joint", pairs), folder, docs)


def test_everything_is_stored(taught: Taught, tmp_path: Path) -> None:
    files = find_files(taught.corpus, tmp_path / "taught")
    teaching = Teaching([taught.teacher], files, batch_size=3)
    estimate = teaching.estimate()
    assert estimate.documents == 20 and estimate.seconds > 0
    shown: List[Any] = []

    def progress(items: Any, what: str, length: Any = None) -> Any:
        shown.append((what, length))
        return items

    written = teaching.run(progress)
    assert shown == [("a.spacy", 9), ("a.spacy", 11)]
    assert [file.documents for file in written] == [9, 11]
    assert written[0].opinions["ner"] == 9 and written[0].opinions["textcat"] == 8
    sizes = [file.target.stat().st_size for file in written]
    assert [file.bytes for file in written] == sizes
    assert estimate.bytes == sum(sizes)  # all of it was sampled
    names = ["x/a.opinions.safetensors", "y/a.opinions.safetensors"]
    assert files_below(tmp_path / "taught") == names

    components = ["ner", "fine_ner", "inner", "textcat", "events", "sentence_vectors"]
    file = OpinionFile(tmp_path / "taught" / names[0])
    assert file.components == components and file.asked.all()
    # What the components say of all documents as one batch.
    nlp = taught.teacher.nlp
    expected = encode(
        nlp,
        [
            Doc(nlp.vocab, words=[t.text for t in d], spaces=[bool(t.whitespace_) for t in d])
            for d in taught.docs
        ],
    )
    corpora = {"all": {"path": taught.corpus, "taught": tmp_path / "taught"}}
    references = [eg.reference for eg in create_mixed_corpus_v1(corpora, shuffle=False)(nlp)]
    for component, source in taught.teacher.pairs:
        pipe: Any = nlp.get_pipe(source)
        for doc, own in zip(references, pipe.opinions(expected), strict=True):
            found = opinions_of(doc, component)
            assert len(found) == (own is not None)
            if own is not None:
                assert_close(found[0], own)


def assert_close(found: Any, expected: Any) -> None:
    assert type(found) is type(expected)
    if isinstance(expected, TagOpinion):
        assert found.tags == expected.tags
        dense = np.zeros((2, len(expected.starts) - 1, len(expected.tags)))
        for part, one in zip(dense, (found, expected), strict=True):
            token = np.repeat(np.arange(len(one.starts) - 1), np.diff(one.starts))
            part[token, one.index] = one.probabilities
        np.testing.assert_allclose(dense[0], dense[1], atol=5e-4)
    elif isinstance(expected, CategoryOpinion):
        assert found.keys == expected.keys and found.exclusive == expected.exclusive
        np.testing.assert_allclose(found.logits, expected.logits, atol=1e-3)
    elif isinstance(expected, VectorOpinion):
        np.testing.assert_allclose(found.vector, expected.vector, atol=1e-3)
    else:
        assert found.labels == expected.labels and found.max_width == expected.max_width
        shares = [
            {
                tuple(row): p
                for row, p in zip(one.spans.tolist(), one.probabilities.tolist(), strict=True)
            }
            for one in (found, expected)
        ]
        for span in shares[0].keys() | shares[1].keys():
            assert shares[0].get(span, 0) == pytest.approx(shares[1].get(span, 0), abs=5e-4)


def test_only_some_documents_are_asked_about(taught: Taught, tmp_path: Path) -> None:
    source = taught.corpus / "x" / "a.spacy"
    files = find_files(taught.corpus, tmp_path, {source: [0, 3, 8]})
    assert [(file.source, file.work) for file in files] == [(source, 3)]
    teaching = Teaching([taught.teacher], files)
    assert teaching.estimate().documents == 3
    (written,) = teaching.run()
    assert written.opinions["ner"] == 3
    file = OpinionFile(written.target)
    assert np.flatnonzero(file.asked).tolist() == [0, 3, 8] and len(file) == 9
    assert [len(file.read(i, "ner")) for i in range(9)] == [1, 0, 0, 1, 0, 0, 0, 0, 1]
    # The whole corpus asks for more: that is found when it is opened.
    with pytest.raises(MtnlpError, match=r"E744.* 6 of them"):
        create_mixed_corpus_v1({"a": {"path": source, "taught": written.target}})(
            taught.teacher.nlp
        )


def test_an_interruption_leaves_nothing(
    taught: Taught, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All files of a run appear together."""
    teaching = Teaching([taught.teacher], find_files(taught.corpus, tmp_path / "t"), batch_size=4)
    (tmp_path / "t" / "x").mkdir(parents=True)
    stale = tmp_path / "t" / "x" / ".a.opinions.safetensors.0123.partial"
    stale.write_text("of a run that was killed", encoding="utf8")
    asked: List[int] = []
    ask = LoadedTeacher.ask

    def interrupted(self: LoadedTeacher, docs: Any) -> Any:
        asked.append(len(docs))
        if sum(asked) > 12:
            raise KeyboardInterrupt
        return ask(self, docs)

    monkeypatch.setattr(LoadedTeacher, "ask", interrupted)
    with pytest.raises(KeyboardInterrupt):
        teaching.run()
    assert sum(asked) > 12 and files_below(tmp_path) == []
    assert not [path for path in (tmp_path / "t").rglob("*") if path.name.startswith(".")]


def test_opinions_that_cannot_be_stored_stop_the_run(taught: Taught, tmp_path: Path) -> None:
    """The stub says other things of each document."""
    nlp = make(a=True)
    teaching = Teaching(
        [LoadedTeacher(nlp, "stub", [("a", "a")])], find_files(taught.corpus, tmp_path)
    )
    with pytest.raises(
        MtnlpError, match=r"E749.*'a' in the teacher stub on document 1 .*other labels"
    ):
        teaching.run()
    assert files_below(tmp_path) == []


def test_nothing_to_teach_and_nothing_to_replace(taught: Taught, tmp_path: Path) -> None:
    with pytest.raises(MtnlpError, match=r"E190.*absent"):
        find_files(tmp_path / "absent", tmp_path)
    save(tmp_path / "empty.spacy", [Doc(Vocab())])
    with pytest.raises(MtnlpError, match=r"E191.*empty"):
        find_files(tmp_path / "empty.spacy", tmp_path)
    one = taught.corpus / "x" / "a.spacy"
    target = tmp_path / "mine.opinions.safetensors"
    (file,) = find_files(one, target)
    assert file.target == target and file.documents == 9
    require_free([file])
    target.write_text("before", encoding="utf8")
    with pytest.raises(MtnlpError, match=r"E748.*mine\.opinions\.safetensors.*--force"):
        require_free([file])
