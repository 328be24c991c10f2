from typing import Tuple

import pytest
import spacy
from spacy.tokens import Doc

from mtnlp.annotation.white_space import trim_characters, trim_tokens

VOCAB = spacy.blank("en").vocab
# Each character is a token of its own, so that both count alike.
CASES = [
    ("a b", (0, 3), (0, 3)),
    (" \na b\t ", (0, 7), (2, 5)),
    (" a ", (0, 2), (1, 2)),
    (" a ", (1, 3), (1, 2)),
    ("a \u3000 b", (1, 4), (4, 4)),
    ("a b", (2, 2), (2, 2)),
]


@pytest.mark.parametrize(("text", "span", "expected"), CASES)
def test_spans_lose_white_space_at_their_ends_alone(
    text: str, span: Tuple[int, int], expected: Tuple[int, int]
) -> None:
    assert trim_characters(text, *span) == expected
    doc = Doc(VOCAB, words=list(text), spaces=[False] * len(text))
    assert trim_tokens(doc, *span) == expected
