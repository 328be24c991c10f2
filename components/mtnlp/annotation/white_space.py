"""No annotation begins or ends in white space: spans without it, on characters and on tokens.

`structured.spans.trim` does the same for all spans of a batch at once.
"""

from typing import TYPE_CHECKING, Tuple

if TYPE_CHECKING:
    from spacy.tokens import Doc


def trim_characters(text: str, start: int, end: int) -> Tuple[int, int]:
    """The offsets without white space at either edge; equal where there is nothing else."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def trim_tokens(doc: "Doc", start: int, end: int) -> Tuple[int, int]:
    """The token indices without tokens of white space at either edge; equal where there are no
    others."""
    while start < end and doc[start].is_space:
        start += 1
    while start < end and doc[end - 1].is_space:
        end -= 1
    return start, end
