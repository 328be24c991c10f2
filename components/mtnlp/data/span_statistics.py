"""Counts over one layer of entities: labels, tags, lengths, nesting and crossing."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, Iterator, List, Sequence, Tuple

import numpy as np

SpanKey = Tuple[int, int, str]


@dataclass
class SpanCounts:
    """Adds up a layer document by document.

    documents: annotated ones. tokens: annotated ones. missing_tokens: those of annotated
        documents that have no annotation. outside: annotated tokens in no entity.
    nested: spans strictly inside another. same: spans with the boundaries of an earlier one.
    crossing: pairs of spans that overlap, neither inside the other.
    depths: how many spans lie at which depth; an outermost one has depth 1.
    """

    documents: int = 0
    tokens: int = 0
    missing_tokens: int = 0
    outside: int = 0
    labels: Counter = field(default_factory=Counter)
    inside_tokens: Counter = field(default_factory=Counter)
    lengths: Counter = field(default_factory=Counter)
    nested: int = 0
    same: int = 0
    crossing: int = 0
    depths: Counter = field(default_factory=Counter)

    def add(self, spans: Iterable[SpanKey], tokens: int, missing: int = 0) -> None:
        """Take up an annotated document of so many tokens, `missing` of which say nothing."""
        ordered = sort_spans(spans)
        self.documents += 1
        self.tokens += tokens - missing
        self.missing_tokens += missing
        covered = np.zeros(tokens, dtype=bool)
        for start, end, label in ordered:
            self.labels[label] += 1
            self.inside_tokens[label] += end - start - 1
            self.lengths[end - start] += 1
            covered[start:end] = True
        self.outside += tokens - missing - int(covered.sum())
        for depth, is_nested, is_same, crossing in overlaps(ordered):
            self.depths[depth] += 1
            self.nested += is_nested
            self.same += is_same
            self.crossing += crossing

    def to_dict(self, documents: int) -> Dict[str, Any]:
        """The counts as plain numbers.

        documents: all of the split, for the missing ones.
        Returns: {"documents", "missing", "missing_tokens", "total", "labels", "tags", "length",
            "overlap"}; "tags" (B-, I- and O, each with count and share of the annotated tokens)
            is None where entities overlap, which tags cannot express.
        """
        total = sum(self.labels.values())
        return {
            "documents": self.documents,
            "missing": documents - self.documents,
            "missing_tokens": self.missing_tokens,
            "total": total,
            "labels": shares(self.labels, total),
            "tags": self._tags(),
            "length": describe(self.lengths),
            "overlap": {
                "nested": self.nested,
                "nested_share": self.nested / total if total else 0.0,
                "same_boundaries": self.same,
                "crossing_pairs": self.crossing,
                "depth": max(self.depths, default=0),
                "depths": {str(depth): self.depths[depth] for depth in sorted(self.depths)},
            },
        }

    def _tags(self) -> Any:
        if self.nested or self.same or self.crossing:
            return None
        tags = {"O": self.outside}
        for label in sorted(self.labels):
            tags[f"B-{label}"] = self.labels[label]
            tags[f"I-{label}"] = self.inside_tokens[label]
        return shares(tags, self.tokens, by_count=False)


def sort_spans(spans: Iterable[SpanKey]) -> List[SpanKey]:
    """By start, of one start the longest first."""
    return sorted(spans, key=lambda span: (span[0], -span[1], span[2]))


def overlaps(ordered: Sequence[SpanKey]) -> Iterator[Tuple[int, bool, bool, int]]:
    """How each span of a document lies to those before it, in one sweep: those still open are few.

    ordered: by `sort_spans`. Yields: the depth, 1 where no other span lies around it, and that of
    an earlier one with the same boundaries; whether it is strictly inside another; whether an
    earlier one has its boundaries; how many earlier ones cross it.
    """
    open_spans: List[Tuple[int, int, int]] = []  # start, end, depth
    for start, end, _ in ordered:
        open_spans = [span for span in open_spans if span[1] > start]
        same = [depth for a, b, depth in open_spans if (a, b) == (start, end)]
        around = [d for a, b, d in open_spans if b >= end and (a, b) != (start, end)]
        depth = same[0] if same else 1 + max(around, default=0)
        yield depth, bool(around), bool(same), sum(b < end for _, b, _ in open_spans)
        open_spans.append((start, end, depth))


def shares(counts: Dict[str, int], total: int, by_count: bool = True) -> Dict[str, Any]:
    """{name: {"count", "share" of the total}}, the most frequent first or in the given order."""
    names = sorted(counts, key=lambda name: (-counts[name], name)) if by_count else list(counts)
    return {
        name: {"count": counts[name], "share": counts[name] / total if total else 0.0}
        for name in names
    }


def describe(counts: Dict[int, int]) -> Dict[str, Any]:
    """Mean, median, maximum and the histogram itself, of a histogram of whole numbers."""
    if not counts:
        return {"mean": 0.0, "median": 0.0, "max": 0, "histogram": {}}
    values = np.array(sorted(counts))
    numbers = np.array([counts[int(value)] for value in values])
    ends = np.cumsum(numbers)
    total = int(ends[-1])
    middle = values[np.searchsorted(ends, [(total - 1) // 2, total // 2], side="right")]
    return {
        "mean": float((values * numbers).sum() / total),
        "median": float(middle.mean()),
        "max": int(values[-1]),
        "histogram": {str(value): counts[int(value)] for value in values},
    }
