"""The head that scores every span up to a width, for nested entities."""

from typing import Iterator, List, Optional, Tuple, Union

import torch
from torch.utils.checkpoint import checkpoint

from ..errors import Errors, MtnlpError
from ..losses.base import bind_loss, pass_counts, reads_features
from ..losses.binary_cross_entropy import BinaryCrossEntropy
from ..losses.cross_entropy import CrossEntropy
from ..losses.partial import partial_nll, sole_class
from ..losses.soft_binary_cross_entropy import soft_binary_cross_entropy
from ..losses.soft_cross_entropy import soft_cross_entropy
from ..structured.span_decoding import Decoder, get_decoder
from ..structured.span_enumeration import span_ends, token_chunks, token_places
from ..structured.spans import overlap_none
from ..types import HeadOutput, LossBatch, SoftBatch
from .growing import begin_as_outside, begin_silent, copy_known, grown_tensors, log_share
from .prior import prior_bias
from .projection import Body
from .span_scorers import BiaffineScorer, ScorerBuilder
from .temperature import scale_by_temperature

# Their hidden values take 8 MB in a `MarkerScorer` at a `max_width` of 8, and 18 MB in a
# `BiaffineScorer` for 30 classes.
CHUNK_SIZE = 1024


class SpanTagger(torch.nn.Module):
    """Scores of all spans up to `max_width` tokens, whatever lies in or across what.

    Scores are `[batch, seq, max_width, classes]`, at `[b, i, w]` those of the `w + 1` tokens from
    token `i`. Spans that leave their text are masked (`structured.span_enumeration`). Where spans
    are `exclusive`, class 0 is "no entity" and one class holds (softmax); else the classes are the
    labels, each for itself (sigmoid), so that a span can have several.

    The scorer sees `chunk_size` tokens at a time: its hidden values, the largest there are, take
    constant memory. In training those of several chunks are computed again on the way back (Chen
    et al., 2016).

    width: of the token vectors. labels: the entity types. max_width: tokens of the widest entity.
    scorer: makes the scorer (see `span_scorers`), by default a `BiaffineScorer`. hidden, dropout:
    see `Body`. loss: a module that takes a LossBatch with spans as units, by default cross-entropy
    where exclusive, else binary cross-entropy. Raises: MtnlpError (E232) for a width below 1, and
    what `bind_loss` raises for a loss that cannot be.
    """

    def __init__(
        self,
        width: int,
        labels: List[str],
        max_width: int = 8,
        scorer: Optional[ScorerBuilder] = None,
        exclusive: bool = True,
        hidden: Optional[int] = None,
        dropout: float = 0.0,
        loss: Optional[torch.nn.Module] = None,
        chunk_size: int = CHUNK_SIZE,
    ):
        super().__init__()
        if max_width < 1:
            raise MtnlpError(Errors.E232.format(found=max_width))
        self.labels = list(labels)
        self.max_width = max_width
        self.exclusive = exclusive
        self.chunk_size = chunk_size
        self.body = Body(width, hidden, dropout)
        outputs = len(self.labels) + exclusive
        self.scorer = (scorer or BiaffineScorer)(self.body.output_width, max_width, outputs)
        self.bias = torch.nn.Parameter(torch.zeros(outputs))
        default = CrossEntropy() if exclusive else BinaryCrossEntropy()
        classes = ["O", *self.labels] if exclusive else self.labels
        self.criterion = bind_loss(
            loss,
            default,
            classes,
            self.body.output_width,
            target="classes" if exclusive else "labels",
            setting=f"exclusive = {str(exclusive).lower()}",
        )

    def forward(self, inputs: torch.Tensor, mask: torch.Tensor) -> HeadOutput:
        """`[batch, seq, width]` to scores `[batch, seq, max_width, classes]` and the features of
        tokens, `[batch, seq, width]`; zeros at padding."""
        tokens = self.body(inputs[mask])
        scores = torch.cat([part for _, part in self.score(tokens)] or [self.no_scores(tokens)])
        return HeadOutput(scores=unpack(scores, mask), features=unpack(tokens, mask))

    def score(self, tokens: torch.Tensor) -> Iterator[Tuple[slice, torch.Tensor]]:
        """Scores chunk by chunk.

        tokens: `[tokens, width]`, texts one after another. Yields: which tokens, and the scores of
        the spans that begin there, `[n, max_width, classes]`.
        """
        recompute = torch.is_grad_enabled() and len(tokens) > self.chunk_size
        for part, piece in token_chunks(tokens, self.max_width, self.chunk_size):
            if recompute:
                scores = checkpoint(self.scorer, piece, use_reentrant=False)
            else:
                scores = self.scorer(piece)
            yield part, scores + self.bias

    def loss(self, batch: LossBatch) -> torch.Tensor:
        """The loss, summed over spans.

        `target` is a class `[batch, seq, max_width]` (exclusive) or label indicators
        `[batch, seq, max_width, labels]`, `mask` bool `[batch, seq, max_width]`, where a span is
        annotated. Where only some labels of some spans are, `target` is bool
        `[batch, seq, max_width, classes]`, the classes a span may have, or, not exclusive, `mask`
        bool `[batch, seq, max_width, labels]`. The features of a span are the mean of its first and
        its last token's; they are made where the loss reads them.
        """
        features = None
        if batch.features is not None and reads_features(self.criterion):
            features = span_features(batch.features, self.max_width)
        target, mask = self.known_classes(batch.target, batch.mask)
        loss = self.criterion(LossBatch(batch.logits, features, target, mask))
        if target is batch.target:
            return loss
        return loss + partial_nll(batch.logits, batch.target, batch.mask)

    def known_classes(
        self, target: torch.Tensor, mask: torch.Tensor
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """Target and mask as of one class a span: where a target says which classes spans may have,
        a span is annotated that may have but one."""
        if not self.exclusive or target.dim() == mask.dim():
            return target, mask
        classes, is_known = sole_class(target)
        return classes, mask & is_known

    def soft_loss(self, batch: SoftBatch) -> torch.Tensor:
        """The cross-entropy of probabilities with a teacher's, summed over spans by their
        weights. batch: units are spans, `[batch, seq, max_width]`, or, where not exclusive, the
        labels of spans."""
        settings = batch.weight, batch.temperature
        if self.exclusive:
            return soft_cross_entropy(batch.logits, batch.target, *settings, batch.groups)
        return soft_binary_cross_entropy(batch.logits, batch.target, *settings)

    @torch.no_grad()
    def nll(self, batch: LossBatch, temperature: float) -> torch.Tensor:
        """The negative log-likelihood of the gold under the probabilities that are predicted at a
        temperature, summed over spans: what the temperature is fitted by. batch: as for `loss`."""
        likelihood = CrossEntropy() if self.exclusive else BinaryCrossEntropy()
        logits = scale_by_temperature(batch.logits, temperature)
        return likelihood(LossBatch(logits, None, *self.known_classes(batch.target, batch.mask)))

    def count(self, target: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """int64 `[2, classes]`: how many annotated spans are of each class, and are not.

        target, mask: as in a LossBatch for the head.
        """
        if self.exclusive:
            target, mask = self.known_classes(target, mask)
            known = target[mask]
            positive = known.bincount(minlength=len(self.bias))
            return torch.stack([positive, len(known) - positive])
        each = mask if mask.dim() == target.dim() else mask.unsqueeze(-1).expand(target.shape)
        positive = (target.bool() & each).flatten(0, -2).sum(0)
        return torch.stack([positive, each.flatten(0, -2).sum(0) - positive])

    @torch.no_grad()
    def set_counts(self, counts: torch.Tensor) -> None:
        """Tell the loss what the training data holds, and begin with the shares of the classes in
        it: few spans are entities, and training should not have to learn that first.

        counts: sums of `count`.
        """
        pass_counts(self.criterion, counts)
        self.bias.copy_(prior_bias(counts, self.exclusive))

    @torch.no_grad()
    def grow_from(self, old: "SpanTagger") -> None:
        """Take over a trained head whose labels are the first of this one's: its values stay. New
        classes begin as "no entity" with little of its probability where spans are exclusive, else
        with a low one of their own (see `growing`)."""
        copy_known(self, old)
        begin = begin_as_outside if self.exclusive else begin_silent
        for name, new, known in grown_tensors(self, old):
            if not name.startswith("criterion."):
                begin(new, known)
        self.bias[len(old.bias) :] += log_share(len(self.labels) - len(old.labels))

    @torch.no_grad()
    def decode(
        self,
        scores: torch.Tensor,
        mask: torch.Tensor,
        decoder: Union[str, Decoder] = "nested",
        threshold: float = 0.5,
        temperature: float = 1.0,
        taken: Optional[torch.Tensor] = None,
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """The entities of a batch.

        mask: bool `[batch, seq]`, the real tokens, a prefix of each row. decoder: one of
        `structured.span_decoding`, or its name. threshold: the least probability. temperature: what
        scores are divided by before. taken: bool `[batch, seq]`, tokens that no entity may hold,
        None for none.
        Returns: int64 `[n, 4]`, document, start, end, label index, in this order, and their
            probabilities `[n]`, on the CPU. Raises: MtnlpError (E230) for an unknown decoder,
            (E235) for a temperature not above 0.
        """
        places = token_places(mask.sum(1))
        parts = (
            (slice(i, i + self.chunk_size), scores[row, start])
            for i in range(0, len(places), self.chunk_size)
            for row, start, _ in [places[i : i + self.chunk_size].unbind(1)]
        )
        return self.select(parts, places, decoder, threshold, temperature, taken)

    @torch.no_grad()
    def find(
        self,
        tokens: torch.Tensor,
        lengths: torch.Tensor,
        decoder: Union[str, Decoder] = "nested",
        threshold: float = 0.5,
        temperature: float = 1.0,
        taken: Optional[torch.Tensor] = None,
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """`decode` of `forward`, without padding and with the scores of one chunk at a time.

        tokens: `[tokens, width]`, texts one after another. lengths: int64 `[batch]`, tokens per
            text.
        """
        parts = self.score(self.body(tokens))
        return self.select(parts, token_places(lengths), decoder, threshold, temperature, taken)

    def select(
        self,
        parts: Iterator[Tuple[slice, torch.Tensor]],
        places: torch.Tensor,
        decoder: Union[str, Decoder],
        threshold: float,
        temperature: float,
        taken: Optional[torch.Tensor] = None,
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """The candidates among the scores of all parts, decoded. places: see `token_places`."""
        decode = get_decoder(decoder)
        found = [
            self.candidates(scale_by_temperature(scores, temperature), places[part], threshold)
            for part, scores in parts
        ]
        spans = torch.cat([places.new_zeros(0, 4), *(spans for spans, _ in found)]).cpu()
        best = torch.cat([torch.zeros(0, device=places.device), *(p for _, p in found)]).cpu()
        if taken is not None:
            free = overlap_none(spans, taken.cpu())
            spans, best = spans[free], best[free]
        kept = decode(spans, best)
        return spans[kept], best[kept]

    def candidates(
        self, scores: torch.Tensor, places: torch.Tensor, threshold: float
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """Spans whose probability reaches the threshold; of exclusive ones the best label's.

        scores: `[n, max_width, classes]`. places: `[n, 3]`.
        Returns: int64 `[m, 4]`, document, start, end, label index, in this order, and `[m]`.
        """
        inside = torch.arange(self.max_width, device=scores.device) < places[:, 2:]
        if self.exclusive:
            best, label = scores.float().softmax(-1)[..., 1:].max(-1)
            token, width = ((best >= threshold) & inside).nonzero(as_tuple=True)
            probability, label = best[token, width], label[token, width]
        else:
            each = scores.float().sigmoid()
            token, width, label = ((each >= threshold) & inside.unsqueeze(-1)).nonzero(
                as_tuple=True
            )
            probability = each[token, width, label]
        text, start, _ = places[token].unbind(1)
        return torch.stack([text, start, start + width + 1, label], dim=1), probability

    @torch.no_grad()
    def beliefs(
        self, tokens: torch.Tensor, lengths: torch.Tensor, least: float, temperature: float = 1.0
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """All labels of all spans whose probability is at least `least`, whatever they overlap.

        tokens, lengths, temperature: as for `find`. Returns: int64 `[n, 4]`, document, start, end,
            label index, ordered by document, and their probabilities `[n]`.
        """
        places = token_places(lengths)
        spans, each = [places.new_zeros(0, 4)], [tokens.new_zeros(0).float()]
        for part, scores in self.score(self.body(tokens)):
            scaled = scale_by_temperature(scores, temperature).float()
            found = scaled.softmax(-1)[..., 1:] if self.exclusive else scaled.sigmoid()
            inside = torch.arange(self.max_width, device=scores.device) < places[part, 2:]
            token, width, label = ((found >= least) & inside.unsqueeze(-1)).nonzero(as_tuple=True)
            text, start, _ = places[part][token].unbind(1)
            spans.append(torch.stack([text, start, start + width + 1, label], dim=1))
            each.append(found[token, width, label])
        return torch.cat(spans), torch.cat(each)

    def no_scores(self, tokens: torch.Tensor) -> torch.Tensor:
        """The scores of no token."""
        return tokens.new_zeros(0, self.max_width, len(self.bias))


def span_features(features: torch.Tensor, max_width: int) -> torch.Tensor:
    """The mean of the first and the last token's: `[batch, seq, width]` to
    `[batch, seq, max_width, width]`."""
    starts = features.transpose(0, 1)
    padded = torch.nn.functional.pad(starts, (0, 0, 0, 0, 0, max_width - 1))
    both = (span_ends(padded, max_width) + starts.unsqueeze(1)) / 2
    return both.permute(2, 0, 1, 3)


def unpack(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """`[tokens, ...]`, texts one after another, to `[batch, seq, ...]`, zeros at padding."""
    padded = values.new_zeros(*mask.shape, *values.shape[1:])
    padded[mask] = values
    return padded
