"""How fast a pipeline is on this machine, and how large on disk."""

from pathlib import Path
from time import perf_counter
from typing import Any, Dict, Iterator, Sequence

import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.util import get_torch_default_device

from ..data.reading import bare_doc


class TimedPipe:
    """Runs `nlp.pipe`, and counts words and seconds without what the caller does in between.

    Splitting texts into words counts. The first documents that a process sees are slower: run some
    before.
    """

    def __init__(self, nlp: Language) -> None:
        self.nlp = nlp
        self.words = 0
        self.seconds = 0.0

    def __call__(self, references: Sequence[Doc]) -> Iterator[Example]:
        """Yields: what the pipeline makes of bare copies of documents, beside these."""
        predicted = self.nlp.pipe(bare_doc(self.nlp, reference) for reference in references)
        start = perf_counter()
        for doc, reference in zip(predicted, references, strict=True):
            self.seconds += perf_counter() - start
            self.words += len(doc)
            yield Example(doc, reference)
            start = perf_counter()

    def result(self) -> Dict[str, Any]:
        """Returns: {"words", "seconds", "words_per_second", "threads": those of torch, "device":
        "cpu" or "cuda"}."""
        return {
            "words": self.words,
            "seconds": self.seconds,
            "words_per_second": self.words / self.seconds if self.seconds else 0.0,
            "threads": torch.get_num_threads(),
            "device": get_torch_default_device().type,
        }


def folder_size(folder: Path) -> float:
    """The size of a folder's files, in MB (a million bytes)."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
