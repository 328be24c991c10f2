"""Weights of classes: given, or from their counts in the training data."""

import copy
from typing import Callable, Collection, Dict, Optional, Sequence, Union

import torch

from ..errors import Errors, MtnlpError
from .base import check_setting

Weights = Union[float, str, Dict[str, float]]


def inverse_frequency(counts: torch.Tensor, beta: float = 0.0) -> torch.Tensor:
    """n / (k n_c) for n units in k classes (King and Zeng, 2001; scikit-learn's "balanced"), so
    that the average unit weighs 1.

    counts: `[classes, ...]`, compared along the first dimension. A class that the data lacks weighs
    as much as its rarest. beta: not used.
    """
    counts = counts.double()
    absent = counts == 0
    weights = counts.sum(0) / ((~absent).sum(0) * counts).masked_fill(absent, 1.0)
    return like_the_rarest(weights, counts)


def effective_number(counts: torch.Tensor, beta: float) -> torch.Tensor:
    """(1 - beta) / (1 - beta^n_c), scaled to the average 1 over classes (Cui et al., 2019).

    counts: as for `inverse_frequency`. beta: 0 weighs all classes alike, towards 1 the weights
    become inverse frequencies; classes with many more than 1 / (1 - beta) units weigh alike.
    """
    counts = counts.double()
    log_beta = torch.tensor(beta, dtype=torch.float64, device=counts.device).log()
    # expm1, because beta^n is close to 1 for rare classes.
    weights = (1.0 - beta) / -torch.expm1(log_beta * counts.clamp(min=1.0))
    weights = like_the_rarest(weights, counts)
    return weights / weights.mean(0)


def like_the_rarest(weights: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """Weights, with the largest of them for classes without a unit; 1 where no class has any."""
    absent = counts == 0
    rarest = weights.masked_fill(absent, 0.0).amax(0)
    rarest = rarest.masked_fill(absent.all(0), 1.0)
    return torch.where(absent, rarest, weights)


METHODS: Dict[str, Callable[[torch.Tensor, float], torch.Tensor]] = {
    "inverse_frequency": inverse_frequency,
    "effective_number": effective_number,
}


def given_weights(weights: Dict[str, float], classes: Sequence[str]) -> torch.Tensor:
    """`[classes]`, 1.0 for what is not named.

    weights: by class, or by entity label for all its tags; the class goes before the label.
    Raises: MtnlpError (E218) for a name that is neither.
    """
    labels = [name[2:] if name[:2] in ("B-", "I-", "L-", "U-") else name for name in classes]
    unknown = weights.keys() - {*classes, *labels}
    if unknown:
        known = ", ".join(dict.fromkeys([*classes, *labels]))
        raise MtnlpError(Errors.E218.format(unknown=", ".join(sorted(unknown)), known=known))
    pairs = zip(classes, labels, strict=True)
    return torch.tensor([weights.get(name, weights.get(label, 1.0)) for name, label in pairs])


class ClassWeights(torch.nn.Module):
    """Weights for both kinds of target, kept with the head.

    loss: its name in configs, for messages.
    weights: by class or entity label; "inverse_frequency" or "effective_number", from the counts
        in the training data; or one number for all.
    beta: of "effective_number".

    by_class: `[classes]`, for one class per unit. by_answer: `[2, classes]`, for a yes or no to
    every label: the weights of no and of yes. Given weights are those of yes, and no weighs 1; a
    number weighs yes, and the rest to 1 no. Both raise MtnlpError (E215) until `bind`.
    Raises: MtnlpError (E217, E221) for weights that cannot be.
    """

    _by_class: Optional[torch.Tensor]
    _by_answer: Optional[torch.Tensor]

    def __init__(self, loss: str, weights: Weights, beta: float):
        super().__init__()
        if isinstance(weights, str) and weights not in METHODS:
            raise MtnlpError(Errors.E217.format(found=weights, known=", ".join(METHODS)))
        if isinstance(weights, dict):
            for name, weight in weights.items():
                check_setting(loss, f"the weight of {name}", weight, weight >= 0, "0 or more")
        check_setting(loss, "beta", beta, 0 <= beta < 1, "at least 0 and less than 1")
        self.weights = weights
        self.beta = beta
        self.register_buffer("_by_class", None)
        self.register_buffer("_by_answer", None)

    def bind(self, classes: Sequence[str]) -> None:
        """Weights by name and a number take effect, others are 1 until `set_counts`."""
        ones = torch.ones(len(classes))
        yes, no = ones, ones
        if isinstance(self.weights, dict):
            yes = given_weights(self.weights, classes).float()
        elif not isinstance(self.weights, str):
            yes, no = ones * self.weights, ones * (1.0 - self.weights)
        self._by_class, self._by_answer = yes, torch.stack([no, yes])

    def set_counts(self, positive: torch.Tensor, negative: torch.Tensor) -> None:
        """Weights from counts, `[classes]` each, take effect."""
        if isinstance(self.weights, str):
            method = METHODS[self.weights]
            self.by_class.copy_(method(positive, self.beta))
            self.by_answer.copy_(method(torch.stack([negative, positive]), self.beta))

    @torch.no_grad()
    def grow_from(self, old: "ClassWeights") -> None:
        """Called once the weights of the first classes are those of `old`, which has no others:
        weights from counts are, for the new classes, those of the rarest old one."""
        if isinstance(self.weights, str):
            size = len(old.by_class)
            self.by_class[size:] = old.by_class.max()

    @property
    def by_class(self) -> torch.Tensor:
        """`[classes]`."""
        if self._by_class is None:
            raise MtnlpError(Errors.E215)
        return self._by_class

    @property
    def by_answer(self) -> torch.Tensor:
        """`[2, classes]`: no, yes."""
        if self._by_answer is None:
            raise MtnlpError(Errors.E215)
        return self._by_answer


def without_weights(
    loss: Optional[torch.nn.Module], names: Collection[str]
) -> Optional[torch.nn.Module]:
    """A copy of a loss in which given weights are not given to some names: one block of a config
    may weigh the labels of several tasks, and each task knows its own only.

    loss: not bound yet, None where there is none.
    """
    own = copy.deepcopy(loss)
    for part in own.modules() if own is not None else ():
        if isinstance(part, ClassWeights) and isinstance(part.weights, dict):
            part.weights = {name: w for name, w in part.weights.items() if name not in names}
    return own
