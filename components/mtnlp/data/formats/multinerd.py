"""MultiNERD: JSONL (`tokens`, `ner_tags` as ids, `lang`) or TSV (`index TAB token TAB tag`)."""

from pathlib import Path
from typing import Any, Iterator, List, Mapping, Optional, Sequence

from ...errors import DataError, Errors
from ...types import Record
from ..labels import (
    MULTINERD_KEY,
    MULTINERD_LABELS,
    MULTINERD_TAGS,
    WIKINEURAL_EXTRA_LABELS,
)
from .bad_input import BadInput, Line, blocks, decode, read_lines
from .entry import Card, Dataset, HubSource, SplitFiles
from .json_rows import parse_json
from .tags import Tag, entities_of, parse_tag

LANGUAGE = "en"
_LABELS = (*MULTINERD_LABELS, *WIKINEURAL_EXTRA_LABELS)
_OTHER = "sentences in other languages left out"


def read_multinerd(path: Path, on_bad: BadInput) -> Iterator[Record]:
    """Reads one file: JSONL when it is named so, TSV otherwise.

    Records: a sentence each, its `tokens`, entities in `spans["multinerd"]`. Of JSONL only the
    English sentences; a line without `lang` counts as English. TSV also reads WikiNEuRal, where
    an entity may begin with I and MISC is one of the types.
    Raises: DataError through `on_bad`.
    """
    try:
        lines = read_lines(path)
    except DataError as error:
        on_bad.report(error)
        return
    reader = _read_jsonl if path.suffix == ".jsonl" else _read_tsv
    yield from reader(path, lines, on_bad)


def row_to_record(row: Any) -> Record:
    """A sentence from a mapping with `tokens` and `ner_tags` (ids, or tags as strings).

    Raises: DataError when a field is missing or of another form, the lengths differ, an id or a
        tag is unknown.
    """
    tokens: Any = row.get("tokens") if isinstance(row, dict) else None
    tags: Any = row.get("ner_tags") if isinstance(row, dict) else None
    if not _is_list_of_text(tokens) or not isinstance(tags, Sequence) or isinstance(tags, str):
        raise DataError(Errors.E130)
    if len(tokens) != len(tags):
        raise DataError(Errors.E131.format(tokens=len(tokens), tags=len(tags)))
    return _sentence(list(tokens), [_parse(tag) for tag in tags])


def _is_list_of_text(value: Any) -> bool:
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    return is_list and len(value) > 0 and all(isinstance(item, str) and item for item in value)


def _parse(tag: Any) -> Tag:
    if isinstance(tag, str):
        return parse_tag(tag, _LABELS)
    if isinstance(tag, bool) or not isinstance(tag, int) or not 0 <= tag < len(MULTINERD_TAGS):
        raise DataError(Errors.E132.format(tag=tag, last=len(MULTINERD_TAGS) - 1))
    return parse_tag(MULTINERD_TAGS[tag])


def _sentence(tokens: List[str], tags: List[Tag]) -> Record:
    starts = [index == 0 for index in range(len(tokens))]
    return Record(tokens=tokens, sent_starts=starts, spans={MULTINERD_KEY: entities_of(tags)})


def _read_jsonl(path: Path, lines: Sequence[Line], on_bad: BadInput) -> Iterator[Record]:
    for number, raw in lines:
        if not raw.strip():
            continue
        try:
            row = parse_json(raw, path, number)
            if isinstance(row, dict) and (other := _left_out(row)) is not None:
                on_bad.note(other)
                continue
            record = row_to_record(row)
        except DataError as error:
            on_bad.report(error if error.line else DataError(str(error), path, number))
            continue
        record.meta = {"path": str(path), "line": number}
        yield record


def _left_out(row: Mapping[str, Any]) -> Optional[str]:
    return None if row.get("lang", LANGUAGE) == LANGUAGE else _OTHER


def _read_tsv(path: Path, lines: Sequence[Line], on_bad: BadInput) -> Iterator[Record]:
    for block in blocks(lines):
        try:
            record = _sentence_of_rows(path, block)
        except DataError as error:
            on_bad.report(error)
            continue
        record.meta = {"path": str(path), "line": block[0].number}
        yield record


def _sentence_of_rows(path: Path, block: Sequence[Line]) -> Record:
    tokens: List[str] = []
    tags: List[Tag] = []
    for position, (number, raw) in enumerate(block):
        row = decode(raw, path, number).rstrip(" \t").split("\t")
        if len(row) != 3 or not all(row):
            raise DataError(Errors.E103.format(found=len(row), expected=3), path, number)
        if row[0] != str(position):
            message = Errors.E134.format(found=row[0], expected=position)
            raise DataError(message, path, number)
        tokens.append(row[1])
        try:
            tags.append(parse_tag(row[2].strip(), _LABELS))
        except DataError as error:
            raise DataError(str(error), path, number) from None
    return _sentence(tokens, tags)


MULTINERD = Dataset(
    name="multinerd",
    card=Card(
        title="MultiNERD, English",
        author="Tedeschi and Navigli, 2022",
        url="https://github.com/Babelscape/multinerd",
        licence="CC BY-NC-SA 4.0",
        notice="Non-commercial: a model trained on it may not be used commercially, and its "
        "makers must be credited.",
    ),
    read=lambda path, on_bad, unit: read_multinerd(path, on_bad),
    find=SplitFiles(
        folders=("", "multinerd", "MultiNERD", "EN", "wikineural_en"),
        suffixes=(".jsonl", ".tsv", ".conllu", ".txt"),
    ),
    labels=_LABELS,
    units=("sentence",),
    language=LANGUAGE,
    hub=HubSource("Babelscape/multinerd", lambda split: row_to_record, left_out=_left_out),
)
