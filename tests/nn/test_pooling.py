"""Pooling over positions and over windows."""

from dataclasses import replace
from typing import Dict, Optional

import pytest
import torch

from mtnlp.nn.pooling import (
    Pooling,
    Segments,
    build_attention_pooling_v1,
    build_cls_pooling_v1,
    build_max_pooling_v1,
    build_mean_max_pooling_v1,
    build_mean_pooling_v1,
    segment_attention,
    segment_max,
    segment_mean,
)

# Two of four documents have vectors; those of document 2 are of two windows.
X = torch.tensor([[9.0, 9.0], [1.0, -5.0], [3.0, -1.0], [-2.0, 4.0], [-6.0, 6.0]])
BATCH = Segments(X, torch.tensor([0, 2, 2, 2, 2]), 4, torch.tensor([1, 2, 2]))
POOLINGS: Dict[str, Pooling] = {
    "mean": build_mean_pooling_v1(),
    "max": build_max_pooling_v1(),
    "mean_max": build_mean_max_pooling_v1(),
    "cls": build_cls_pooling_v1(),
    "attention": build_attention_pooling_v1(),
}


def query_of(pool: Pooling, batch: Segments) -> Optional[torch.Tensor]:
    shape = pool.query_shape(batch.vectors.shape[1])
    return None if shape is None else torch.zeros(shape, dtype=batch.vectors.dtype)


@pytest.mark.parametrize(
    "name,expected",
    [
        ("mean", [-1.0, 1.0]),
        ("max", [3.0, 6.0]),
        ("mean_max", [-1.0, 1.0, 3.0, 6.0]),
        ("cls", [-0.5, -0.5]),
        ("attention", [-1.0, 1.0]),  # a query of zeros
    ],
)
def test_values(name: str, expected: list) -> None:
    pool = POOLINGS[name]
    pooled = pool(BATCH, query_of(pool, BATCH)).tolist()
    zeros = [0.0] * pool.pooled_width(2)
    assert pooled == [[9.0] * len(zeros), zeros, expected, zeros]
    assert (pool.query_shape(7) is None) == (name != "attention")


@pytest.mark.parametrize("pool", POOLINGS.values(), ids=POOLINGS)
def test_empty_rows(pool: Pooling) -> None:
    none = torch.zeros(0, dtype=torch.long)
    x = torch.zeros(0, 4, requires_grad=True)
    batch = Segments(x, none, 2, none)
    pooled = pool(batch, query_of(pool, batch))
    pooled.sum().backward()
    assert torch.equal(pooled, torch.zeros(2, pool.pooled_width(4)))


@pytest.mark.parametrize("pool", POOLINGS.values(), ids=POOLINGS)
def test_gradcheck(pool: Pooling) -> None:
    torch.manual_seed(0)
    x = torch.randn(5, 2, dtype=torch.float64, requires_grad=True)

    def run(x: torch.Tensor) -> torch.Tensor:
        batch = replace(BATCH, vectors=x)
        return pool(batch, query_of(pool, batch))

    assert torch.autograd.gradcheck(run, x)


def test_segments() -> None:
    x = torch.tensor([[1.0, -4.0], [5.0, -5.0], [3.0, -2.0]])
    segment = torch.tensor([2, 0, 2])
    mean = [[5.0, -5.0], [0.0, 0.0], [2.0, -3.0], [0.0, 0.0]]
    weighted = [[5.0, -5.0], [0.0, 0.0], [2.5, -2.5], [0.0, 0.0]]
    peak = [[5.0, -5.0], [0.0, 0.0], [3.0, -2.0], [0.0, 0.0]]
    assert segment_mean(x, segment, 4).tolist() == mean
    assert segment_mean(x, segment, 4, torch.tensor([1, 7, 3])).tolist() == weighted
    assert segment_max(x, segment, 4).tolist() == peak
    for empty in (segment_mean(x[:0], segment[:0], 2), segment_max(x[:0], segment[:0], 2)):
        assert torch.equal(empty, torch.zeros(2, 2))


def test_segment_gradients() -> None:
    torch.manual_seed(0)
    x = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)
    segment = torch.tensor([0, 2, 0, 2])
    weights = torch.tensor([1.0, 0.0, 2.0, 3.0])
    assert torch.autograd.gradcheck(lambda x: segment_mean(x, segment, 3, weights), x)
    assert torch.autograd.gradcheck(lambda x: segment_max(x, segment, 3), x)


def test_mean_of_windows_is_the_mean_of_positions() -> None:
    torch.manual_seed(0)
    x = torch.randn(7, 3)
    windows = torch.stack([x[:5].mean(0), x[5:].mean(0)])
    joined = segment_mean(windows, torch.tensor([0, 0]), 1, torch.tensor([5, 2]))
    whole = Segments(x, torch.zeros(7, dtype=torch.long), 1, torch.tensor([5, 2]))
    torch.testing.assert_close(joined, POOLINGS["mean"](whole, None))


def test_attention() -> None:
    """Against a softmax for each segment; no overflow; the mean where the query is zero."""
    torch.manual_seed(0)
    x, query = torch.randn(6, 3), torch.randn(3)
    segment = torch.tensor([2, 0, 2, 2, 0, 3])
    pooled = segment_attention(x, query, segment, 5)
    for i in range(5):
        own = x[segment == i]
        expected = ((own @ query).softmax(0).unsqueeze(1) * own).sum(0)
        torch.testing.assert_close(pooled[i], expected)
    sharp = segment_attention(x, 1e4 * query, segment, 5)
    own = x[segment == 2]
    torch.testing.assert_close(sharp[2], own[(own @ query).argmax()])
    assert sharp.isfinite().all()
    mean = segment_mean(x, segment, 5)
    torch.testing.assert_close(segment_attention(x, torch.zeros(3), segment, 5), mean)
    assert torch.equal(segment_attention(x[:0], query, segment[:0], 2), torch.zeros(2, 3))


def test_attention_gradients() -> None:
    torch.manual_seed(0)
    x = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)
    query = torch.randn(2, dtype=torch.float64, requires_grad=True)
    segment = torch.tensor([0, 2, 0, 0])
    run = torch.autograd.gradcheck
    assert run(lambda x, query: segment_attention(x, query, segment, 3), (x, query))
