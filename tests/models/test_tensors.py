"""Arrays as tensors, as thinc's own conversion has them."""

from typing import Any, List

import numpy as np
import pytest
import torch
from thinc.api import xp2torch

from mtnlp.models.tensors import join_rows, pad_rows, to_torch

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
    padded, mask = pad_rows(rows, lengths)
    assert padded.shape == (*mask.shape, 2) == (len(lengths), max(lengths, default=0), 2)
    assert mask.sum(1).tolist() == lengths
    assert torch.equal(padded[mask], rows)
    assert not padded[~mask].any()
