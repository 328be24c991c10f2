"""Fields and columns nobody reads although they look like annotation: found, so as to be named."""

import re
from typing import AbstractSet, Any, Dict, Iterator, Mapping, Sequence

from ...errors import Errors
from ...types import Record
from .offsets import is_spans

# Names under which people keep labels. Any other string may be an id, a title or an author.
_LABEL_WORDS = frozenset({
    "label", "labels", "cat", "cats", "category", "categories", "class", "classes", "topic",
    "topics", "intent", "intents", "sentiment", "emotion", "emotions", "polarity", "stance",
    "rating", "stars", "tag", "tags", "ner",
})  # fmt: skip
_TAG = re.compile(r"O$|[BIESLU]-\S")
_WORDS = re.compile(r"[^\W_]+")


def is_annotated(record: Record) -> bool:
    """Whether a Record says anything of its text, be it that nothing is there."""
    return any(layer is not None for layer in (record.entities, record.spans, record.cats))


def unread_fields(
    row: Mapping[str, Any], read: AbstractSet[str], length: int = 0
) -> Dict[str, str]:
    """A warning for each field of a row that holds offsets or labels and is not read.

    read: the fields that were read, or are no annotation.
    length: how many tokens the row has, to know lists as long.
    """
    return dict(_unread(row, read, length))


def unread_columns(
    header: Sequence[str], first: Sequence[str], read: AbstractSet[str]
) -> Dict[str, str]:
    """A warning for each column of a table that by its name or cells holds labels or offsets.

    header: the names. first: the cells of the first row. read: the columns that were read.
    """
    found: Dict[str, str] = {}
    for name, cell in zip(header, first, strict=False):
        if name in read or not cell.strip():
            continue
        if re.match(r"\[\s*[\[{].*\d", cell.strip()):
            found[name] = Errors.E171.format(field=name)
        elif _is_label_word(name, read):
            found[name] = Errors.E169.format(what="column", field=name)
    return found


def _unread(
    row: Mapping[str, Any], read: AbstractSet[str], length: int
) -> "Iterator[tuple[str, str]]":
    for field, value in row.items():
        if field in read or value is None:
            continue
        if is_spans(value):
            yield field, Errors.E167.format(field=field)
        elif isinstance(value, list) and value and len(value) == length:
            if all(type(item) is int for item in value) and _is_label_word(field, read):
                yield field, Errors.E170.format(field=field)
            elif any(isinstance(item, str) and _TAG.match(item) for item in value):
                yield field, Errors.E168.format(field=field)
        elif _is_judged(value) or (_is_label(value) and _is_label_word(field, read)):
            yield field, Errors.E169.format(what="field", field=field)


def _is_label(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, (str, int)) for item in value)
    return isinstance(value, (str, int)) and bool(str(value).strip())


def _is_judged(value: Any) -> bool:
    """Whether a value is a mapping from label to 0 or 1."""
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(item, (bool, int, float)) and item in (0, 1) for item in value.values())
    )


def _is_label_word(field: str, read: AbstractSet[str]) -> bool:
    """Whether a name speaks of labels. `label_text` beside a `label` that was read repeats it."""
    words = _WORDS.findall(field.lower())
    repeats = any(field.startswith(f"{name}_") for name in read)
    return not repeats and any(word in _LABEL_WORDS for word in words)
