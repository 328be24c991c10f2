"""What an optimizer has in memory, under names that are the same in every process."""

from typing import Any, Dict

from spacy.language import Language
from thinc.api import get_current_ops

from .weights_state import parameter_names


def get_optimizer_state(optimizer: Any, nlp: Language) -> Dict[str, Any]:
    """The moments, averages and step counts of each parameter, by `parameter_names`; not copied.

    Schedules are not part of it: they are stepped to their place.

    optimizer: thinc's `Optimizer`, or one of a class below it, between two batches.
    """
    names = parameter_names(nlp)

    def by_name(table: Dict[Any, Any]) -> Dict[str, Any]:
        return {names[key]: value for key, value in table.items() if key in names}

    averages = optimizer.averages
    return {
        "mom1": by_name(optimizer.mom1),
        "mom2": by_name(optimizer.mom2),
        "nr_update": by_name(optimizer.nr_update),
        "averages": None if averages is None else by_name(averages),
    }


def set_optimizer_state(optimizer: Any, nlp: Language, state: Dict[str, Any]) -> None:
    """Go on from the state of `get_optimizer_state`, whatever the optimizer has seen since."""
    keys = {name: key for key, name in parameter_names(nlp).items()}
    ops = get_current_ops()

    def fill(table: Dict[Any, Any], values: Dict[str, Any]) -> None:
        table.clear()
        for name, value in values.items():
            table[keys[name]] = value if isinstance(value, int) else ops.asarray(value)

    fill(optimizer.mom1, state["mom1"])
    fill(optimizer.mom2, state["mom2"])
    fill(optimizer.nr_update, state["nr_update"])
    if optimizer.averages is not None:
        fill(optimizer.averages, state["averages"])
