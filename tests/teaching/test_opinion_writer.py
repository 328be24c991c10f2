"""What cannot be stored is refused, and nothing of it is left."""

from pathlib import Path
from typing import Any, List

import numpy as np
import pytest

from mtnlp.errors import MtnlpError
from mtnlp.gold.opinions import CategoryOpinion, SpanOpinion, TagOpinion, VectorOpinion
from tests.data.corpora import files_below
from tests.data.mixed_cases import numbered
from tests.data.taught_cases import TAGS, head, write_opinions


def tags(starts: List[int], index: List[int], probabilities: List[float]) -> TagOpinion:
    return TagOpinion(TAGS, np.array(starts), np.array(index), np.array(probabilities, dtype="f"))


def spans(*rows: List[int], share: float = 0.5) -> SpanOpinion:
    return SpanOpinion(("PER",), np.array(rows).reshape(-1, 3), np.full(len(rows), share, "f"), 4)


def logits(*values: float) -> CategoryOpinion:
    return CategoryOpinion(("t/A", "t/B"), np.array(values, dtype="f"), ())


@pytest.mark.parametrize(
    "opinion, reason",
    [
        (tags([0, 1], [0], [1.0]), "of 1 words, not of 2"),
        (tags([0, 1, 3], [0, 1], [1.0, 1.0]), "entries are not those"),
        (tags([0, 3, 2], [0, 1], [1.0, 1.0]), "not in the order"),
        (tags([0, 1, 2], [0, 5], [1.0, 1.0]), "none of the 5 labels"),
        (tags([0, 1, 2], [0, 1], [1.0, 1.1]), "not in 0 to 1"),
        (tags([0, 1, 2], [0, 1], [1.0, float("nan")]), "not in 0 to 1"),
        (tags([0, 1, 2], [0, 1], [1.0]), "1 probabilities for 2 entries"),
        (spans([0, 3, 0]), "outside of the 2 words"),
        (spans([1, 1, 0]), "outside of the 2 words"),
        (spans([0, 1, 1]), "none of the 1 labels"),
        (spans([0, 1, 0], share=-0.1), "not in 0 to 1"),
        (logits(1.0), r"shape is \[1\], not \[2\]"),
        (logits(1.0, float("inf")), "infinite"),
        (VectorOpinion(np.array([1.0, 1e6])), "too large"),
        (VectorOpinion(np.ones((2, 3))), "shape"),
        ("yes", "a str is no opinion"),
    ],
)
def test_opinions_that_cannot_be_stored(tmp_path: Path, opinion: Any, reason: str) -> None:
    path = numbered(tmp_path / "a.spacy", "a", 3)
    right: Any = [None, None]

    def believe(index: int, doc: Any) -> Any:
        return [None, opinion] if index == 1 else right

    heads = [head("spare"), head("ner", "their_ner")]
    message = f"E749.*'their_ner' in the teacher nowhere on document 1 .*{reason}"
    with pytest.raises(MtnlpError, match=message):
        write_opinions(path, tmp_path / "t" / "a", heads, believe)
    assert files_below(tmp_path) == ["a.spacy"] and not list((tmp_path / "t").iterdir())


@pytest.mark.parametrize(
    "first, then",
    [
        (logits(1.0, 2.0), CategoryOpinion(("t/A", "t/C"), np.zeros(2), ())),
        (logits(1.0, 2.0), CategoryOpinion(("t/A", "t/B"), np.zeros(2), ("t",))),
        (logits(1.0, 2.0), spans()),
        (VectorOpinion(np.ones(3)), VectorOpinion(np.ones(4))),
    ],
)
def test_a_head_speaks_of_the_same_in_all_documents(tmp_path: Path, first: Any, then: Any) -> None:
    path = numbered(tmp_path / "a.spacy", "a", 2)
    with pytest.raises(MtnlpError, match=r"E749.*document 1 .*the first one"):
        write_opinions(
            path, tmp_path / "x", [head("t")], lambda index, doc: [then if index else first]
        )


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_interruption_leaves_what_was_there(tmp_path: Path, error: Any) -> None:
    path = numbered(tmp_path / "a.spacy", "a", 3)
    (tmp_path / "x").write_text("before", encoding="utf8")

    def believe(index: int, doc: Any) -> Any:
        if index == 2:
            raise error
        return [logits(1.0, 2.0)]

    with pytest.raises(error):
        write_opinions(path, tmp_path / "x", [head("t")], believe)
    assert files_below(tmp_path) == ["a.spacy", "x"]
    assert (tmp_path / "x").read_text(encoding="utf8") == "before"
