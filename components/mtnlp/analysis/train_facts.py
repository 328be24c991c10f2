"""What the documents of train say, which a pipeline is compared with."""

from collections import Counter
from pathlib import Path
from typing import Dict, FrozenSet, Iterable, List, Mapping, Tuple

import spacy
from spacy.tokens import Doc

from ..annotation.categories import Cats
from ..annotation.layers import EntsLayer, SpansLayer
from ..data.options import Progress, quiet
from ..data.reading import open_docbin
from ..evaluation.confusions import LabelTask
from ..evaluation.dictionary import Dictionary


class TrainFacts:
    """Labels, categories and surface forms of train; keeps no document.

    tasks: by name (see `find_tasks`).
    documents: how many there are. support: by task, how often each label is gold. cats: the
    categories of each document that has any; equal ones are one object. dictionaries: by task of
    entities, the surface forms.
    """

    def __init__(self, tasks: Mapping[str, LabelTask]) -> None:
        self.documents = 0
        self.support: Dict[str, Counter[str]] = {name: Counter() for name in tasks}
        self.cats: List[Cats] = []
        self.dictionaries: Dict[str, Dictionary] = {
            name: Dictionary()
            for name, task in tasks.items()
            if isinstance(task.source, (EntsLayer, SpansLayer))
        }
        self._tasks = tasks
        self._known: Dict[FrozenSet[Tuple[str, float]], Cats] = {}

    def add(self, docs: Iterable[Doc]) -> None:
        """Take up documents."""
        for doc in docs:
            self.documents += 1
            for name, task in self._tasks.items():
                self.support[name].update(task.gold_labels(doc))
            if doc.cats:
                cats = frozenset(doc.cats.items())
                self.cats.append(self._known.setdefault(cats, dict(cats)))
            self._learn(doc)

    def _learn(self, doc: Doc) -> None:
        words: List[str] = []
        for name, dictionary in self.dictionaries.items():
            layer = self._tasks[name].source
            if isinstance(layer, (EntsLayer, SpansLayer)) and layer.is_annotated(doc):
                words = words or [token.text for token in doc]
                entities = [(span.start, span.end, span.label_) for span in layer.spans(doc)]
                dictionary.learn(words, entities)


def read_train(
    files: Iterable[Path], tasks: Mapping[str, LabelTask], progress: Progress = quiet
) -> TrainFacts:
    """The facts of files, one of which is in memory at a time. Raises: DataError."""
    facts = TrainFacts(tasks)
    vocab = spacy.blank("xx").vocab
    for file in files:
        docbin = open_docbin(file)
        facts.add(progress(docbin.get_docs(vocab), f"{file.stem} train", len(docbin)))
        del docbin  # before the next one is read
    return facts
