"""What the data doctor looks at: a Record or a Doc, in the same few words."""

import re
from dataclasses import dataclass, field
from typing import Dict, FrozenSet, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from spacy.tokens import Doc

from ...annotation.layers import EntsLayer
from ...annotation.pairs import SIMILARITY_KEY, may_be_entities
from ...types import Annotation, Record, Trimmed

ENTS = "ents"
# Places that a finding names.
SHOWN = 3
# Characters of a text that a place quotes, and of what follows an entity.
QUOTED = 30
FOLLOWING = 8
# Roughly what a tokenizer makes of a raw text: words, signs, and single characters of the scripts
# that put no blanks between words.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+|[^\w\s]")


class Mention(NamedTuple):
    """A labelled stretch of a text.

    layer: "ents" or "spans/KEY". start, end: in the unit's own offsets.
    surface: what is written there. words: its tokens; of a raw text, about so many.
    following: the next characters of the text. is_blank: whether it begins or ends in white space.
    """

    layer: str
    start: int
    end: int
    label: str
    surface: str
    words: int
    following: str
    is_blank: bool


@dataclass
class Unit:
    """A Record or a Doc.

    place: where it is: `path:line`, or split and number. name: the same, and how a text begins
        that no file has as a line.
    text: without differences of spacing. words: tokens; of a raw text, about so many.
    layers: the mentions of each layer that is annotated. cats: `task/LABEL` and its value.
    """

    place: str
    name: str
    text: str
    words: int
    cats: FrozenSet[Tuple[str, float]]
    layers: Dict[str, List[Mention]] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """Something about a corpus that somebody should know.

    kind: a name for programs. message: what it is, in words. count: how often; None where the
        message says it.
    places: the first three.
    is_fault: whether it is probably a mistake, and not merely worth knowing.
    """

    kind: str
    message: str
    count: Optional[int]
    places: Sequence[str] = ()
    is_fault: bool = True

    def __str__(self) -> str:
        if self.count is None:
            return self.message
        line = f"{self.message}: {self.count:,}"
        more = ["…"] if self.count > len(self.places) else []
        return f"{line} ({', '.join([*self.places, *more])})" if self.places else line


def record_unit(record: Record) -> Unit:
    """A Record as a Unit; its place is `path:line`."""
    path, line = record.meta.get("path", ""), record.meta.get("line")
    place = f"{path}" if line is None else f"{path}:{line}"
    tokens = record.tokens
    text = record.text if tokens is None else " ".join(tokens)
    words = count_words(text or "") if tokens is None else len(tokens)
    unit = Unit(place, place, _spaced(text or ""), words, frozenset(_cats(record.cats or {})))
    layers: Dict[str, Sequence[Annotation]] = {
        f"spans/{key}": layer
        for key, layer in (record.spans or {}).items()
        if may_be_entities(layer)
    }
    if record.entities is not None:
        layers[ENTS] = record.entities
    for name, layer in layers.items():
        unit.layers[name] = [_record_mention(name, item, text or "", tokens) for item in layer]
    return unit


def doc_unit(doc: Doc, split: str, number: int) -> Unit:
    """A Doc as a Unit; its place is its split and its number there, from 0."""
    text = doc.text
    place, cats = f"{split} {number}", frozenset(_cats(doc.cats))
    unit = Unit(place, f"{place} {quote(text)}", _spaced(text), len(doc), cats)
    layers = {
        f"spans/{key}": list(group) for key, group in doc.spans.items() if may_be_entities(group)
    }
    entities = EntsLayer()
    if entities.is_annotated(doc):
        layers[ENTS] = entities.spans(doc)
    for name, layer in layers.items():
        unit.layers[name] = [
            Mention(
                name,
                span.start,
                span.end,
                span.label_,
                text[span.start_char : span.end_char],
                span.end - span.start,
                text[span.end_char : span.end_char + FOLLOWING],
                doc[span.start].is_space or doc[span.end - 1].is_space,
            )
            for span in layer
            if len(span)
        ]
    return unit


def _cats(cats: Mapping[str, float]) -> Iterable[Tuple[str, float]]:
    """The categories; how similar the two texts of a pair are is none."""
    return (item for item in cats.items() if item[0] != SIMILARITY_KEY)


def _record_mention(
    layer: str, item: Annotation, text: str, tokens: Optional[Sequence[str]]
) -> Mention:
    start, end, label = item
    if tokens is None:
        raw, following = text[start:end], text[end : end + FOLLOWING]
        words = count_words(raw)
    else:
        raw, following = " ".join(tokens[start:end]), " ".join(["", *tokens[end : end + 1]])
        words = end - start
    surface = raw.strip()
    is_blank = surface != raw or isinstance(item, Trimmed)
    return Mention(layer, start, end, label, surface, words, following, is_blank)


def count_words(text: str) -> int:
    """About how many tokens a tokenizer makes of a text."""
    return len(_WORD.findall(text))


def quote(text: str) -> str:
    """The beginning of a text in quotation marks, on one line."""
    start = " ".join(text[: 2 * QUOTED].split())
    return f"'{start[:QUOTED]}…'" if len(start) > QUOTED else f"'{start}'"


def _spaced(text: str) -> str:
    return " ".join(text.split())


class Places:
    """Counts, and keeps the first three places."""

    def __init__(self) -> None:
        self.count = 0
        self.first: List[str] = []

    def add(self, place: str) -> None:
        """Once more, here."""
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append(place)


def most(counts: Mapping[str, int]) -> List[Tuple[str, int]]:
    """Names and their counts, the most frequent first, then by name."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
