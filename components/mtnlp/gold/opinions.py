"""Opinions: what a teacher believes of a Doc, beside its gold.

A reference Doc carries them in `user_data`, one per head of the teacher, under the name of the
student's component that they are for. A corpus reader puts them there; targets are made of them.
"""

from typing import List, Mapping, NamedTuple, Optional, Tuple, Union

from spacy.tokens import Doc

from ..types import Floats, Ints

KEY = "mtnlp_opinions"


class TagOpinion(NamedTuple):
    """Marginal probabilities of the tags of each token, sparse: what is left out has none.

    tags: the teacher's tags, such as O, B-PER, I-PER. starts: `[tokens + 1]`, where the entries of
    each token begin. index: `[entries]`, which tag. probabilities: `[entries]`, those of a token
    sum to 1.
    """

    tags: Tuple[str, ...]
    starts: Ints
    index: Ints  # type: ignore[assignment]  # of a tuple it would be a method
    probabilities: Floats


class SpanOpinion(NamedTuple):
    """Probabilities of labelled spans, sparse: what is left out has none.

    labels: the teacher's. spans: `[entries, 3]`, start, end (half-open) and label, by token and
    place in `labels`. probabilities: `[entries]`. max_width: tokens of the widest span that the
    teacher looks at.
    """

    labels: Tuple[str, ...]
    spans: Ints
    probabilities: Floats
    max_width: int


class CategoryOpinion(NamedTuple):
    """Logits of categories.

    keys: `task/LABEL`, the teacher's. logits: `[keys]`, before softmax or sigmoid, after the
    teacher's temperature. exclusive: the tasks of which exactly one label holds.
    """

    keys: Tuple[str, ...]
    logits: Floats
    exclusive: Tuple[str, ...]


class VectorOpinion(NamedTuple):
    """vector: `[width]`, the teacher's vector of the Doc; zeros where there is nothing to read."""

    vector: Floats


Opinion = Union[TagOpinion, SpanOpinion, CategoryOpinion, VectorOpinion]


def set_opinions(doc: Doc, opinions: Mapping[str, List[Opinion]]) -> None:
    """Put a reference's opinions on it, by the name of the student's component.

    A component may have several: of several teachers, each for tasks of its own.
    """
    doc.user_data[KEY] = opinions


def opinions_of(doc: Doc, name: str) -> List[Opinion]:
    """The opinions that a reference carries for a component; empty where there are none."""
    carried: Optional[Mapping[str, List[Opinion]]] = doc.user_data.get(KEY)
    return [] if carried is None else carried.get(name, [])
