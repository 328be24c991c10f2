"""Label Studio's JSON-MIN: a flat row per annotation, with the task's fields and the results by the
names of their control tags."""

from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Set, Tuple

from ...errors import DataError
from .bad_input import BadInput
from .json_rows import Row
from .label_studio_results import CHOICES, SPANS, TAXONOMY, Item, Result, name_of_person
from .unread import unread_fields

# What the export adds to the task's fields and the results.
_OWN = frozenset({
    "id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement",
})  # fmt: skip
# A longer string was typed, not chosen.
_LONGEST_CHOICE = 100
# More different strings than this, and than half of the rows have, were typed as well; and so were
# those of which none occurs twice in so many rows.
_MANY_CHOICES = 50
_MANY_ROWS = 10


def is_min(values: Sequence[Any]) -> bool:
    """Whether values are rows of this export."""
    rows = [value for value in values if isinstance(value, dict)]
    return len(rows) == len(values) and any(
        "annotation_id" in row or any(_kind(value) in SPANS for value in row.values())
        for row in rows
    )


def read_min(rows: Sequence[Row], path: Path, on_bad: BadInput, label_field: str) -> List[Item]:
    """The annotations of all rows. `data` of an Item is what the task brought along.

    label_field: a field with a choice, where the order of the fields does not tell.
    Raises: DataError through `on_bad`.
    """
    chosen, typed = _string_fields([row.value for row in rows], label_field)
    items = []
    for line, row in rows:
        result, data = Result(), {}
        results = set(_results(row, label_field))
        read = {*_OWN, *chosen, *typed}
        try:
            for name, value in row.items():
                kind = _kind(value)
                if name in chosen and isinstance(value, str):
                    result.add(CHOICES, name, {CHOICES: [value]}, on_bad)
                elif name in typed and value:
                    on_bad.note(f"typed texts of '{name}' left out")
                elif kind:
                    read.add(name)
                    for region in value if isinstance(value, list) else [value]:
                        result.add(kind, name, region, on_bad)
                elif name in results and not isinstance(value, str):
                    on_bad.note(f"results of '{name}' left out", bool(value))
                elif name not in _OWN:
                    data[name] = value
        except DataError as error:
            on_bad.report(DataError(str(error), path, line))
            continue
        for message in unread_fields(row, read).values():
            on_bad.warn(message, path, line)
        made = str(row.get("updated_at") or row.get("created_at") or "")
        annotator = name_of_person(row.get("annotator"))
        items.append(Item(line, data, row.get("id"), annotator, (False, made), result))
    return items


def _kind(value: Any) -> str:
    """What the results in a field are, a list or a mapping with choices; "" for none."""
    if isinstance(value, dict):
        return CHOICES if isinstance(value.get(CHOICES), list) else ""
    if not isinstance(value, list) or not value or not all(isinstance(v, dict) for v in value):
        return ""
    kinds = [name for name in (*SPANS, CHOICES, TAXONOMY) if name in value[0]]
    # Regions of images and sounds have a list of labels too, under another name.
    others = [name for name, labels in value[0].items() if name.endswith("labels") and labels]
    return next(iter([*kinds, *others]), "")


def _string_fields(rows: Sequence[Any], label_field: str) -> Tuple[Set[str], Set[str]]:
    """The fields of single choices, which are mere strings here, and those of typed texts.

    They stand between `id` and `annotator`, behind the fields of the task.
    """
    values: Dict[str, List[str]] = {}
    for row in rows:
        for name in _results(row, label_field):
            if isinstance(row[name], str):
                values.setdefault(name, []).append(row[name])
    typed = {name for name, texts in values.items() if _is_typed(texts, len(rows))}
    # One that has several choices in another row.
    choices = {name for row in rows for name, value in row.items() if _kind(value) == CHOICES}
    return (set(values) - typed) | choices, typed - choices


def _results(row: Mapping[str, Any], label_field: str) -> Iterator[str]:
    names = list(row)
    if "id" in names and "annotator" in names[names.index("id") :]:
        yield from names[names.index("id") + 1 : names.index("annotator")]
    elif label_field in row:
        yield label_field


def _is_typed(texts: Sequence[str], rows: int) -> bool:
    different = len(set(texts))
    many = different > max(_MANY_CHOICES, len(texts) / 2)
    never_again = different == len(texts) and rows >= _MANY_ROWS
    is_long = any(len(text) > _LONGEST_CHOICE or "\n" in text for text in texts)
    return many or never_again or is_long
