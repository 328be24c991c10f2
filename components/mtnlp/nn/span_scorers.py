"""What says how good each candidate span is.

A scorer is a module that takes token vectors `[n + max_width - 1, width]` and returns scores
`[n, max_width, outputs]` of the spans that begin at the first `n` tokens (see
`structured.span_enumeration`). Token vectors are normalised first: an encoder's are small, and a
hidden layer over small values takes many steps to say anything.

A scorer's registered function gives a constructor that still lacks what is found at `initialize`:
`(width, max_width, outputs) -> module`.
"""

from functools import partial
from typing import Callable

import torch

from ..ranges import DROPOUT, SIZE, require
from ..structured.span_enumeration import span_ends

ScorerBuilder = Callable[[int, int, int], torch.nn.Module]


class MarkerScorer(torch.nn.Module):
    """First token, last token and width of a span through a hidden layer, as in PURE (Zhong and
    Chen, 2021) and SpanMarker.

    The hidden layer is linear in what goes into it, so the parts of the first and of the last token
    are computed once per token; a span costs their sum, the activation and the output layer.

    width: of the token vectors. max_width: tokens of the widest span. outputs: scores per span.
    hidden: width of the hidden layer. dropout: behind it, in training.
    """

    def __init__(
        self,
        width: int,
        max_width: int,
        outputs: int,
        hidden: int = 256,
        dropout: float = 0.1,
    ):
        super().__init__()
        self.norm = torch.nn.LayerNorm(width)
        self.starts = torch.nn.Linear(width, hidden)
        self.ends = torch.nn.Linear(width, hidden, bias=False)
        self.widths = torch.nn.Parameter(torch.zeros(max_width, hidden))
        self.activation = torch.nn.Sequential(torch.nn.GELU(), torch.nn.Dropout(dropout))
        self.output = torch.nn.Linear(hidden, outputs, bias=False)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """`[n + max_width - 1, width]` to `[n, max_width, outputs]`."""
        max_width = len(self.widths)
        tokens = self.norm(tokens)
        starts = self.starts(tokens[: tokens.shape[0] - max_width + 1])
        ends = span_ends(self.ends(tokens), max_width)
        return self.output(self.activation(ends + starts.unsqueeze(1) + self.widths))


class BiaffineScorer(torch.nn.Module):
    """A biaffine form of the first and the last token of a span for each output (Yu et al., 2020),
    each token through a hidden layer of its role before.

    width: of the token vectors. max_width: tokens of the widest span. outputs: scores per span.
    hidden: width of the two hidden layers. dropout: behind them, in training.
    """

    def __init__(
        self,
        width: int,
        max_width: int,
        outputs: int,
        hidden: int = 150,
        dropout: float = 0.1,
    ):
        super().__init__()
        self.max_width = max_width
        self.norm = torch.nn.LayerNorm(width)
        self.starts = _role(width, hidden, dropout)
        self.ends = _role(width, hidden, dropout)
        # The row and the column of ones make its linear terms.
        self.form = torch.nn.Parameter(torch.empty(hidden + 1, outputs, hidden + 1))
        torch.nn.init.normal_(self.form, std=1 / (hidden + 1))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """`[n + max_width - 1, width]` to `[n, max_width, outputs]`."""
        tokens = self.norm(tokens)
        starts = _with_one(self.starts(tokens[: tokens.shape[0] - self.max_width + 1]))
        ends = span_ends(_with_one(self.ends(tokens)), self.max_width)
        # [n, outputs, hidden + 1]: the form with its start filled in
        half = (starts @ self.form.flatten(1)).unflatten(1, self.form.shape[1:])
        return ends @ half.transpose(1, 2)


def build_marker_scorer_v1(hidden: int = 256, dropout: float = 0.1) -> ScorerBuilder:
    """`mtnlp.MarkerScorer.v1` of the `layers` registry. hidden, dropout: see `MarkerScorer`.
    Raises: MtnlpError E330 for settings out of range."""
    check_scorer("mtnlp.MarkerScorer.v1", hidden, dropout)
    return partial(MarkerScorer, hidden=hidden, dropout=dropout)


def build_biaffine_scorer_v1(hidden: int = 150, dropout: float = 0.1) -> ScorerBuilder:
    """`mtnlp.BiaffineScorer.v1` of the `layers` registry. hidden, dropout: see
    `BiaffineScorer`. Raises: MtnlpError E330 for settings out of range."""
    check_scorer("mtnlp.BiaffineScorer.v1", hidden, dropout)
    return partial(BiaffineScorer, hidden=hidden, dropout=dropout)


def check_scorer(name: str, hidden: int, dropout: float) -> None:
    """Raises: MtnlpError E330 for settings out of range."""
    require(name, SIZE, hidden=hidden)
    require(name, DROPOUT, dropout=dropout)


def _role(width: int, hidden: int, dropout: float) -> torch.nn.Module:
    return torch.nn.Sequential(
        torch.nn.Linear(width, hidden), torch.nn.GELU(), torch.nn.Dropout(dropout)
    )


def _with_one(vectors: torch.Tensor) -> torch.Tensor:
    """`[..., width]` to `[..., width + 1]`, the last of them 1."""
    return torch.nn.functional.pad(vectors, (0, 1), value=1.0)
