"""Packing keeps each real token, once, in time-major order."""

import torch

from mtnlp.structured.packing import pack


def test_round_trip_and_neighbours() -> None:
    lengths = torch.tensor([2, 0, 5, 1, 5])
    mask = torch.arange(6) < lengths.unsqueeze(1)
    packing = pack(mask)
    assert packing.sizes == [4, 3, 2, 2, 2]
    row, position = torch.meshgrid(torch.arange(5), torch.arange(6), indexing="ij")
    tokens = torch.stack([row, position], -1) + 1
    packed = packing.pack(tokens)
    assert torch.equal(packing.unpack(packed), tokens * mask.unsqueeze(-1))
    assert torch.equal(packing.row, packed[:, 0] - 1)
    assert packed[:, 1].tolist() == sorted(packed[:, 1].tolist())
    # The predecessor: the same row, one position before.
    assert torch.equal(packed[packing.previous], packed[packing.sizes[0] :] - torch.tensor([0, 1]))
    assert packed[packing.last].sort(0)[0].tolist() == [[1, 1], [3, 2], [4, 5], [5, 5]]
    for doc, at in mask.nonzero().tolist():
        token = packing.offset[at] + packing.rank[doc]
        assert packed[token].tolist() == [doc + 1, at + 1]


def test_nothing_to_pack() -> None:
    packing = pack(torch.zeros(3, 2, dtype=torch.bool))
    assert packing.sizes == [] and len(packing.source) == 0
    assert packing.unpack(torch.zeros(0, 4)).shape == (3, 2, 4)
