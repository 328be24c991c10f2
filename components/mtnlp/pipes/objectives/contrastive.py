"""Documents of one label attract each other."""

from typing import Any, FrozenSet, Optional, Sequence

import torch
from spacy.tokens import Doc

from ...annotation.categories import positive_keys
from ...nn.projection import l2_normalize
from ...ranges import POSITIVE, require
from .base import WEIGHT, DocObjective

NAME = "mtnlp.ContrastiveObjective.v1"


class ContrastiveObjective(DocObjective):
    """The supervised contrastive loss (Khosla et al., 2020, their L_out). With z the vectors at
    length 1, P(i) the other documents of the batch that share a label with i, and A(i) all others,

        L_i = -1 / |P(i)| * sum over p in P(i) of log(exp(z_i z_p / t) / sum over A(i) of exp(z_i z_a / t))

    A document that shares a label with no other counts 0 itself, and is one of the others' A.
    """  # noqa: E501

    name = NAME
    in_batch = True

    def __init__(self, task: str, temperature: float, weight: float):
        super().__init__(weight)
        require(NAME, POSITIVE, temperature=temperature)
        self.task = task
        self.temperature = temperature
        self.needs = f"a category '{task}/LABEL' that holds"

    def read(self, reference: Doc, component: str) -> Optional[FrozenSet[str]]:
        """The labels of the task that hold."""
        return frozenset(positive_keys(reference.cats, self.task)) or None

    def loss(self, vectors: torch.Tensor, gold: Sequence[Any]) -> torch.Tensor:
        labels = sorted(set().union(*gold))
        held = [[float(label in own) for label in labels] for own in gold]
        has = torch.tensor(held, dtype=vectors.dtype, device=vectors.device)
        itself = torch.eye(len(gold), dtype=torch.bool, device=vectors.device)
        positive = (has @ has.T > 0) & ~itself
        units = l2_normalize(vectors)
        logits = (units @ units.T / self.temperature).masked_fill(itself, -torch.inf)
        if len(gold) == 1:  # nobody to compare it with
            return (vectors * 0).sum()
        chances = logits.log_softmax(dim=1).masked_fill(~positive, 0)
        return -(chances.sum(1) / positive.sum(1).clamp(min=1)).sum()


def create_contrastive_objective_v1(
    task: str, temperature: float = 0.1, weight: float = WEIGHT
) -> ContrastiveObjective:
    """An objective of `sentence_vectors`: documents of a batch that share a label of a task
    attract, the others repel (supervised contrastive learning: Khosla et al., 2020).

    Documents are compared within their batch: give it large batches, and leave
    `accumulate_gradient` at 1, because sub-batches do not add up to the batch.

    task: of `doc.cats`, whose keys are `task/LABEL`; exclusive or not.
    temperature: what cosines are divided by. Lower ones look at the nearest documents alone.
    weight: λ, how much it counts beside the component's other objectives.
    Raises: MtnlpError E330 for a temperature that is not above 0 and for a weight below 0.
    """
    return ContrastiveObjective(task, temperature, weight)
