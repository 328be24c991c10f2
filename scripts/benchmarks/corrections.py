"""A list of corrections of CoNLL-2003 in the Docs of its converted training part, a sentence each.

A line of the list has `document` (from 0), `error`, `annotated` and `correct`, each with `tokens`
(within the document) and `label`. Entities that a sentence's end cuts in two, and tokens that are
none, are on the list, too: `Sentence` and `Token`. No correction within a sentence mends them.
"""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from spacy.tokens import Doc

from mtnlp.data.document_ids import document_of

# (number of the Doc, start, end), in the Doc's tokens.
Stretch = Tuple[int, int, int]
Span = Tuple[int, int, str]

SEGMENTATION = ("Sentence", "Token")


@dataclass(frozen=True)
class Correction:
    """A line of the list.

    error: its kind. doc: where the annotated entity is, or else the missing one. given: the entity
    as annotated; None for a missing one. correct: those that are right in its place, in the same
    Doc; None where nobody can say so within a sentence.
    places: what of the text is wrong, annotated or missing.
    """

    error: str
    doc: int
    given: Optional[Span]
    correct: Optional[Tuple[Span, ...]]
    places: Tuple[Stretch, ...]


class Documents:
    """Where the tokens of a document are among the Docs."""

    def __init__(self, docs: Sequence[Doc]) -> None:
        self._docs: Dict[int, List[Stretch]] = {}
        offset: Counter[int] = Counter()
        for number, doc in enumerate(docs):
            name = document_of(doc)
            assert name is not None, "convert the corpus with this version: it must know documents"
            # The converter counts them from 1.
            document = int(name.rpartition("#")[2]) - 1
            first = offset[document]
            self._docs.setdefault(document, []).append((number, first, first + len(doc)))
            offset[document] += len(doc)

    def find(self, document: int, tokens: Sequence[int]) -> List[Stretch]:
        """A stretch of a document's tokens, Doc by Doc."""
        start, end = tokens
        return [
            (number, max(start, first) - first, min(end, last) - first)
            for number, first, last in self._docs.get(document, ())
            if start < last and first < end
        ]


def read_corrections(path: Path, docs: Sequence[Doc]) -> List[Correction]:
    """The list, one Correction for each entity or missing entity: where it names two right ones for
    an annotated one, they are together."""
    documents = Documents(docs)
    rows: Dict[Any, List[Mapping[str, Any]]] = {}
    for line in path.read_text(encoding="utf8").splitlines():
        row = json.loads(line)
        part = row.get("annotated") or row.get("correct")
        if part is not None:  # one says that something is missing, and not where
            rows.setdefault((row["document"], *part["tokens"]), []).append(row)
    found = [_correction(group, documents, docs) for group in rows.values()]
    return [item for item in found if item is not None]


def _correction(
    group: Sequence[Mapping[str, Any]], documents: Documents, docs: Sequence[Doc]
) -> Optional[Correction]:
    row = group[0]
    document, annotated = row["document"], row.get("annotated")
    correct = [r["correct"] for r in group if r.get("correct")]
    places = [] if annotated is None else documents.find(document, annotated["tokens"])
    if row["error"] != "Token":
        places += [p for c in correct for p in documents.find(document, c["tokens"])]
    if not places:  # the corpus is a part of CoNLL's alone
        return None
    doc, start, end = places[0]
    given = (
        None
        if annotated is None
        else next(
            (
                (s.start, s.end, s.label_)
                for s in docs[doc].ents
                if (s.start, s.end) == (start, end)
            ),
            None,
        )
    )
    right: List[Span] = []
    is_mendable = row["error"] not in SEGMENTATION and (annotated is None or given is not None)
    for item in correct:
        stretches = documents.find(document, item["tokens"])
        label = item["label"] or (given[2] if given else "")
        if len(stretches) != 1 or stretches[0][0] != doc or not label:
            is_mendable = False
        else:
            right.append((*stretches[0][1:], label))
    mended = tuple(dict.fromkeys(right)) if is_mendable else None
    return Correction(row["error"], doc, given, mended, tuple(dict.fromkeys(places)))


def by_doc(corrections: Iterable[Correction]) -> Dict[int, List[Correction]]:
    """The corrections that touch each Doc."""
    found: Dict[int, List[Correction]] = {}
    for item in corrections:
        for number in {place[0] for place in item.places}:
            found.setdefault(number, []).append(item)
    return found


def touching(corrections: Iterable[Correction], doc: int, start: int, end: int) -> List[Correction]:
    """Those that are about one of these tokens."""
    return [
        item
        for item in corrections
        if any(n == doc and first < end and start < last for n, first, last in item.places)
    ]
