"""What the page says about figures is what the figures say."""

from typing import Any, Dict, List

import pytest

from mtnlp.reports.page.boundaries import boundary_figure
from mtnlp.reports.page.charts import bars
from mtnlp.reports.page.classification import task_blocks
from mtnlp.reports.page.corpora import data_section
from mtnlp.reports.page.entity_advice import advice_on_types
from mtnlp.reports.page.heat import WIDE, Matrix, heat_map
from mtnlp.reports.page.overview import facts
from mtnlp.reports.page.trust import coverage_figure, reliability_figure
from tests.reports.page.report_numbers import ABOUT, report_numbers


def bins(*rows: Any) -> List[Dict[str, Any]]:
    keys = ("low", "high", "confidence", "accuracy", "count")
    return [dict(zip(keys, row, strict=True)) for row in rows]


RIGHT = (0.9, 1.0, 0.96, 0.95, 1000)
FAR = (0.3, 0.4, 0.35, 0.1, 30)


@pytest.mark.parametrize(
    "ece, rows, says, says_not",
    [
        (0.02, [RIGHT], "can be read as probabilities.", "calibrate"),
        (
            0.02,
            [RIGHT, FAR],
            "can be read as probabilities, but between 0.3 and 0.4 only 10% are right.",
            "calibrate",
        ),
        # The same gap of fewer is chance.
        (0.02, [RIGHT, (*FAR[:4], 29)], "can be read as probabilities.", "but"),
        (0.05, [RIGHT], "too sure: 96% on average, 91% right. Fit the", "can be read"),
        (0.05, [RIGHT, FAR], "Between 0.3 and 0.4 only 10% are right. Fit the", "can be read"),
        # Of 100 it would be 0.8 * sqrt(0.96 * 0.04 / 100) = 0.0156 by chance.
        (0.031, [(*RIGHT[:4], 100)], "may be chance: with so few answers", "Fit"),
        (0.032, [(*RIGHT[:4], 100)], "too sure", "chance"),
        (0.02, [RIGHT, (0.3, 0.4, 0.35, 0.5, 30)], "as many as 50% are right", "only"),
    ],
)
def test_confidences(ece: float, rows: List[Any], says: str, says_not: str) -> None:
    found = {"ece": ece, "bins": bins(*rows), "mean_confidence": 0.96, "accuracy": 0.91}
    do = reliability_figure(found, "name", "entities").do
    assert says in do and says_not not in do


def test_a_minimum_tells_its_own_precision() -> None:
    keys = ("minimum", "precision", "recall", "coverage", "entities")
    rows = [dict(zip(keys, row, strict=True)) for row in [(0.0, 0.8, 0.9, 1.0, 100)] * 1]
    rows.append(dict(zip(keys, (0.7, 0.98, 0.5, 0.6, 60), strict=True)))
    do = coverage_figure(rows, "name").do
    assert "With a minimum of 0.7, 98% of what is kept is right, and 60% of all" in do


@pytest.mark.parametrize(
    "line, column, exact, says",
    [
        ([50, 2, 9], [50, 1, 3], 45, "it is missed: 9 of 61. Annotate more"),
        ([50, 9, 2], [50, 1, 3], 45, "it is taken for B: 9 of 61."),
        ([50, 2, 1], [50, 9, 3], 45, "B is taken for it: 9 of the 62 predicted"),
        ([50, 2, 1], [50, 1, 9], 45, "where nothing is annotated: 9 of 60."),
        ([50, 2, 1], [50, 1, 3], 40, "its words are wrong: 10 of 53."),
    ],
)
def test_the_weakest_type(line: List[int], column: List[int], exact: int, says: str) -> None:
    counts = [line, [column[1], 90, 0], [column[2], 0, 0]]
    rows = [
        {"label": "A", "f": 0.5, "support": sum(line), "predicted": sum(column)},
        {"label": "B", "f": 0.9, "support": 91, "predicted": 92},
        {"label": "rare", "f": 0.0, "support": 9, "predicted": 0},
    ]
    matrix = {"labels": ["A", "B"], "counts": counts, "exact": [exact, 80]}
    found = advice_on_types({"per_type": rows, "confusion": matrix})
    assert found.startswith("A is the weakest of those with at least 10 gold entities (F1 0.500).")
    assert says in found


