"""mtnlp: one transformer pass, every answer. spaCy components with confidences.

Importing it is quick: spaCy and torch are imported when a name below is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, List

if TYPE_CHECKING:
    from .pipes.entity_spans import confidence as confidence
    from .pipes.vector_hooks import restore_vectors as restore_vectors
    from .pipes.vectors import vectors as vectors

__version__ = "0.1.0"

# Where each name is defined.
_MODULES = {
    "confidence": ".pipes.entity_spans",
    "restore_vectors": ".pipes.vector_hooks",
    "vectors": ".pipes.vectors",
}
__all__ = ["confidence", "restore_vectors", "vectors"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_MODULES[name], __name__), name)
    return found


def __dir__() -> List[str]:
    return sorted({*globals(), *__all__})
