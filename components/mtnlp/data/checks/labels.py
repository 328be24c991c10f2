"""Labels that are probably one, and labels of which there is too little to learn."""

import re
from collections import Counter
from typing import Dict, FrozenSet, Iterator, List, Set, Tuple

from ...annotation.categories import is_positive, split_key
from .unit import SHOWN, Finding, Unit

# Labels below this length may well differ by a letter: CAT and CAR.
LONG = 4
# Examples below which a label is hardly learned.
FEW = 10


class LabelCheck:
    """Labels of one layer or task that differ in case or by a letter, and rare ones."""

    def __init__(self) -> None:
        # By layer or task, and label: all examples, those of train, and where the first one is.
        self._counts: Counter[Tuple[str, str]] = Counter()
        self._in_train: Counter[Tuple[str, str]] = Counter()
        self._places: Dict[Tuple[str, str], str] = {}
        # Many units have the same categories: how many, by whether they are of train.
        self._cats: Dict[Tuple[bool, FrozenSet[Tuple[str, float]]], Tuple[int, str]] = {}
        self._has_train = False

    def look(self, unit: Unit, split: str) -> None:
        """Take up a unit."""
        is_train = split == "train"
        self._has_train = self._has_train or is_train
        for name, layer in unit.layers.items():
            for mention in layer:
                self._add((name, mention.label), 1, unit.place, is_train)
        count, place = self._cats.get((is_train, unit.cats), (0, unit.place))
        self._cats[is_train, unit.cats] = count + 1, place

    def _add(self, label: Tuple[str, str], count: int, place: str, is_train: bool) -> None:
        self._counts[label] += count
        if is_train:
            self._in_train[label] += count
        if count and label not in self._places:
            self._places[label] = place

    def findings(self) -> List[Finding]:
        """A finding for similar labels and one for rare ones of each layer and task."""
        for (is_train, cats), (number, place) in self._cats.items():
            for key, value in cats:
                task, label = split_key(key)
                self._add((task or "", label), number * is_positive(value), place, is_train)
        self._cats.clear()
        names: Dict[str, Set[str]] = {}
        for name, label in self._counts:
            names.setdefault(name, set()).add(label)
        return [
            finding
            for name, labels in sorted(names.items())
            for finding in (*self._similar(name, labels), *self._rare(name, labels))
        ]

    def _similar(self, name: str, labels: Set[str]) -> Iterator[Finding]:
        lines: List[str] = []
        for pair in sorted(similar(labels)):
            common, rare = sorted(pair, key=lambda label: -self._counts[name, label])
            counts = f"{common} {self._counts[name, common]:,}, {rare} {self._counts[name, rare]:,}"
            place = self._places.get((name, rare))
            lines.append(f"{counts} at {place}" if place else counts)
        if lines:
            message = f"Labels of {name} that differ in case or by one letter alone"
            yield Finding("similar_labels", message, len(lines), lines[:SHOWN])

    def _rare(self, name: str, labels: Set[str]) -> Iterator[Finding]:
        counts = sorted((self._in_train[name, label], label) for label in labels)
        rare = [f"{label} {count}" for count, label in counts if count < FEW]
        if rare and self._has_train:
            message = f"Labels of {name} with fewer than {FEW} examples in train"
            yield Finding("rare_labels", message, len(rare), rare[:SHOWN])


def similar(labels: Set[str]) -> Iterator[Tuple[str, str]]:
    """The pairs of labels that are probably meant to be one.

    Two labels are a letter apart exactly where leaving out one of each, or of the longer, makes
    them equal: so each is looked up under what is left of it, and no label is held against all.
    """
    by_rest: Dict[str, List[str]] = {}
    for label in sorted(labels):
        folded = label.casefold()
        rests = {folded[:at] + folded[at + 1 :] for at in range(len(folded))}
        for rest in {folded, *rests}:
            by_rest.setdefault(rest, []).append(label)
    seen: Set[Tuple[str, str]] = set()
    for group in by_rest.values():
        for at, first in enumerate(group):
            for second in group[at + 1 :]:
                pair = (first, second)
                if pair not in seen and _is_typo(first.casefold(), second.casefold()):
                    seen.add(pair)
                    yield pair


def _is_typo(first: str, second: str) -> bool:
    """Whether two labels, in lower case, are equal or a letter apart, and not by a number."""
    if first == second:
        return True
    if min(len(first), len(second)) < LONG or _unnumbered(first) == _unnumbered(second):
        return False
    prefix = 0
    while prefix < min(len(first), len(second)) and first[prefix] == second[prefix]:
        prefix += 1
    longer, shorter = sorted((first[prefix:], second[prefix:]), key=len, reverse=True)
    return longer[1:] == (shorter if len(longer) > len(shorter) else shorter[1:])


def _unnumbered(label: str) -> str:
    return re.sub(r"\d+", "0", label) if re.search(r"\d", label) else label
