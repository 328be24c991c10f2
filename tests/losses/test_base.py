"""What a head does with the loss it is given."""

from typing import List, Sequence, Tuple

import torch

from mtnlp.losses.base import LossModule, bind_loss, pass_counts
from mtnlp.losses.cross_entropy import CrossEntropy
from mtnlp.types import LossBatch


class Recorder(LossModule):
    """Remembers what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: List[Tuple] = []

    def bind(self, classes: Sequence[str], width: int) -> None:
        self.told.append((list(classes), width))

    def set_counts(self, positive: torch.Tensor, negative: torch.Tensor) -> None:
        self.told.append((positive.tolist(), negative.tolist()))

    def forward(self, batch: LossBatch) -> torch.Tensor:
        return batch.logits.sum()


def test_a_head_has_a_copy_of_its_own() -> None:
    given = Recorder()
    own = bind_loss(given, CrossEntropy(), ["A", "B"], 7, "classes", "")
    pass_counts(own, torch.tensor([[1, 2], [3, 4]]))
    assert isinstance(own, Recorder)
    assert own.told == [(["A", "B"], 7), ([1, 2], [3, 4])] and given.told == []


def test_the_default() -> None:
    default = CrossEntropy()
    own = bind_loss(None, default, ["A"], 7, "classes", "")
    assert isinstance(own, CrossEntropy) and own is not default


def test_modules_without_hooks() -> None:
    own = bind_loss(torch.nn.Identity(), CrossEntropy(), ["A"], 7, "classes", "")
    pass_counts(own, torch.zeros(2, 1))
    assert isinstance(own, torch.nn.Identity)
