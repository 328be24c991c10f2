"""Offsets that count something else than characters, told by the words they cut."""

from dataclasses import dataclass, field
from itertools import product
from typing import Dict, Iterator, List, Optional, Tuple

from spacy.tokens import Doc

from ..annotation.white_space import trim_characters
from ..errors import Errors
from ..types import Annotation, Record

# What offsets may count instead, its encoding and the bytes of one unit. JavaScript and Java count
# UTF-16, C, Go and databases often bytes.
_UNITS: Dict[str, Tuple[str, int]] = {"UTF-16 units": ("utf-16-le", 2), "bytes": ("utf8", 1)}


@dataclass
class Evidence:
    """Texts whose spans cut words and hold characters of several units.

    explained: how many cut none when read in this unit. others: how many still do.
    example: the first explained one, as a warning. where: its place.
    """

    explained: int = 0
    others: int = 0
    example: str = ""
    where: str = ""


@dataclass
class OffsetUnits:
    """Evidence by unit, gathered text by text."""

    evidence: Dict[str, Evidence] = field(default_factory=dict)

    def look(self, record: Record, doc: Doc) -> None:
        """Takes up a text. `doc` is the tokenised `record.text`."""
        text = record.text or ""
        if text.isascii():
            return
        spans = list(_annotations(record))
        cut = [span for span in spans if _cuts(doc, text, span)]
        if not cut:
            return
        for unit, (encoding, width) in _UNITS.items():
            if len(text.encode(encoding)) == width * len(text):
                continue  # one unit per character
            evidence = self.evidence.setdefault(unit, Evidence())
            reread = {span: _uncut(doc, text, span, encoding, width) for span in spans}
            if None in reread.values():
                evidence.others += 1
                continue
            evidence.explained += 1
            if not evidence.example:
                evidence.example = _example(text, unit, cut[0], reread[cut[0]] or cut[0])
                evidence.where = f"{record.meta.get('path', '')}:{record.meta.get('line', 1)}"

    def warnings(self) -> List[str]:
        """A warning for each unit that explains more of the texts than it leaves."""
        return [
            f"{found.where}: {found.example} ({found.explained:,} texts)"
            for found in self.evidence.values()
            if found.explained > found.others
        ]


def _annotations(record: Record) -> Iterator[Annotation]:
    yield from record.entities or ()
    for layer in (record.spans or {}).values():
        yield from layer


def _cuts(doc: Doc, text: str, span: Annotation) -> bool:
    start, end = trim_characters(text, span.start, span.end)
    return start == end or doc.char_span(start, end) is None


def _uncut(
    doc: Doc, text: str, span: Annotation, encoding: str, width: int
) -> Optional[Annotation]:
    """The span if its offsets count units of an encoding; None where they then cut a word.

    Readers strip blanks from spans, as characters: the offsets may have been one further out.
    """
    starts = [
        span.start - blank for blank in (0, 1) if not text[span.start - blank : span.start].strip()
    ]
    ends = [span.end + blank for blank in (0, 1) if not text[span.end : span.end + blank].strip()]
    for start, end in product(starts, ends):
        reread = _reread(text, Annotation(start, end, span.label), encoding, width)
        if reread is not None and not _cuts(doc, text, reread):
            return reread
    return None


def _reread(text: str, span: Annotation, encoding: str, width: int) -> Optional[Annotation]:
    """The span if its offsets count units of an encoding; None where they cut a character."""
    data = text.encode(encoding)
    if span.start < 0 or span.end * width > len(data):
        return None
    try:
        start, end = (len(data[: at * width].decode(encoding)) for at in (span.start, span.end))
    except UnicodeDecodeError:
        return None
    return Annotation(start, end, span.label)


def _example(text: str, unit: str, span: Annotation, reread: Annotation) -> str:
    return Errors.E173.format(
        unit=unit,
        start=span.start,
        end=span.end,
        found=text[span.start : span.end],
        wanted=text[reread.start : reread.end],
    )
