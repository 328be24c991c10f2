"""Values of the tokens of spans."""

import itertools

import torch

from mtnlp.structured.spans import overlap_none, span_minimum, trim, widenings


def test_span_minimum() -> None:
    values = torch.tensor([[0.5, 0.2, 0.9], [0.7, 0.1, 0.8]])
    spans = torch.tensor([[0, 0, 1, 3], [0, 1, 3, 0], [1, 2, 3, 0], [1, 0, 3, 0]])
    assert torch.equal(span_minimum(values, spans), torch.tensor([0.5, 0.2, 0.8, 0.1]))
    assert span_minimum(values, spans[:0]).shape == (0,)


# Two documents with white space at both ends, between words and alone.
SPACE = torch.tensor([[1, 0, 1, 1, 0, 1], [0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0]]).bool()


def test_white_space_by_loops() -> None:
    every = [
        [doc, start, end, label]
        for doc, label in itertools.product(range(3), range(2))
        for start in range(6)
        for end in range(start + 1, 7)
    ]

    def core(doc: int, start: int, end: int, label: int) -> list[int]:
        words = [i for i in range(start, end) if not SPACE[doc, i]]
        return [doc, words[0], words[-1] + 1, label] if words else []

    cores = [core(*span) for span in every]
    assert trim(torch.tensor(every), SPACE).tolist() == [found for found in cores if found]
    unique = sorted(set(map(tuple, (found for found in cores if found))))
    wider, owner = widenings(torch.tensor(unique), SPACE)
    assert owner.tolist() == sorted(owner.tolist())
    pairs = sorted(zip(map(tuple, wider.tolist()), owner.tolist(), strict=True))
    expected = [
        (tuple(span), unique.index(tuple(found)))
        for span, found in zip(every, cores, strict=True)
        if found
    ]
    assert pairs == sorted(expected)


def test_no_spans_and_no_space() -> None:
    none = torch.zeros(0, 4, dtype=torch.int64)
    assert trim(none, SPACE).shape == widenings(none, SPACE)[0].shape == (0, 4)
    spans = torch.tensor([[0, 1, 3, 1], [1, 0, 2, 0]])
    free = torch.zeros(2, 3, dtype=torch.bool)
    assert torch.equal(trim(spans, free), spans)
    assert torch.equal(widenings(spans, free)[0], spans)


def test_spans_that_hold_no_taken_token() -> None:
    spans = torch.tensor([[0, 0, 2, 0], [0, 2, 3, 1], [0, 1, 4, 0], [1, 0, 4, 0]])
    taken = torch.tensor([[False, True, False, False], [False] * 4])
    assert overlap_none(spans, taken).tolist() == [False, True, False, True]
    assert overlap_none(spans[:0], taken).tolist() == []
