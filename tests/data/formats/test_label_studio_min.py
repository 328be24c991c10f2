from pathlib import Path
from typing import Any, Dict, List

import pytest

from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.label_studio import read_label_studio, recognise
from mtnlp.errors import DataError
from mtnlp.types import Record
from tests.data.formats.exports import EXPORTS, by_annotator, quoted, write_lines

ADA = [{"start": 0, "end": 3, "text": "Ada", "labels": ["PER"]}]


def row(number: int = 1, text: str = "Ada sang.", **results: Any) -> Dict[str, Any]:
    """Results stand between `id` and `annotator`."""
    own = {"annotator": 1, "annotation_id": number, "updated_at": f"2024-01-{number:02d}"}
    return {"text": text, "source": "mail", "id": number, **results, **own, "lead_time": 1.5}


def read(folder: Path, on_bad: BadInput, *rows: Any, **options: Any) -> List[Record]:
    path = write_lines(folder / "a.json", rows)
    assert recognise(path)
    return list(read_label_studio(path, on_bad, **options))


def test_both_exports_of_a_project_say_the_same(strict: BadInput) -> None:
    records = list(read_label_studio(EXPORTS / "label_studio_min.json", strict))
    assert strict.notes == {"typed texts of 'remark' left out": 1} and not strict.warnings
    found = by_annotator(records)
    whole = by_annotator(list(read_label_studio(EXPORTS / "label_studio.json", BadInput())))
    assert list(found) == list(whole)
    for key, record in found.items():
        assert (record.entities, record.cats) == (whole[key].entities, whole[key].cats)
        assert record.meta["document"] == whole[key].meta["document"]


def test_results(tmp_path: Path, strict: BadInput) -> None:
    rows = [
        row(1, label=ADA, mood="good", about={"choices": ["music", "travel"]}),
        row(2, "Nobody sang.", mood="bad", about="music", genre=[{"taxonomy": [["song", "aria"]]}]),
    ]
    first, second = read(tmp_path, strict, *rows)
    assert quoted(first) == [("Ada", "PER")]
    assert first.cats == {"mood/good": 1.0, "about/music": 1.0, "about/travel": 1.0}
    assert second.cats == {"mood/bad": 1.0, "about/music": 1.0, "genre/song > aria": 1.0}
    assert (second.entities, second.meta["judged"]) == ([], ["mood", "about", "genre"])


def test_several_annotations(tmp_path: Path, strict: BadInput) -> None:
    """A row each. Of one person the last one counts."""
    rows = [{**row(n, mood="x"), "id": 5, "annotator": who} for n, who in ((3, 1), (2, 1), (1, 2))]
    first, second = read(tmp_path, strict, *rows)
    assert [first.meta["annotator"], second.meta["annotator"]] == ["1", "2"]
    assert first.meta["document"] == second.meta["document"]
    assert (first.meta["line"], list(strict.notes.values())) == (1, [1])


@pytest.mark.parametrize(
    "typed",
    [
        ["a long remark, " * 10, "short"],
        ["two\nlines", "one"],
        [f"remark {n}" for n in range(20)],
        [f"remark {n % 60}" for n in range(100)],
    ],
)
def test_typed_texts_are_no_choices(tmp_path: Path, strict: BadInput, typed: List[str]) -> None:
    rows = [row(n, mood="good", remark=text) for n, text in enumerate(typed, 1)]
    records = read(tmp_path, strict, *rows)
    assert {key for record in records for key in record.cats or {}} == {"mood/good"}
    assert strict.notes == {"typed texts of 'remark' left out": len(typed)}


def test_other_regions(tmp_path: Path, strict: BadInput) -> None:
    box = [{"x": 1, "y": 2, "width": 3, "height": 4, "rectanglelabels": ["Car"]}]
    more = {"stars": [{"rating": 4}], "remarks": {"text": ["a", "b"]}}
    (record,) = read(tmp_path, strict, row(label=ADA, box=box, **more))
    assert (quoted(record), record.cats) == ([("Ada", "PER")], None)
    assert strict.notes == {
        "regions of the type 'rectanglelabels' left out": 1,
        "results of 'stars' left out": 1,
        "results of 'remarks' left out": 1,
    }


def test_fields_out_of_order(tmp_path: Path, strict: BadInput) -> None:
    """Sorted by name, the fields do not tell what was chosen: what looks like it is named."""
    rows = [dict(sorted(row(label=ADA, sentiment="good").items()))]
    (record,) = read(tmp_path, strict, *rows)
    assert (quoted(record), record.cats) == ([("Ada", "PER")], None)
    (warning,) = strict.warning_lines()
    assert "E169" in warning and "sentiment" in warning
    (record,) = read(tmp_path, BadInput(), *rows, label_field="sentiment")
    assert record.cats == {"sentiment/good": 1.0}


def test_old_exports_name_nobody(tmp_path: Path, strict: BadInput) -> None:
    old = {"text": "Ada sang.", "label": ADA, "id": 4, "mood": "good"}
    first, second = read(tmp_path, strict, old, old)
    assert first.meta["annotator"] != second.meta["annotator"]


@pytest.mark.parametrize(
    "bad, code",
    [
        (row(label=[{**ADA[0], "end": 99}]), "E122"),
        (row(label=[{**ADA[0], "text": "Bob"}]), "E184"),
        (row(genre=[{"taxonomy": "x"}]), "E136"),
        (row(text=""), "E135"),
    ],
)
def test_malformed(tmp_path: Path, lenient: BadInput, bad: Any, code: str) -> None:
    rows = [row(2, mood="good"), bad]
    with pytest.raises(DataError, match=rf"a\.json:2: \[{code}\]"):
        read(tmp_path, BadInput(), *rows)
    assert len(read(tmp_path, lenient, *rows)) == 1
    assert len(lenient.errors) == 1


def test_other_forms(tmp_path: Path) -> None:
    for other in ({"text": "a", "label": "x"}, {"text": "a", "label": [{"start": 0, "end": 1}]}, 5):
        assert not recognise(write_lines(tmp_path / "a.json", [other]))
