"""Which field or column of a file holds the texts."""

from pathlib import Path
from typing import Optional, Sequence

from ...data.formats.fields import TEXT, usually_called
from ...errors import DataError, Errors
from ..entries import Fields


def find_text_field(
    names: Sequence[str], fields: Fields, path: Path, required: Optional[Sequence[str]] = None
) -> str:
    """The field that was named, or `text`, or the only one that is called like a text.

    names: the fields of a file. required: which of those that were named must be there; None is
    all. Raises: DataError E605 where one of these is not, E606 where no field is called like a
    text, or several are, E613 where there is no field at all.
    """
    if not names:
        raise DataError(Errors.E613, path)
    wanted = fields.named if required is None else required
    missing = [name for name in wanted if name not in names]
    shown = ", ".join(names)
    if missing:
        raise DataError(Errors.E605.format(missing=", ".join(missing), found=shown), path)
    if fields.text is not None:
        return fields.text
    found = usually_called(names, TEXT)
    if len(found) != 1:
        raise DataError(Errors.E606.format(found=shown), path)
    return names[found[0]]
