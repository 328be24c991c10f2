"""Tables of sentence pairs with a similarity: those of the STS benchmark, which have no header, and
CSV or TSV whose header names two sentences and a score."""

from pathlib import Path
from typing import Iterator, List, Optional, Sequence

from ...errors import DataError, Errors
from ...types import Record
from ..options import ConvertOptions
from .bad_input import BadInput
from .entry import Format
from .fields import PairFields, pair_fields
from .pairs import STS_TOP, Pair, parse_similarity, to_records
from .sniff import mostly
from .table import find_delimiter, first_rows, numbered_rows

TAB = "\t"
# genre, file, year, id, score, first sentence, second sentence; some rows name sources besides.
SCORE, FIRST, SECOND = 4, 5, 6
WIDTH = 7
_SCORE = PairFields("sentence 1", "sentence 2", "score")


def read_sts(path: Path, on_bad: BadInput, delimiter: Optional[str] = None) -> Iterator[Record]:
    """Reads one file, a Record per row: see `pairs.to_records`.

    The scores of the benchmark are from 0 to 5 and are divided by 5; in a table with a header they
    may be from 0 to 1, too.

    delimiter: what separates the columns of a table with a header; None finds it.
    Raises: DataError through `on_bad`.
    """
    mark = delimiter or find_delimiter(path, quoting=True) or TAB
    header = _header(path, mark)
    if header is None:
        rows = numbered_rows(path, TAB, False, on_bad)
        places, width, fields, top = [FIRST, SECOND, SCORE], WIDTH, _SCORE, STS_TOP
    else:
        rows = numbered_rows(path, mark, mark != TAB, on_bad)
        names = [cell.strip() for cell in next(rows)[1]]
        fields, width, top = header, len(names), None
        places = [names.index(str(name)) for name in fields]
    pairs: List[Pair] = []
    for line, row in rows:
        try:
            pairs.append(_to_pair(line, row, places, width, fields))
        except DataError as error:
            on_bad.report(DataError(str(error), path, line))
    yield from to_records(pairs, path, on_bad, top)


def _to_pair(
    line: int, row: Sequence[str], places: Sequence[int], width: int, fields: PairFields
) -> Pair:
    if len(row) < width or not all(row[place].strip() for place in places):
        raise DataError(Errors.E103.format(found=len(row), expected=width))
    first, second, score = (row[place] for place in places)
    return Pair(line, first, second, parse_similarity(score, fields))


def _header(path: Path, delimiter: str) -> Optional[PairFields]:
    """The columns of two sentences and a score where the first row names them."""
    rows = first_rows(path, delimiter, quoting=delimiter != TAB)
    found = pair_fields([cell.strip() for cell in rows[0]]) if rows else None
    return found if found is not None and found.similarity is not None else None


def is_sts(path: Path) -> bool:
    """Whether a file is a table of pairs with a similarity: by its header, or by its columns."""
    if not path.is_file():
        return False
    mark = find_delimiter(path, quoting=True)
    if mark is not None and _header(path, mark) is not None:
        return True
    rows = first_rows(path, TAB, quoting=False)
    return mostly(len(row) >= WIDTH and _is_score(row[SCORE]) for row in rows)


def _is_score(cell: str) -> bool:
    try:
        return 0 <= float(cell) <= STS_TOP
    except ValueError:
        return False


def _read_own(path: Path, on_bad: BadInput, options: ConvertOptions) -> Iterator[Record]:
    return read_sts(path, on_bad, options.delimiter)


STS = Format("sts", _read_own, options=("delimiter",), recognise=is_sts)
