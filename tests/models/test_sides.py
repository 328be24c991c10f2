"""The encoder reads the sides of a pair as if each were a Doc of its own."""

from pathlib import Path
from typing import Any, List

import numpy as np
import pytest
import torch
from spacy.tokens import Doc
from thinc.api import xp2torch

from mtnlp.annotation.pairs import join_sides
from mtnlp.models.listener import gradient_of
from mtnlp.models.sides import join_gradients, split_sides
from tests.models.encoders import NO_DROPOUT, make_docs, make_encoder
from tests.tiny import LIMITS

SHORT = "Anna Keller flew to Paris."
LONG = "I saw a red fox near Rome, truly awful!" * 6


def hidden(data: Any) -> np.ndarray:
    return data.model_output.last_hidden_state[0]


def test_sides_are_encoded_alone(any_backbone: Path) -> None:
    """In every family: windows, states and alignments of both sides are those of two Docs."""
    model = make_encoder(any_backbone)
    joined, plain = make_docs([join_sides(SHORT, LONG), SHORT]), make_docs([SHORT, LONG])
    data, other = model.predict(joined).doc_data
    alone = model.predict(plain).doc_data
    assert len(data.sides) == 2 and not other.sides
    assert data.wordpieces.lengths == alone[0].wordpieces.lengths + alone[1].wordpieces.lengths
    assert max(data.wordpieces.lengths) <= LIMITS[any_backbone.name]
    parts, counts = split_sides([data, other], joined)
    assert counts == [2, 1] and parts[2] is other
    for part, expected in zip(parts, alone, strict=False):
        np.testing.assert_allclose(hidden(part), hidden(expected), atol=1e-5)
        np.testing.assert_array_equal(part.wordpieces.input_ids, expected.wordpieces.input_ids)
        assert part.wordpieces.strings == expected.wordpieces.strings
        assert part.wordpieces.lengths == expected.wordpieces.lengths
        # The first one has the separator besides.
        n = len(expected.align.lengths)
        np.testing.assert_array_equal(part.align.lengths[:n], expected.align.lengths)
        pairs = expected.align.lengths.sum()
        np.testing.assert_array_equal(part.align.dataXd[:pairs], expected.align.dataXd)
        np.testing.assert_allclose(part.token_vectors[:n], expected.token_vectors, atol=1e-5)
    assert (parts[0].align.lengths[-1], len(parts[0].align.lengths)) == (1, len(plain[0]) + 1)


@pytest.mark.parametrize("text", ["\x1dA fox", "A fox\x1d", "\x1d", "A\x1d\x1dfox", "A\x1d \u200b"])
def test_sides_without_text(text: str, any_backbone: Path) -> None:
    """Each token has a vector, and a side with nothing to read is known as such. White space that
    only holds a separator is none."""
    model = make_encoder(any_backbone)
    docs = make_docs([text])
    (data,) = model.predict(docs).doc_data
    assert len(data.align.lengths) == len(docs[0]) and data.align.lengths.min() >= 1
    assert data.has_text == any(token.text.isalpha() for token in docs[0])
    parts, _ = split_sides([data], docs)
    assert [part.has_text for part in parts] == {
        "\x1dA fox": [False, True],
        "A fox\x1d": [True],
        "\x1d": [False],
    }.get(text, [True])


def test_the_way_back(backbone: Path) -> None:
    """The gradients of the sides reach the encoder as those of two Docs do."""
    found: List[Any] = []
    for texts in ([join_sides(SHORT, LONG), "Hi"], [SHORT, LONG, "Hi"]):
        model = make_encoder(backbone, transformer_config=NO_DROPOUT)
        docs = make_docs(texts)
        batch, backprop = model.begin_update(docs)
        parts, counts = split_sides(batch.doc_data, docs)
        torch.manual_seed(0)
        made = [torch.randn(hidden(part).shape) for part in parts]
        d_parts = [gradient_of(part, d) for part, d in zip(parts, made, strict=True)]
        d_docs = join_gradients(d_parts, batch.doc_data, docs, counts)
        arrays = [[data.model_output.last_hidden_state] for data in d_docs]
        backprop(batch.unsplit_by_doc(arrays))
        weights = [p.grad for p in model.transformer.parameters() if p.grad is not None]
        assert weights
        found.append(weights)
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_rows_of_tokens() -> None:
    """Of token vectors, the row of the separator belongs to no side and has no gradient."""
    docs: List[Doc] = make_docs([join_sides("a b", "c"), "d e", ""])
    rows = [np.arange(8.0).reshape(4, 2), np.ones((2, 2)), np.zeros((0, 2))]
    parts, counts = split_sides(rows, docs)
    assert counts == [2, 1, 1]
    assert [len(part) for part in parts] == [2, 1, 2, 0]
    joined = join_gradients([part + 1 for part in parts], rows, docs, counts)
    assert joined[0].tolist() == [[1, 2], [3, 4], [0, 0], [7, 8]]
    assert [len(part) for part in joined] == [4, 2, 0]
    assert xp2torch(joined[1]).sum() == 8
