from pathlib import Path
from typing import Any

import pytest

from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.options import ConvertOptions
from mtnlp.data.overlaps import PARTLY, has_overlap, separate_overlaps
from mtnlp.data.sources import read_source
from mtnlp.types import Annotation, Record
from tests.data.formats.exports import write_lines

NEW_YORK = [Annotation(0, 8, "LOC"), Annotation(4, 8, "X")]


@pytest.mark.parametrize(
    "spans, expected",
    [
        ([(0, 2, "A"), (2, 4, "A")], False),
        ([(0, 2, "A"), (0, 2, "A")], False),
        ([(0, 2, "A"), (0, 2, "B")], True),
        ([(3, 4, "A"), (0, 9, "A"), (1, 2, "A")], True),
    ],
)
def test_has_overlap(spans: Any, expected: bool) -> None:
    assert has_overlap([Annotation(*span) for span in spans]) == expected


def test_flat_entities_stay(strict: BadInput) -> None:
    record = Record(text="New York", entities=NEW_YORK[:1])
    separate_overlaps({"train": [record]}, strict)
    assert (record.entities, record.spans, strict.warnings) == (NEW_YORK[:1], None, {})


def test_one_overlap_moves_all_entities_of_all_splits(strict: BadInput) -> None:
    nested = Record(text="New York", entities=NEW_YORK, meta={"path": "a.jsonl", "line": 3})
    flat, bare = Record(text="New York", entities=NEW_YORK[:1]), Record(text="x", cats={})
    partly = Record(text="New York", entities=NEW_YORK[:1], missing=[(0, 3)])
    separate_overlaps({"train": [nested], "dev": [flat, bare, partly]}, strict)
    assert (nested.entities, nested.spans) == (None, {"sc": NEW_YORK})
    assert (flat.entities, flat.spans) == (None, {"sc": NEW_YORK[:1]})
    assert bare.spans is None
    # A layer cannot say that a part of the text is missing.
    assert (partly.entities, partly.spans, partly.missing) == (None, None, None)
    assert strict.notes == {PARTLY: 1}
    (warning,) = strict.warning_lines()
    assert warning.startswith("a.jsonl:3: [E182]") and "doc.spans['sc']" in warning


def test_a_layer_of_the_corpus_is_not_mixed_with_entities(strict: BadInput) -> None:
    record = Record(text="New York", entities=NEW_YORK, spans={"sc": []})
    separate_overlaps({"train": [record]}, strict)
    assert record.spans == {"sc": [], "entities": NEW_YORK}


@pytest.mark.parametrize("format", ["jsonl", "doccano", "training_tuples"])
def test_conversion(tmp_path: Path, format: str) -> None:
    """The train file alone overlaps; dev gets the same layer. A layer of one's own is kept."""
    files = {}
    for name, spans in (("train", [[0, 8, "LOC"], [4, 8, "X"]]), ("dev", [[0, 8, "LOC"]])):
        row = {"text": "New York", "entities": spans}
        rows = [["New York", {"entities": spans}] if format == "training_tuples" else row]
        files[name] = write_lines(tmp_path / f"{name}.jsonl", rows)
    on_bad = BadInput()
    splits = read_source(ConvertOptions(format, train=files["train"], dev=files["dev"]), on_bad)
    assert [splits[split][0].spans for split in ("train", "dev")] == [
        {"sc": NEW_YORK},
        {"sc": NEW_YORK[:1]},
    ]
    assert "E182" in on_bad.warning_lines()[0]
    on_bad = BadInput()
    options = ConvertOptions(format, train=files["train"], dev=files["dev"], spans_key="mine")
    assert read_source(options, on_bad)["dev"][0].spans == {"mine": NEW_YORK[:1]}
    assert not on_bad.warnings
