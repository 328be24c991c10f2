"""One file of WebAnno TSV 3: text, sentences, and the annotations of each layer."""

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

from ...errors import DataError, Errors
from .bad_input import Line, decode, read_lines

FORMAT = "#FORMAT=WebAnno TSV 3"
_LAYER = re.compile(r"#T_(SP|CH|RL)=([^|]*)\|?(.*)")
_TEXT = "#Text="
# `3-2`, or `3-2.1` for a part of a token.
_NUMBER = re.compile(r"\d+-\d+(\.\d+)?")
_OFFSETS = re.compile(r"(\d+)-(\d+)")
# What `|` separates, where a backslash takes a mark its meaning.
_STACKED = re.compile(r"(?:^|\|)((?:\\.|[^\\|])*)")
_ID = re.compile(r"(?<!\\)\[(\d+)\]$")
_ESCAPED = re.compile(r"\\(->|.)")
_CONTROL = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "b": "\b"}
_NOTHING, _NO_VALUE = "_", "*"
# The columns before those of the layers: number, offsets, token.
_COLUMNS = 3


@dataclass(frozen=True)
class Layer:
    """kind: "SP" (spans), "CH" (chains) or "RL" (relations). columns: one per feature; a slot and
    the base of a relation have one, too."""

    kind: str
    name: str
    columns: Tuple[str, ...]

    @property
    def features(self) -> Tuple[int, ...]:
        """The indices of the columns that are features of a span."""
        slots = {i for i, name in enumerate(self.columns) if name.startswith("ROLE_")}
        return tuple(
            i for i in range(len(self.columns)) if not {i, i - 1} & slots and self.kind == "SP"
        )


@dataclass
class Span:
    """Character offsets, and the value of each feature that has one."""

    start: int
    end: int
    values: Dict[str, str]


@dataclass
class Document:
    """text: sentences at their offsets. sentences: offsets, and the line of each one's first token.
    spans: the annotations of the layers that have features, also those without annotations.
    others: how many links of chains and slots, and how many relations, there are, by layer.
    """

    text: str = ""
    sentences: List[Tuple[int, int, int]] = field(default_factory=list)
    spans: Dict[Layer, List[Span]] = field(default_factory=dict)
    others: Counter = field(default_factory=Counter)


@dataclass
class _Row:
    """A line of a token, or of a part of one. start, end: in UTF-16 units, as Java counts."""

    line: int
    is_part: bool
    start: int
    end: int
    token: str
    cells: List[str]


def read_document(path: Path) -> Document:
    """Raises: DataError (E100 to E103, E186, E187) with file and line."""
    layers: List[Layer] = []
    sentences: List[Tuple[List[str], List[_Row]]] = []
    lines = [Line(n, raw) for n, raw in read_lines(path) if raw.strip()]
    for number, raw in lines:
        text = decode(raw, path, number)
        if header := _LAYER.fullmatch(text):
            layers.append(Layer(header[1], header[2], tuple(header[3].split("|"))))
        elif text.startswith(_TEXT):
            if not sentences or sentences[-1][1]:
                sentences.append(([], []))
            sentences[-1][0].append(text.removeprefix(_TEXT))
        elif not text.startswith("#"):
            if not sentences:
                raise DataError(Errors.E187.format(found=text[:40]), path, number)
            width = _COLUMNS + sum(len(layer.columns) for layer in layers)
            sentences[-1][1].append(_row(text, width, path, number))
    return _document(layers, [sentence for sentence in sentences if sentence[1]], path)


def _row(text: str, width: int, path: Path, number: int) -> _Row:
    cells = text.split("\t")
    if len(cells) == width + 1 and not cells[-1]:  # every line ends with a tab
        cells.pop()
    numbered, offsets = _NUMBER.fullmatch(cells[0]), _OFFSETS.fullmatch("".join(cells[1:2]))
    if numbered is None or offsets is None:
        raise DataError(Errors.E187.format(found=" ".join(cells[:2])), path, number)
    if len(cells) != width:
        raise DataError(Errors.E103.format(found=len(cells), expected=width), path, number)
    start, end = int(offsets[1]), int(offsets[2])
    return _Row(number, numbered[1] is not None, start, end, cells[2], cells[_COLUMNS:])


def _document(
    layers: Sequence[Layer], sentences: Sequence[Tuple[List[str], List[_Row]]], path: Path
) -> Document:
    document = Document(spans={layer: [] for layer in layers if layer.features})
    units = bytearray()
    bounds: List[Tuple[int, int, int]] = []
    for texts, rows in sentences:
        start = rows[0].start
        # What stood between two sentences is not in the file.
        units += " ".encode("utf-16-le") * (start - len(units) // 2)
        units += _unescaped("\n".join(texts)).encode("utf-16-le")
        bounds.append((start, len(units) // 2, rows[0].line))
    document.text = units.decode("utf-16-le", errors="replace")
    lengths = (1 + (ord(character) > 0xFFFF) for character in document.text)
    index = {unit: at for at, unit in enumerate(accumulate(lengths, initial=0))}
    document.sentences = [(index.get(s, 0), index.get(e, 0), line) for s, e, line in bounds]
    rows = [row for _, rows in sentences for row in rows]
    for row in rows:
        start, end = index.get(row.start, -1), index.get(row.end, -1)
        found = document.text[start:end] if min(start, end) >= 0 else ""
        if found not in (row.token, _unescaped(row.token)):
            message = Errors.E186.format(offsets=(row.start, row.end), found=found, token=row.token)
            raise DataError(message, path, row.line)
        row.start, row.end = start, end
    column = 0
    for layer in layers:
        cells = [row.cells[column : column + len(layer.columns)] for row in rows]
        if layer.features:
            document.spans[layer] = _spans(layer, rows, cells)
        document.others.update(_others(layer, cells))
        column += len(layer.columns)
    return document


def _spans(layer: Layer, rows: Sequence[_Row], cells: Sequence[List[str]]) -> List[Span]:
    """The annotations in the columns of a layer; those with one id are one."""
    spans: Dict[object, Span] = {}
    for row, columns in zip(rows, cells, strict=True):
        stacked = [_STACKED.findall(columns[index]) for index in layer.features]
        for position, first in enumerate(stacked[0]):
            if first == _NOTHING:
                continue
            identifier = _ID.search(first)
            key = identifier[1] if identifier else (row.line, position)
            span = spans.setdefault(key, Span(row.start, row.end, {}))
            span.start, span.end = min(span.start, row.start), max(span.end, row.end)
            for index, values in zip(layer.features, stacked, strict=True):
                value = _ID.sub("", values[position]) if position < len(values) else _NO_VALUE
                if value not in (_NO_VALUE, _NOTHING):
                    span.values[layer.columns[index]] = _unescaped(value)
    return list(spans.values())


def _others(layer: Layer, cells: Sequence[List[str]]) -> Dict[str, int]:
    """How many links and relations the columns of a layer hold."""
    if layer.kind == "SP":
        slots = [i for i, name in enumerate(layer.columns) if name.startswith("ROLE_")]
        links = [link for row in cells for i in slots for link in row[i].split(";")]
        return {f"links of slots of {layer.name}": sum(x not in ("_", "*") for x in links)}
    what = "links of chains" if layer.kind == "CH" else "relations"
    entries = [entry for row in cells for entry in _STACKED.findall(row[0])]
    return {f"{what} of {layer.name}": sum(entry != _NOTHING for entry in entries)}


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: _CONTROL.get(match[1], match[1]), text)
