"""Custom attributes of spaCy's objects, from a file that several packages may bring."""

from typing import Any, Callable, Dict, Literal, Optional, Type, Union

from spacy.tokens import Doc, Span

from ..pipes.extensions import install_extension

OWNERS: Dict[str, Union[Type[Doc], Type[Span]]] = {"doc": Doc, "span": Span}


def install_attribute(
    owner: Literal["doc", "span"],
    name: str,
    getter: Optional[Callable] = None,
    setter: Optional[Callable] = None,
) -> None:
    """Register an attribute unless another package of mtnlp has done so: theirs reads the same.
    Where another library has, the warning E320 is logged."""
    kind = OWNERS[owner]
    if kind.has_extension(name):
        _, _, found, _ = kind.get_extension(name)
        there: Any = getattr(found, "__qualname__", None)
        if there == getattr(getter, "__qualname__", None):
            return
    install_extension(
        kind, name, getter=getter, setter=setter, instead="doc.user_data or doc.spans"
    )
