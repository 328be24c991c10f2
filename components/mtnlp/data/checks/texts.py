"""Texts that occur more than once, and long ones."""

from hashlib import blake2b
from itertools import combinations
from typing import Dict, FrozenSet, List, Optional, Tuple

from ..options import SPLITS
from .unit import Finding, Places, Unit

# Annotations of a text: those of each layer in the order of the text, and the categories.
_Layers = Dict[str, Tuple[Tuple[str, str], ...]]
_Annotation = Tuple[_Layers, FrozenSet[Tuple[str, float]]]


def text_digest(text: str) -> bytes:
    """What stands for a text, whatever its case. text: without differences of spacing."""
    return blake2b(text.casefold().encode("utf8", "replace"), digest_size=16).digest()


class RepetitionCheck:
    """Texts of more than one split, and texts annotated in two ways. Texts are the same where they
    differ in case and spacing alone.

    unit: what a text is: "document" or "sentence".
    """

    def __init__(self, unit: str) -> None:
        self._unit = unit.capitalize()
        # By digest: how often in which split, and where first.
        self._places: Dict[bytes, Dict[str, Tuple[int, str]]] = {}
        self._annotations: Dict[bytes, Tuple[str, _Annotation]] = {}
        self._cats: Dict[FrozenSet[Tuple[str, float]], FrozenSet[Tuple[str, float]]] = {}
        self._contradictions = Places()

    def look(self, unit: Unit, split: str) -> None:
        """Take up a unit."""
        if not unit.text:
            return
        digest = text_digest(unit.text)
        places = self._places.setdefault(digest, {})
        # What no other split has had so far is not quoted: it is what the others are compared with.
        count, place = places.get(split, (0, unit.name if places else unit.place))
        places[split] = count + 1, place
        annotation = self._annotation(unit)
        before, first = self._annotations.setdefault(digest, (unit.place, annotation))
        if first is not annotation and _contradict(first, annotation):
            self._contradictions.add(f"{unit.name} and {before}")

    def findings(self) -> List[Finding]:
        """A finding for each pair of splits that share texts, and one for contradictions."""
        findings: List[Finding] = []
        shared: Dict[Tuple[str, str], Places] = {}
        for splits in self._places.values():
            for pair in combinations([split for split in SPLITS if split in splits], 2):
                (_, first), (count, second) = splits[pair[0]], splits[pair[1]]
                places = shared.setdefault(pair, Places())
                places.add(f"{second} and {first}")
                places.count += count - 1
        for (first, second), places in sorted(shared.items()):
            message = f"{self._unit}s of {second} whose text is also in {first}"
            findings.append(Finding("shared_texts", message, places.count, places.first))
        if self._contradictions.count:
            message = f"{self._unit}s whose text has other annotations elsewhere"
            found = self._contradictions
            findings.append(Finding("contradictions", message, found.count, found.first))
        return findings

    def _annotation(self, unit: Unit) -> _Annotation:
        """What is compared. Categories are kept once: many units have the same ones."""
        layers = {
            name: tuple((item.surface.casefold(), item.label) for item in layer)
            for name, layer in unit.layers.items()
        }
        return layers, self._cats.setdefault(unit.cats, unit.cats)


class LengthCheck:
    """Texts too long for a window.

    limit: words that a window holds, about; None where nobody knows.
    """

    def __init__(self, unit: str, limit: Optional[int]) -> None:
        self._unit, self._limit = unit.capitalize(), limit
        self._longer = Places()

    def look(self, unit: Unit, split: str) -> None:
        """Take up a unit."""
        if self._limit is not None and unit.words > self._limit:
            self._longer.add(unit.name)

    def findings(self) -> List[Finding]:
        """At most one, which is no fault: the encoder reads all of a text, in several windows."""
        message = (
            f"{self._unit}s of more than about {self._limit} words, which an encoder reads in "
            "several windows of 256 wordpieces"
        )
        found = self._longer
        return (
            [Finding("long_texts", message, found.count, found.first, is_fault=False)]
            if found.count
            else []
        )


def _contradict(first: _Annotation, second: _Annotation) -> bool:
    """Whether two annotations of a text say different things. What only one of them has does not
    count."""
    layers = first[0].keys() & second[0].keys()
    if any(sorted(first[0][name]) != sorted(second[0][name]) for name in layers):
        return True
    if first[1] is second[1]:
        return False
    cats = dict(first[1])
    return any(cats.get(key, value) != value for key, value in second[1])
