"""What the numbers in a config may be."""

from math import isfinite
from typing import Any, Callable, NamedTuple, Optional

from .errors import Errors, MtnlpError


class Range(NamedTuple):
    """form: in words. holds: whether a finite number is in it."""

    form: str
    holds: Callable[[float], bool]


PROBABILITY = Range("a number from 0 to 1", lambda value: 0 <= value <= 1)
DROPOUT = Range("a number from 0 to below 1", lambda value: 0 <= value < 1)
SIZE = Range("a whole number from 1 on", lambda value: value >= 1 and value == int(value))
COUNT = Range("a whole number from 0 on", lambda value: value >= 0 and value == int(value))
NOT_NEGATIVE = Range("a number from 0 on", lambda value: value >= 0)
POSITIVE = Range("a number above 0", lambda value: value > 0)
FINITE = Range("a finite number", lambda value: True)


def require(owner: str, allowed: Range, **settings: Optional[float]) -> None:
    """Raises: MtnlpError E330 for the first of some settings that is not in a range. NaN and
    infinity are in none; None is a setting that is left out, which may be.

    owner: of the settings, for the message: a registered name or a component.
    """
    for name, value in settings.items():
        if value is not None and not (isfinite(value) and allowed.holds(value)):
            form = allowed.form
            raise MtnlpError(Errors.E330.format(owner=owner, name=name, value=value, form=form))


def require_rates(owner: str, **rates: Any) -> None:
    """Raises: MtnlpError E330 where a setting of an optimizer cannot be. Schedules pass.

    rates: `learn_rate`, `L2`, `eps`, `grad_clip`, from 0 on; `beta1`, `beta2`, below 1.
    """
    for name, value in rates.items():
        if isinstance(value, (int, float)):
            require(owner, DROPOUT if name.startswith("beta") else NOT_NEGATIVE, **{name: value})


def require_choice(owner: str, choices: Any, **settings: str) -> None:
    """Raises: MtnlpError E330 for the first of some settings that is not one of the choices, names
    in a collection."""
    for name, value in settings.items():
        if value not in choices:
            form = "one of: " + ", ".join(choices)
            raise MtnlpError(Errors.E330.format(owner=owner, name=name, value=value, form=form))
