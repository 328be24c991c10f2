"""Pooling over positions and over windows."""

import math

import pytest
import torch

from mtnlp.errors import MtnlpError
from mtnlp.nn.pooling import (
    POOLING,
    Pooling,
    get_pooling,
    segment_attention,
    segment_max,
    segment_mean,
)

X = torch.tensor([[[1.0, -5.0], [3.0, -1.0], [9.0, 9.0]], [[9.0, 9.0], [-2.0, 4.0], [-6.0, 6.0]]])
MASK = torch.tensor([[True, True, False], [False, True, True]])


@pytest.mark.parametrize(
    "name,expected",
    [
        ("mean", [[2.0, -3.0], [-4.0, 5.0]]),
        ("max", [[3.0, -1.0], [-2.0, 6.0]]),
        ("cls", [[1.0, -5.0], [-2.0, 4.0]]),
    ],
)
def test_values(name: str, expected: list) -> None:
    assert get_pooling(name)(X, MASK).tolist() == expected


@pytest.mark.parametrize("pool", POOLING.values(), ids=POOLING)
def test_masked_positions_may_hold_anything(pool: Pooling) -> None:
    results = []
    for value in (0.0, math.nan, math.inf):
        x = X.masked_fill(~MASK.unsqueeze(-1), value).requires_grad_()
        pooled = pool(x, MASK)
        pooled.square().sum().backward()
        results.append((pooled.detach(), x.grad))
    for pooled, gradient in results:
        assert torch.equal(pooled, results[0][0])
        assert torch.equal(gradient, results[0][1])
        assert not gradient[~MASK].any()


@pytest.mark.parametrize("pool", POOLING.values(), ids=POOLING)
def test_empty_rows(pool: Pooling) -> None:
    x = torch.full((2, 3, 4), math.nan, requires_grad=True)
    pooled = pool(x, torch.zeros(2, 3, dtype=torch.bool))
    pooled.sum().backward()
    assert torch.equal(pooled, torch.zeros(2, 4))
    assert x.grad is not None and torch.equal(x.grad, torch.zeros(2, 3, 4))
    for shape in ((2, 0, 4), (0, 3, 4)):
        empty = pool(torch.zeros(shape), torch.zeros(shape[:2], dtype=torch.bool))
        assert torch.equal(empty, torch.zeros(shape[0], 4))


@pytest.mark.parametrize("pool", POOLING.values(), ids=POOLING)
def test_gradcheck(pool: Pooling) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: pool(x, MASK), x)


def test_unknown_pooling() -> None:
    with pytest.raises(MtnlpError, match=r"E212.*mean, max, cls"):
        get_pooling("sum")


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
    x, mask = torch.randn(1, 7, 3), torch.ones(1, 7, dtype=torch.bool)
    windows = torch.stack(
        [
            pool(x[:, part], mask[:, part])[0]
            for pool, part in ((POOLING["mean"], slice(0, 5)), (POOLING["mean"], slice(5, 7)))
        ]
    )
    joined = segment_mean(windows, torch.tensor([0, 0]), 1, torch.tensor([5, 2]))
    torch.testing.assert_close(joined, POOLING["mean"](x, mask))


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
