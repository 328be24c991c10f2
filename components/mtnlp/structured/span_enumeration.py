"""All spans of a text up to a width, by tensor operations.

Spans are laid out densely: the span at `[..., i, w]` begins at token `i` and has `w + 1` tokens.
Those that would reach beyond the text are there as well, and masked; they are few where texts are
long beside the width.

Token vectors of several texts stand one after another, without padding, where they are scored. The
spans of the last tokens of a text then reach into the next text: they too are among the masked.
"""

from typing import Iterator, Tuple

import torch


def span_mask(mask: torch.Tensor, max_width: int) -> torch.Tensor:
    """Which spans lie on True tokens alone.

    mask: bool `[..., seq]`. Returns: bool `[..., seq, max_width]`.
    """
    # One more than needed: unfold knows no text shorter than a window.
    padded = torch.nn.functional.pad(mask, (0, max_width))
    windows = padded.unfold(-1, max_width, 1)[..., :-1, :]
    return windows.to(torch.uint8).cummin(-1).values.bool()


def span_ends(values: torch.Tensor, max_width: int) -> torch.Tensor:
    """The values of each span's last token.

    values: `[seq + max_width - 1, ...]`. Returns: `[seq, max_width, ...]`, of the spans that begin
    at the first `seq` tokens.
    """
    seq = values.shape[0] - max_width + 1  # `len` would be a constant to who traces this
    return torch.stack([values[w : w + seq] for w in range(max_width)], dim=1)


def token_chunks(
    tokens: torch.Tensor, max_width: int, size: int
) -> Iterator[Tuple[slice, torch.Tensor]]:
    """Token vectors in pieces, each with the tokens behind it that its spans reach to.

    tokens: `[seq, width]`. size: tokens a piece. Yields: which tokens, and their vectors and those
    of the next `max_width - 1`, zeros behind the last: `[n + max_width - 1, width]`.
    """
    padded = torch.nn.functional.pad(tokens, (0, 0, 0, max_width - 1))
    for begin in range(0, len(tokens), size):
        stop = min(begin + size, len(tokens))
        yield slice(begin, stop), padded[begin : stop + max_width - 1]


def token_places(lengths: torch.Tensor) -> torch.Tensor:
    """Where each token stands, of texts that follow one another.

    lengths: int64 `[batch]`. Returns: int64 `[tokens, 3]`: text, position in it, and the tokens
    from there to its end, the width of the widest span that begins there.
    """
    text = torch.arange(len(lengths), device=lengths.device).repeat_interleave(lengths)
    begins = lengths.cumsum(0) - lengths
    position = torch.arange(len(text), device=lengths.device) - begins[text]
    return torch.stack([text, position, lengths[text] - position], dim=1)
