"""thinc's arrays as torch's tensors, without what thinc's own conversion costs per call."""

from typing import Any, Sequence, Tuple

import numpy as np
import torch
from thinc.api import NumpyOps, get_current_ops, xp2torch


def to_torch(array: Any) -> torch.Tensor:
    """As thinc's `xp2torch`: a tensor of the same memory, on the device that thinc computes on.

    That asks torch for the device, and imports, at every call; a batch has a call per Doc and
    layer.
    """
    is_plain = isinstance(array, np.ndarray) and array.flags.writeable
    if is_plain and isinstance(get_current_ops(), NumpyOps):
        return torch.from_numpy(array)
    return xp2torch(array)


def join_rows(parts: Sequence[Any], width: int, device: torch.device) -> torch.Tensor:
    """The rows of several arrays as one tensor.

    parts: `[rows, width]` each; those without rows may have another width. Returns: `[rows,
    width]`.
    """
    full = [part for part in parts if len(part)]
    if not full:
        return torch.zeros((0, width), device=device)
    if all(isinstance(part, np.ndarray) for part in full):
        return torch.from_numpy(np.concatenate(full)).to(device)
    return torch.cat([xp2torch(part, device=device) for part in full])


def pad_rows(rows: torch.Tensor, lengths: Sequence[int]) -> Tuple[torch.Tensor, torch.Tensor]:
    """Rows of several texts, zeros behind those of the shorter ones.

    rows: `[sum of lengths, width]`. Returns: `[texts, seq, width]`, and bool `[texts, seq]`, True
    for the rows that were given.
    """
    seq, count, device = max(lengths, default=0), len(lengths), rows.device
    if count and count * seq == len(rows):
        mask = torch.ones((count, seq), dtype=torch.bool, device=device)
        return rows.view(count, seq, rows.shape[1]), mask
    mask = torch.arange(seq, device=device) < torch.tensor(lengths, device=device).unsqueeze(1)
    padded = rows.new_zeros((count, seq, rows.shape[1]))
    padded[mask] = rows
    return padded, mask
