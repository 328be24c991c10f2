"""Reviewed suggestions go back into the corpus, the accepted ones alone."""

from dataclasses import replace
from pathlib import Path
from typing import Any, List

import pytest
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from mtnlp.analysis.label_errors.apply import apply_reviewed
from mtnlp.analysis.label_errors.corpus import CheckedCorpus
from mtnlp.analysis.label_errors.suggestions import (
    Suggestion,
    read_suggestions,
    write_suggestions,
)
from mtnlp.errors import MtnlpError
from tests.analysis.label_errors.cases import (
    CORRECTED_ENTS,
    CORRECTED_SPANS,
    CORRECTED_TOPICS,
    ENTS,
    SPANS,
    SUGGESTIONS,
    TOPICS,
    ents_of,
    make_docs,
    read_corpus,
    spans_of,
    suggest,
    topics_of,
    write_corpus,
)


def apply(tmp_path: Path, suggestions: List[Suggestion]) -> Any:
    corpus = CheckedCorpus(write_corpus(tmp_path / "errors.spacy"))
    path = tmp_path / "suggestions.jsonl"
    write_suggestions(path, suggestions)
    assert read_suggestions(path) == suggestions
    return apply_reviewed(corpus, path, tmp_path / "corrected.spacy")


def test_accepted_ones_count(tmp_path: Path) -> None:
    answers = [replace(item, answer="accept") for item in SUGGESTIONS]
    applied = apply(tmp_path, answers)
    assert applied.answers == {"accept": len(SUGGESTIONS)}
    assert (applied.docs, applied.changed) == (4, 4)
    docs = read_corpus(tmp_path / "corrected.spacy")
    assert tuple(map(ents_of, docs)) == CORRECTED_ENTS
    assert tuple(map(spans_of, docs)) == CORRECTED_SPANS
    assert tuple(topics_of(doc)[0] for doc in docs) == CORRECTED_TOPICS


def test_others_do_not(tmp_path: Path) -> None:
    answers = ["reject", "", "ignore", "accept", "", "reject", ""]
    mixed = [replace(item, answer=a) for item, a in zip(SUGGESTIONS, answers, strict=True)]
    applied = apply(tmp_path, mixed)
    assert applied.answers == {"reject": 2, "none": 3, "ignore": 1, "accept": 1}
    assert applied.changed == 1
    docs = read_corpus(tmp_path / "corrected.spacy")
    assert tuple(map(ents_of, docs)) == (*ENTS[:3], CORRECTED_ENTS[3])
    assert tuple(map(spans_of, docs)) == tuple(map(sorted, SPANS))
    assert tuple(topics_of(doc)[0] for doc in docs) == TOPICS


def test_a_reviewer_may_correct_the_correction(tmp_path: Path) -> None:
    item = suggest(0, [(0, 1, "PER")], [(0, 2, "MISC"), (4, 5, "LOC")], answer="accept")
    item.given.append([4, 5, "ORG"])
    apply(tmp_path, [item])
    docs = read_corpus(tmp_path / "corrected.spacy")
    assert ents_of(docs[0]) == [(0, 2, "MISC"), (4, 5, "LOC")]


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (suggest(0, [(0, 2, "PER")], []), "E728.*'Anna Keller' .PER. is not annotated"),
        (suggest(0, [], [(4, 6, "LOC")]), "E728.*overlap"),
        (suggest(0, [], [(4, 9, "LOC")], suggested_texts=[]), "E728.*no words 4 to 9"),
        (suggest(0, ["MUSIC"], ["MONEY"], "cats/topic"), "E728.*topic/MUSIC is not annotated"),
        (suggest(0, [], [], file="other.spacy"), "E728.*no document 0 in other"),
        (suggest(0, [], [], "tags"), "E725.*:1 .*layer 'tags'"),
        (suggest(0, [], ["MONEY"]), "E725.*:1 .*'MONEY' in place of"),
    ],
)
def test_what_does_not_fit(item: Suggestion, code: str, tmp_path: Path) -> None:
    corpus = CheckedCorpus(write_corpus(tmp_path / "errors.spacy"))
    path = tmp_path / "suggestions.jsonl"
    write_suggestions(path, [replace(item, answer="accept")])
    with pytest.raises(MtnlpError, match=code):
        apply_reviewed(corpus, path, tmp_path / "corrected.spacy")
    assert not (tmp_path / "corrected.spacy").exists()


def test_tokens_that_nobody_knows_of_stay_so(tmp_path: Path) -> None:
    doc = make_docs(Vocab())[0]
    doc.set_ents(list(doc.ents), missing=[doc[1:3]], default="outside")
    DocBin(docs=[doc]).to_disk(tmp_path / "errors.spacy")
    path = tmp_path / "suggestions.jsonl"
    item = suggest(0, [(0, 1, "PER")], [(0, 2, "PER")], answer="accept")
    write_suggestions(path, [item])
    apply_reviewed(CheckedCorpus(tmp_path / "errors.spacy"), path, tmp_path / "out")
    (corrected,) = read_corpus(tmp_path / "out" / "errors.spacy")
    assert ents_of(corrected) == [(0, 2, "PER"), (4, 5, "ORG")]
    assert [token.ent_iob for token in corrected] == [3, 1, 0, 2, 3, 2]


def test_several_files_need_a_folder(tmp_path: Path) -> None:
    for name in ("a", "b"):
        DocBin(docs=[Doc(Vocab(), words=["x"])]).to_disk(tmp_path / f"{name}.spacy")
    path = tmp_path / "suggestions.jsonl"
    write_suggestions(path, [suggest(0, [], [], file="a.spacy", answer="reject")])
    corpus = CheckedCorpus(tmp_path)
    with pytest.raises(MtnlpError, match="E729"):
        apply_reviewed(corpus, path, tmp_path / "out.spacy")
    applied = apply_reviewed(corpus, path, tmp_path / "out")
    assert [file.name for file in applied.files] == ["a.spacy", "b.spacy"]
