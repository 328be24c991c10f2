"""The curves of a training on a page."""

from typing import Any, Dict

from mtnlp.reports.page.training import training_figures


def series(name: str, *values: float) -> Dict[str, Any]:
    return {"name": name, "step": list(range(len(values))), "value": list(values)}


def test_what_is_no_score_is_not_drawn_beside_scores() -> None:
    """Words per second would press the scores down to a line."""
    curves = [
        series("score/cats_score", 0.5, 0.9),
        series("score/vectors_spearman", -0.1, 0.8),
        series("score/speed", 1400.0, 500.0),
        series("score/textcat_loss", 1.7, 0.4),
        series("loss/textcat", 2.5, 0.4),
    ]
    figures = {figure.title: figure for figure in training_figures(curves)}
    loss, scores = figures["Loss in training"], figures["Scores on dev in training"]
    assert {row[0] for row in scores.table.rows} == {"cats_score", "vectors_spearman"}
    assert {row[0] for row in loss.table.rows} == {"textcat"}
    (everything,) = scores.more.values()
    assert {row[0] for row in everything.rows} == {one["name"] for one in curves[:4]}


def test_nothing_is_drawn_of_speed_alone() -> None:
    assert training_figures([series("score/speed", 1400.0)]) == []
