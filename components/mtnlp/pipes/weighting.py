"""The tasks of a pipe's loss and their weights."""

from typing import Any, Dict, List, Literal, get_args

import torch
from thinc.api import get_torch_default_device

from ..errors import Errors, MtnlpError
from ..gold.targets import Target
from ..nn.task_weighting import TaskWeighting
from ..ranges import FINITE, require, require_choice
from ..types import HeadOutput, LossBatch

Weighting = Literal["static", "uncertainty"]


class WeightedTasks:
    """What `TorchPipe` does with the losses of its tasks.

    `cfg["weighting"]` is "static" or "uncertainty"; `cfg["task_weight"]` is λ of all the pipe's
    tasks, `cfg["task_weights"]`, where there is one, the λ of single tasks by which it is
    multiplied. λ multiplies the loss, and so the gradients of the head and of the encoder. Adam is
    indifferent to the size of a gradient, so in the head λ mostly cancels; what it decides is how
    much this pipe's gradient counts beside those of others in the encoder they share.
    """

    name: str
    cfg: Dict[str, Any]
    module: Any

    @property
    def task_names(self) -> List[str]:
        """The tasks, in the order of `head_losses`."""
        return [self.name]

    @property
    def task_weights(self) -> Dict[str, float]:
        """What each task's loss is multiplied by now, λ or `exp(-s)`, by task.

        Raises MtnlpError E205 where the head has not been built.
        """
        return dict(zip(self.task_names, self.module.weighting.factors(), strict=True))

    def task_units(self, target: Target) -> List[float]:
        """The annotated units of each task in a batch."""
        return [target.units]

    def check_weights(self) -> None:
        """Raises MtnlpError E330 for an unknown weighting or an infinite weight, E440 for a
        negative one, E441 where fixed weights are set and learned ones asked for."""
        weights = [self.cfg["task_weight"], *self.cfg.get("task_weights", {}).values()]
        require_choice(self.name, get_args(Weighting), weighting=self.cfg["weighting"])
        if not all(weight >= 0 for weight in weights):
            raise MtnlpError(Errors.E440.format(name=self.name, weights=weights))
        for weight in weights:
            require(self.name, FINITE, task_weight=weight)
        if self.cfg["weighting"] == "uncertainty" and any(weight != 1 for weight in weights):
            raise MtnlpError(Errors.E441.format(name=self.name))

    def build_weighting(self) -> None:
        """Make the weights a part of the head, with which they are trained and saved."""
        own = self.cfg.get("task_weights", {})
        weights = [self.cfg["task_weight"] * own.get(task, 1.0) for task in self.task_names]
        made = TaskWeighting(weights, self.cfg["weighting"] == "uncertainty")
        self.module.weighting = made.to(get_torch_default_device())

    def head_losses(self, target: Target, output: HeadOutput) -> torch.Tensor:
        """`[tasks]`: the head's losses, each summed over the annotated units of a batch.

        A head of several tasks has `task_losses`, which gives them one by one.
        """
        device = output.scores.device
        batch = LossBatch(
            logits=output.scores,
            features=output.features,
            target=target.target.to(device),
            mask=target.mask.to(device),
        )
        by_task = getattr(self.module, "task_losses", None)
        return torch.stack([self.module.loss(batch)] if by_task is None else by_task(batch))

    def weighted_loss(self, losses: torch.Tensor, target: Target) -> torch.Tensor:
        """What is trained on, a scalar. losses: from `head_losses`, of the same target."""
        return self.module.weighting(losses, self.task_units(target))
