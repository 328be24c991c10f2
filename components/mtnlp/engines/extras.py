"""Libraries that only some engines need."""

from importlib import import_module
from typing import Any

from ..errors import Errors, MtnlpError


def import_extra(name: str, extra: str) -> Any:
    """A module. extra: of mtnlp, which installs it. Raises: MtnlpError E292 where it is missing."""
    try:
        return import_module(name)
    except ImportError as error:
        message = Errors.E292.format(library=name, extra=extra, error=error)
        raise MtnlpError(message) from error
