"""Whether two pipelines answer the same."""

from typing import Any, Iterator, List, Optional, Sequence

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from ...data.reading import bare_doc
from ...errors import Errors, MtnlpError

TOLERANCE = 1e-3
# Of the documents that are compared. Two nearly equal readings may change places by rounding.
SHARE = 0.05


def check_answers(one: Language, other: Language, docs: Sequence[Doc]) -> None:
    """Have two pipelines answer, document by document. Raises: MtnlpError E664 where they differ
    in more than `SHARE` of them."""
    found = []
    for doc in docs:
        first, second = (nlp(bare_doc(nlp, doc)) for nlp in (one, other))
        difference = find_difference(first, second)
        if difference:
            found.append(Errors.E664.format(start=doc.text[:40], difference=difference))
    if len(found) > SHARE * len(docs):
        raise MtnlpError(found[0])


def find_difference(one: Doc, other: Doc, tolerance: float = TOLERANCE) -> Optional[str]:
    """The first thing in which two annotations of a text differ, None where in nothing.

    tolerance: of probabilities and of the numbers of vectors.
    """
    for name, first, second in answers_of(one, other):
        same = len(first) == len(second) and (
            np.allclose(first, second, rtol=0.0, atol=tolerance)
            if isinstance(first, np.ndarray)
            else first == second
        )
        if not same:
            return f"{name} were {first} and are {second}"
    return None


def answers_of(one: Doc, other: Doc) -> Iterator[Any]:
    """What is compared: its name, and how both have it."""

    def both(name: str, read: Any) -> Any:
        return name, read(one), read(other)

    yield both("entities", lambda doc: entities_of(doc.ents))
    yield both("groups", lambda doc: sorted(doc.spans))
    for key in one.spans:
        yield both(f"spans['{key}']", lambda doc, key=key: entities_of(doc.spans[key]))
        yield both(
            f"scores of '{key}'",
            lambda doc, key=key: np.array(doc.spans[key].attrs.get("scores", []), dtype=float),
        )
    yield both("categories", lambda doc: list(doc.cats))
    yield both("probabilities", lambda doc: np.array(list(doc.cats.values())))
    if Doc.has_extension("events"):
        yield both("events", lambda doc: list(doc._.events or []))
    yield both("rows", lambda doc: np.asarray(doc.tensor).reshape(-1))
    yield both("vector", lambda doc: np.asarray(doc.vector))


def entities_of(spans: Any) -> List[Any]:
    """First token, the one behind the last, and label of each."""
    return [(span.start, span.end, span.label_) for span in spans]
