"""Pairs of texts in JSON lines (or one JSON array): two texts and how similar they are, or an
anchor and a text that belongs to it."""

from math import isfinite
from pathlib import Path
from typing import Any, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from ...annotation.pairs import PAIR_KEY, SIMILARITY_KEY, join_sides
from ...errors import DataError, Errors
from ...types import Annotation, Record
from ..options import ConvertOptions
from .bad_input import BadInput
from .entry import Format
from .fields import PairFields, pair_fields
from .json_rows import first_values, read_rows
from .sniff import mostly

# The highest similarity of a file: what is above 1 is on the scale of the STS benchmark.
TOP, STS_TOP = 1.0, 5.0
SCALED_NOTE = "similarities from 0 to 5, divided by 5"
NEGATIVES_NOTE = "negatives left out (the other pairs of a batch are those of a positive one)"
# Pairs of one stratum differ by no more in their similarity.
STRATA = 5
_FORM = "a number from 0 to 1 or, in the whole file, from 0 to 5"


class Pair(NamedTuple):
    """Two texts as a file has them. line: where. similarity: as written; None for texts that
    belong together, of which nobody says how similar they are."""

    line: int
    first: str
    second: str
    similarity: Optional[float]


def read_pairs(path: Path, on_bad: BadInput) -> Iterator[Record]:
    """Reads one file, a Record per row: `{"text1", "text2", "similarity"}` or `{"anchor",
    "positive"}`, and the other names of `fields.PAIRS`.

    Raises: DataError through `on_bad`.
    """
    pairs: List[Pair] = []
    for line, row in read_rows(path, on_bad):
        try:
            pairs.append(_to_pair(line, row))
        except DataError as error:
            on_bad.report(DataError(str(error), path, line))
            continue
        on_bad.note(NEGATIVES_NOTE, int("negative" in row))
    yield from to_records(pairs, path, on_bad)


def _to_pair(line: int, row: Any) -> Pair:
    names = list(row) if isinstance(row, dict) else []
    fields = pair_fields(names)
    if fields is None:
        raise DataError(Errors.E755.format(fields=", ".join(names) or "(none)"))
    for name in (fields.first, fields.second):
        if not isinstance(row[name], str) or not row[name].strip():
            raise DataError(Errors.E136.format(field=name, form="a text that is not empty"))
    similarity = None
    if fields.similarity is not None:
        similarity = parse_similarity(row[fields.similarity], fields)
    return Pair(line, row[fields.first], row[fields.second], similarity)


def parse_similarity(value: Any, fields: PairFields) -> float:
    """Raises: DataError (E136) for what is no number from 0 to 5."""
    try:
        number = float("nan" if isinstance(value, bool) else value)
    except (TypeError, ValueError):
        number = float("nan")
    if not isfinite(number) or not 0 <= number <= STS_TOP:
        raise DataError(Errors.E136.format(field=fields.similarity, form=f"{_FORM}; not {value!r}"))
    return number


def to_records(
    pairs: Iterable[Pair], path: Path, on_bad: BadInput, top: Optional[float] = None
) -> Iterator[Record]:
    """A Record for each pair: its text holds both, `spans["pair"]` says where, and
    `cats["similarity"]`, from 0 to 1, how similar they are.

    top: the highest similarity there can be; None finds it: 5 where any is above 1, which is noted.
    """
    found = list(pairs)
    if top is None:
        is_scaled = any(pair.similarity is not None and pair.similarity > TOP for pair in found)
        top = STS_TOP if is_scaled else TOP
    if top != TOP:
        on_bad.note(SCALED_NOTE, sum(pair.similarity is not None for pair in found))
    for pair in found:
        record = pair_record(pair.first, pair.second)
        if pair.similarity is not None:
            similarity = pair.similarity / top
            record.cats = {SIMILARITY_KEY: similarity}
            record.meta["stratum"] = f"{SIMILARITY_KEY} {round(similarity * STRATA)}"
        record.meta.update(path=str(path), line=pair.line)
        yield record


def pair_record(first: str, second: str) -> Record:
    """A Record that holds two texts, neither of them blank."""
    text = join_sides(first, second)
    middle = text.index(join_sides("", ""))
    # A label would make them entities.
    places: Tuple[Annotation, ...] = (
        Annotation(0, middle, ""),
        Annotation(middle + 1, len(text), ""),
    )
    return Record(text=text, spans={PAIR_KEY: list(places)})


def is_pairs(path: Path) -> bool:
    """Whether a file holds JSON objects with the fields of a pair."""
    values = first_values(path)
    return mostly(isinstance(row, dict) and pair_fields(list(row)) is not None for row in values)


def _read_own(path: Path, on_bad: BadInput, options: ConvertOptions) -> Iterator[Record]:
    return read_pairs(path, on_bad)


PAIRS = Format("pairs", _read_own, recognise=is_pairs)
