"""Which field or column of a file holds the texts."""

from pathlib import Path
from typing import Sequence

from ...data.formats.fields import TEXT, usually_called
from ...errors import DataError, Errors
from ..entries import Fields


def find_text_field(names: Sequence[str], fields: Fields, path: Path) -> str:
    """The field that was named, or `text`, or the only one that is called like a text.

    names: the fields of a file. Raises: DataError E605 where none of these is there, or another
    field that was named is not.
    """
    missing = [name for name in fields.named if name not in names]
    shown = ", ".join(names) or "none"
    if missing:
        raise DataError(Errors.E605.format(missing=", ".join(missing), found=shown), path)
    if fields.text is not None:
        return fields.text
    found = usually_called(names, TEXT)
    if len(found) != 1:
        raise DataError(Errors.E606.format(found=shown), path)
    return names[found[0]]
