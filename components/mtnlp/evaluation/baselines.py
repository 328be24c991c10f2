"""What the labels of training documents alone say: constant baselines, what a system scores that
never looks at the text, and which labels are rare."""

from collections import Counter
from typing import FrozenSet, Iterable, Mapping, Tuple

from ..annotation.categories import annotated_keys, is_positive, positive_keys


def majority_class(cats: Iterable[Mapping[str, float]], task: str) -> FrozenSet[str]:
    """The most frequent key of an exclusive task, ties by name; empty where none is set.

    cats: the training documents' gold `doc.cats`.
    """
    counts = Counter(key for doc in cats for key in positive_keys(doc, task))
    best = min(counts, key=lambda key: (-counts[key], key), default=None)
    return frozenset() if best is None else frozenset([best])


def constant_set(cats: Iterable[Mapping[str, float]], task: str) -> FrozenSet[str]:
    """The keys of a multi-label task that maximise micro F1 when predicted for every document.

    For a set S, F1 = 2 sum(c) / (sum(n) + G): c and n are how often a key of S is set and
    annotated, G is the number of all set keys. The best value F of such a quotient is reached by
    the keys with c / n > F / 2 (Dinkelbach 1967), that is by a prefix of the keys sorted by
    their rate c / n: one pass over the prefixes finds the optimum.

    cats: the training documents' gold `doc.cats`.
    """
    positive, annotated = _count(cats, task)
    everything = sum(positive.values())
    ranked = sorted(annotated, key=lambda key: (-positive[key] / annotated[key], key))
    best, best_size, right, predicted = 0.0, 0, 0, 0
    for size, key in enumerate(ranked, start=1):
        right += positive[key]
        predicted += annotated[key]
        score = 2 * right / (predicted + everything)
        if score > best:
            best, best_size = score, size
    return frozenset(ranked[:best_size])


def rare_keys(cats: Iterable[Mapping[str, float]], task: str, share: float) -> FrozenSet[str]:
    """The keys of a task that are set in less than a share of the documents annotated with them.

    cats: the training documents' gold `doc.cats`. share: from 0 to 1.
    """
    positive, annotated = _count(cats, task)
    return frozenset(key for key in annotated if positive[key] < share * annotated[key])


def _count(cats: Iterable[Mapping[str, float]], task: str) -> Tuple[Counter[str], Counter[str]]:
    """In how many documents each key of a task is set, and in how many it is annotated."""
    positive: Counter[str] = Counter()
    annotated: Counter[str] = Counter()
    for doc in cats:
        for key in annotated_keys(doc, task):
            annotated[key] += 1
            positive[key] += int(is_positive(doc[key]))
    return positive, annotated
