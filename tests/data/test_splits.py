from collections import Counter
from typing import List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtnlp.data.options import Splits
from mtnlp.data.splits import (
    make_splits,
    sample_records,
    split_by_ratio,
    strata_of,
)
from mtnlp.errors import MtnlpError
from mtnlp.types import Annotation, Record

SHARES = {"train": 0.6, "dev": 0.15, "test": 0.25}


def make(strata: List[str], groups: "List[int] | None" = None) -> List[Record]:
    records = [Record(text=str(i), meta={"stratum": name}) for i, name in enumerate(strata)]
    for record, group in zip(records, groups or [], strict=False):
        record.meta["group"] = group
    return records


def texts(splits: Splits) -> "dict[str, list[str | None]]":
    return {split: [record.text for record in records] for split, records in splits.items()}


grouped = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 12)), min_size=20, max_size=80)


@given(grouped, st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_every_unit_once_and_no_group_torn(rows: "list[tuple[str, int]]", seed: int) -> None:
    records = make([row[0] for row in rows], [row[1] for row in rows])
    if len({row[1] for row in rows}) < 3:
        return
    splits = split_by_ratio(records, SHARES, seed)
    found = sorted(int(text or "") for split in texts(splits).values() for text in split)
    assert found == list(range(len(records)))
    owners = [{record.meta["group"] for record in split} for split in splits.values()]
    assert not any(a & b for i, a in enumerate(owners) for b in owners[:i])
    assert all(splits.values())
    for split in splits.values():
        order = [int(record.text or "") for record in split]
        assert order == sorted(order)


@given(st.lists(st.sampled_from("abcde"), min_size=10, max_size=120), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_sizes_are_exact_without_groups(strata: List[str], seed: int) -> None:
    splits = split_by_ratio(make(strata), SHARES, seed)
    for split, share in SHARES.items():
        assert abs(len(splits[split]) - share * len(strata)) <= 1


@given(st.integers(20, 60), st.integers(20, 60), st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_strata_keep_their_shares(n_a: int, n_b: int, seed: int) -> None:
    splits = split_by_ratio(make(["a"] * n_a + ["b"] * n_b), SHARES, seed)
    for split, share in SHARES.items():
        counts = Counter(record.meta["stratum"] for record in splits[split])
        assert abs(counts["a"] - share * n_a) <= 2
        assert abs(counts["b"] - share * n_b) <= 2


def test_the_seed_decides() -> None:
    records = make(["a", "b"] * 40)
    first, again = (texts(split_by_ratio(records, SHARES, 1)) for _ in range(2))
    assert first == again
    assert first != texts(split_by_ratio(records, SHARES, 2))


def test_without_stratification_labels_fall_as_they_may() -> None:
    records = make(["a"] * 90 + ["b"] * 10)
    counts = {
        seed: Counter(
            r.meta["stratum"] for r in split_by_ratio(records, SHARES, seed, False)["dev"]
        )["b"]
        for seed in range(20)
    }
    assert len(set(counts.values())) > 2


def test_too_few_groups() -> None:
    with pytest.raises(MtnlpError, match=r"E146.*Groups.*: 2; splits: 3\."):
        split_by_ratio(make(["a"] * 10, [0, 1] * 5), SHARES, 0)


def test_a_share_of_zero_is_no_split() -> None:
    splits = split_by_ratio(make(["a"] * 10), {"train": 0.8, "dev": 0.2, "test": 0.0}, 0)
    assert {split: len(records) for split, records in splits.items()} == {"train": 8, "dev": 2}


def test_official_parts_stay() -> None:
    splits = {name: make(["a"] * 3) for name in ("train", "dev", "test")}
    assert make_splits(splits, None, 0.2, 0) == splits


def test_dev_is_carved_from_train_alone() -> None:
    train = make(["a", "b"] * 50, [i // 4 for i in range(100)])
    test = make(["a"] * 7)
    splits = make_splits({"train": train, "test": test}, None, 0.2, 0)
    assert list(splits) == ["train", "dev", "test"]
    assert splits["test"] == test
    assert (len(splits["train"]), len(splits["dev"])) == (80, 20)
    assert Counter(record.meta["stratum"] for record in splits["dev"]) == {"a": 10, "b": 10}


def test_a_ratio_pools_everything() -> None:
    splits = {"train": make(["a"] * 50), "test": make(["a"] * 50)}
    sizes = {k: len(v) for k, v in make_splits(splits, (0.5, 0.2, 0.3), 0.2, 0).items()}
    assert sizes == {"train": 50, "dev": 20, "test": 30}


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=60), st.integers(0, 70))
@settings(max_examples=60, deadline=None)
def test_sample(strata: List[str], limit: int) -> None:
    records = make(strata)
    taken = sample_records(records, limit, seed=3)
    wanted = min(limit, len(records)) if limit else len(records)
    assert len(taken) == wanted
    order = [int(record.text or "") for record in taken]
    assert order == sorted(set(order))
    assert sample_records(records, limit, seed=3) == taken
    for name in set(strata):
        got = sum(record.meta["stratum"] == name for record in taken)
        assert abs(got - wanted * strata.count(name) / len(strata)) < 1


def test_sample_without_stratification() -> None:
    records = make(["a"] * 50 + ["b"] * 50)
    counts = {
        sum(r.meta["stratum"] == "a" for r in sample_records(records, 10, s, False))
        for s in range(9)
    }
    assert len(counts) > 1


def test_strata_are_the_rarest_labels() -> None:
    common, rare = Annotation(0, 1, "PER"), Annotation(0, 1, "DIS")
    records = [
        Record(tokens=["a"], entities=[common]),
        Record(tokens=["a"], spans={"x": [common, rare]}),
        Record(tokens=["a"], cats={"event/X": 0.0}),
        Record(tokens=["a"], entities=[rare], meta={"stratum": "given"}),
        Record(tokens=["a"], entities=[common]),
    ]
    assert strata_of(records) == ["PER", "DIS", "", "given", "PER"]
