"""mtnlp: one transformer pass, every answer. spaCy components with confidences."""

from .pipes.entity_spans import confidence
from .pipes.vector_hooks import restore_vectors

__version__ = "0.1.0"
__all__ = ["confidence", "restore_vectors"]
