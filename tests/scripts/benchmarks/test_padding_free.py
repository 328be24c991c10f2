"""The benchmark of padding runs, on what it says."""

from pathlib import Path

import pytest

from scripts.benchmarks.padding_free import (
    LENGTHS,
    SAMPLE,
    Workload,
    encoder_of,
    make_pipeline,
    measure,
    padding_share,
    random_words,
    states_differ,
)


@pytest.mark.parametrize("kind", LENGTHS)
def test_texts(kind: str) -> None:
    texts = random_words(SAMPLE, LENGTHS[kind], 2000)
    shortest, longest = LENGTHS[kind]
    assert all(shortest <= len(words) <= longest for words in texts)
    assert 2000 <= sum(map(len, texts)) < 2000 + longest
    assert texts == random_words(SAMPLE, LENGTHS[kind], 2000)


def test_a_row_per_precision_and_padding(backbone: Path) -> None:
    nlp, sgd = make_pipeline(str(backbone), 32, SAMPLE)
    table = measure(nlp, sgd, SAMPLE, "short", Workload(60, 30, steps=1, rounds=1))
    assert [row[:2] for row in table.rows] == [
        ["fp32", "padded"],
        ["fp32", "none"],
        ["bf16", "padded"],
        ["bf16", "none"],
    ]
    assert table.rows[0][3] == table.rows[0][5] == 1.0
    assert all(row[2] > 0 and row[4] > 0 for row in table.rows)
    fp32, bf16 = states_differ(nlp, SAMPLE)
    assert fp32 > 0.99999 and bf16 > 0.999


def test_padding_is_a_share(backbone: Path) -> None:
    nlp, _ = make_pipeline(str(backbone), 32, SAMPLE)
    assert padding_share(nlp, [["a"] * 3]) == 0.0
    assert encoder_of(nlp).padding_free == "auto"
    assert 0.0 < padding_share(nlp, random_words(SAMPLE, LENGTHS["short"], 400)) < 0.5