def advice(task: str) -> Dict[str, str]:
    numbers = report_numbers()["classification"][task]
    return {
        getattr(block, "title", ""): getattr(block, "do", "") for block in task_blocks(numbers, "x")
    }


def test_exclusive_tasks_have_no_threshold() -> None:
    mood, emotion = advice("textcat: mood"), advice("textcat: emotion")
    for title in ("Precision and recall", "Labels predicted too often or too rarely"):
        assert "threshold of" not in mood[title] and "calibrate" not in mood[title]
    assert "set the threshold of the label" in emotion["Precision and recall"]
    assert (
        "`mtnlp calibrate` fits thresholds" in emotion["Labels predicted too often or too rarely"]
    )


def test_labels_that_replace_each_other() -> None:
    numbers = report_numbers()["classification"]["textcat: emotion"]
    for count, says in ((2, "That is no rule"), (90, "are one label to the pipeline")):
        numbers["error_cooccurrence"]["counts"][0][1] = count
        (do,) = (
            block.do  # type: ignore[attr-defined]
            for block in task_blocks(numbers, "x")
            if getattr(block, "title", "") == "Errors that come together"
        )
        assert says in do
    # joy: 200 texts, recall 0.3877.
    assert "texts that miss joy have fear instead: 90 of 122." in do


def test_labels_that_score_alike() -> None:
    numbers = report_numbers()["classification"]["textcat: mood"]
    for row in numbers["per_label"]:
        row["f"] = 0.75
    (figure,) = (
        b for b in task_blocks(numbers, "x") if getattr(b, "title", "") == "Scores per label"
    )
    assert "No label is much weaker than another" in figure.do  # type: ignore[attr-defined]


def test_a_matrix_of_thirty_fits_the_page() -> None:
    """With its last column, which is that of missed ones."""
    names = [f"STATE_OR_PROVINC{i:02}" for i in range(29)]
    counts = [[1] * 30] * 30
    spec = heat_map(Matrix([*names, "(spurious)"], [*names, "(missed)"], counts, ("a", "b")))
    assert 600 < spec["width"] <= WIDE - 7 * 18


def test_an_encoder_is_named_without_its_folder() -> None:
    encoder = {**ABOUT["encoder"], "name": "/somewhere/of/mine/all-MiniLM-L6-v2"}
    assert dict(facts({**ABOUT, "encoder": encoder}))["Encoder"].startswith("all-MiniLM-L6-v2, 6")


def test_a_pair_of_sentences_is_no_type_of_entity() -> None:
    numbers = report_numbers()["data"]
    for split in numbers["statistics"]["made"]["splits"].values():
        pair = {"": {"count": 200, "share": 1.0}}
        split["entities"]["spans/pair"] = {**split["entities"]["ents"], "labels": pair}
    titles = [getattr(block, "title", "") for block in data_section(numbers).every]
    assert "Entity types in ents" in titles and "Entity types in spans/pair" not in titles


def test_the_worst_length_is_no_chance() -> None:
    rows = report_numbers()["entities"]["ner"]["boundaries"]
    nothing = {key: 0 for key in rows[0] if key != "length"}
    few, many = {**nothing, "length": "5+", "missed": 9}, {**nothing, "length": "2", "right": 9}
    do = boundary_figure([few, {**many, "too_short": 1}], "name").do
    assert "Entities of 2 words are worst: 10% of 10 are wrong." in do
    assert "fewer than 10 gold entities of each length" in boundary_figure([few], "name").do


def test_texts_of_bars_to_the_left_have_room() -> None:
    values = [
        {"label": str(i), "value": value, "text": ""} for i, value in enumerate((-0.04, 0.06))
    ]
    low, high = bars(values, "difference", domain=None)["layer"][0]["encoding"]["x"]["scale"][
        "domain"
    ]
    assert low == pytest.approx(-0.04 - 0.35 * 0.1) and high == 0.06
