"""Cells of a table on a page."""

from typing import Any, NamedTuple

from ..tables import show

DIGITS = 3


class Cell(NamedTuple):
    """shown: the text. value: what the page sorts by. kind: "text" or "number"."""

    shown: str
    value: str
    kind: str


def cell(value: Any) -> Cell:
    """A cell of a text, a number or None, with three digits behind the point of small numbers."""
    if isinstance(value, str):
        return Cell(value, value, "text")
    return Cell(number(value), "" if value is None else repr(value), "number")


def number(value: Any) -> str:
    """A number as text; a dash where there is none."""
    if isinstance(value, float) and abs(value) < 10:
        text = f"{value:.{DIGITS}f}"
        return text if value == 0 or float(text) else f"{'-' * (value < 0)}<0.001"
    return show(value)


def percent(share: float) -> str:
    """A share as a whole percentage; "<1%" and ">99%" where it is nearly nothing, or all."""
    if 0.995 <= share < 1:
        return ">99%"
    return "<1%" if 0 < share < 0.01 else f"{share:.0%}"
