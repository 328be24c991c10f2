"""Logarithms of probabilities and of their complements."""

import torch

from mtnlp.losses.probabilities import log_sigmoids, log_softmaxes


def test_softmax_against_the_plain_formula() -> None:
    torch.manual_seed(0)
    logits = torch.randn(50, 4, dtype=torch.float64) * 3
    p = logits.softmax(-1)
    log_p, log_rest = log_softmaxes(logits)
    torch.testing.assert_close(log_p, p.log())
    torch.testing.assert_close(log_rest, (1 - p).log())


def test_the_complement_of_near_certainty() -> None:
    """1 - p is 0 in float32, its logarithm is not."""
    _, log_rest = log_softmaxes(torch.tensor([[60.0, 0.0, 0.0]]))
    torch.testing.assert_close(log_rest[0, 0], torch.tensor(2.0).log() - 60.0)
    _, log_no = log_sigmoids(torch.tensor([60.0]))
    torch.testing.assert_close(log_no, torch.tensor([-60.0]))


def test_a_single_class() -> None:
    logits = torch.randn(3, 1, requires_grad=True)
    log_p, log_rest = log_softmaxes(logits)
    assert not log_p.any() and not log_rest.exp().any()
    log_rest.exp().sum().backward()
    assert logits.grad is not None and not logits.grad.any()


def test_gradient() -> None:
    torch.manual_seed(0)
    logits = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(log_softmaxes, logits)
