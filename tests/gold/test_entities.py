"""Entities as tag constraints: missing and empty, other tokens, nested spans, both schemes."""

import itertools
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from spacy.training import Example, offsets_to_biluo_tags
from spacy.util import filter_spans
from spacy.vocab import Vocab

from mtnlp.gold.entities import (
    flatten,
    get_entities,
    gold_labels,
    tag_indices,
    tag_targets,
)
from mtnlp.structured.schemes import BILUO, BIO
from tests.structured.problems import encode

VOCAB = Vocab()
LABELS = ["LOC", "PER"]
INDEX = {label: i for i, label in enumerate(LABELS)}
Annotations = Sequence[Tuple[int, int, str]]


def make_doc(words: str, spaces: Optional[List[bool]] = None) -> Doc:
    return Doc(VOCAB, words=words.split(), spaces=spaces)


def with_ents(doc: Doc, ents: Annotations, missing: Sequence[int] = ()) -> Doc:
    doc.set_ents(
        [Span(doc, start, end, label) for start, end, label in ents],
        missing=[doc[i : i + 1] for i in missing],
        default="outside",
    )
    return doc


def with_spans(doc: Doc, spans: Annotations, key: str = "fine") -> Doc:
    doc.spans[key] = [Span(doc, start, end, label) for start, end, label in spans]
    return doc


def same(doc: Doc) -> Example:
    """An Example whose predicted Doc has the same tokens."""
    words = [token.text for token in doc]
    spaces = [bool(token.whitespace_) for token in doc]
    return Example(Doc(VOCAB, words=words, spaces=spaces), doc)


def found(example: Example, key: Optional[str] = None) -> Any:
    """(spans, indices of missing tokens), or None."""
    gold = get_entities(example, key, INDEX)
    if gold is None:
        return None
    assert len(gold.missing) == len(example.predicted)
    return gold.spans, np.flatnonzero(gold.missing).tolist()


def tags(example: Example, scheme: Any, key: Optional[str] = None) -> List[str]:
    """The tags of the only row, "?" where every tag is allowed."""
    made = tag_targets([example], key, LABELS, scheme)
    names = scheme.tags(LABELS)
    spelled = []
    for allowed in made.target[0].tolist():
        members = [name for name, member in zip(names, allowed, strict=True) if member]
        spelled.append("?" if len(members) == len(names) else "|".join(members))
    return spelled


def test_missing_is_not_empty() -> None:
    assert found(same(make_doc("a b c"))) is None
    assert found(same(with_ents(make_doc("a b c"), []))) == ([], [])
    assert found(same(make_doc("a b c")), "fine") is None
    assert found(same(with_spans(make_doc("a b c"), [])), "fine") == ([], [])


def test_layers_do_not_mix() -> None:
    doc = with_spans(make_doc("Anna saw Rome"), [(2, 3, "LOC")])
    assert found(same(doc)) is None
    assert found(same(doc), "fine") == ([(2, 3, 0)], [])
    doc = with_ents(make_doc("Anna saw Rome"), [(0, 1, "PER")])
    assert found(same(doc)) == ([(0, 1, 1)], [])
    assert found(same(doc), "fine") is None


def test_empty_doc_is_not_annotated() -> None:
    assert found(same(with_ents(make_doc(""), []))) is None
    made = tag_targets([same(with_spans(make_doc(""), []))], "fine", LABELS, BIO())
    assert made.doc_indices == []


def test_partly_missing() -> None:
    doc = with_ents(make_doc("Anna Keller saw Rome today"), [(0, 2, "PER")], missing=[3, 4])
    assert found(same(doc)) == ([(0, 2, 1)], [3, 4])
    assert tags(same(doc), BIO()) == ["B-PER", "I-PER", "O", "?", "?"]
    assert tags(same(doc), BILUO()) == ["B-PER", "L-PER", "O", "?", "?"]
    assert tag_targets([same(doc)], None, LABELS, BIO()).units == 3.0


def test_missing_behind_an_entity_does_not_lengthen_it() -> None:
    doc = with_ents(make_doc("Anna Keller saw"), [(0, 2, "PER")], missing=[2])
    assert tags(same(doc), BIO())[2] == "O|B-LOC|I-LOC|B-PER"
    assert tags(same(doc), BILUO())[2] == "?"


def test_nested_spans_keep_the_longest() -> None:
    doc = with_spans(
        make_doc("the mayor of New York left"),
        [(3, 5, "LOC"), (1, 5, "PER"), (5, 6, "LOC"), (4, 5, "LOC")],
    )
    spans, missing = found(same(doc), "fine")
    assert sorted(spans) == [(1, 5, 1), (5, 6, 0)]
    assert missing == []
    assert tags(same(doc), BIO(), "fine") == ["O", "B-PER", "I-PER", "I-PER", "I-PER", "B-LOC"]
    assert tags(same(doc), BILUO(), "fine") == ["O", "B-PER", "I-PER", "I-PER", "L-PER", "U-LOC"]


