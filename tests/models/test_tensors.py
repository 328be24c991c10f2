"""Arrays as tensors, as thinc's own conversion has them."""

from typing import Any, List

import numpy as np
import pytest
import torch
from thinc.api import xp2torch

from mtnlp.models.tensors import join_rows, pad_rows, to_device, to_numpy_parts, to_torch

CPU = torch.device("cpu")


@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_the_memory_is_shared(dtype: str) -> None:
    array: Any = np.arange(6, dtype=dtype).reshape(2, 3)
    tensor = to_torch(array)
    assert torch.equal(tensor, xp2torch(array)) and tensor.dtype == xp2torch(array).dtype
    array[0, 0] = 7
    assert tensor[0, 0] == 7


def test_rows_of_several_arrays() -> None:
    parts: Any = [np.ones((2, 3), dtype="float32"), np.zeros((0, 0), dtype="float32")]
    parts.append(np.full((1, 3), 2, dtype="float32"))
    joined = join_rows(parts, 3, CPU)
    assert joined.tolist() == [[1, 1, 1], [1, 1, 1], [2, 2, 2]]
    assert torch.equal(join_rows([to_torch(parts[0]), to_torch(parts[2])], 3, CPU), joined)


@pytest.mark.parametrize("parts", [[], [np.zeros((0, 0), dtype="float32")]])
def test_nothing_has_the_width_all_the_same(parts: Any) -> None:
    assert join_rows(parts, 3, CPU).shape == (0, 3)


@pytest.mark.parametrize("lengths", [[2, 0, 3], [2, 2], [3], [0, 0], []])
def test_rows_are_padded(lengths: List[int]) -> None:
    rows = torch.arange(2.0 * sum(lengths)).reshape(-1, 2) + 1
    padded, mask, places = pad_rows(rows, lengths)
    assert padded.shape == (*mask.shape, 2) == (len(lengths), max(lengths, default=0), 2)
    assert mask.sum(1).tolist() == lengths
    assert torch.equal(padded[mask], rows)
    assert torch.equal(padded.flatten(0, 1)[places], rows)
    assert not padded[~mask].any()


def test_whole_numbers_on_a_device() -> None:
    arrays: Any = [np.arange(6).reshape(2, 3), np.arange(2, dtype="int32"), np.zeros((0,), bool)]
    found = to_device(arrays, CPU)
    assert all(tensor.dtype == torch.int64 for tensor in found)
    assert [tensor.tolist() for tensor in found] == [array.tolist() for array in arrays]
    arrays[0][0, 0] = 7
    assert found[0][0, 0] == 7 and to_device([], CPU) == []


def test_parts_in_numpy() -> None:
    parts: Any = [np.ones((2, 3), dtype="float32"), np.zeros((0, 0), dtype="float32")]
    assert all(one is other for one, other in zip(to_numpy_parts(parts), parts, strict=True))
    # What a GPU has is no array of numpy's.
    whole = torch.arange(9, dtype=torch.float32).reshape(3, 3)
    found = to_numpy_parts([whole[:2], torch.zeros((0, 0)), whole[2:]])
    assert [part.shape for part in found] == [(2, 3), (0, 0), (1, 3)]
    assert [part.tolist() for part in found[::2]] == [whole[:2].tolist(), whole[2:].tolist()]
    assert all(part.base is None for part in found) and to_numpy_parts([]) == []
