"""Probabilities and their complements, as logarithms."""

from typing import Tuple

import torch


def log_sigmoids(logits: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
    """log s and log(1 - s) with s = sigmoid(logits), in the shape of the logits."""
    return torch.nn.functional.logsigmoid(logits), torch.nn.functional.logsigmoid(-logits)


def log_softmaxes(logits: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
    """log p and log(1 - p) with p = softmax(logits), `[..., labels]`.

    At most one class has more than one half. 1 - p would leave nothing of its complement, so that
    is summed from the other classes.
    """
    log_p = logits.log_softmax(-1)
    top = torch.zeros_like(logits, dtype=torch.bool)
    top = top.scatter(-1, logits.argmax(-1, keepdim=True), True)
    # Rather than -inf: a single class has no others, and -inf - -inf has no gradient.
    others = logits.masked_fill(top, torch.finfo(logits.dtype).min)
    rest = others.logsumexp(-1, keepdim=True) - logits.logsumexp(-1, keepdim=True)
    return log_p, torch.where(top, rest, torch.log1p(-log_p.exp().masked_fill(top, 0.0)))
