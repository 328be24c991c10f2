"""CoNLL-2003: `token POS chunk tag`, IOB1 as distributed first or IOB2 as most copies have it."""

from pathlib import Path
from typing import Iterator

from ...types import Record
from ..labels import CONLL_LABELS
from .bad_input import BadInput
from .columns import read_columns


def read_conll(path: Path, on_bad: BadInput, unit: str = "sentence") -> Iterator[Record]:
    """Reads one file of CoNLL-2003; entities, part-of-speech tags and sentence starts.

    unit: "sentence" or "document" (between `-DOCSTART-` lines), what becomes a Record. In either
        case `meta["group"]` is the document, where the file marks documents.
    Raises: DataError through `on_bad`.
    """
    yield from read_columns(
        path,
        on_bad,
        unit=unit,
        labels=CONLL_LABELS,
        columns=4,
        pos_column=1,
    )
