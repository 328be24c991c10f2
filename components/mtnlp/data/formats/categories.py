"""Names of categories in one's own data, as the keys of `doc.cats`: `task/LABEL`."""

from typing import Any, Dict, Mapping

from ...errors import DataError, Errors


def key_of(name: str, task: str) -> str:
    """The key of a category. A name that holds a task already (`topic/sports`) stays as it is."""
    before, slash, behind = name.partition("/")
    return name if slash and before.strip() and behind.strip() else f"{task}/{name}"


def judged_cats(values: Any, task: str, field: str) -> Dict[str, float]:
    """A mapping from label to 0 or 1 as `cats`. What it does not name is not judged.

    values: `{"LABEL": 1}`, `{"task/LABEL": 1}`, or `{"task": {"LABEL": 1}}`, mixed as one likes.
    Raises: DataError (E136) for anything else.
    """
    cats: Dict[str, float] = {}
    for name, value in (_mapping(values, field)).items():
        if isinstance(value, dict):
            nested = _mapping(value, field)
            cats.update({f"{name}/{label}": _number(nested[label], field) for label in nested})
        else:
            cats[key_of(str(name), task)] = _number(value, field)
    return cats


def label_name(label: Any, field: str) -> str:
    """A label as text. Raises: DataError (E136) for what is neither a string nor a whole number."""
    if isinstance(label, bool) or not isinstance(label, (str, int)) or str(label).strip() == "":
        raise DataError(Errors.E136.format(field=field, form="a string or a whole number"))
    return str(label)


def _mapping(values: Any, field: str) -> Mapping[str, Any]:
    if not isinstance(values, dict):
        raise _not_judged(field)
    return values


def _number(value: Any, field: str) -> float:
    if not isinstance(value, (int, float)) or value not in (0, 1):
        raise _not_judged(field)
    return float(value)


def _not_judged(field: str) -> DataError:
    return DataError(Errors.E136.format(field=field, form="a mapping from label to 0 or 1"))
