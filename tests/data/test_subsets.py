"""Parts of a corpus, one within the other."""

from pathlib import Path
from typing import List

import pytest
import spacy
from spacy.tokens import DocBin, Span

from mtnlp.data.subsets import draw, write_part


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 1.0])
def test_smaller_parts_are_within_larger_ones(share: float) -> None:
    part = draw(40, share, seed=3)
    assert len(part) == 40 * share and part == sorted(set(part))
    assert set(part) <= set(draw(40, 1.0, seed=3)) == set(range(40))
    assert set(draw(40, share / 2, seed=3)) <= set(part)
    assert share == 1.0 or part != draw(40, share, seed=4)


def test_at_least_one_document() -> None:
    assert len(draw(3, 0.01, seed=0)) == 1 and draw(0, 0.5, seed=0) == []


def test_documents_keep_their_annotations_and_order(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    docs = []
    for number in range(8):
        doc = nlp.make_doc(f"Text {number} of Rome.")
        doc.ents = [Span(doc, 3, 4, "LOC")]
        doc.spans["key"] = [Span(doc, 0, 2, "NAME")]
        doc.cats = {"task/a": float(number % 2)}
        docs.append(doc)
    DocBin(docs=docs).to_disk(tmp_path / "all.spacy")
    seen: List[str] = []
    count = write_part(
        tmp_path / "all.spacy",
        tmp_path / "part" / "half.spacy",
        0.5,
        1,
        lambda doc: seen.append(doc.text),
    )
    written = list(DocBin().from_disk(tmp_path / "part" / "half.spacy").get_docs(nlp.vocab))
    chosen = draw(8, 0.5, 1)
    assert count == 4 and [doc.text for doc in written] == seen == [docs[i].text for i in chosen]
    for number, doc in zip(chosen, written, strict=True):
        assert [(ent.text, ent.label_) for ent in doc.ents] == [("Rome", "LOC")]
        assert [span.text for span in doc.spans["key"]] == [f"Text {number}"]
        assert doc.cats == {"task/a": float(number % 2)}
