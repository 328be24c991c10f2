"""One process at a time writes to a folder."""

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from ..errors import Errors, MtnlpError

LOCK = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds the lock of a folder, which is made. The system lets go of it when the process ends,
    however it ends. The file of the lock stays.

    Raises: MtnlpError E601 where another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            _take(handle)
        except OSError as error:
            raise MtnlpError(Errors.E601.format(path=folder)) from error
        yield
    finally:
        os.close(handle)


def _take(handle: int) -> None:
    """Raises: OSError where another process has it."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
