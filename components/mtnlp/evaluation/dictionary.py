"""The surface forms of a training corpus: how often each was an entity and of which label, and what
somebody scores who knows nothing else."""

from collections import Counter
from functools import cached_property
from typing import Dict, Iterable, List, Sequence, Set, Tuple

import numpy as np

from ..scorers.entities import SpanKey

Surface = Tuple[str, ...]


class Dictionary:
    """The surface forms of one layer.

    A baseline of entity recognition: each form in a text is an entity of the label that it most
    often has in train (Tjong Kim Sang and De Meulder 2003, who keep unambiguous ones alone). A word
    that train has outside of entities at least as often as it is one is left out.
    """

    def __init__(self) -> None:
        self._labels: Dict[Surface, Counter[str]] = {}
        # Words outside of any entity.
        self._outside: Counter[str] = Counter()
        # Whether entities of train overlap.
        self._is_nested = False

    def learn(self, words: Sequence[str], entities: Iterable[SpanKey]) -> None:
        """Take up an annotated document of train, before anything is found. entities: within its
        words."""
        inside = np.zeros(len(words), dtype=bool)
        for start, end, label in {entity for entity in entities if entity[0] < entity[1]}:
            surface = tuple(words[start:end])
            self._labels.setdefault(surface, Counter())[label] += 1
            self._is_nested = self._is_nested or bool(inside[start:end].any())
            inside[start:end] = True
        self._outside.update(words[place] for place in np.flatnonzero(~inside).tolist())

    def frequency(self, surface: Surface) -> int:
        """How often a form is an entity in train, of whatever label."""
        return sum(self._labels.get(surface, Counter()).values())

    def has_label(self, surface: Surface, label: str) -> bool:
        """Whether a form is an entity of this label somewhere in train."""
        return label in self._labels.get(surface, ())

    def find(self, words: Sequence[str]) -> Set[SpanKey]:
        """The entities of a document by the forms of train alone.

        Where entities of train overlap, all forms that are there; else from left to right the
        longest one at each word.
        """
        entries, lengths = self._looked_for
        found: Set[SpanKey] = set()
        start = 0
        while start < len(words):
            ends = (start + length for length in lengths.get(words[start], ()))
            pieces = ((end, tuple(words[start:end])) for end in ends)
            here = [(start, end, entries[piece]) for end, piece in pieces if piece in entries]
            if here and not self._is_nested:
                found.add(here[0])
                start = here[0][1]
            else:
                found.update(here)
                start += 1
        return found

    @cached_property
    def _looked_for(self) -> Tuple[Dict[Surface, str], Dict[str, List[int]]]:
        """The label of each form that is looked for, and by first word how many words such forms
        have, the longest first."""
        entries: Dict[Surface, str] = {}
        lengths: Dict[str, Set[int]] = {}
        for surface, labels in self._labels.items():
            label = min(labels, key=lambda label: (-labels[label], label))
            if len(surface) > 1 or labels[label] > self._outside[surface[0]]:
                entries[surface] = label
                lengths.setdefault(surface[0], set()).add(len(surface))
        return entries, {word: sorted(found, reverse=True) for word, found in lengths.items()}
