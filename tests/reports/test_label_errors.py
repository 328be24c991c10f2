"""The page and the lines of label errors."""

from collections import Counter
from dataclasses import asdict
from typing import Any, Dict, List

from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from mtnlp.analysis.label_errors.category_spots import CategorySpot
from mtnlp.analysis.label_errors.corpus import Place
from mtnlp.analysis.label_errors.judging import JudgedDoc, Question
from mtnlp.analysis.label_errors.ranking import describe, rank
from mtnlp.analysis.label_errors.spots import Spot
from mtnlp.reports.label_errors import (
    applied_lines,
    change,
    example,
    found_lines,
    kinds_figure,
    label_error_page,
    side_text,
)
from mtnlp.reports.page.blocks import Example, LabelledText
from mtnlp.types import Annotation


def make_rows() -> List[Dict[str, Any]]:
    """A suggestion of each layer, as the file has them."""
    doc = Doc(Vocab(), words=["<b>Ada</b>", "met", "Tom", "&", "Eve", "in", "Rome"])
    doc.set_ents([Span(doc, 0, 1, "PER"), Span(doc, 6, 7, "ORG")], default="outside")
    doc.spans["sc"] = [Span(doc, 2, 5, "X<Y")]
    judged = JudgedDoc(Place("a.spacy", 3))

    def spot(given: Any, other: Any, logs: Any) -> Spot:
        every = [*given, *other]
        edges = min(s[0] for s in every), max(s[1] for s in every)
        mine, theirs = (tuple(Annotation(*s) for s in part) for part in (given, other))
        return Spot(*edges, mine, theirs, *logs)

    judged.spots[Question("ner", "ents")] = [
        spot([(6, 7, "ORG")], [(6, 7, "LOC")], (-3.0, -0.1)),
        spot([], [(2, 3, "PER")], (-1.0, -0.5)),
        spot([(0, 1, "PER")], [], (-0.1, -4.0)),
    ]
    judged.spots[Question("nested", "spans/sc")] = [spot([(2, 5, "X<Y")], [], (-2.0, -0.2))]
    judged.spots[Question("textcat", "cats/")] = [
        CategorySpot("mood", ("glad",), ("sad",), -2.0, -0.3)
    ]
    docs = {judged.place: doc}
    return [asdict(item) for item in describe(rank([judged]), docs)]


def test_examples() -> None:
    by_layer = {(row["layer"], row["kind"]): row for row in make_rows()}
    row = by_layer["ents", "wrong type"]
    shown = example(row)
    assert isinstance(shown, Example)
    assert [(name, list(map(list, spans))) for name, spans in shown.readings] == [
        ("annotated", [[0, 1, "PER"], [6, 7, "ORG"]]),
        ("suggested", [[0, 1, "PER"], [6, 7, "LOC"]]),
    ]
    assert shown.words[6] == "Rome" and "a.spacy, number 3" in shown.note
    assert (change(row), side_text(row, "given")) == ("ORG → LOC", "Rome ORG")
    missing = by_layer["ents", "missing"]
    assert (change(missing), side_text(missing, "given")) == ("nothing → PER", "nothing")
    mood = by_layer["cats/mood", "wrong category"]
    shown = example(mood)
    assert isinstance(shown, LabelledText)
    assert shown.readings == [("annotated", ["glad"]), ("suggested", ["sad"])]
    assert side_text(mood, "suggested") == "sad"


def test_page_shows_all_and_escapes_it() -> None:
    rows = make_rows()
    html = label_error_page(rows, 9, Counter({"too wide": 2, "none": 0}), [("Corpus", "<corpus>")])
    for text in (
        "&lt;b&gt;Ada",
        "X&lt;Y",
        "Tom &amp; Eve",
        "&lt;corpus&gt;",
        "mood",
        "wrong category",
    ):
        assert text in html
    assert "<b>Ada" not in html and "X<Y" not in html
    assert "Left out: too wide" in html and "Left out: none" not in html
    assert html.index('id="layer-ents"') < html.index('id="layer-cats-mood"')


def test_what_is_wrong_counts_what_is_likely() -> None:
    rows = make_rows()
    figure = kinds_figure(rows)
    likely = [row for row in rows if row["score"] >= 0.5]
    assert 0 < len(likely) < len(rows)
    assert sum(row[-1] for row in figure.table.rows) == len(likely)
    assert f"the {len(likely)} suggestions that are more probable" in figure.shows
    unlikely = [{**row, "score": 0.4} for row in rows]
    figure = kinds_figure(unlikely)
    assert sum(row[-1] for row in figure.table.rows) == len(rows)
    assert "No suggestion is more probable" in figure.shows


def test_a_label_that_stays_is_named_once() -> None:
    row = {"given": [[0, 1, "PER"]], "suggested": [[0, 2, "PER"]]}
    assert change(row) == "PER"


def test_page_without_suggestions() -> None:
    assert "0, of which 0" in label_error_page([], 0, {}, [])


def test_lines() -> None:
    first, second = found_lines(9, make_rows(), {"too wide": 2, "none": 0})
    assert first.startswith("9 suggestions; 4 are more probable than the annotation")
    assert "wrong type 1" in first and second == "Left out: too wide: 2"
    assert applied_lines({"accept": 3}, 4, 2, {"widened": 1, "none": 0}) == [
        "Answers: accept 3",
        "4 documents looked at, 2 changed",
        "widened: 1",
    ]
