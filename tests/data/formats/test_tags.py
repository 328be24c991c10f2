from typing import List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtnlp.data.formats.tags import entities_of, missing_of, parse_tag, scheme_evidence
from mtnlp.errors import DataError
from mtnlp.types import Annotation


def entities(*tags: str) -> List[Annotation]:
    return entities_of([parse_tag(tag) for tag in tags])


@pytest.mark.parametrize(
    "tags",
    [
        ["I-PER", "I-PER", "B-PER", "O", "I-LOC"],  # IOB1
        ["B-PER", "I-PER", "B-PER", "O", "B-LOC"],  # IOB2
        ["B-PER", "E-PER", "S-PER", "O", "S-LOC"],  # BIOES
        ["B-PER", "L-PER", "U-PER", "O", "U-LOC"],  # BILOU
    ],
)
def test_every_scheme_gives_the_same_entities(tags: List[str]) -> None:
    assert entities(*tags) == [(0, 2, "PER"), (2, 3, "PER"), (4, 5, "LOC")]


def test_a_change_of_type_begins_an_entity() -> None:
    assert entities("I-PER", "I-ORG", "I-ORG") == [(0, 1, "PER"), (1, 3, "ORG")]


def test_nothing() -> None:
    assert entities() == entities("O", "O") == []


@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["A", "B-x", ""])), max_size=8))
def test_iob1_and_iob2_round_trip(chunks: List["tuple[int, str]"]) -> None:
    """Writes chunks in both schemes and reads them back. Types may hold hyphens."""
    expected: List[Annotation] = []
    iob1: List[str] = []
    iob2: List[str] = []
    previous = ""
    for length, label in chunks:
        start = len(iob2)
        if label:
            expected.append(Annotation(start, start + length, label))
            rest = [f"I-{label}"] * (length - 1)
            iob2 += [f"B-{label}", *rest]
            iob1 += [f"{'B' if previous == label else 'I'}-{label}", *rest]
        else:
            iob1 += ["O"] * length
            iob2 += ["O"] * length
        previous = label
    assert entities(*iob1) == entities(*iob2) == expected
    assert scheme_evidence([parse_tag(tag) for tag in iob1])[1] == []
    assert scheme_evidence([parse_tag(tag) for tag in iob2])[0] == []


@pytest.mark.parametrize("tag", ["", "I", "I-", "X-PER", "PER", "i-PER", "B-P ER"])
def test_not_a_tag(tag: str) -> None:
    with pytest.raises(DataError, match="E104"):
        parse_tag(tag)


def test_tags_of_ones_own() -> None:
    """Types with blanks, and `-`, spaCy's writing of a token that nobody judged."""
    assert parse_tag("B-work of art", own_data=True) == ("B", "work of art")
    for tag in ("-", "B-work of art"):
        with pytest.raises(DataError, match="E104"):
            parse_tag(tag)
    tags = [parse_tag(tag, own_data=True) for tag in ("-", "-", "B-X", "-", "O", "-")]
    assert missing_of(tags) == [(0, 2), (3, 4), (5, 6)]
    assert entities_of(tags) == [(2, 3, "X")]


def test_unknown_type() -> None:
    assert parse_tag("B-PER", ["PER"]).label == "PER"
    with pytest.raises(DataError, match=r"E105.*'DOG'"):
        parse_tag("B-DOG", ["PER"])
