"""The map on a page: its data, its texts, its section and its pictures."""

import json
import re
from base64 import b64decode
from typing import Any

import numpy as np
import pytest

from mtnlp.reports.page.map import NONE, map_data, map_section
from mtnlp.reports.page.map_kinds import MOST_LABELS, NOT_KNOWN, find_kinds
from mtnlp.reports.page.map_page import map_page, map_pictures
from mtnlp.reports.page.map_picture import map_chart
from mtnlp.reports.page.map_texts import in_utf16, shortened
from mtnlp.reports.page.similarity import similarity_chart, similarity_figure
from mtnlp.reports.vectors import vector_tables
from tests.reports.page.maps import LABELS, made_up, page_numbers


def column(text: str, form: str) -> Any:
    return np.frombuffer(b64decode(text), dtype=form)


def test_data_of_a_page() -> None:
    numbers = made_up(50)
    points, data = numbers["points"], map_data(numbers)
    x, y = column(data["x"], "<u2").astype(float), column(data["y"], "<u2").astype(float)
    assert len(x) == 51 and max(x.max(), y.max()) == 65_535 and min(x.min(), y.min()) == 0
    # One step for both axes: distances on the page are those of the map.
    step = (max(points["x"]) - min(points["x"])) / (x[:50].max() - x[:50].min())
    assert (x[:50] - x[0]) * step == pytest.approx(np.array(points["x"]) - points["x"][0], abs=1e-3)
    assert (y[:50] - y[0]) * step == pytest.approx(np.array(points["y"]) - points["y"][0], abs=1e-3)
    label = data["modes"]["label"]
    assert label["names"] == [*LABELS, "no label"] and label["styles"][-1] is None
    assert column(label["kinds"], "u1").tolist() == points["label"]
    errors = data["modes"]["error"]
    assert errors["names"][-1] == "not annotated" and errors["styles"][0] is None
    assert column(data["predicted"], "u1").tolist() == [
        NONE if one is None else one for one in points["predicted"]
    ]
    assert column(data["score"], "u1").tolist() == [
        NONE if one is None else round(100 * one) for one in points["score"]
    ]
    near = column(data["near"], "<u2").reshape(50, 5)
    assert near.tolist() == numbers["neighbours"]["index"]
    assert column(data["cosine"], "i1").reshape(50, 5)[3].tolist() == [90, 80, 70, 60, 50]
    marks = column(data["marks"], "<u2").reshape(50, 2)
    # JavaScript counts each emoji as two.
    assert marks[1].tolist() == [5, 10] and data["texts"][1].startswith("😀😀 Name1")


def test_data_of_documents() -> None:
    numbers = made_up(8)
    numbers["points"]["mark"] = [None] * 8
    numbers["points"]["error"] = [None] * 8
    numbers["neighbours"] = {"index": [[]] * 8, "cosine": [[]] * 8}
    data = map_data(numbers)
    assert data["marks"] is None and data["neighbours"] == 0 and data["near"] == ""
    assert set(column(data["modes"]["error"]["kinds"], "u1")) == {len(numbers["errors"])}


def test_scores_fall_into_classes() -> None:
    numbers = {"points": {"score": [0.0, 0.499, 0.5, 0.989, 0.99, 1.0, None]}}
    kinds = find_kinds(numbers, "score")
    assert [kinds.names[kind] for kind in kinds.of] == [
        *("0 to 0.5", "0 to 0.5", "0.5 to 0.7", "0.95 to 0.99", "0.99 to 1", "0.99 to 1"),
        NOT_KNOWN["score"],
    ]
    assert kinds.styles[kinds.of[-1]] is None


def test_many_labels_fit_a_byte() -> None:
    names = [f"L{i}" for i in range(MOST_LABELS + 60)]
    numbers = {"labels": names, "points": {"label": [0, MOST_LABELS - 1, MOST_LABELS, 259, None]}}
    kinds = find_kinds(numbers, "label")
    assert kinds.names[MOST_LABELS:] == ["60 other labels", "no label"]
    assert kinds.of == [0, MOST_LABELS - 1, MOST_LABELS, MOST_LABELS, MOST_LABELS + 1]
    # The first 64 differ in colour or shape.
    styles = [(color % 8, shape % 8) for color, shape in kinds.styles[:64]]  # type: ignore[misc]
    assert len(set(styles)) == 64


@pytest.mark.parametrize("size", [0, 10, 200, 600, 10_000])
def test_texts_are_cut_around_what_is_marked(size: int) -> None:
    texts = ["короткий текст", "a" * 300, "left " * 30 + "Jordan" + " right" * 30, "", "😀" * 50]
    marks = [None, None, [150, 156], None, [0, 3]]
    cut, moved = shortened(texts, marks, size)
    assert sum(len(text.encode("utf8")) for text in cut) <= size + 7 * len(texts)
    assert len(cut) == len(texts) and moved[0] == (0, 0)
    for text, (start, end) in zip(cut, moved, strict=True):
        assert 0 <= start <= end <= len(text)
    if size >= 200:
        assert cut[2][slice(*moved[2])] == "Jordan"
    if size == 10_000:
        assert cut == texts and moved[2] == (150, 156)
    elif size == 600:
        assert cut[0] == texts[0] and cut[1].endswith("a…")


