"""Token tags in the IOB family: reading entities off them and telling the schemes apart."""

import re
from typing import Collection, List, NamedTuple, Optional, Sequence, Tuple

from ...errors import DataError, Errors
from ...types import Annotation, Record

# S and U (a single token), E and L (the last token): the BIOES and BILOU writings.
_TAG = re.compile(r"([BIESLU])-(\S+)")
_TAG_WITH_BLANKS = re.compile(r"([BIESLU])-(\S(?:.*\S)?)")
_ENDS = frozenset("ESLU")
_BEGINS = frozenset("BSU")


class Tag(NamedTuple):
    """A tag taken apart. `prefix` is "O" and `label` empty outside entities."""

    prefix: str
    label: str


OUTSIDE = Tag("O", "")
# spaCy's writing of a token nobody judged.
MISSING = Tag("-", "")


def parse_tag(tag: str, labels: Optional[Collection[str]] = None, *, own_data: bool = False) -> Tag:
    """Takes a tag apart.

    labels: the legal entity types; None allows any.
    own_data: also allow types with blanks in them (`B-work of art`) and `-`, a token that nobody
        judged. Published corpora have neither, so that there they are errors.
    Raises: DataError when it is no tag or its type is unknown.
    """
    if tag == "O":
        return OUTSIDE
    if own_data and tag == "-":
        return MISSING
    match = (_TAG_WITH_BLANKS if own_data else _TAG).fullmatch(tag)
    if match is None:
        raise DataError(Errors.E104.format(tag=tag))
    if labels is not None and match[2] not in labels:
        raise DataError(Errors.E105.format(label=match[2], labels=", ".join(sorted(labels))))
    return Tag(match[1], match[2])


def entities_of(tags: Sequence[Tag]) -> List[Annotation]:
    """The entities of one sentence, as token spans.

    An entity begins at B (S, U) and also at an I that continues nothing, which reads IOB1, IOB2,
    BIOES and BILOU alike, and the mixtures silver data come with.
    """
    entities: List[Annotation] = []
    start: Optional[int] = None
    label = ""
    for index, tag in enumerate([*tags, OUTSIDE]):
        if start is not None and (tag.label != label or tag.prefix in _BEGINS):
            entities.append(Annotation(start, index, label))
            start = None
        if start is None and tag.label:
            start, label = index, tag.label
        if start is not None and tag.prefix in _ENDS:
            entities.append(Annotation(start, index + 1, label))
            start = None
    return entities


def missing_of(tags: Sequence[Tag]) -> List[Tuple[int, int]]:
    """The stretches of tokens that nobody judged, half-open."""
    stretches: List[Tuple[int, int]] = []
    for index, tag in enumerate(tags):
        if tag == MISSING and stretches and stretches[-1][1] == index:
            stretches[-1] = (stretches[-1][0], index + 1)
        elif tag == MISSING:
            stretches.append((index, index + 1))
    return stretches


def set_entities(
    record: Record,
    entities: List[Annotation],
    missing: List[Tuple[int, int]],
    spans_key: Optional[str],
) -> None:
    """Puts what tags say where a Record keeps it.

    missing: the stretches of tokens that nobody judged. Where that is every token, the Record is
        not annotated.
    spans_key: None for `entities`, a name for `spans[name]`.
    Raises: DataError (E165) where a layer of `spans` would have to say that a part is missing.
    """
    if missing == [(0, len(record.tokens or []))]:
        return
    if spans_key is None:
        record.entities = entities
        record.missing = missing or None
    elif missing:
        raise DataError(Errors.E165.format(key=spans_key))
    else:
        record.spans = {spans_key: entities}


def scheme_evidence(tags: Sequence[Tag]) -> Tuple[List[int], List[int]]:
    """Where a sentence commits itself to IOB1 and where to IOB2, as token indices.

    Only IOB1 begins an entity with I; only IOB2 writes B where no entity of that type stands
    right before. A B after an entity of its type is legal in both.
    """
    iob1: List[int] = []
    iob2: List[int] = []
    previous = OUTSIDE
    for index, tag in enumerate(tags):
        if tag.label and tag.label != previous.label:
            if tag.prefix == "I":
                iob1.append(index)
            elif tag.prefix == "B":
                iob2.append(index)
        previous = tag
    return iob1, iob2
