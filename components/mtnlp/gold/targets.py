"""What a head is trained on: targets and masks, and which Docs have any."""

from dataclasses import dataclass
from typing import List

import torch


@dataclass
class Target:
    """The gold of the annotated Docs of a batch.

    rows: positions of the annotated, non-empty Docs in the batch; the other fields are over them.
    target: what `LossBatch.target` holds for the head. mask: what `LossBatch.mask` holds.
    units: annotated units (tokens, documents), what losses are averaged over.
    """

    rows: List[int]
    target: torch.Tensor
    mask: torch.Tensor
    units: float
