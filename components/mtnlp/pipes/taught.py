"""What pipes learn from the opinions of teachers, beside gold or in its place.

Where a unit (a token, a span, a document's task) has both, its loss is
`(1 - w) · gold + w · teacher`, with `w` the `cfg["teacher_weight"]`, times what is left of it in
`TeacherAnnealing`. A unit that only a teacher speaks of counts in full, or by the teacher's
confidence: its largest probability to the power of `cfg["teacher_confidence"]`. The terms of
several teachers who speak of the same unit are averaged.

The CRF's likelihood belongs to a Doc as a whole: gold counts `1 - w` in a Doc that a teacher speaks
of, and the teacher `w` at tokens whose tag is known and in full at others. A loss that compares
units with one another, as the contrastive one does, compares those with a teacher among themselves
and those without one.
"""

from dataclasses import dataclass, replace
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import torch
from spacy.training import Example

from ..gold.opinions import opinions_of
from ..gold.soft_targets import SoftTarget, labels_in
from ..gold.targets import Target
from ..nn.temperature import require_temperature
from ..ranges import NOT_NEGATIVE, PROBABILITY, require
from ..types import HeadOutput, SoftBatch


class Lesson(NamedTuple):
    """What a batch teaches a pipe.

    gold: as `get_target` gives it. doc_indices: positions of the Docs that have gold or an opinion;
    the head's output is over them. target: the gold over these, masked where there is none; where
    there is no opinion, `gold` itself. soft: opinions over these. units: of each task, annotated or
    taught.
    """

    gold: Target
    doc_indices: List[int]
    target: Target
    soft: List[SoftTarget]
    units: List[float]


@dataclass
class Annealing:
    """How much of the teachers' weight is left: all at the first step, nothing at the last one,
    and linear between. steps: of the training. step: the one at hand, from 0."""

    steps: int
    step: int = 0

    @property
    def factor(self) -> float:
        return max(0.0, 1.0 - self.step / max(1, self.steps - 1))


def check_teacher_settings(name: str, cfg: Dict[str, Any]) -> None:
    """Raises: MtnlpError E330 for a weight that is none from 0 to 1, a negative or an infinite
    number, E235 for a temperature that is not above 0. name: of the pipe."""
    require(name, PROBABILITY, teacher_weight=cfg["teacher_weight"])
    require(name, NOT_NEGATIVE, teacher_confidence=cfg["teacher_confidence"])
    require_temperature(cfg["teacher_temperature"])


