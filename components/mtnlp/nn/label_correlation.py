"""What the labels of a document say about one another."""

import torch

from .prior import prior_bias

# Documents: a cell of a pair's table is believed once more than these are in it or expected there.
SMOOTHING = 1.0


class LabelCorrelation(torch.nn.Module):
    """z' = z + W (sigmoid(z) - prior): to the logits that labels have on their own evidence, what
    the other labels' probabilities add where they differ from the labels' shares.

    It is one step of mean-field inference in a pairwise model of binary labels (an Ising model,
    P(y) ~ exp(z y + y W y / 2)), with couplings that are learnt, each direction for itself. W,
    `weight` `[labels, labels]`, takes no part on its diagonal and is 0 until `set_counts`; `prior`
    `[labels]` is saved with it.

    labels: how many.
    """

    prior: torch.Tensor
    diagonal: torch.Tensor

    def __init__(self, labels: int):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(labels, labels))
        self.register_buffer("prior", torch.full((labels,), 0.5))
        diagonal = torch.eye(labels, dtype=torch.bool)
        self.register_buffer("diagonal", diagonal, persistent=False)

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        """`[batch, labels]` to the same."""
        weight = self.weight.masked_fill(self.diagonal, 0.0)
        return logits + (logits.sigmoid() - self.prior) @ weight.T

    @torch.no_grad()
    def set_counts(self, pairs: torch.Tensor) -> None:
        """Begin with what the training data says: `initial_weight`, and the labels' shares, so
        that a document without evidence keeps its logits.

        pairs: sums of `pair_counts`.
        """
        self.prior.copy_(prior_bias(label_counts(pairs), exclusive=False).sigmoid())
        self.weight.copy_(initial_weight(pairs))


def pair_counts(target: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """`[2, 2, labels, labels]`: at `[a, b, i, j]` how many documents annotated with both labels
    have the answers a to i and b to j, 0 no and 1 yes.

    target: float `[docs, labels]`, 0 or 1; anything where masked. mask: bool `[docs, labels]`.
    """
    yes = target.masked_fill(~mask, 0.0)
    answers = torch.stack([mask.to(yes.dtype) - yes, yes])
    return torch.einsum("adi,bdj->abij", answers, answers)


def label_counts(pairs: torch.Tensor) -> torch.Tensor:
    """`[2, labels]`: how many documents annotated with a label have it, and have it not. pairs: as
    from `pair_counts`."""
    return torch.stack([pairs[1, 1].diagonal(), pairs[0, 0].diagonal()])


def initial_weight(pairs: torch.Tensor, smoothing: float = SMOOTHING) -> torch.Tensor:
    """The log odds ratio of each pair of labels, `[labels, labels]`, scaled to begin mildly.

    log (n_11 n_00 / (n_10 n_01)) is the coupling of two labels in a pairwise model of these two
    alone, and positive where they go together. In place of each count n stands its ratio to the
    count e that independence expects, (n + s) / (e + s), the mean under a Gamma(s, s) prior
    (DuMouchel, 1999, "Bayesian data mining in large frequency tables"). With s = 0 that changes
    nothing, since e_11 e_00 = e_10 e_01; with s a pair of which little is known, such as two rare
    labels never seen together, begins near 0.

    With many labels the couplings of pairs alone overstate, since they count what a third label
    explains: a row whose absolute sum exceeds 1 is divided by it. So no logit moves by more than 1
    at the start. The diagonal is 0.

    pairs: sums of `pair_counts`. smoothing: s, in documents, more than 0.
    """
    pairs = pairs.double()
    total = pairs.sum((0, 1)).clamp(min=1.0)
    expected = pairs.sum(1, keepdim=True) * pairs.sum(0, keepdim=True) / total
    ratio = ((pairs + smoothing) / (expected + smoothing)).log()
    odds = ratio[1, 1] + ratio[0, 0] - ratio[1, 0] - ratio[0, 1]
    odds = odds.fill_diagonal_(0.0)
    return (odds / odds.abs().sum(1, keepdim=True).clamp(min=1.0)).float()
