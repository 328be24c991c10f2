"""All spans up to a width, against loops over them."""

import pytest
import torch

from mtnlp.structured.span_enumeration import span_ends, span_mask, token_chunks, token_places


@pytest.mark.parametrize("max_width", [1, 2, 3, 8])
@pytest.mark.parametrize("shape", [(3, 5), (1, 1), (2, 8), (0, 4), (2, 0), (2, 3, 6)])
def test_span_mask(shape: tuple, max_width: int) -> None:
    torch.manual_seed(0)
    mask = torch.rand(shape) > 0.3
    found = span_mask(mask, max_width)
    assert found.shape == (*shape, max_width) and found.dtype == torch.bool
    for row, spans in zip(mask.flatten(0, -2).tolist(), found.flatten(0, -3).tolist(), strict=True):
        for start in range(len(row)):
            for width in range(1, max_width + 1):
                words = row[start : start + width]
                assert spans[start][width - 1] == (len(words) == width and all(words))


def test_span_mask_of_texts_counts_their_spans() -> None:
    mask = torch.arange(6) < torch.tensor([[6], [2], [0]])
    # Six tokens have 6 + 5 + 4 spans up to three, two have 2 + 1.
    assert span_mask(mask, 3).sum((1, 2)).tolist() == [15, 3, 0]


@pytest.mark.parametrize("max_width", [1, 3])
def test_span_ends(max_width: int) -> None:
    values = torch.arange(14.0).reshape(7, 2)
    ends = span_ends(values, max_width)
    assert ends.shape == (7 - max_width + 1, max_width, 2)
    for i in range(len(ends)):
        for w in range(max_width):
            assert ends[i, w].tolist() == values[i + w].tolist()


@pytest.mark.parametrize("size", [1, 2, 5, 100])
@pytest.mark.parametrize("max_width", [1, 4])
def test_chunks_hold_what_their_spans_reach_to(max_width: int, size: int) -> None:
    tokens = torch.arange(1.0, 12).unsqueeze(1)
    parts = list(token_chunks(tokens, max_width, size))
    assert [i for part, _ in parts for i in range(11)[part]] == list(range(11))
    padded = torch.cat([tokens, torch.zeros(max_width - 1, 1)])
    for part, piece in parts:
        assert piece.tolist() == padded[part.start : part.stop + max_width - 1].tolist()
        assert len(piece) <= size + max_width - 1


def test_chunks_of_nothing() -> None:
    assert list(token_chunks(torch.zeros(0, 4), 3, 10)) == []


def test_token_places() -> None:
    expected = [[0, 0, 2], [0, 1, 1], [2, 0, 3], [2, 1, 2], [2, 2, 1]]
    assert token_places(torch.tensor([2, 0, 3])).tolist() == expected
    assert token_places(torch.tensor([0])).shape == (0, 3)
    assert token_places(torch.zeros(0, dtype=torch.long)).shape == (0, 3)
