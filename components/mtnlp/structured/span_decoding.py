"""From scored candidate spans to the entities of a text.

Spans are int64 `[n, 4]`: text, start, end, label index, in this order and without duplicates; their
scores are float `[n]`. A decoder returns the indices of those that stay, ascending.
"""

from typing import Callable, Dict, Iterator, Tuple

import torch

from ..errors import Errors, MtnlpError

Decoder = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def decode_flat(spans: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    """Best score first, each that overlaps none before it."""
    if len(spans) == 0:
        return spans.new_zeros(0)
    kept = []
    taken = bytearray(_room(spans))
    for index, start, end in _best_first(spans, scores):
        if taken.find(1, start, end) < 0:
            taken[start:end] = b"\1" * (end - start)
            kept.append(index)
    return spans.new_tensor(sorted(kept))


def decode_nested(spans: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    """Best score first, each that crosses none before it; one may lie within another or have its
    boundaries.

    Two spans cross if each holds a token of the other and a token that the other has not. As in
    Lee et al. (2017), a span is compared with the furthest end of those that begin inside it and
    the nearest start of those that end inside it, so its cost is its width, not their number.
    """
    if len(spans) == 0:
        return spans.new_zeros(0)
    kept = []
    room = _room(spans)
    furthest_end = [0] * room
    nearest_start = [room] * room
    for index, start, end in _best_first(spans, scores):
        inside = slice(start + 1, end)
        if end - start > 1 and (
            max(furthest_end[inside]) > end or min(nearest_start[inside]) < start
        ):
            continue
        furthest_end[start] = max(furthest_end[start], end)
        nearest_start[end] = min(nearest_start[end], start)
        kept.append(index)
    return spans.new_tensor(sorted(kept))


def decode_all(spans: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    """All of them, crossing ones included."""
    return torch.arange(len(spans), device=spans.device)


DECODERS: Dict[str, Decoder] = {"flat": decode_flat, "nested": decode_nested, "all": decode_all}


def get_decoder(name: str) -> Decoder:
    """A decoder by its name. Raises MtnlpError (E230) where there is none."""
    if name not in DECODERS:
        raise MtnlpError(Errors.E230.format(name=name, names=", ".join(DECODERS)))
    return DECODERS[name]


def _room(spans: torch.Tensor) -> int:
    """Places for the tokens of all texts, and one behind each text."""
    return int((spans[:, 0].max() + 1) * (spans[:, 2].max() + 1))


def _best_first(spans: torch.Tensor, scores: torch.Tensor) -> Iterator[Tuple[int, int, int]]:
    """Index, start and end by descending score, equal ones in their order. Starts and ends are
    counted through, so that spans of different texts have nothing in common."""
    order = scores.argsort(descending=True, stable=True)
    offset = spans[:, 0] * (spans[:, 2].max() + 1)
    rows = torch.stack([order, (spans[:, 1] + offset)[order], (spans[:, 2] + offset)[order]], dim=1)
    yield from map(tuple, rows.tolist())
