"""CoNLL-style columns: a token per line, its tag in the last column, blank lines between
sentences, `-DOCSTART-` lines between documents. CrossNER's `token TAB tag` is one of these."""

import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Collection, Iterator, List, Optional, Sequence, Tuple

from ...errors import DataError, Errors
from ...types import Annotation, Record
from ..options import ConvertOptions
from .bad_input import BadInput, Line, blocks, decode, read_lines
from .entry import Format
from .sniff import first_lines, mostly
from .tags import Tag, entities_of, missing_of, parse_tag, scheme_evidence, set_entities

DOCSTART = b"-DOCSTART-"
_BLANKS = re.compile(r"[ \t]+")
# How many sentences tell whether a column counts tokens.
_SENTENCES = 50


@dataclass
class Sentence:
    """A parsed sentence. `document` counts the `-DOCSTART-` lines before it, `line` is where it
    begins, `lines` are the line numbers of its tokens."""

    tokens: List[str]
    tags: List[Tag]
    pos: Optional[List[str]]
    document: int
    lines: List[int]

    @property
    def line(self) -> int:
        return self.lines[0]


def read_columns(
    path: Path,
    on_bad: BadInput,
    *,
    unit: str = "sentence",
    spans_key: Optional[str] = None,
    labels: Optional[Collection[str]] = None,
    columns: Optional[int] = None,
    pos_column: Optional[int] = None,
    delimiter: Optional[str] = None,
) -> Iterator[Record]:
    """Reads a file of columns.

    A file whose legal types are not given is somebody's own: its types may hold blanks where tabs
    separate the columns, its tag `-` is a token nobody judged (`Record.missing`), and a line that
    begins with `#` and is no token with a tag is a comment, counted and ignored. Where the first of
    three or more columns counts the tokens of each sentence, the second one holds them.

    unit: "sentence" or "document", what becomes a Record.
    spans_key: where entities go: None for `entities`, a name for `spans[name]`.
    labels: the legal entity types; None allows any.
    columns: how many columns every line must have; None takes the first token's number.
    pos_column: the column of part-of-speech tags, if there is one.
    delimiter: what separates columns; None takes a tab where a line has one, else blanks.
    Raises: DataError through `on_bad`.
    """
    token_column = 0
    try:
        lines = read_lines(path)
        if unit == "document" and not any(line.raw.startswith(DOCSTART) for line in lines):
            raise DataError(Errors.E107, path)
    except DataError as error:
        on_bad.report(error)
        return
    if labels is None:
        lines = _without_comments(lines, on_bad, delimiter)
        token_column = int(_is_numbered(lines, delimiter))
    sentences = list(
        read_sentences(
            path, lines, on_bad, labels, columns, pos_column, delimiter, token_column=token_column
        )
    )
    scheme, slips = detect_scheme(sentences)
    on_bad.note(f"entities of {scheme} files that begin as in the other scheme", slips)
    for group in _units(sentences, unit):
        try:
            record = _to_record(group, path, spans_key, has_documents=group[0].document > 0)
        except DataError as error:
            on_bad.report(DataError(str(error), path, group[0].line))
            continue
        yield record


def detect_scheme(sentences: Sequence[Sentence]) -> Tuple[str, int]:
    """ "IOB1" or "IOB2", whichever more entities commit themselves to ("IOB2" when none does),
    and how many commit themselves to the other. CoNLL-2003 itself is IOB1 with two such slips.
    """
    evidence = [scheme_evidence(sentence.tags) for sentence in sentences]
    iob1 = sum(len(first) for first, _ in evidence)
    iob2 = sum(len(second) for _, second in evidence)
    return ("IOB1", iob2) if iob1 > iob2 else ("IOB2", iob1)


def read_sentences(
    path: Path,
    lines: Sequence[Line],
    on_bad: BadInput,
    labels: Optional[Collection[str]] = None,
    columns: Optional[int] = None,
    pos_column: Optional[int] = None,
    delimiter: Optional[str] = None,
    *,
    token_column: int = 0,
) -> Iterator[Sentence]:
    """Parses lines into sentences; the arguments are those of `read_columns`, and the column of
    the tokens.

    Raises: DataError through `on_bad`.
    """
    documents = 0
    for block in blocks(lines):
        # Some copies have no blank line after -DOCSTART-.
        content = [line for line in block if not line.raw.startswith(DOCSTART)]
        documents += len(block) - len(content)
        if not content:
            continue
        try:
            rows = [_columns_of(line, path, columns, delimiter) for line in content]
            columns = columns or len(rows[0])
            if token_column:
                _check_counted(rows, path, content)
            tags = [
                _tag_of(row, path, line, labels, columns)
                for row, line in zip(rows, content, strict=True)
            ]
        except DataError as error:
            on_bad.report(error)
            continue
        pos = None if pos_column is None else [row[pos_column].strip() for row in rows]
        numbers = [line.number for line in content]
        yield Sentence([row[token_column] for row in rows], tags, pos, documents, numbers)


def _check_counted(rows: Sequence[List[str]], path: Path, lines: Sequence[Line]) -> None:
    for index, (row, line) in enumerate(zip(rows, lines, strict=True)):
        if not _counts(row, index):
            message = Errors.E134.format(found=row[0], expected=f"{index} or {index + 1}")
            raise DataError(message, path, line.number)


