import zlib
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin, Span

from mtnlp.data.docbin import to_doc
from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.spacy_docbin import doc_to_record, read_docbin
from mtnlp.errors import DataError
from tests.data.corpora import write


def test_round_trip(tmp_path: Path, strict: BadInput) -> None:
    nlp = spacy.blank("en")
    full = nlp("Ada isn't in  New York.")
    full.set_ents([Span(full, 0, 1, "PER")], default="outside")
    full.spans["x"] = [Span(full, 4, 6, "LOC"), Span(full, 5, 6, "Y")]
    full.cats = {"t/a": 1.0, "t/b": 0.0}
    bare = nlp("Nothing here")
    path = tmp_path / "a.spacy"
    DocBin(docs=[full, bare, nlp("")]).to_disk(path)
    first, second = read_docbin(path, strict)
    assert dict(strict.notes) == {"Docs without a token left out": 1}
    assert first.entities == [(0, 1, "PER")]
    assert first.spans == {"x": [(4, 6, "LOC"), (5, 6, "Y")]}
    assert first.cats == {"t/a": 1.0, "t/b": 0.0}
    assert to_doc(first, nlp).text == full.text
    assert (second.entities, second.spans, second.cats, second.tags) == (None,) * 4
    assert second.sent_starts is None


def test_annotated_empty_is_not_missing() -> None:
    doc = spacy.blank("en")("Nothing here")
    doc.ents = []
    assert doc_to_record(doc).entities == []


def test_what_is_missing_stays_missing() -> None:
    """Per token: entity tags and sentence starts; per label: categories."""
    nlp = spacy.blank("en")
    doc = nlp("Ada sang in Rome")
    doc.set_ents([Span(doc, 0, 1, "PER")], outside=[doc[1:2]], default="missing")
    doc[2].is_sent_start = False
    doc.cats = {"t/a": 1.0}
    record = doc_to_record(doc)
    assert (record.entities, record.missing) == ([(0, 1, "PER")], [(2, 4)])
    again = to_doc(record, nlp)
    assert [token.ent_iob_ for token in again] == ["B", "O", "", ""]
    assert [token.is_sent_start for token in again][1:] == [None, False, None]
    assert again.cats == {"t/a": 1.0}


def test_plain_categories_get_their_task() -> None:
    doc = spacy.blank("en")("Fine")
    doc.cats = {"positive": 1.0, "topic/film": 0.5}
    assert doc_to_record(doc, "mood").cats == {"mood/positive": 1.0, "topic/film": 0.5}


def test_what_is_not_kept_is_named(tmp_path: Path, strict: BadInput) -> None:
    doc = spacy.blank("en")("Fine")
    doc[0].lemma_ = "fine"
    doc[0].pos_ = "ADJ"
    DocBin(docs=[doc, doc]).to_disk(tmp_path / "a.spacy")
    list(read_docbin(tmp_path / "a.spacy", strict))
    (warning,) = strict.warning_lines()
    assert "E176" in warning and "POS, LEMMA, which" in warning


def test_broken(tmp_path: Path, lenient: BadInput) -> None:
    data = DocBin(docs=[spacy.blank("en")("Some words here")]).to_bytes()
    whole = zlib.decompress(data)
    broken = [data[:20], b"junk", zlib.compress(b"junk"), zlib.compress(b"\x81\xa1a\x01")]
    broken += [zlib.compress(whole[:cut]) for cut in (10, len(whole) // 2)]
    for content in broken:
        path = write(tmp_path / "a.spacy", content)
        with pytest.raises(DataError, match=r"a\.spacy: \[E140\]"):
            list(read_docbin(path, BadInput()))
    assert list(read_docbin(path, lenient)) == []
    assert len(lenient.errors) == 1
