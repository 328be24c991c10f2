"""The corpora as the Hugging Face hub has them: rows of `datasets` into Records."""

from typing import Any, Callable, Dict, Iterable, Iterator, Mapping, Optional, Sequence

from ..errors import DataError, Errors, MtnlpError
from ..types import Record
from .formats.bad_input import BadInput
from .formats.imdb import clean_review, sentiment_cats
from .formats.multinerd import LANGUAGE
from .formats.multinerd import row_to_record as multinerd_row
from .formats.tags import entities_of, parse_tag
from .labels import CONLL_LABELS
from .options import Parts

IMDB = "stanfordnlp/imdb"
CONLL = "eriktks/conll2003"
# The dataset itself is a script, which `datasets` no longer runs; this is its conversion.
CONLL_REVISION = "refs/convert/parquet"
MULTINERD = "Babelscape/multinerd"

# The hub's order of ids.
CONLL_TAGS = ("O", *(f"{prefix}-{label}" for label in CONLL_LABELS for prefix in "BI"))
_SENTIMENTS = ("negative", "positive")
_PARTS = {"train": "train", "validation": "dev", "test": "test"}

# (dataset, revision) to splits, each an iterable of rows.
Loader = Callable[[str, Optional[str]], Mapping[str, Any]]
RowReader = Callable[[Mapping[str, Any]], Record]


def load(dataset: str, revision: Optional[str] = None) -> Mapping[str, Any]:
    """Fetches a dataset with the library `datasets`.

    Raises: MtnlpError when the library is not installed or the hub cannot be reached.
    """
    try:
        import datasets
    except ImportError:
        raise MtnlpError(Errors.E143) from None
    try:
        return datasets.load_dataset(dataset, revision=revision)
    except (OSError, ValueError, RuntimeError) as error:
        reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        raise MtnlpError(Errors.E142.format(dataset=dataset, reason=reason)) from None


def hub_imdb(on_bad: BadInput, loader: Loader = load) -> Parts:
    """IMDB's train and test. The hub keeps neither movies nor ratings, so that its reviews
    have no `meta["group"]`."""
    return _parts(loader(IMDB, None), IMDB, lambda _: imdb_row, on_bad, ("train", "test"))


def hub_conll(on_bad: BadInput, loader: Loader = load) -> Parts:
    """CoNLL-2003 by sentences; the hub keeps no documents."""

    def reader(split: Any) -> RowReader:
        names = _class_names(split, "pos_tags")
        return lambda row: conll_row(row, names)

    return _parts(loader(CONLL, CONLL_REVISION), CONLL, reader, on_bad, tuple(_PARTS))


def hub_multinerd(on_bad: BadInput, loader: Loader = load) -> Parts:
    """MultiNERD's English sentences."""
    splits = loader(MULTINERD, None)
    english = {name: _English(rows, on_bad) for name, rows in splits.items()}
    return _parts(english, MULTINERD, lambda _: multinerd_row, on_bad, tuple(_PARTS))


def imdb_row(row: Mapping[str, Any]) -> Record:
    """`text` and `label` (0 negative, 1 positive).

    Raises: DataError for an empty text or another label.
    """
    text, label = row.get("text"), row.get("label")
    if not isinstance(text, str) or not clean_review(text):
        raise DataError(Errors.E135.format(field="text"))
    if label not in (0, 1):
        raise DataError(Errors.E136.format(field="label", form="0 or 1"))
    record = Record(text=clean_review(text), cats=sentiment_cats(_SENTIMENTS[label]))
    record.meta["stratum"] = _SENTIMENTS[label]
    return record


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


class _English:
    """The rows of a split in English, the others counted."""

    def __init__(self, rows: Iterable[Mapping[str, Any]], on_bad: BadInput) -> None:
        self.rows = rows
        self.on_bad = on_bad

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        for row in self.rows:
            if row.get("lang", LANGUAGE) == LANGUAGE:
                yield row
            else:
                self.on_bad.note("sentences in other languages left out")


def _parts(
    splits: Mapping[str, Any],
    dataset: str,
    make_reader: Callable[[Any], RowReader],
    on_bad: BadInput,
    wanted: Sequence[str],
) -> Parts:
    """The wanted splits as Records; a bad row is reported by split and number."""
    missing = [name for name in wanted if name not in splits]
    if missing:
        reason = f"it has no split {', '.join(missing)}"
        raise MtnlpError(Errors.E142.format(dataset=dataset, reason=reason))
    parts: Parts = {}
    for name in wanted:
        read = make_reader(splits[name])
        records = parts[_PARTS[name]] = []
        for number, row in enumerate(splits[name], start=1):
            try:
                record = read(row)
            except DataError as error:
                on_bad.report(DataError(f"{dataset}/{name}:{number}: {error}"))
                continue
            record.meta.update(path=f"{dataset}/{name}", line=number)
            records.append(record)
    return parts
