"""The head that classifies documents."""

import math
from typing import Any, Dict, Iterator, List, Optional, Set, Tuple, cast

import torch

from ..errors import Errors, MtnlpError
from ..losses.base import bind_loss, pass_counts
from ..losses.binary_cross_entropy import BinaryCrossEntropy
from ..losses.class_weights import without_weights
from ..losses.cross_entropy import CrossEntropy
from ..losses.partial import partial_nll
from ..losses.soft_binary_cross_entropy import soft_binary_cross_entropy
from ..losses.soft_cross_entropy import soft_cross_entropy
from ..types import HeadOutput, LossBatch, SoftBatch
from .growing import copy_known, log_share
from .label_correlation import LabelCorrelation, label_counts, pair_counts
from .prior import prior_bias
from .projection import Body


class Classifier(torch.nn.Module):
    """Several classification tasks over the same vectors, an output layer each, so that a task
    without annotation in a batch has no gradient.

    width: of the document vectors. tasks: by name, `{"labels": [...], "exclusive": bool}`; the
    scores are the labels of all tasks in order. hidden, dropout: see `Body`. loss_exclusive: a
    module that takes a LossBatch with a class a document, cross-entropy by default.
    loss_multilabel: one that takes a LossBatch with an indicator a label, binary cross-entropy
    by default. Every task has its own copy, bound to its labels. separate: whether every label has
    its own hidden layer (see `LabelHeads`) instead of a common one; the features are then the
    document vectors. label_correlation: whether the labels of a multi-label task learn from one
    another (see `LabelCorrelation`). Raises: MtnlpError (E214) for a task without labels, (E243)
    for separate heads without `hidden`, (E244) for a label correlation without a multi-label task,
    and what a loss raises when it is bound.
    """

    def __init__(
        self,
        width: int,
        tasks: Dict[str, Dict[str, Any]],
        hidden: Optional[int] = None,
        dropout: float = 0.0,
        loss_exclusive: Optional[torch.nn.Module] = None,
        loss_multilabel: Optional[torch.nn.Module] = None,
        separate: bool = False,
        label_correlation: bool = False,
    ):
        super().__init__()
        for name, task in tasks.items():
            if not task["labels"]:
                raise MtnlpError(Errors.E214.format(task=name))
        self.sizes = [(len(task["labels"]), bool(task["exclusive"])) for task in tasks.values()]
        self.has_correlation = label_correlation
        if label_correlation and all(exclusive for _, exclusive in self.sizes):
            raise MtnlpError(Errors.E244.format(tasks=", ".join(tasks)))
        if separate and hidden is None:
            raise MtnlpError(Errors.E243)
        own_hidden, common_hidden = (hidden, None) if separate else (None, hidden)
        self.body = Body(width, common_hidden, dropout)
        inputs = self.body.output_width
        self.outputs = torch.nn.ModuleList(
            torch.nn.Linear(inputs, size)
            if own_hidden is None
            else LabelHeads(inputs, size, own_hidden)
            for size, _ in self.sizes
        )
        # Called so in the state dicts of pipelines saved before.
        self.graphs = torch.nn.ModuleList(
            LabelCorrelation(size) if label_correlation and not exclusive else torch.nn.Identity()
            for size, exclusive in self.sizes
        )
        self.losses = torch.nn.ModuleList()
        for task in tasks.values():
            exclusive = bool(task["exclusive"])
            default = CrossEntropy() if exclusive else BinaryCrossEntropy()
            loss = loss_exclusive if exclusive else loss_multilabel
            loss = without_weights(loss, labels_of_other_tasks(tasks, task))
            own = bind_loss(
                loss,
                default,
                task["labels"],
                inputs,
                target="classes" if exclusive else "labels",
                setting="loss_exclusive" if exclusive else "loss_multilabel",
            )
            self.losses.append(own)

    def forward(self, inputs: torch.Tensor, mask: Optional[torch.Tensor] = None) -> HeadOutput:
        """`[batch, width]` to scores `[batch, labels]`. The mask is not needed."""
        features = self.body(inputs)
        layers = zip(self.outputs, self.graphs, strict=True)
        scores = torch.cat([correlation(output(features)) for output, correlation in layers], dim=1)
        return HeadOutput(scores=scores, features=features)

    def loss(self, batch: LossBatch) -> torch.Tensor:
        """The losses of all tasks, summed over documents; see `task_losses`."""
        terms = self.task_losses(batch)
        return torch.stack(terms).sum() if terms else batch.logits.sum()

    def task_losses(self, batch: LossBatch) -> List[torch.Tensor]:
        """The loss of each task, a scalar, summed over documents.

        `target` is float `[batch, labels]`, `mask` bool `[batch, labels]`. A multi-label task
        counts the mean over its labels, so that a document weighs as much as in an exclusive
        one. An exclusive task counts a document where all its labels are annotated and one of
        them is positive; where only some are, none of which holds, it is known that the label is
        one of the others.
        """
        terms = []
        for loss, (part, exclusive) in zip(self.losses, self._slices(), strict=True):
            logits, mask = batch.logits[:, part], batch.mask[:, part]
            target = batch.target[:, part].to(logits.dtype).masked_fill(~mask, 0.0)
            if exclusive:
                annotated = mask.all(1) & (target > 0).any(1)
                task = LossBatch(logits, batch.features, target.argmax(1), annotated)
                # Those that are not annotated are the ones that may hold.
                partial = partial_nll(logits, ~mask, mask.any(1) & ~(target > 0).any(1))
                terms.append(loss(task) + partial)
            else:
                task = LossBatch(logits, batch.features, target, mask)
                terms.append(loss(task) / (part.stop - part.start))
        return terms

    def soft_losses(self, batch: SoftBatch) -> List[torch.Tensor]:
        """The cross-entropy of each task's probabilities with a teacher's, a scalar, summed over
        documents by their weights; like `task_losses`, the mean over the labels of a multi-label
        task. batch: `[batch, labels]` all; labels of an exclusive task that are masked have no
        part in it, and the others of a document the same weight."""
        terms = []
        for part, exclusive in self._slices():
            logits, target, weight = (
                values[:, part] for values in (batch.logits, batch.target, batch.weight)
            )
            if exclusive:
                settings = weight.amax(1), batch.temperature, None, batch.mask[:, part]
                terms.append(soft_cross_entropy(logits, target, *settings))
            else:
                term = soft_binary_cross_entropy(logits, target, weight, batch.temperature)
                terms.append(term / (part.stop - part.start))
        return terms

    def count(self, target: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """`[2, labels]`: how many documents annotated with a label have it, and have it not; with
        label correlation, how often each pair of answers occurs (see `pair_counts`).

        target, mask: as in a LossBatch for the head.
        """
        if self.has_correlation:
            return pair_counts(target, mask)
        positive = target.masked_fill(~mask, 0.0).sum(0)
        return torch.stack([positive, mask.sum(0) - positive])

    @torch.no_grad()
    def set_counts(self, counts: torch.Tensor) -> None:
        """Tell each task's loss what the training data holds, and begin with the shares of the
        labels in it, which training then need not learn (Lin et al., 2017, section 3.3): the bias
        becomes their logarithm in an exclusive task, their log odds in the others.

        counts: sums of `count`.
        """
        pairs = counts if self.has_correlation else None
        if pairs is not None:
            counts = label_counts(pairs)
        tasks = zip(self.outputs, self.graphs, self.losses, self._slices(), strict=True)
        for output, correlation, loss, (part, exclusive) in tasks:
            own = counts[:, part]
            pass_counts(loss, own)
            cast(torch.nn.Linear, output).bias.copy_(prior_bias(own, exclusive))
            if pairs is not None and isinstance(correlation, LabelCorrelation):
                correlation.set_counts(pairs[:, :, part, part])

    @torch.no_grad()
    def grow_from(self, old: "Classifier") -> None:
        """Take over a trained head whose tasks, and in each of them whose labels, are the first of
        this one's: its values stay. New labels of a task begin with little of its probability (see
        `growing`), new tasks at random."""
        copy_known(self, old)
        parts = zip(self.outputs, self.graphs, self.sizes, old.outputs, old.sizes, strict=False)
        for output, correlation, (size, exclusive), known, (before, _) in parts:
            if size == before:
                continue
            share, bias = log_share(size - before), cast(torch.nn.Linear, output).bias
            weight = cast(torch.nn.Linear, output).weight
            if not exclusive:
                weight[before:], bias[before:] = 0.0, share
                if isinstance(correlation, LabelCorrelation):
                    correlation.prior[before:] = torch.tensor(share).sigmoid()
                continue
            # Of labels with hidden layers of their own that is no mean of scores, but near it.
            linear = cast(torch.nn.Linear, known)
            weight[before:], bias[before:] = linear.weight.mean(0), linear.bias.mean() + share

    @torch.no_grad()
    def decode(self, scores: torch.Tensor, mask: Optional[torch.Tensor] = None) -> torch.Tensor:
        """`[batch, labels]`: probabilities, softmax in exclusive tasks, sigmoid in the others."""
        scores = scores.float()
        parts = [
            scores[:, part].softmax(1) if exclusive else scores[:, part].sigmoid()
            for part, exclusive in self._slices()
        ]
        return torch.cat(parts, dim=1) if parts else scores

    def _slices(self) -> Iterator[Tuple[slice, bool]]:
        """Each task's columns and whether it is exclusive."""
        begin = 0
        for size, exclusive in self.sizes:
            yield slice(begin, begin + size), exclusive
            begin += size


def labels_of_other_tasks(tasks: Dict[str, Dict[str, Any]], own: Dict[str, Any]) -> Set[str]:
    """The labels that only other tasks of a task's kind have."""
    alike = [task["labels"] for task in tasks.values() if task["exclusive"] == own["exclusive"]]
    return set().union(*alike) - set(own["labels"])


class LabelHeads(torch.nn.Module):
    """For every label a linear layer to `hidden`, GELU and a linear layer to its score, which no
    other label shares: what one label learns moves nothing of another's.

    width: of the inputs. labels: how many. All labels are computed in one operation; the weights
    begin as those of `torch.nn.Linear` do, label by label.
    """

    def __init__(self, width: int, labels: int, hidden: int):
        super().__init__()
        self.hidden_weight = uniform(width, labels, hidden, width)
        self.hidden_bias = uniform(width, labels, hidden)
        self.weight = uniform(hidden, labels, hidden)
        self.bias = uniform(hidden, labels)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """`[batch, width]` to `[batch, labels]`."""
        hidden = torch.einsum("bw,lhw->blh", inputs, self.hidden_weight) + self.hidden_bias
        hidden = torch.nn.functional.gelu(hidden)
        return torch.einsum("blh,lh->bl", hidden, self.weight) + self.bias


def uniform(inputs: int, *shape: int) -> torch.nn.Parameter:
    """A parameter of that shape, uniform between plus and minus the root of 1 / inputs."""
    bound = 1.0 / math.sqrt(max(inputs, 1))
    return torch.nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
