"""Heads that tag tokens and find flat entities.

Both take a mask bool `[batch, seq]`, True for real tokens, a prefix of each row, and a target
that says which tags each token may have, bool `[batch, seq, tags]`: one True is a gold tag, all
True a missing one. Both decode to entities, int64 `[n, 4]` (document, start, end, label index;
ordered by document and start) and their probabilities, float `[n]`, at a temperature, which
changes no entity. `space` says which tokens are white space, bool `[batch, seq]`, None where none
is. `allowed` says which tags each token may have, bool `[batch, seq, tags]`, None for all: what is
found is then the best under that condition, and probabilities are given it. Raises: MtnlpError
(E235) for a temperature that is not above 0.

A tagger's registered function gives a constructor that still lacks what is found at `initialize`
and what `mtnlp.TokenClassifier.v1` has for all: `(width, labels, scheme, hidden, dropout, loss) ->
module`. Another one is a subclass of `Tagger` with `decode`, `nll` and `make_default_loss`, and its
registration in the group `thinc_layers`.
"""

from typing import Any, Callable, List, Optional, Tuple

import torch

from ..errors import Errors, MtnlpError
from ..losses.base import bind_loss, pass_counts, reads_features, takes_likelihood
from ..losses.crf_likelihood import CRFLikelihood
from ..losses.cross_entropy import CrossEntropy
from ..losses.partial import partial_nll
from ..losses.soft_cross_entropy import soft_cross_entropy
from ..structured.crf import constrain
from ..structured.schemes import get_scheme
from ..structured.spans import span_minimum
from ..types import HeadOutput, LossBatch, SoftBatch
from .growing import begin_as_outside, copy_known, grown_tensors, log_share
from .linear_chain import LinearChainCRF
from .projection import Body
from .temperature import scale_by_temperature

TaggerBuilder = Callable[..., "Tagger"]


