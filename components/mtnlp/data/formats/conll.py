"""CoNLL-2003: `token POS chunk tag`, IOB1 as distributed first or IOB2 as most copies have it; on
the hub as tokens with ids."""

from pathlib import Path
from typing import Any, Dict, Iterator, Mapping, Optional, Sequence

from ...errors import DataError, Errors
from ...types import Record
from ..labels import CONLL_LABELS
from .bad_input import BadInput
from .columns import read_columns
from .entry import Card, Dataset, HubSource, RowReader, SplitFiles
from .tags import entities_of, parse_tag

# The hub's order of ids.
CONLL_TAGS = ("O", *(f"{prefix}-{label}" for label in CONLL_LABELS for prefix in "BI"))


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


def conll_row(row: Mapping[str, Any], pos_names: Optional[Sequence[str]] = None) -> Record:
    """`tokens`, `ner_tags` and `pos_tags` (ids).

    pos_names: the part-of-speech tags by id; None leaves them out.
    Raises: DataError when lengths differ or an id is unknown.
    """
    tokens, ids = list(row.get("tokens") or []), list(row.get("ner_tags") or [])
    if not tokens or not all(isinstance(token, str) and token for token in tokens):
        raise DataError(Errors.E130)
    if len(tokens) != len(ids):
        raise DataError(Errors.E131.format(tokens=len(tokens), tags=len(ids)))
    tags = [parse_tag(_name(index, CONLL_TAGS)) for index in ids]
    starts = [index == 0 for index in range(len(tokens))]
    record = Record(tokens=tokens, sent_starts=starts, entities=entities_of(tags))
    if pos_names is not None and row.get("pos_tags") is not None:
        record.tags = [_name(index, pos_names) for index in row["pos_tags"]]
        if len(record.tags) != len(tokens):
            raise DataError(Errors.E131.format(tokens=len(tokens), tags=len(record.tags)))
    return record


def _name(index: Any, names: Sequence[str]) -> str:
    if not isinstance(index, int) or not 0 <= index < len(names):
        raise DataError(Errors.E132.format(tag=index, last=len(names) - 1))
    return names[index]


def _class_names(split: Any, column: str) -> Optional[Sequence[str]]:
    """The names behind the ids of a column, where the dataset's features tell them."""
    features: Dict[str, Any] = getattr(split, "features", None) or {}
    feature = getattr(features.get(column), "feature", None)
    return getattr(feature, "names", None)


def _row_reader(split: Any) -> RowReader:
    names = _class_names(split, "pos_tags")
    return lambda row: conll_row(row, names)


CONLL = Dataset(
    name="conll",
    card=Card(
        title="CoNLL-2003, English",
        author="Tjong Kim Sang and De Meulder, 2003",
        url="https://www.clips.uantwerpen.be/conll2003/ner/",
        licence="Reuters Corpus agreement",
        notice="The texts are Reuters news, given out for research under an agreement with the "
        "Reuters Corpus; commercial use needs Reuters' consent.",
    ),
    read=read_conll,
    find=SplitFiles(
        folders=("", "conll2003", "conll", "CoNLL-2003"),
        suffixes=(".txt", ".conll", ".tsv", ""),
        own_names={"train": "eng.train", "dev": "eng.testa", "test": "eng.testb"},
    ),
    labels=CONLL_LABELS,
    units=("sentence", "document"),
    # The dataset itself is a script, which `datasets` no longer runs; this is its conversion.
    hub=HubSource("eriktks/conll2003", _row_reader, revision="refs/convert/parquet"),
)