class Taught:
    """The part of a trainable pipe that learns from gold and teachers.

    annealing: set by `mtnlp.TeacherAnnealing.v1`; not saved.
    """

    name: str
    cfg: Dict[str, Any]
    annealing: Optional[Annealing]

    # Whether opinions for this pipe are learnt as `soft_targets` and `soft_losses` say.
    learns_from_teachers = False

    # What a pipe provides

    @property
    def module(self) -> Any:
        """The head's torch module."""
        raise NotImplementedError

    def get_target(self, examples: Sequence[Example]) -> Target:
        """The gold of a batch."""
        raise NotImplementedError

    def task_units(self, target: Target) -> List[float]:
        """The annotated units of each task in a batch."""
        raise NotImplementedError

    def head_losses(self, target: Target, output: HeadOutput) -> torch.Tensor:
        """`[tasks]`: the head's losses against gold, each summed over units."""
        raise NotImplementedError

    def soft_targets(self, examples: Sequence[Example]) -> List[SoftTarget]:
        """The opinions on some Docs, a row each."""
        raise NotImplementedError

    def answered(self, target: Target) -> torch.Tensor:
        """Of which units gold says what they are, bool, in the shape of a soft target's mask. Of
        others a teacher is heard in full."""
        raise NotImplementedError

    def has_gold(self, target: Target) -> torch.Tensor:
        """As `answered`, and those of which gold only says what they are not."""
        return self.answered(target)

    def whole_units(self, mask: torch.Tensor) -> torch.Tensor:
        """The mask of a soft target, made the same over all that is one unit."""
        return mask

    def split_gold(self, target: Target, taught: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        """The mask of the gold, in two: what no teacher speaks of, and the rest. taught: bool, in
        the shape of a soft target's mask."""
        return target.mask & ~taught, target.mask & taught

    def count_units(self, mask: torch.Tensor) -> List[float]:
        """The units of each task in the mask of a soft target."""
        return [float(mask.sum())]

    def soft_losses(self, batch: SoftBatch) -> torch.Tensor:
        """`[tasks]`: the head's losses against a teacher, each summed over units by weight."""
        return torch.stack([self.module.soft_loss(batch)])

    # What a batch teaches

    @property
    def teacher_weight(self) -> float:
        """The teachers' share in the loss of a unit that has gold, now."""
        weight = self.cfg["teacher_weight"]
        return weight if self.annealing is None else weight * self.annealing.factor

    def get_lesson(self, examples: Sequence[Example]) -> Lesson:
        """The gold and the opinions of a batch. Raises: MtnlpError E730 to E735 for an opinion that
        cannot be learnt."""
        gold = self.get_target(examples)
        spoken = self.taught_docs(examples)
        if not spoken:
            return Lesson(gold, gold.doc_indices, gold, [], self.task_units(gold))
        rows = sorted({*gold.doc_indices, *spoken})
        chosen = [examples[i] for i in rows]
        soft = self.soft_targets(chosen)
        if not soft:
            return Lesson(gold, gold.doc_indices, gold, [], self.task_units(gold))
        longest = max(len(example.predicted) for example in chosen)
        target = spread(gold, rows, longest if self.has_token_targets else None)
        taught = torch.stack([self.whole_units(part.mask) for part in soft]).any(0)
        known = self.has_gold(target)
        both, own = self.count_units(taught | known), self.count_units(known)
        counts = zip(self.task_units(gold), both, own, strict=True)
        units = [gold_units + either - known for gold_units, either, known in counts]
        return Lesson(gold, rows, target, soft, units)

    def taught_docs(self, examples: Sequence[Example]) -> List[int]:
        """The positions of those Docs of a batch that hold tokens and have an opinion."""
        if not self.learns_from_teachers:
            return []
        return [
            i
            for i, example in enumerate(examples)
            if opinions_of(example.reference, self.name) and len(example.predicted)
        ]

    @property
    def has_token_targets(self) -> bool:
        """Whether targets are over tokens, `[rows, seq, ...]`, rather than over Docs."""
        return True

    def taught_labels(self, example: Example) -> List[str]:
        """The labels that the teachers of a Doc know."""
        if not self.learns_from_teachers:
            return []
        opinions = opinions_of(example.reference, self.name)
        return [label for opinion in opinions for label in labels_in(opinion)]

    # The loss

    def get_loss_gradient(self, lesson: Lesson, output: HeadOutput) -> Tuple[float, HeadOutput]:
        """The loss of a batch before weighting, divided by the expected units, and the gradient
        of the weighted one.

        The gradients of the loss's own parameters (CRF transitions) are left on them.
        """
        scores = output.scores.detach().requires_grad_()
        assert output.features is not None
        features = output.features.detach().requires_grad_()
        given = HeadOutput(scores, features)
        compute = self.taught_losses if lesson.soft else self.gold_losses
        losses = compute(lesson, given)
        weighted = self.module.weighting(losses, lesson.units)
        (weighted / self.cfg["loss_normalization"]).backward()
        assert scores.grad is not None
        loss = losses.detach().sum() / self.cfg["loss_normalization"]
        return float(loss), HeadOutput(scores.grad, features.grad)

    def gold_losses(self, lesson: Lesson, output: HeadOutput) -> torch.Tensor:
        """`[tasks]`: the losses of a batch without opinions."""
        return self.head_losses(lesson.gold, output)

    def taught_losses(self, lesson: Lesson, output: HeadOutput) -> torch.Tensor:
        """`[tasks]`: the losses against gold and teachers, each summed over units."""
        share, target = self.teacher_weight, lesson.target
        masks = torch.stack([self.whole_units(part.mask) for part in lesson.soft])
        answered = self.answered(target)
        speakers = masks.sum(0).clamp(min=1)
        alone, beside = self.split_gold(target, masks.any(0) & (share > 0))
        # A gradient, of zeros, also where nothing counts.
        zero = output.scores.masked_fill(torch.ones_like(output.scores, dtype=torch.bool), 0.0)
        terms = [zero.sum().expand(len(lesson.units))]
        for mask, factor in ((alone, 1.0), (beside, 1.0 - share)):
            if factor and mask.any():
                terms.append(self.head_losses(replace(target, mask=mask), output) * factor)
        for part, mask in zip(lesson.soft, masks, strict=True):
            by_itself = part.confidence ** self.cfg["teacher_confidence"]
            weight = torch.where(answered, share, by_itself).masked_fill(~mask, 0.0) / speakers
            if weight.any():
                terms.append(self.soft_losses(self.soft_batch(part, weight, output)))
        return torch.stack(terms).sum(0)

    def soft_batch(self, soft: SoftTarget, weight: torch.Tensor, output: HeadOutput) -> SoftBatch:
        """What a head's loss against a teacher is computed from."""
        device = output.scores.device
        return SoftBatch(
            logits=output.scores,
            target=soft.probabilities.to(device),
            mask=soft.mask.to(device),
            weight=weight.to(device),
            groups=None if soft.groups is None else soft.groups.to(device),
            temperature=self.cfg["teacher_temperature"],
        )


def spread(target: Target, rows: List[int], seq: Optional[int]) -> Target:
    """The gold of a batch over more of its Docs, masked in those that have none.

    rows: positions of these Docs, those of `target` among them. seq: of the longest; None for
    targets that are not over tokens.
    """
    place = {row: i for i, row in enumerate(rows)}
    own = torch.tensor([place[i] for i in target.doc_indices], dtype=torch.long)

    def grow(values: torch.Tensor) -> torch.Tensor:
        size = values.shape[1]
        grown = values.new_zeros((len(rows), size if seq is None else seq, *values.shape[2:]))
        grown[own, :size] = values
        return grown

    return Target(rows, grow(target.target), grow(target.mask), target.units)
