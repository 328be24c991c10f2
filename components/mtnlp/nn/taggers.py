"""Heads that tag tokens and find flat entities.

Both take a mask bool `[batch, seq]`, True for real tokens, a prefix of each row, and a target
that says which tags each token may have, bool `[batch, seq, tags]`: one True is a gold tag, all
True a missing one. Both decode to entities, int64 `[n, 4]` (document, start, end, label index;
ordered by document and start) and their probabilities, float `[n]`.
"""

from typing import List, Optional, Tuple

import torch

from ..losses.cross_entropy import CrossEntropy
from ..structured.schemes import get_scheme
from ..structured.spans import span_minimum
from ..types import HeadOutput, LossBatch
from .body import Body
from .linear_chain import LinearChainCRF


class CRFTagger(torch.nn.Module):
    """A linear layer to tag scores and a linear-chain CRF.

    width: of the token vectors. labels: the entity types. scheme: the tag scheme's name.
    hidden, dropout: see `Body`. Raises MtnlpError (E210) for an unknown scheme.
    """

    def __init__(
        self,
        width: int,
        labels: List[str],
        scheme: str = "bio",
        hidden: Optional[int] = None,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.labels = list(labels)
        self.scheme = get_scheme(scheme)
        self.body = Body(width, hidden, dropout)
        self.output = torch.nn.Linear(self.body.output_width, len(self.scheme.tags(labels)))
        self.crf = LinearChainCRF(labels, scheme)

    def forward(self, inputs: torch.Tensor, mask: torch.Tensor) -> HeadOutput:
        """`[batch, seq, width]` to tag scores `[batch, seq, tags]`."""
        features = self.body(inputs)
        return HeadOutput(scores=self.output(features), features=features)

    def loss(self, batch: LossBatch) -> torch.Tensor:
        """The negative log-likelihood, summed over sequences; missing tags are summed out."""
        return self.crf.nll(batch.logits, batch.target, batch.mask).sum()

    @torch.no_grad()
    def decode(self, scores: torch.Tensor, mask: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        """The entities of the best tag sequences and their exact posterior probabilities."""
        spans = self.scheme.spans(self.crf.decode(scores, mask), mask)
        return spans, self.crf.span_probabilities(scores, mask, spans)


class SoftmaxTagger(torch.nn.Module):
    """A linear layer to tag scores, every token on its own.

    Arguments as for `CRFTagger`, and loss: what to train on, a module that takes a LossBatch
    with a class a token; cross-entropy by default.
    """

    def __init__(
        self,
        width: int,
        labels: List[str],
        scheme: str = "bio",
        hidden: Optional[int] = None,
        dropout: float = 0.0,
        loss: Optional[torch.nn.Module] = None,
    ):
        super().__init__()
        self.labels = list(labels)
        self.scheme = get_scheme(scheme)
        self.body = Body(width, hidden, dropout)
        self.output = torch.nn.Linear(self.body.output_width, len(self.scheme.tags(labels)))
        self.criterion = CrossEntropy() if loss is None else loss

    def forward(self, inputs: torch.Tensor, mask: torch.Tensor) -> HeadOutput:
        """`[batch, seq, width]` to tag scores `[batch, seq, tags]`."""
        features = self.body(inputs)
        return HeadOutput(scores=self.output(features), features=features)

    def loss(self, batch: LossBatch) -> torch.Tensor:
        """The loss, summed over the tokens whose tag is known."""
        known = batch.mask & (batch.target.sum(-1) == 1)
        target = batch.target.long().argmax(-1)
        return self.criterion(LossBatch(batch.logits, batch.features, target, known))

    @torch.no_grad()
    def decode(self, scores: torch.Tensor, mask: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        """The entities of the best tags; an entity is as probable as its least probable tag."""
        best, tags = scores.float().softmax(-1).max(-1)
        spans = self.scheme.spans(tags, mask)
        return spans, span_minimum(best, spans)
