"""What a reviewer gets to see: a place, what is annotated there, and what it should perhaps be."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterable, List, Sequence, Tuple

from spacy.tokens import Doc

from ...errors import Errors, MtnlpError
from ...files import write_text
from ...types import Annotation

ENTS, SPANS, CATS = "ents", "spans/", "cats/"
# Entities that the end of a sentence cuts in two. The layer that they are in follows.
SENTENCES = "sentences/"
# Answers of a reviewer, as Prodigy calls them.
ACCEPT, REJECT, IGNORE = "accept", "reject", "ignore"
# Characters of a text that are shown before and behind a place, and tokens.
CONTEXT, TOKENS = 80, 20


@dataclass
class Suggestion:
    """A place where an annotation is probably wrong.

    rank: from 1, the most probable first. score: how probable it is that the annotation is wrong,
    0 to 1. kind: what is wrong.
    component: of the pipeline, that says so. layer: where the annotation is: `ents`, `spans/KEY` or
    `cats/TASK`, as the file has it; `sentences/ents` or `sentences/spans/KEY` for an entity that
    the end of the Doc before cuts in two. All that is then said in tokens is of both Docs.
    file, number: where the Doc is: the name of its file, and which it is there, from 0. document:
    the text that it is from, if the file says so.
    given, suggested: what is annotated, and what would be right, as `[start, end, label]` in
    tokens; of categories as labels. Empty where nothing is.
    given_texts, suggested_texts: the words of both, one by one.
    p_given, p_suggested: how probable the model finds each reading.
    before, words, behind: the text around; of a category the beginning of the text, as `words`.
    first, tokens, spaces: the same as tokens: the number of the first one, their texts, and whether
    white space follows each. around: what else is annotated there. Empty for categories.
    answer: a reviewer's: "accept", "reject" or "ignore"; empty so far.
    """

    rank: int
    score: float
    kind: str
    component: str
    layer: str
    file: str
    number: int
    document: Any
    given: List[Any]
    suggested: List[Any]
    given_texts: List[str]
    suggested_texts: List[str]
    p_given: float
    p_suggested: float
    before: str
    words: str
    behind: str
    first: int = 0
    tokens: List[str] = field(default_factory=list)
    spaces: List[bool] = field(default_factory=list)
    around: List[List[Any]] = field(default_factory=list)
    answer: str = ""


def write_suggestions(path: Path, suggestions: Iterable[Suggestion]) -> None:
    """Write a file with a suggestion per line."""
    rows = (json.dumps(asdict(item), ensure_ascii=False) for item in suggestions)
    write_text(path, "".join(row + "\n" for row in rows))


def read_suggestions(path: Path) -> List[Suggestion]:
    """Read a file of `write_suggestions`, which a reviewer may have edited.

    Raises: MtnlpError E725 for a line that is none.
    """
    found = []
    for number, line in enumerate(path.read_text(encoding="utf8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            item = Suggestion(**json.loads(line))
            found.append(_checked(item))
        except (ValueError, TypeError) as error:
            raise MtnlpError(Errors.E725.format(path=path, line=number, reason=error)) from error
    return found


def _checked(item: Suggestion) -> Suggestion:
    """Raises: ValueError for an answer, or a layer, that there is not; TypeError for other forms of
    what is suggested."""
    if item.answer not in ("", ACCEPT, REJECT, IGNORE):
        raise ValueError(f"answer '{item.answer}'")
    if not item.layer.startswith((ENTS, SPANS, CATS, SENTENCES)):
        raise ValueError(f"layer '{item.layer}'")
    for part in (item.given, item.suggested):
        for entry in part:
            is_label = item.layer.startswith(CATS) and isinstance(entry, str)
            if not (is_label or [type(value) for value in entry] == [int, int, str]):
                raise TypeError(f"'{entry}' in place of a label or [start, end, label]")
    return item


def context(doc: Doc, start: int, end: int, around: Sequence[Annotation]) -> Dict[str, Any]:
    """What a Suggestion shows of the text around a stretch of tokens, by field. around: what is
    annotated in the Doc beside the stretch."""
    span = doc[start:end]
    first, last = span.start_char, span.end_char
    before, behind = doc.text[:first], doc.text[last:]
    window = doc[max(0, start - TOKENS) : end + TOKENS]
    return {
        "before": ("…" if len(before) > CONTEXT else "") + before[-CONTEXT:],
        "words": span.text,
        "behind": behind[:CONTEXT] + ("…" if len(behind) > CONTEXT else ""),
        "first": window.start,
        "tokens": [token.text for token in window],
        "spaces": [bool(token.whitespace_) for token in window],
        "around": [[*s] for s in around if window.start <= s.start and s.end <= window.end],
    }


def beginning(doc: Doc) -> Dict[str, Any]:
    """The same for a category: how the text begins."""
    text = doc.text[: 5 * CONTEXT]
    return {"before": "", "words": text, "behind": "…" if len(text) < len(doc.text) else ""}


def texts_of(doc: Doc, spans: Sequence[Annotation]) -> List[str]:
    """The words of each."""
    return [doc[span.start : span.end].text for span in spans]


def by_doc(suggestions: Iterable[Suggestion]) -> Dict[Tuple[str, int], List[Suggestion]]:
    """The suggestions of each Doc, by file and number, the Doc with the highest one first."""
    found: Dict[Tuple[str, int], List[Suggestion]] = {}
    for item in suggestions:
        found.setdefault((item.file, item.number), []).append(item)
    return found
