"""The same words with several labels, and entities wider than `span_ner` finds."""

import inspect
from typing import Dict, List, Set, Tuple

from ...models.span_classifier import build_span_classifier_v1
from .unit import SHOWN, Finding, Mention, Places, Unit, most, quote

# How often something must be annotated, and how much of that with one label, before another label
# of it looks like a slip. Below, several labels are what words mean.
FREQUENT = 10
DOMINANT = 0.9


class SurfaceCheck:
    """Words that nearly always have one label, and sometimes another."""

    def __init__(self) -> None:
        self._labels: Dict[Tuple[str, str], Dict[str, int]] = {}
        self._places: Dict[Tuple[str, str, str], str] = {}

    def look(self, unit: Unit, split: str) -> None:
        """Take up a unit."""
        for name, layer in unit.layers.items():
            for mention in layer:
                counts = self._labels.setdefault((name, mention.surface), {})
                if mention.label not in counts:
                    counts[mention.label] = 0
                    self._places[name, mention.surface, mention.label] = unit.place
                counts[mention.label] += 1

    def findings(self) -> List[Finding]:
        """A finding for each layer, the most frequent words first."""
        suspicious: Dict[str, List[Tuple[int, str, str]]] = {}
        for (name, surface), counts in self._labels.items():
            total = sum(counts.values())
            if len(counts) > 1 and total >= FREQUENT and max(counts.values()) >= DOMINANT * total:
                ordered = most(counts)
                place = self._places[name, surface, ordered[-1][0]]
                labels = ", ".join(f"{label} {count:,}" for label, count in ordered)
                line = f"{quote(surface)} {labels} at {place}"
                suspicious.setdefault(name, []).append((-total, surface, line))
        return [
            Finding(
                "several_labels",
                f"Words of {name} that nearly always have one label, but now and then another",
                len(rows),
                [line for _, _, line in sorted(rows)[:SHOWN]],
            )
            for name, rows in suspicious.items()
        ]


class WidthCheck:
    """Entities of overlapping layers that are wider than `span_ner` looks. A layer without overlaps
    can have a tagger, to which no entity is too wide."""

    def __init__(self) -> None:
        self._limit = default_max_width()
        self._totals: Dict[str, int] = {}
        self._overlapping: Set[str] = set()
        self._wide: Dict[str, Places] = {}
        self._widest: Dict[str, int] = {}

    def look(self, unit: Unit, split: str) -> None:
        """Take up a unit."""
        for name, layer in unit.layers.items():
            self._totals[name] = self._totals.get(name, 0) + len(layer)
            if name not in self._overlapping and has_overlaps(layer):
                self._overlapping.add(name)
            for mention in layer:
                if mention.words > self._limit:
                    place = f"{unit.place} {quote(mention.surface)}"
                    self._wide.setdefault(name, Places()).add(place)
                    self._widest[name] = max(self._widest.get(name, 0), mention.words)

    def findings(self) -> List[Finding]:
        """A finding for each overlapping layer."""
        return [
            Finding(
                "wide_spans",
                f"Entities of {name} with more than {self._limit} words, which span_ner finds with "
                f"a larger max_width alone (widest {self._widest[name]}; "
                f"{places.count / self._totals[name]:.1%} of all)",
                places.count,
                places.first,
                is_fault=False,
            )
            for name, places in self._wide.items()
            if name in self._overlapping
        ]


def default_max_width() -> int:
    """The words of the widest entity that `span_ner` finds unless it is told otherwise."""
    return int(inspect.signature(build_span_classifier_v1).parameters["max_width"].default)


def has_overlaps(layer: List[Mention]) -> bool:
    """Whether two of a layer overlap; the same one given twice is one."""
    last = 0
    for start, end, _ in sorted({(item.start, item.end, item.label) for item in layer}):
        if start < last:
            return True
        last = end
    return False
