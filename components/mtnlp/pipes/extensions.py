"""Custom attributes of spaCy's objects, `doc._.NAME` and `span._.NAME`."""

from typing import Callable, Optional, Tuple, Type, Union

from spacy.tokens import Doc, Span

from ..errors import Errors
from ..log import logger


def install_extension(
    owner: Union[Type[Doc], Type[Span]],
    name: str,
    *,
    getter: Optional[Callable] = None,
    setter: Optional[Callable] = None,
    instead: str,
) -> None:
    """Register a custom attribute, once for a process.

    What another library has registered under the name stays, since that library reads it: the
    warning E320 is logged then.

    owner: Doc or Span. getter, setter: functions of a module, as for `Doc.set_extension`; without
        them the attribute is a plain value, None to begin with.
    instead: what gives the value where the name is taken, for the warning.
    """
    if not owner.has_extension(name):
        if getter is None:
            owner.set_extension(name, default=None)
        else:
            owner.set_extension(name, getter=getter, setter=setter)
        return
    default, *functions = owner.get_extension(name)
    wanted = [None, identity(getter), identity(setter)]  # no method
    if default is not None or list(map(identity, functions)) != wanted:
        logger.warning(Errors.E320.format(owner=owner.__name__, name=name, instead=instead))


def identity(function: Optional[Callable]) -> Optional[Tuple[str, str]]:
    """The name of a function: a module that is loaded anew has other functions of the same name."""
    if function is None:
        return None
    kind = type(function)
    module = getattr(function, "__module__", kind.__module__)
    return module, getattr(function, "__qualname__", kind.__qualname__)
