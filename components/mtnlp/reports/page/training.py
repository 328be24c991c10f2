"""Figures of how the training went, from the scalars of TensorBoard."""

from itertools import pairwise
from typing import Any, Dict, List, Mapping, Sequence

from ..tables import Table
from .blocks import Figure
from .charts import lines

Numbers = Mapping[str, Any]

# Points of a curve at most; where there are more, each is the mean of neighbours.
MOST_POINTS = 150
# The curves worth seeing, by the first part of their names.
SHOWN = {
    "loss": (
        "Loss in training",
        "The loss of each component over the steps. It should fall, and then level off.",
        "Where it still falls at the end, train longer; where it rises or jumps, lower the "
        "learning rate.",
    ),
    "score": (
        "Scores on dev in training",
        "What each evaluation on dev gave.",
        "Where the scores still rise at the end, train longer; where they fall while the loss "
        "falls, the pipeline learns by heart: more data, or stop earlier.",
    ),
}
ALIASES = {"dev": "score"}


def training_figures(series: Sequence[Numbers]) -> List[Figure]:
    """Losses and scores over the steps. series: `training` of a report: name, step and value.

    Scores of single labels are in the files alone, and so is what is evaluated and is no score: the
    speed, the loss on dev. Curves of other names are in numbers.json alone.
    """
    figures = []
    for kind, (title, shows, do) in SHOWN.items():
        own = [one for one in series if _kind(one["name"]) == kind]
        drawn = [one for one in own if kind != "score" or _is_score(one)]
        # score/ents_per_type/PER/f and the like.
        few = [one for one in drawn if one["name"].count("/") == 1] or drawn
        if not few:
            continue
        thin = {one["name"].partition("/")[2]: thinned(one) for one in few}
        values = [
            {"x": step, "y": value, "of": name}
            for name, points in thin.items()
            for step, value in points
        ]
        table = Table(title, ["curve", "step", "value"])
        table.rows = [[value["of"], value["x"], value["y"]] for value in values]
        everything = Table(title, ["curve", "step", "value"])
        everything.rows = [
            [one["name"], step, value]
            for one in own
            for step, value in zip(one["step"], one["value"], strict=True)
        ]
        more = ""
        if any(len(one["step"]) > MOST_POINTS for one in few):
            more = (
                f" A curve of more than {MOST_POINTS} points is drawn by the means of neighbours."
            )
        figures.append(
            Figure(
                title,
                shows + more,
                do,
                table,
                f"training-{kind}",
                lines(values, "step", kind, of=list(thin), unit=False),
                more={f"training-{kind}-all": everything},
            )
        )
    return figures


def thinned(series: Numbers) -> List[List[float]]:
    """Steps and values; of more than `MOST_POINTS` the means of as many equal parts."""
    steps, values = series["step"], series["value"]
    if len(steps) <= MOST_POINTS:
        return [list(point) for point in zip(steps, values, strict=True)]
    ends = [len(steps) * part // MOST_POINTS for part in range(MOST_POINTS + 1)]
    parts = [slice(first, last) for first, last in pairwise(ends)]
    return [[_mean(steps[part]), _mean(values[part])] for part in parts]


def _is_score(series: Numbers) -> bool:
    """Whether a curve stays within the bounds of F1 and of correlations. Words per second would
    press all others down to a line."""
    return all(-1.0 <= value <= 1.0 for value in series["value"])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _kind(name: str) -> str:
    first = name.partition("/")[0]
    aliases: Dict[str, str] = ALIASES
    return aliases.get(first, first)
