"""Tag schemes: encoding, decoding, legality, constraints."""

import itertools
from typing import List, Tuple

import pytest
import torch

from mtnlp.errors import MtnlpError
from mtnlp.structured.schemes import BILUO, BIO, TagScheme, get_scheme
from tests.structured.problems import encode

LABELS = ["PER", "B-ORG"]
SCHEMES = [BIO(), BILUO()]


def ids(scheme: TagScheme, tags: List[str]) -> torch.Tensor:
    return torch.tensor([[scheme.tags(LABELS).index(tag) for tag in tags]])


def decoded(scheme: TagScheme, tags: List[str]) -> List[Tuple[int, int, str]]:
    spans = scheme.spans(ids(scheme, tags), torch.ones(1, len(tags), dtype=torch.bool))
    return [(start, end, LABELS[label]) for _, start, end, label in spans.tolist()]


def conlleval(tags: List[str]) -> List[Tuple[int, int, str]]:
    """The reference: conlleval's rules, token by token."""
    spans: List[Tuple[int, int, str]] = []
    start, previous = None, "O"
    for i, tag in enumerate([*tags, "O"]):
        prefix, _, label = tag.partition("-")
        old_prefix, _, old_label = previous.partition("-")
        goes_on = prefix in ("I", "L") and old_prefix in ("B", "I") and label == old_label
        if start is not None and not goes_on:
            spans.append((start, i, old_label))
            start = None
        if tag != "O" and start is None:
            start = i
        previous = tag
    return spans


def test_tag_order() -> None:
    assert BIO().tags(["X", "Y"]) == ["O", "B-X", "I-X", "B-Y", "I-Y"]
    assert BILUO().tags(["X"]) == ["O", "B-X", "I-X", "L-X", "U-X"]


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_spans_equal_conlleval_on_every_sequence(scheme: TagScheme) -> None:
    names = scheme.tags(LABELS)
    sequences = list(itertools.product(range(len(names)), repeat=4))
    tags = torch.tensor(sequences)
    found: List[List[Tuple[int, int, str]]] = [[] for _ in sequences]
    rows = scheme.spans(tags, torch.ones_like(tags, dtype=torch.bool)).tolist()
    assert rows == sorted(rows)
    for doc, start, end, label in rows:
        found[doc].append((start, end, LABELS[label]))
    assert found == [conlleval([names[i] for i in sequence]) for sequence in sequences]


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_round_trip(scheme: TagScheme) -> None:
    spans = [(0, 1, "PER"), (1, 3, "PER"), (3, 7, "B-ORG"), (8, 9, "B-ORG")]
    assert decoded(scheme, encode(scheme, spans, 9)) == spans


def test_spans_stop_at_the_mask() -> None:
    tags = ids(BIO(), ["B-PER", "I-PER", "I-PER"]).repeat(3, 1)
    mask = torch.tensor([[1, 1, 1], [1, 1, 0], [0, 0, 0]]).bool()
    assert BIO().spans(tags, mask).tolist() == [[0, 0, 3, 0], [1, 0, 2, 0]]
    assert BIO().spans(tags[:, :0], mask[:, :0]).shape == (0, 4)
    assert BIO().spans(tags[:0], mask[:0]).shape == (0, 4)


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_legal_sequences_are_those_encode_can_write(scheme: TagScheme) -> None:
    length = 3
    names = scheme.tags(LABELS)
    ranges = [(s, e) for s in range(length) for e in range(s + 1, length + 1)]
    candidates = [(s, e, label) for s, e in ranges for label in LABELS]
    written = set()
    for n in range(length + 1):
        for spans in itertools.combinations(candidates, n):
            if all(a[1] <= b[0] or b[1] <= a[0] for a, b in itertools.combinations(spans, 2)):
                written.add(tuple(encode(scheme, spans, length)))
    follow = scheme.allowed_transitions(LABELS)
    begin, finish = scheme.allowed_start(LABELS), scheme.allowed_end(LABELS)
    legal = {
        tuple(names[i] for i in seq)
        for seq in itertools.product(range(len(names)), repeat=length)
        if begin[seq[0]]
        and finish[seq[-1]]
        and all(follow[a, b] for a, b in itertools.pairwise(seq))
    }
    assert legal == written


def test_refine() -> None:
    tags = ids(BIO(), ["B-PER", "O", "O", "B-PER", "I-PER"])
    tags[0, 2] = -1  # missing tags may be anything
    missing = torch.tensor([[False, True, True, False, False]])
    allowed = BIO().refine(tags, missing, LABELS)
    names = BIO().tags(LABELS)
    sets = [{names[i] for i in row.nonzero().flatten().tolist()} for row in allowed[0]]
    assert sets == [{"B-PER"}, set(names) - {"I-PER"}, set(names), {"B-PER"}, {"I-PER"}]


def test_refine_biluo_leaves_missing_open() -> None:
    allowed = BILUO().refine(torch.tensor([[4, 0]]), torch.tensor([[False, True]]), LABELS)
    assert allowed[0, 0].nonzero().tolist() == [[4]]
    assert allowed[0, 1].all()


def test_get_scheme() -> None:
    assert get_scheme("biluo").prefixes == "BILU"
    with pytest.raises(MtnlpError, match=r"E210.*bio, biluo"):
        get_scheme("iob")