class Tagger(torch.nn.Module):
    """A linear layer to tag scores, and a loss on them.

    width: of the token vectors. labels: the entity types. scheme: the tag scheme's name.
    hidden, dropout: see `Body`. loss: what to train on, a module that takes a LossBatch with a
    class a token; the head keeps a copy of its own. That of `make_default_loss` where None.
    Raises: MtnlpError (E210) for an unknown scheme, and what `bind_loss` and the loss raise when
    it is bound.

    has_likelihood: whether the head has a likelihood of its own that a loss can take.
    scores_alone: whether `forward` scores each token by its own vector and nothing else.
    """

    has_likelihood = False
    scores_alone = False

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
        tags = self.scheme.tags(self.labels)
        self.output = torch.nn.Linear(self.body.output_width, len(tags))
        self.criterion = bind_loss(
            loss,
            self.make_default_loss(),
            tags,
            self.body.output_width,
            target="classes",
            setting="a token's tag",
            has_likelihood=self.has_likelihood,
        )

    @property
    def is_per_token(self) -> bool:
        """Whether a prediction may be asked for all tokens of a batch in one row, without padding
        and without features."""
        return self.scores_alone and not reads_features(self.criterion)

    def make_default_loss(self) -> torch.nn.Module:
        """What the head is trained on where nothing else is given."""
        raise NotImplementedError

    def forward(self, inputs: torch.Tensor, mask: torch.Tensor) -> HeadOutput:
        """`[batch, seq, width]` to tag scores `[batch, seq, tags]`."""
        features = self.body(inputs)
        return HeadOutput(scores=self.output(features), features=features)

    def loss(self, batch: LossBatch) -> torch.Tensor:
        """The loss, summed over the tokens whose tag is known, and the likelihood of what is known
        of others: that they have no tag of some label. The head's own likelihood has both."""
        loss = self.criterion(self.known_tags(batch))
        if takes_likelihood(self.criterion):
            return loss
        partial = batch.mask & self.scheme.excludes_label(batch.target)
        return loss + partial_nll(batch.logits, batch.target, partial)

    def soft_loss(self, batch: SoftBatch) -> torch.Tensor:
        """The cross-entropy of the probabilities of tags with a teacher's, summed over tokens by
        their weights. batch: units are tokens, groups those of tags."""
        raise NotImplementedError

    def nll(self, batch: LossBatch, temperature: float) -> torch.Tensor:
        """The negative log-likelihood of the gold under the probabilities that are predicted at a
        temperature, summed: what the temperature is fitted by. batch: as for `loss`."""
        raise NotImplementedError

    def marginals(
        self, scores: torch.Tensor, mask: torch.Tensor, temperature: float = 1.0
    ) -> torch.Tensor:
        """The probability of each tag at each token, `[batch, seq, tags]`, at a temperature; what
        it is on padding is not said."""
        raise NotImplementedError

    def nbest(
        self,
        scores: torch.Tensor,
        mask: torch.Tensor,
        k: int,
        temperature: float = 1.0,
        allowed: Optional[torch.Tensor] = None,
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """The k best taggings of each text. Raises: MtnlpError (E233): only a CRF has them."""
        raise MtnlpError(Errors.E233)

    def known_tags(self, batch: LossBatch) -> LossBatch:
        """A batch of tag constraints as one of classes; a token is annotated where it has one."""
        known = batch.mask & (batch.target.sum(-1) == 1)
        target = batch.target.to(torch.uint8).argmax(-1)
        return LossBatch(batch.logits, batch.features, target, known)

    @torch.no_grad()
    def grow_from(self, old: "Tagger") -> None:
        """Take over a trained head whose labels are the first of this one's: its values stay, and
        new tags begin as `O`, with little of its probability (see `growing`). No best reading of
        any text changes."""
        copy_known(self, old)
        for name, new, known in grown_tensors(self, old):
            if not name.startswith("criterion."):
                begin_as_outside(new, known)
        added = len(self.labels) - len(old.labels)
        self.output.bias[len(old.output.bias) :] += log_share(added)

    def count(self, target: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """int64 `[2, tags]`: how many of the tokens whose tag is known have it, and have another.

        target, mask: as in a LossBatch for the head.
        """
        known = mask & (target.sum(-1) == 1)
        positive = (target & known.unsqueeze(-1)).sum((0, 1))
        return torch.stack([positive, known.sum() - positive])

    def set_counts(self, counts: torch.Tensor) -> None:
        """Tell the loss what the training data holds. counts: sums of `count`."""
        pass_counts(self.criterion, counts)


class CRFTagger(Tagger):
    """A `Tagger` with a linear-chain CRF, trained on its negative log-likelihood by default, in
    which missing tags are summed out.

    Other losses act on the softmax of the emissions, each token's alone. Where the likelihood has
    no part in a loss, the transitions are not trained: decoding then only keeps to the scheme.
    """

    has_likelihood = True
    scores_alone = True

    def __init__(self, width: int, labels: List[str], scheme: str = "bio", **settings: Any):
        super().__init__(width, labels, scheme, **settings)
        self.crf = LinearChainCRF(labels, scheme)

    def make_default_loss(self) -> torch.nn.Module:
        return CRFLikelihood()

    def known_tags(self, batch: LossBatch) -> LossBatch:
        known = super().known_tags(batch)
        known.likelihood = lambda: self.crf.nll(batch.logits, batch.target, batch.mask).sum()
        return known

    def soft_loss(self, batch: SoftBatch) -> torch.Tensor:
        """As `Tagger.soft_loss`, of the exact marginals; see `structured.marginals` for what a
        temperature is there."""
        teacher = batch.target * batch.weight.unsqueeze(-1)
        assert batch.groups is not None
        settings = batch.mask, teacher, batch.groups, batch.temperature
        return self.crf.marginal_cross_entropy(batch.logits, *settings).sum()

    @torch.no_grad()
    def nll(self, batch: LossBatch, temperature: float) -> torch.Tensor:
        each = self.crf.predictive_nll(batch.logits, batch.target, batch.mask, temperature)
        return each.sum()

    @torch.no_grad()
    def decode(
        self,
        scores: torch.Tensor,
        mask: torch.Tensor,
        temperature: float = 1.0,
        space: Optional[torch.Tensor] = None,
        allowed: Optional[torch.Tensor] = None,
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """The entities of the best tag sequences and their exact posterior probabilities.

        See `LinearChainCRF.find_entities`.
        """
        scores = scores if allowed is None else constrain(scores, allowed)
        return self.crf.find_entities(scores, mask, temperature, space)

    @torch.no_grad()
    def nbest(
        self,
        scores: torch.Tensor,
        mask: torch.Tensor,
        k: int,
        temperature: float = 1.0,
        allowed: Optional[torch.Tensor] = None,
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """The k best taggings of each text.

        Returns: their entities, int64 `[n, 4]` as from `decode`, with `document * k + rank` in
            place of the document, and their log probabilities `[batch, k]`, best first, -inf where
            a text has fewer. Raises: MtnlpError (E234) for a k below 1.
        """
        scores = scores if allowed is None else constrain(scores, allowed)
        tags, probabilities = self.crf.nbest(scores, mask, k, temperature)
        possible = (probabilities > -torch.inf).unsqueeze(-1) & mask.unsqueeze(1)
        return self.scheme.spans(tags.flatten(0, 1), possible.flatten(0, 1)), probabilities

    @torch.no_grad()
    def marginals(
        self, scores: torch.Tensor, mask: torch.Tensor, temperature: float = 1.0
    ) -> torch.Tensor:
        """The exact posterior probabilities, zeros on padding."""
        return self.crf.marginals(scores, mask, temperature)

    @torch.no_grad()
    def softmax_minimum(
        self, scores: torch.Tensor, mask: torch.Tensor
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """The entities of `decode`, each with the least softmax probability of its tags, what a
        tagger without a CRF gives: to compare the exact posterior with."""
        tags = self.crf.decode(scores, mask)
        spans = self.scheme.spans(tags, mask)
        each = scores.float().softmax(-1).gather(2, tags.unsqueeze(-1)).squeeze(-1)
        return spans, span_minimum(each, spans)


class SoftmaxTagger(Tagger):
    """A `Tagger` that tags every token on its own, trained on cross-entropy by default."""

    scores_alone = True

    def make_default_loss(self) -> torch.nn.Module:
        return CrossEntropy()

    def soft_loss(self, batch: SoftBatch) -> torch.Tensor:
        settings = batch.weight, batch.temperature, batch.groups
        return soft_cross_entropy(batch.logits, batch.target, *settings)

    @torch.no_grad()
    def nll(self, batch: LossBatch, temperature: float) -> torch.Tensor:
        known = self.known_tags(batch)
        known.logits = scale_by_temperature(known.logits, temperature)
        return CrossEntropy()(known)

    @torch.no_grad()
    def decode(
        self,
        scores: torch.Tensor,
        mask: torch.Tensor,
        temperature: float = 1.0,
        space: Optional[torch.Tensor] = None,
        allowed: Optional[torch.Tensor] = None,
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """The entities of the best tags; an entity is as probable as its least probable tag, white
        space at its ends included."""
        scores = scores if allowed is None else constrain(scores, allowed)
        best = scale_by_temperature(scores.float(), temperature).softmax(-1).amax(-1)
        # Of the scores, not of probabilities: these may be rounded to the same number.
        spans = self.scheme.spans(scores.argmax(-1), mask)
        return spans, span_minimum(best, spans)

    @torch.no_grad()
    def marginals(
        self, scores: torch.Tensor, mask: torch.Tensor, temperature: float = 1.0
    ) -> torch.Tensor:
        return scale_by_temperature(scores.float(), temperature).softmax(-1)


def build_crf_tagger_v1() -> TaggerBuilder:
    """`mtnlp.CRFTagger.v1` of the `layers` registry."""
    return CRFTagger


def build_softmax_tagger_v1() -> TaggerBuilder:
    """`mtnlp.SoftmaxTagger.v1` of the `layers` registry."""
    return SoftmaxTagger
