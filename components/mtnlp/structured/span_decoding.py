"""From scored candidate spans to the entities of a text.

Spans are int64 `[n, 4]`: text, start, end, label index, in this order and without duplicates; their
scores are float `[n]`. A decoder returns the indices of those that stay, ascending.

A decoder's registered function returns the decoder. Another one is a function of that kind and its
registration in the group `thinc_layers`; it is a `SpanDecoder` where what it leaves is flat.
"""

from dataclasses import dataclass
from typing import Callable, Dict, Iterator, Tuple, Union

import torch

from ..errors import Errors, MtnlpError

Decoder = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class SpanDecoder:
    """A decoder, and whether no two of the spans it leaves overlap: such spans may stand in
    `doc.ents`."""

    decode: Decoder
    is_flat: bool = False

    def __call__(self, spans: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        return self.decode(spans, scores)


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


def build_flat_decoder_v1() -> SpanDecoder:
    """`mtnlp.FlatDecoder.v1` of the `layers` registry: `decode_flat`."""
    return SpanDecoder(decode_flat, is_flat=True)


def build_nested_decoder_v1() -> SpanDecoder:
    """`mtnlp.NestedDecoder.v1` of the `layers` registry: `decode_nested`."""
    return SpanDecoder(decode_nested)


def build_all_decoder_v1() -> SpanDecoder:
    """`mtnlp.AllDecoder.v1` of the `layers` registry: `decode_all`."""
    return SpanDecoder(decode_all)


DECODERS: Dict[str, Decoder] = {
    "flat": build_flat_decoder_v1(),
    "nested": build_nested_decoder_v1(),
    "all": build_all_decoder_v1(),
}


def get_decoder(decoder: Union[str, Decoder]) -> Decoder:
    """A decoder by its name, or itself. Raises: MtnlpError (E230) for an unknown name."""
    if not isinstance(decoder, str):
        return decoder
    if decoder not in DECODERS:
        raise MtnlpError(Errors.E230.format(name=decoder, names=", ".join(DECODERS)))
    return DECODERS[decoder]


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
