"""Which format data of one's own is in, told by its content."""

from pathlib import Path
from typing import Optional

from ..errors import Errors, MtnlpError
from .datasets import DATASETS, FORMATS
from .formats.entry import Format
from .formats.sniff import beginning

# How much of what was looked at a message shows.
_NAMES = 5
_CHARACTERS = 60


def recognise(path: Path) -> Format:
    """The first format of the table that says a file or folder is its own.

    Raises: MtnlpError (E155) when none does, E156 when nothing is there.
    """
    if not path.exists():
        raise MtnlpError(Errors.E156.format(path=path, names=", ".join((*DATASETS, *FORMATS))))
    found = recognised(path)
    if found is None:
        raise not_recognised(path)
    return found


def recognised(path: Path) -> Optional[Format]:
    """As `recognise`, but None where no format says yes."""
    return next((format for format in FORMATS.values() if format.recognise(path)), None)


def not_recognised(path: Path) -> MtnlpError:
    """The error (E155) that says what was looked at, and which formats there are."""
    return MtnlpError(
        Errors.E155.format(
            path=path, seen=_seen(path), formats=", ".join(FORMATS), corpora=", ".join(DATASETS)
        )
    )


def _seen(path: Path) -> str:
    """What was looked at, in a few words."""
    if path.is_dir():
        names = sorted(entry.name for entry in path.iterdir())
        shown = ", ".join(names[:_NAMES]) + (" …" if len(names) > _NAMES else "")
        return f"a folder of {shown}" if names else "an empty folder"
    if not path.stat().st_size:
        return "an empty file"
    first = beginning(path).strip().split("\n")[0].strip()
    if not first:
        return f"{path.stat().st_size:,} bytes that are no UTF-8 text"
    return f"a text that begins with '{first[:_CHARACTERS]}{'…' * (len(first) > _CHARACTERS)}'"