def test_offsets_of_javascript() -> None:
    assert in_utf16("😀a😀b", [1, 4]) == [2, 6]


def test_every_text_is_escaped() -> None:
    page = map_page(page_numbers(30))
    assert "<script>window.hacked" not in page and "<b>Bold0" not in page
    # A script of data ends where it should.
    found = re.search(r'<script type="application/json" class="map-data">(.*?)</script>', page)
    assert found
    data = json.loads(found[1])
    assert data["texts"][0].startswith("</script><script>window.hacked")
    assert data["queries"][0]["text"] == "Michael Jordan <b>scored</b>"


def test_what_a_map_says() -> None:
    (block,) = map_section({"maps": [made_up(40)]}).blocks
    says = block.shows  # type: ignore[attr-defined]
    assert "one of 40 entities in 10 documents" in says and "28% and 16%" in says
    assert "2 without a vector" in says and "93% have its label" in says and "25% would" in says
    assert "share it least" not in block.do  # type: ignore[attr-defined]
    (block,) = map_section({"maps": [made_up(200)]}).blocks
    assert "is PER (80%)" in block.do  # type: ignore[attr-defined]
    drawn = {**made_up(40), "of": "documents", "corpus_documents": 25_000, "method": "umap"}
    drawn.update({"explained": None, "agreement": None, "task": None})
    (block,) = map_section({"maps": [drawn]}).blocks
    says = block.shows  # type: ignore[attr-defined]
    assert "of the 25,000, drawn at random" in says and "UMAP keeps neighbours" in says
    assert "have its label" not in says


def test_several_maps_are_groups_and_share_the_room() -> None:
    section = map_section({"maps": [made_up(30), {**made_up(30), "task": "fine_ner"}]}, 600)
    assert [group.title for group in section.groups] == ["Entities: ner", "Entities: fine_ner"]
    assert len({group.name for group in section.groups}) == 2
    for group in section.groups:
        (block,) = group.blocks
        texts = block.data["texts"]  # type: ignore[attr-defined]
        assert sum(len(text.encode("utf8")) for text in texts) < 300 + 7 * len(texts)


def test_a_page_of_20000_points_is_small() -> None:
    numbers = page_numbers(20_000, neighbours=10)
    points = numbers["maps"][0]["points"]
    points["text"] = ["Ё" * 190 + " Name1 'a'" for _ in range(20_000)]
    points["mark"] = [[191, 196]] * 20_000
    page = map_page(numbers)
    assert len(page.encode("utf8")) < 5_000_000 and "Name1" in page


def test_pictures() -> None:
    pytest.importorskip("vl_convert")
    pictures = map_pictures(page_numbers(30), "error")
    assert set(pictures) == {"", "_sentences"}
    assert all(picture.startswith(b"\x89PNG") for picture in pictures.values())


@pytest.mark.parametrize("color", ["label", "score", "error"])
def test_a_picture_has_the_kinds_of_the_page(color: str) -> None:
    numbers = made_up(40)
    chart = map_chart(numbers, color)
    points = chart["layer"][0]
    kinds = find_kinds(numbers, color)
    assert sorted(row["kind"] for row in points["data"]["values"]) == sorted(
        kinds.names[kind] for kind in kinds.of
    )
    scale = points["encoding"]["color"]["scale"]
    assert len(scale["domain"]) == len(scale["range"]) == len(set(kinds.of))
    x, y = (points["encoding"][axis]["scale"]["domain"] for axis in "xy")
    assert (x[1] - x[0]) / chart["width"] == pytest.approx((y[1] - y[0]) / chart["height"])
    assert x[0] < min(numbers["points"]["x"]) and y[1] > max(numbers["points"]["y"])


def test_similar_sentences() -> None:
    numbers = page_numbers()["sentences"]
    figure = similarity_figure(numbers)
    assert figure.table.rows[1] == ["2 A boring movie </script>.", 0.8, 1.0, 0.12]
    chart = similarity_chart(numbers)
    assert len(chart["data"]["values"]) == 9 and len(chart["layer"]) == 2
    many = {"texts": ["a"] * 40, "cosine": [[0.5] * 40] * 40}
    assert len(similarity_chart(many)["layer"]) == 1


def test_tables_on_the_terminal() -> None:
    labels, query = vector_tables(page_numbers(40))
    assert labels.title == "40 entities · ner" and labels.columns[0] == "label"
    assert query.title == "Nearest to: Michael Jordan <b>scored</b>" and len(query.rows) == 5
    assert query.rows[1][2].startswith("Name") and len(query.rows[0][2]) <= 90