def test_flatten_keeps_the_longest_then_the_leftmost_then_the_first() -> None:
    spans = [(1, 3, "LOC"), (0, 2, "PER"), (0, 2, "LOC"), (4, 5, "PER"), (3, 6, "LOC")]
    doc = with_spans(make_doc("a b c d e f g"), spans)
    kept = [(span.start, span.end, span.label_) for span in flatten(doc.spans["fine"])]
    assert kept == [(0, 2, "PER"), (3, 6, "LOC")]
    assert flatten([]) == []


@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(1, 5), st.sampled_from(LABELS)), max_size=12)
)
def test_flatten_drops_only_what_a_better_span_overlaps(starts: List[Tuple[int, int, str]]) -> None:
    """The rule by its definition: a span stays unless one of higher rank stays on its words."""
    doc = make_doc("a b c d e f g h i j k l m")
    spans = [Span(doc, start, start + width, label) for start, width, label in starts]
    ranked = sorted(enumerate(spans), key=lambda pair: (-len(pair[1]), pair[1].start, pair[0]))
    free = [True] * len(doc)
    expected = []
    for _, span in ranked:
        if all(free[span.start : span.end]):
            expected.append(span)
            free[span.start : span.end] = [False] * len(span)
    kept = flatten(spans)
    assert kept == sorted(expected, key=lambda span: span.start)
    assert kept == filter_spans(spans)


def test_unknown_label_is_missing() -> None:
    doc = with_ents(make_doc("Anna won a Nobel Prize"), [(0, 1, "PER"), (3, 5, "AWARD")])
    assert found(same(doc)) == ([(0, 1, 1)], [3, 4])
    assert tags(same(doc), BIO()) == ["B-PER", "O", "O", "?", "?"]


def split(reference: Doc, words: str, spaces: List[bool]) -> Example:
    """An Example whose predicted Doc cuts the same text otherwise."""
    predicted = make_doc(words, spaces)
    assert predicted.text == reference.text
    return Example(predicted, reference)


def test_predicted_tokens_are_finer() -> None:
    doc = with_ents(make_doc("New-York calls", [True, False]), [(0, 1, "LOC")])
    example = split(doc, "New - York calls", [False, False, True, False])
    assert found(example) == ([(0, 3, 0)], [])
    assert tags(example, BILUO()) == ["B-LOC", "I-LOC", "L-LOC", "O"]


def test_predicted_tokens_are_coarser() -> None:
    doc = with_ents(make_doc("New - York calls", [False, False, True, False]), [(0, 3, "LOC")])
    example = split(doc, "New-York calls", [True, False])
    assert found(example) == ([(0, 1, 0)], [])


def test_boundary_inside_a_predicted_token_is_missing() -> None:
    doc = with_ents(
        make_doc("pro - Rome Anna left", [False, False, True, True, False]),
        [(2, 3, "LOC"), (3, 4, "PER")],
    )
    example = split(doc, "pro-Rome Anna left", [True, True, False])
    assert found(example) == ([(1, 2, 1)], [0])
    assert tags(example, BIO()) == ["?", "B-PER", "O"]


def test_partly_missing_in_other_tokens() -> None:
    doc = with_ents(make_doc("pro - Rome Anna", [False, False, True, False]), [], missing=[2])
    assert found(split(doc, "pro-Rome Anna", [True, False])) == ([], [0])
    doc = with_ents(make_doc("pro-Rome Anna", [True, False]), [(1, 2, "PER")], missing=[0])
    example = split(doc, "pro - Rome Anna", [False, False, True, False])
    assert found(example) == ([(3, 4, 1)], [0, 1, 2])


def test_predicted_white_space_tokens() -> None:
    doc = with_ents(make_doc("Anna Keller left", [True, True, False]), [(0, 2, "PER")])
    predicted = Doc(VOCAB, words=["Anna", " ", "Keller", "left"], spaces=[True, False, True, False])
    assert found(Example(predicted, doc)) == ([(0, 3, 1)], [])


def test_batch() -> None:
    examples = [
        same(make_doc("not annotated at all here")),
        same(with_ents(make_doc("Anna left"), [(0, 1, "PER")])),
        same(with_ents(make_doc(""), [])),
        same(with_ents(make_doc("he saw Rome"), [(2, 3, "LOC")], missing=[0])),
        same(with_ents(make_doc("x y"), [], missing=[0])),
    ]
    made = tag_targets(examples, None, LABELS, BIO())
    assert made.doc_indices == [1, 3, 4]
    assert made.mask.tolist() == [[True, True, False], [True] * 3, [True, True, False]]
    assert made.units == 2 + 2 + 1
    assert made.target.shape == (3, 3, 5)
    assert made.target.any(-1).all()  # padding allows something too
    assert made.target[0, :2].long().argmax(-1).tolist() == [3, 0]
    assert made.target[1, 0].all()
    assert made.target.dtype == torch.bool


