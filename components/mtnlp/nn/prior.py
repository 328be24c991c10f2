"""What an untrained head should say: what a constant guess knows."""

import torch


def prior_bias(counts: torch.Tensor, exclusive: bool) -> torch.Tensor:
    """The bias with which a head that sees nothing gives the shares of its classes (Lin et al.,
    2017, section 3.3).

    counts: `[2, classes]`, units that are and that are not of each class; one half is added to
    each, so that a class nobody has seen has a finite bias.
    exclusive: one class holds (log shares, for a softmax), or each for itself (log odds, for a
    sigmoid). Returns: `[classes]`.
    """
    share = (counts[0].float() + 0.5) / (counts.sum(0).float() + 1.0)
    return (share / share.sum()).log() if exclusive else share.logit()