def _columns_of(
    line: Line, path: Path, columns: Optional[int], delimiter: Optional[str]
) -> List[str]:
    row = _split(decode(line.raw, path, line.number), delimiter)
    if len(row) != (columns or max(len(row), 2)) or not all(row):
        raise _wrong_columns(row, path, line, columns or 2)
    return row


def _split(text: str, delimiter: Optional[str]) -> List[str]:
    """The columns of a line; blanks behind the last one are none of it."""
    text = text.rstrip(" \t")
    if delimiter == " " or (delimiter is None and "\t" not in text):
        return _BLANKS.split(text.strip(" "))
    return text.split(delimiter or "\t")


def _without_comments(
    lines: Sequence[Line], on_bad: BadInput, delimiter: Optional[str]
) -> List[Line]:
    """The lines that are no comments. `#` is also a token: a comment is what begins so and has no
    separator where others have one; where blanks separate, what has not the columns of the first
    other line, or no tag in the last of them."""
    texts = [line.raw.decode("utf8", errors="replace") for line in lines]
    ordinary = (text for text in texts if text.strip() and not text.startswith(("#", "-DOCSTART-")))
    first = next(ordinary, "")
    width = len(_split(first, delimiter))
    mark = delimiter or ("\t" if "\t" in first else " ")
    is_comment = [text.startswith("#") and not _is_row(text, width, mark) for text in texts]
    on_bad.note("comment lines ignored", sum(is_comment))
    return [line for line, comment in zip(lines, is_comment, strict=True) if not comment]


def _is_numbered(lines: Sequence[Line], delimiter: Optional[str]) -> bool:
    """Whether the first of three columns or more counts the tokens, as far as the first sentences
    tell."""
    rows = [
        (index, _split(line.raw.decode("utf8", errors="replace"), delimiter))
        for block in islice(blocks(lines), _SENTENCES)
        for index, line in enumerate(block)
        if not block[0].raw.startswith(DOCSTART)
    ]
    return bool(rows) and all(len(row) > 2 and _counts(row, index) for index, row in rows)


def _counts(row: List[str], index: int) -> bool:
    return row[0] in (str(index), str(index + 1))


def _is_row(text: str, width: int, delimiter: str) -> bool:
    if delimiter != " ":
        return delimiter in text.rstrip()
    return _has_tag(_split(text, delimiter), max(width, 2))


def _has_tag(row: List[str], width: int) -> bool:
    """Whether a row has so many columns, and a tag in the last one."""
    try:
        parse_tag(row[-1].strip(), own_data=True)
    except DataError:
        return False
    return len(row) == width


def _tag_of(
    row: List[str], path: Path, line: Line, labels: Optional[Collection[str]], columns: int
) -> Tag:
    if len(row) != columns:
        raise _wrong_columns(row, path, line, columns)
    try:
        return parse_tag(row[-1].strip(), labels, own_data=labels is None)
    except DataError as error:
        raise DataError(str(error), path, line.number) from None


def _wrong_columns(row: List[str], path: Path, line: Line, expected: int) -> DataError:
    return DataError(Errors.E103.format(found=len(row), expected=expected), path, line.number)


def _units(sentences: Sequence[Sentence], unit: str) -> Iterator[List[Sentence]]:
    """The sentences of one Record at a time."""
    group: List[Sentence] = []
    for sentence in sentences:
        if group and (unit == "sentence" or sentence.document != group[-1].document):
            yield group
            group = []
        group.append(sentence)
    if group:
        yield group


def _to_record(
    sentences: Sequence[Sentence], path: Path, spans_key: Optional[str], has_documents: bool
) -> Record:
    tokens: List[str] = []
    starts: List[Optional[bool]] = []
    pos: List[str] = []
    tags: List[Tag] = []
    entities: List[Annotation] = []
    for sentence in sentences:
        shift = len(tokens)
        entities.extend(
            Annotation(start + shift, end + shift, label)
            for start, end, label in entities_of(sentence.tags)
        )
        starts.extend(index == 0 for index in range(len(sentence.tokens)))
        tokens.extend(sentence.tokens)
        tags.extend(sentence.tags)
        pos.extend(sentence.pos or [])
    record = Record(tokens=tokens, sent_starts=starts, tags=pos or None)
    record.meta = {"path": str(path), "line": sentences[0].line}
    if has_documents:
        record.meta["group"] = f"{path}#{sentences[0].document}"
    set_entities(record, entities, missing_of(tags), spans_key)
    return record


def _read_own(path: Path, on_bad: BadInput, options: ConvertOptions) -> Iterator[Record]:
    return read_columns(
        path,
        on_bad,
        unit=options.unit or COLUMNS.units[0],
        spans_key=options.spans_key,
        delimiter=options.delimiter,
    )


def is_columns(path: Path) -> bool:
    """Whether a file is of columns, separated by blanks or tabs, with a tag in the last one."""
    raws = [line.encode("utf8") for line in first_lines(path) if line.strip()]
    lines = [Line(0, raw) for raw in raws if not raw.startswith(DOCSTART)]
    texts = [line.raw.decode("utf8") for line in _without_comments(lines, BadInput(), None)]
    mark = "\t" if texts and "\t" in texts[0] else " "
    width = len(_split(texts[0], mark)) if texts else 0
    return width > 1 and mostly(_has_tag(_split(text, mark), width) for text in texts)


COLUMNS = Format(
    "columns",
    _read_own,
    units=("sentence", "document"),
    options=("delimiter", "spans_key"),
    recognise=is_columns,
)
