"""CoNLL-style columns: a token a line, its tag in the last column, blank lines between
sentences, `-DOCSTART-` lines between documents. CrossNER's `token TAB tag` is one of these."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Collection, Iterator, List, Optional, Sequence

from mtnlp.data.formats.bad_input import BadInput, Line, blocks, decode, read_lines
from mtnlp.data.formats.tags import Tag, entities_of, parse_tag, scheme_evidence
from mtnlp.errors import DataError, Errors
from mtnlp.types import Annotation, Record

DOCSTART = b"-DOCSTART-"
_BLANKS = re.compile(r"[ \t]+")


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
    one_scheme: bool = False,
) -> Iterator[Record]:
    """Reads a file of columns.

    unit: "sentence" or "document", what becomes a Record.
    spans_key: where entities go: None for `entities`, a name for `spans[name]`.
    labels: the legal entity types; None allows any.
    columns: how many columns every line must have; None takes the first line's number.
    pos_column: the column of part-of-speech tags, if there is one.
    one_scheme: whether a file that mixes IOB1 and IOB2 is malformed.
    Raises: DataError through `on_bad`.
    """
    try:
        lines = read_lines(path)
        if unit == "document" and not any(line.raw.startswith(DOCSTART) for line in lines):
            raise DataError(Errors.E107, path)
    except DataError as error:
        on_bad.report(error)
        return
    reader = _SentenceReader(path, labels, columns, pos_column)
    sentences = list(reader.read(lines, on_bad))
    if one_scheme:
        try:
            detect_scheme(sentences, path)
        except DataError as error:
            on_bad.report(error)
    for group in _units(sentences, unit):
        yield _to_record(group, path, spans_key, has_documents=reader.documents > 0)


def detect_scheme(sentences: Sequence[Sentence], path: Path) -> str:
    """ "IOB1" or "IOB2", told from the tags; "IOB2" where no tag decides.

    Raises: DataError when the file holds both.
    """
    scheme, first_iob1 = "IOB2", None
    first_iob2 = None
    for sentence in sentences:
        iob1, iob2 = scheme_evidence(sentence.tags)
        if iob1 is not None and first_iob1 is None:
            first_iob1 = sentence.lines[iob1]
            scheme = "IOB1"
        if iob2 is not None and first_iob2 is None:
            first_iob2 = sentence.lines[iob2]
        if first_iob1 is not None and first_iob2 is not None:
            early, late = sorted((first_iob1, first_iob2))
            raise DataError(Errors.E106.format(other=early), path, late)
    return scheme


class _SentenceReader:
    """Parses blocks of lines into sentences, keeping count of documents and columns."""

    def __init__(
        self,
        path: Path,
        labels: Optional[Collection[str]],
        columns: Optional[int],
        pos_column: Optional[int],
    ) -> None:
        self.path = path
        self.labels = labels
        self.columns = columns
        self.pos_column = pos_column
        self.documents = 0

    def read(self, lines: Sequence[Line], on_bad: BadInput) -> Iterator[Sentence]:
        for block in blocks(lines):
            # Some copies have no blank line after -DOCSTART-.
            content = [line for line in block if not line.raw.startswith(DOCSTART)]
            self.documents += len(block) - len(content)
            if content:
                try:
                    yield self._sentence(content)
                except DataError as error:
                    on_bad.report(error)

    def _sentence(self, lines: Sequence[Line]) -> Sentence:
        rows = [self._columns_of(line) for line in lines]
        tags: List[Tag] = []
        for line, row in zip(lines, rows):
            try:
                tags.append(parse_tag(row[-1], self.labels))
            except DataError as error:
                raise DataError(str(error), self.path, line.number) from None
        pos = None if self.pos_column is None else [row[self.pos_column] for row in rows]
        numbers = [line.number for line in lines]
        return Sentence([row[0] for row in rows], tags, pos, self.documents, numbers)

    def _columns_of(self, line: Line) -> List[str]:
        text = decode(line.raw, self.path, line.number)
        row = text.split("\t") if "\t" in text else _BLANKS.split(text.strip(" "))
        if self.columns is None:
            self.columns = max(len(row), 2)
        if len(row) != self.columns or not all(row):
            message = Errors.E103.format(found=len(row), expected=self.columns)
            raise DataError(message, self.path, line.number)
        return row


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
    starts: List[bool] = []
    pos: List[str] = []
    entities: List[Annotation] = []
    for sentence in sentences:
        shift = len(tokens)
        entities.extend(
            Annotation(start + shift, end + shift, label)
            for start, end, label in entities_of(sentence.tags)
        )
        starts.extend(index == 0 for index in range(len(sentence.tokens)))
        tokens.extend(sentence.tokens)
        pos.extend(sentence.pos or [])
    record = Record(tokens=tokens, sent_starts=starts, tags=pos or None)
    record.meta = {"path": str(path), "line": sentences[0].line}
    if has_documents:
        record.meta["group"] = f"{path}#{sentences[0].document}"
    if spans_key is None:
        record.entities = entities
    else:
        record.spans = {spans_key: entities}
    return record