@pytest.mark.parametrize("examples", [[], [same(make_doc("a b"))]])
def test_batch_without_annotation(examples: List[Example]) -> None:
    made = tag_targets(examples, None, LABELS, BIO())
    assert made.doc_indices == []
    assert made.units == 0.0
    assert made.target.shape == (0, 0, 5)
    assert made.mask.shape == (0, 0)


def test_labels_in_the_data() -> None:
    both = with_spans(with_ents(make_doc("Anna saw Rome"), [(0, 1, "PER")]), [(2, 3, "CITY")])
    examples = [same(both), same(with_ents(make_doc("x"), [])), same(make_doc("y"))]
    assert gold_labels(examples, None) == ["PER"]
    assert gold_labels(examples, "fine") == ["CITY"]
    assert gold_labels(examples, "other") == []


def test_references_are_not_written_to() -> None:
    doc = with_spans(make_doc("a b c"), [(0, 3, "PER"), (1, 2, "LOC")])
    tag_targets([same(doc)], "fine", LABELS, BIO())
    assert [(span.start, span.end) for span in doc.spans["fine"]] == [(0, 3), (1, 2)]
    assert not doc.has_annotation("ENT_IOB")


@st.composite
def flat_spans(draw: st.DrawFn) -> Tuple[int, List[Tuple[int, int, str]]]:
    """A length and spans in it that do not overlap."""
    spans, begin = [], 0
    for gap, size, label in draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.sampled_from(LABELS)))
    ):
        spans.append((begin + gap, begin + gap + size, label))
        begin += gap + size
    return begin + draw(st.integers(0, 2)), spans


@given(st.lists(flat_spans(), min_size=1, max_size=4), st.sampled_from([BIO(), BILUO()]))
def test_tag_indices_are_those_of_the_scheme(batch: List[Any], scheme: Any) -> None:
    rows = [
        (row, start, end, INDEX[label])
        for row, (_, spans) in enumerate(batch)
        for start, end, label in spans
    ]
    length = max(size for size, _ in batch)
    made = tag_indices(
        torch.tensor(rows, dtype=torch.long).reshape(-1, 4), (len(batch), length), scheme
    )
    names = scheme.tags(LABELS)
    for row, (_, spans) in zip(made.tolist(), batch, strict=True):
        assert [names[tag] for tag in row] == encode(scheme, spans, length)


@given(flat_spans())
def test_biluo_is_that_of_spacy(sample: Tuple[int, List[Tuple[int, int, str]]]) -> None:
    length, spans = sample
    if not length:
        return
    doc = with_ents(Doc(VOCAB, words=["w"] * length), spans)
    offsets = [(2 * start, 2 * end - 1, label) for start, end, label in spans]
    assert tags(same(doc), BILUO()) == offsets_to_biluo_tags(doc, offsets)


@st.composite
def two_tokenizations(draw: st.DrawFn) -> Example:
    """The same letters cut in two ways, with entities on one of them."""
    size = draw(st.integers(1, 10))
    text = "abcdefghij"[:size]
    cuts = [draw(st.sets(st.integers(1, 9))) for _ in range(2)]
    words = []
    for part in cuts:
        bounds = [0, *sorted(cut for cut in part if cut < size), size]
        words.append([text[a:b] for a, b in itertools.pairwise(bounds)])
    reference = Doc(VOCAB, words=words[0], spaces=[False] * len(words[0]))
    spans, begin = [], 0
    while begin < len(reference):
        end = draw(st.integers(begin, len(reference)))
        if end > begin:
            spans.append((begin, end, draw(st.sampled_from([*LABELS, "OTHER"]))))
        begin = end + draw(st.integers(0, 2)) if end > begin else begin + 1
    with_ents(reference, spans)
    return Example(Doc(VOCAB, words=words[1], spaces=[False] * len(words[1])), reference)


@given(two_tokenizations())
def test_projection_by_characters(example: Example) -> None:
    """An entity is kept where tokens begin and end with it; else the tokens it touches are
    missing, and no others."""
    expected: Dict[Tuple[int, int], int] = {}
    missing = set()
    starts = {token.idx: token.i for token in example.predicted}
    ends = {token.idx + len(token): token.i + 1 for token in example.predicted}
    for ent in example.reference.ents:
        a, b = ent.start_char, ent.end_char
        if a in starts and b in ends and ent.label_ in INDEX:
            expected[starts[a], ends[b]] = INDEX[ent.label_]
        else:
            missing |= {
                token.i
                for token in example.predicted
                if token.idx < b and token.idx + len(token) > a
            }
    spans, unknown = found(example)
    assert {(start, end): label for start, end, label in spans} == expected
    assert set(unknown) == missing
