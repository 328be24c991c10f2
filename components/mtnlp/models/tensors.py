"""thinc's arrays as torch's tensors, without what thinc's own conversion costs per call."""

from typing import Any, List, Sequence, Tuple, Union

import numpy as np
import torch
from numpy.typing import NDArray
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


def to_device(arrays: Sequence[NDArray[Any]], device: torch.device) -> List[torch.Tensor]:
    """Whole numbers on a device, int64. A GPU gets them in one copy, which nobody waits for.

    arrays: of any shapes. Without a GPU, tensors of the same memory where the arrays are int64.
    """
    if device.type != "cuda" or not arrays:
        return [torch.from_numpy(array.astype(np.int64, copy=False)).to(device) for array in arrays]
    joined = torch.empty(sum(array.size for array in arrays), dtype=torch.int64, pin_memory=True)
    np.concatenate([array.reshape(-1) for array in arrays], out=joined.numpy(), casting="same_kind")
    parts = joined.to(device, non_blocking=True).split([array.size for array in arrays])
    return [part.view(array.shape) for part, array in zip(parts, arrays, strict=True)]


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


def pad_rows(
    rows: torch.Tensor, lengths: Sequence[int]
) -> Tuple[torch.Tensor, torch.Tensor, Union[torch.Tensor, slice]]:
    """Rows of several texts, zeros behind those of the shorter ones.

    rows: `[sum of lengths, width]`. Returns: `[texts, seq, width]`; bool `[texts, seq]`, True for
    the rows that were given; and where these are in `[texts * seq, width]`.
    """
    seq, count, device = max(lengths, default=0), len(lengths), rows.device
    if count and count * seq == len(rows):
        mask = torch.ones((count, seq), dtype=torch.bool, device=device)
        return rows.view(count, seq, rows.shape[1]), mask, slice(None)
    counts = np.array(lengths, dtype=np.int64)
    # By their places, not by the mask, which a GPU would first have to count.
    cells = np.flatnonzero(np.arange(seq) < counts[:, None])
    on_device, places = to_device([counts, cells], device)
    mask = torch.arange(seq, device=device) < on_device.unsqueeze(1)
    flat = rows.new_zeros((count * seq, rows.shape[1]))
    flat[places] = rows
    return flat.view(count, seq, rows.shape[1]), mask, places


def to_numpy_parts(parts: Sequence[Any]) -> List[NDArray[Any]]:
    """Several arrays in numpy, as they are where they are numpy's; from a GPU in one copy.

    parts: `[rows, width]` each; those without rows may have another width.
    """
    if all(isinstance(part, np.ndarray) for part in parts):
        return list(parts)
    full = [xp2torch(part) for part in parts if len(part)]
    rows = iter(torch.cat(full).cpu().split([len(part) for part in full]) if full else ())
    # Copies: a view would keep the whole batch alive.
    return [
        next(rows).numpy().copy() if len(part) else np.zeros(part.shape, dtype=np.float32)
        for part in parts
    ]
