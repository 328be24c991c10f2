"""What the points of a map are coloured by: the kinds there are, and how each is drawn."""

from typing import Any, List, Mapping, NamedTuple, Optional, Sequence, Tuple

MODES = ("label", "score", "error")
# A colour and a shape: their places in the page's series of colours (of scores, in its ramp) and
# among the shapes of map_shapes.js. None: small and grey.
Style = Optional[Tuple[int, int]]
CIRCLE, SQUARE, TRIANGLE, DIAMOND, CROSS, DOWN = 0, 1, 2, 3, 5, 6
SHAPES = 8
ERRORS: Mapping[str, Style] = {
    "right": None,
    "wrong": (1, TRIANGLE),
    "other label": (1, TRIANGLE),
    "boundaries": (0, SQUARE),
    "overlap": (6, CROSS),
    "missed": (3, DOWN),
    "spurious": (4, DIAMOND),
}
# Lower ends of the classes of scores. The lowest three are triangles, which show among circles.
STEPS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
LOW = 3
# Labels that have a kind of their own; rarer ones share one. A kind fits into a byte.
MOST_LABELS = 200
NOT_KNOWN = {"label": "no label", "score": "no score", "error": "not annotated"}


class Kinds(NamedTuple):
    """names, styles: of the kinds, the last one for points of which nothing is known.
    of: the kind of each point."""

    names: List[str]
    styles: List[Style]
    of: List[int]


def find_kinds(numbers: Mapping[str, Any], mode: str) -> Kinds:
    """The kinds of the points of a map. mode: one of MODES."""
    names, styles, places = _FIND[mode](numbers)
    last = len(names)
    of = [last if place is None else place for place in places]
    return Kinds([*names, NOT_KNOWN[mode]], [*styles, None], of)


Found = Tuple[List[str], List[Style], Sequence[Optional[int]]]


def _labels(numbers: Mapping[str, Any]) -> Found:
    names, places = fold(numbers["labels"], numbers["points"]["label"])
    return names, [(i, i + i // SHAPES) for i in range(len(names))], places


def _scores(numbers: Mapping[str, Any]) -> Found:
    ends = (*STEPS[1:], 1.0)
    names = [f"{low:g} to {high:g}" for low, high in zip(STEPS, ends, strict=True)]
    styles: List[Style] = [(i, TRIANGLE if i < LOW else CIRCLE) for i in range(len(STEPS))]
    scores = numbers["points"]["score"]
    return names, styles, [None if one is None else _step(one) for one in scores]


def _errors(numbers: Mapping[str, Any]) -> Found:
    names = numbers["errors"]
    return list(names), [ERRORS.get(name) for name in names], numbers["points"]["error"]


_FIND = {"label": _labels, "score": _scores, "error": _errors}


def fold(
    names: Sequence[str], places: Sequence[Optional[int]]
) -> Tuple[List[str], List[Optional[int]]]:
    """The names, the rarest of too many as one, and the places among them."""
    if len(names) <= MOST_LABELS:
        return list(names), list(places)
    kept = [*names[:MOST_LABELS], f"{len(names) - MOST_LABELS:,} other labels"]
    return kept, [None if place is None else min(place, MOST_LABELS) for place in places]


def _step(score: float) -> int:
    return max(i for i, low in enumerate(STEPS) if score >= low)
