"""What a head is trained on: targets and masks, and which Docs have any."""

from dataclasses import dataclass
from typing import List, Optional, Sequence

import numpy as np
import torch


@dataclass
class Target:
    """The gold of the annotated Docs of a batch.

    doc_indices: positions of the annotated, non-empty Docs in the batch; the other fields are over
        them.
    target: what `LossBatch.target` holds for the head. mask: what `LossBatch.mask` holds.
    units: annotated units (tokens, documents), what losses are averaged over.
    """

    doc_indices: List[int]
    target: torch.Tensor
    mask: torch.Tensor
    units: float


def annotated_doc_indices(missing: Sequence[Optional[np.ndarray]]) -> List[int]:
    """The positions of the Docs that have tokens and know of some of them what they are.

    missing: a Doc's `[tokens]` bool, True where the annotation is unknown; None where nobody
    annotated it.
    """
    return [i for i, part in enumerate(missing) if part is not None and not part.all()]
