"""Running the encoders of a pipeline without its heads."""

from typing import List, Sequence

from spacy.language import Language
from spacy.pipeline.functions import DocCleaner
from spacy.tokens import Doc

from .base import TorchPipe


def encode(nlp: Language, docs: Sequence[Doc]) -> List[Doc]:
    """Run all components but mtnlp's own heads, so that any of these can predict, and the
    cleaners, which would take away what they predict from."""
    heads = [name for name, pipe in nlp.pipeline if isinstance(pipe, (TorchPipe, DocCleaner))]
    return list(nlp.pipe(docs, batch_size=max(1, len(docs)), disable=heads))
