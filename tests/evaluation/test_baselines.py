import itertools
import random
from typing import Dict, List

from mtnlp.evaluation.baselines import constant_set, majority_class, rare_keys
from mtnlp.scorers.categories import CategoryTask, count_task

KEYS = [f"event/{label}" for label in "ABCDE"]


def micro_f(cats: List[Dict[str, float]], chosen: frozenset) -> float:
    task = CategoryTask("event", tuple(KEYS), exclusive=False)
    pairs = [(doc, dict.fromkeys(chosen, 1.0)) for doc in cats]
    return count_task(task, pairs).micro.fscore


def test_the_constant_set_is_the_best_of_all_subsets() -> None:
    rng = random.Random(0)
    for _ in range(30):
        rates = [rng.random() for _ in KEYS]
        cats = [
            {
                key: float(rng.random() < rate)
                for key, rate in zip(KEYS, rates, strict=True)
                if rng.random() < 0.8
            }
            for _ in range(12)
        ]
        subsets = itertools.chain.from_iterable(
            itertools.combinations(KEYS, size) for size in range(len(KEYS) + 1)
        )
        best = max(micro_f(cats, frozenset(subset)) for subset in subsets)
        assert abs(micro_f(cats, constant_set(cats, "event")) - best) < 1e-12


def test_the_constant_set_of_nothing_positive_is_empty() -> None:
    assert constant_set([{"event/A": 0.0}, {"other/A": 1.0}], "event") == frozenset()
    assert constant_set([], "event") == frozenset()


def test_the_majority_class() -> None:
    cats = [{"mood/good": 1.0, "mood/bad": 0.0}] * 2 + [{"mood/good": 0.0, "mood/bad": 1.0}] * 3
    assert majority_class([*cats, {"other/x": 1.0}], "mood") == {"mood/bad"}
    assert majority_class(cats, "nothing") == frozenset()


def test_ties_go_by_name() -> None:
    assert majority_class([{"mood/good": 1.0}, {"mood/bad": 1.0}], "mood") == {"mood/bad"}


def test_rare_keys_are_set_in_a_small_share_of_what_is_annotated() -> None:
    often: List[Dict[str, float]] = [{"event/A": 1.0, "event/B": 0.0, "other/C": 0.0}] * 7
    cats = [*often, {"event/B": 1.0}, {"event/B": 0.0, "event/D": 0.0}, {"event/A": 0.0}]
    # A is set in 7 of 8, B in 1 of 9, D in 0 of 1.
    assert rare_keys(cats, "event", 0.1) == {"event/D"}
    assert rare_keys(cats, "event", 1 / 9) == {"event/D"}
    assert rare_keys(cats, "event", 0.2) == {"event/B", "event/D"}
    assert rare_keys(cats, "event", 1.0) == {"event/A", "event/B", "event/D"}
    assert rare_keys(cats, "event", 0.0) == rare_keys([], "event", 1.0) == frozenset()
