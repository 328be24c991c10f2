"""Projection and normalisation."""

import torch

from mtnlp.nn.projection import Projection, l2_normalize


def test_untouched() -> None:
    x = torch.randn(2, 4)
    head = Projection(4)
    assert torch.equal(head(x), x) and head.output_width == 4
    assert not list(head.parameters())


def test_fresh_projection_keeps_similarities() -> None:
    torch.manual_seed(0)
    x = torch.randn(5, 4)
    assert torch.equal(Projection(4, 4)(x), x)
    wide = Projection(4, 6)(x)
    torch.testing.assert_close(wide @ wide.T, x @ x.T)
    assert Projection(4, 3)(x).shape == (5, 3)


def test_normalize() -> None:
    x = torch.tensor([[3.0, 4.0], [0.0, 0.0], [-2.0, 0.0]], requires_grad=True)
    y = Projection(2, normalize=True)(x)
    torch.testing.assert_close(y, torch.tensor([[0.6, 0.8], [0.0, 0.0], [-1.0, 0.0]]))
    y.sum().backward()
    assert x.grad is not None and x.grad.abs().max() < 10


def test_normalize_gradcheck() -> None:
    torch.manual_seed(0)
    x = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(l2_normalize, x)
