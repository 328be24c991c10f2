"""Classes that are tags: against the tag schemes."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mtnlp.losses.tag_classes import expand, tag_classes
from mtnlp.structured.schemes import get_scheme

LABELS = ["PER", "ORG"]


@pytest.mark.parametrize("name", ["bio", "biluo"])
@given(seed=st.integers(0, 10_000), seq=st.integers(0, 9))
def test_entities_are_those_of_the_scheme(name: str, seed: int, seq: int) -> None:
    """Of any sequence, legal or not."""
    scheme = get_scheme(name)
    names = scheme.tags(LABELS)
    classes = tag_classes(names)
    assert classes is not None
    generator = torch.Generator().manual_seed(seed)
    tags = torch.randint(len(names), (3, seq), generator=generator)
    mask = torch.arange(seq) < torch.randint(seq + 1, (3, 1), generator=generator)
    assert torch.equal(classes.entities(tags, mask), scheme.spans(tags, mask))


def test_what_the_names_say() -> None:
    classes = tag_classes(get_scheme("biluo").tags(LABELS))
    assert classes is not None
    assert classes.label.tolist() == [-1, 0, 0, 0, 0, 1, 1, 1, 1]
    assert classes.belongs[:, 1].tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 1]
    # B I L U: inside and last go on.
    assert classes.goes_on[:, 0].tolist() == [0, 0, 1, 1, 0, 0, 0, 0, 0]
    assert not classes.state_dict()


@pytest.mark.parametrize(
    "classes", [["O"], [], ["A", "B"], ["O", "PER"], ["O", "B-"], ["O", "X-A"]]
)
def test_other_classes(classes: list) -> None:
    assert tag_classes(classes) is None


def test_expand() -> None:
    spans = torch.tensor([[0, 2, 4, 0], [1, 0, 1, 1], [1, 5, 8, 0]])
    span, token = expand(spans)
    assert span.tolist() == [0, 0, 1, 2, 2, 2]
    assert token.tolist() == [2, 3, 0, 5, 6, 7]
    assert [part.tolist() for part in expand(spans[:0])] == [[], []]
