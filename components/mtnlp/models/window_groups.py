"""Windows of a batch as the encoder reads them: padded with their like, or in rows without
padding."""

from dataclasses import dataclass
from typing import Dict, Iterator, List, Optional, Protocol, Tuple, Union

import numpy as np
import torch

from ..types import Bools, Ints
from .packed_attention import WindowBounds
from .tensors import to_device
from .windows import GROUP, group_by_length
from .wordpieces import WindowBatch

# Wordpieces that a GPU reads at once. Many more make it no faster, and take memory.
ROW = 2**14


class WindowGroup(Protocol):
    """Windows that the encoder reads at once."""

    @property
    def ids(self) -> torch.Tensor:
        """Of wordpieces, `[rows, seq]`."""

    @property
    def index(self) -> Union[torch.Tensor, slice]:
        """Where the group's own wordpieces lie in the batch."""

    @property
    def arguments(self) -> Dict[str, torch.Tensor]:
        """What the encoder is given beside the ids, or beside their embeddings."""

    def spread(self, flat: torch.Tensor) -> torch.Tensor:
        """`[own wordpieces, width]` to `[rows, seq, width]`, zeros at padding."""

    def collect(self, states: torch.Tensor) -> torch.Tensor:
        """`[rows, seq, width]` to `[own wordpieces, width]`."""


@dataclass
class PaddedGroup:
    """Windows of similar length, one a row.

    mask: `[windows, seq]`, 0 at padding. index: `[own wordpieces]`. cells: `[own wordpieces]`,
    where they lie in `[windows * seq]`.
    """

    ids: torch.Tensor
    mask: torch.Tensor
    index: torch.Tensor
    cells: torch.Tensor

    @property
    def arguments(self) -> Dict[str, torch.Tensor]:
        return {"attention_mask": self.mask}

    def spread(self, flat: torch.Tensor) -> torch.Tensor:
        padded = flat.new_zeros((self.mask.numel(), flat.shape[-1]))
        padded[self.cells] = flat
        return padded.view(*self.mask.shape, -1)

    def collect(self, states: torch.Tensor) -> torch.Tensor:
        return states.reshape(-1, states.shape[-1]).index_select(0, self.cells)


@dataclass
class PackedGroup:
    """Windows one behind the other, in one row.

    positions: `[1, wordpieces]`, within each window. bounds: of the windows.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    bounds: WindowBounds
    index: slice

    @property
    def arguments(self) -> Dict[str, torch.Tensor]:
        return {
            "attention_mask": self.bounds,
            "position_ids": self.positions,
            # By itself an encoder takes them from a table as long as its longest window.
            "token_type_ids": torch.zeros_like(self.ids),
        }

    def spread(self, flat: torch.Tensor) -> torch.Tensor:
        return flat.unsqueeze(0)

    def collect(self, states: torch.Tensor) -> torch.Tensor:
        return states[0]


def padded_groups(windows: WindowBatch, most: int = GROUP) -> Iterator[Tuple[Ints, Bools, Ints]]:
    """Windows of similar length, padded. most: as for `group_by_length`.

    Yields: ids and which of them are real, both `[windows, seq]`, and where the real ones stand in
    `windows.ids`, `[wordpieces]`.
    """
    starts = np.cumsum(windows.lengths) - windows.lengths
    for group in group_by_length(windows.lengths, most=most):
        lengths = windows.lengths[group]
        real = np.arange(lengths.max()) < lengths[:, None]
        positions = (starts[group][:, None] + np.arange(lengths.max()))[real]
        ids = np.zeros(real.shape, dtype=np.int64)
        ids[real] = windows.ids[positions]
        yield ids, real, positions


def pad_windows(windows: WindowBatch, device: torch.device) -> List[WindowGroup]:
    """`padded_groups` on a device, which all of them reach in one copy."""
    arrays: List[Ints] = []
    most = GROUP if device.type == "cpu" else ROW
    for ids, real, positions in padded_groups(windows, most):
        arrays += [ids, real.astype(np.int64), positions, np.flatnonzero(real)]
    tensors = to_device(arrays, device)
    return [PaddedGroup(*tensors[i : i + 4]) for i in range(0, len(tensors), 4)]


def pack_windows(
    windows: WindowBatch,
    device: torch.device,
    padding_index: Optional[int],
    is_looked_up: bool = True,
) -> List[WindowGroup]:
    """Rows without padding on a device, which all of them reach in one copy.

    padding_index, is_looked_up: as for `positions_within`.
    """
    ids, positions = windows.ids, positions_within(windows, padding_index, is_looked_up)
    ends = np.cumsum(windows.lengths)
    arrays: List[Ints] = [ids[None], positions[None]]
    rows = list(fill_rows(windows.lengths, ROW))
    for first, stop in rows:
        arrays.append(np.cumsum([0, *windows.lengths[first:stop]]))
    all_ids, all_positions, *offsets = to_device(arrays, device)
    groups: List[WindowGroup] = []
    for (first, stop), offset in zip(rows, offsets, strict=True):
        lengths = windows.lengths[first:stop]
        own = slice(int(ends[first] - lengths[0]), int(ends[stop - 1]))
        bounds = WindowBounds.of(lengths.tolist(), offset.int())
        groups.append(PackedGroup(all_ids[:, own], all_positions[:, own], bounds, own))
    return groups


def fill_rows(lengths: Ints, row: int) -> Iterator[Tuple[int, int]]:
    """Half-open ranges of windows, in order, that hold at most `row` wordpieces, or one window.

    lengths: `[windows]`.
    """
    ends = np.cumsum(lengths)
    first = 0
    while first < len(lengths):
        full = ends[first] - lengths[first] + row
        stop = max(first + 1, int(np.searchsorted(ends, full, side="right")))
        yield first, stop
        first = stop


def positions_within(
    windows: WindowBatch, padding_index: Optional[int], is_looked_up: bool = True
) -> Ints:
    """Which position an encoder of BERT's family gives each wordpiece of a window: `[wordpieces]`.

    padding_index: None for those that count from 0. The kin of RoBERTa count from behind it.
    is_looked_up: whether they get ids. They then leave out those of the padding index, which a text
    has that quotes "<pad>".
    """
    counted = np.ones_like(windows.ids)
    if padding_index is not None and is_looked_up:
        counted = (windows.ids != padding_index).astype(np.int64)
    starts = np.cumsum(windows.lengths) - windows.lengths
    count = np.cumsum(counted)
    count = count - np.repeat(count[starts] - counted[starts], windows.lengths)
    return count - 1 if padding_index is None else count * counted + padding_index
