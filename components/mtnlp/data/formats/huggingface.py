"""Datasets of Hugging Face on disk: folders of `save_to_disk`, and Parquet or Arrow files."""

import re
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from ...errors import DataError, Errors, MtnlpError
from ...types import Record
from ..options import ConvertOptions
from ..split_names import split_of
from .bad_input import BadInput
from .entry import Format
from .json_rows import Row
from .jsonl import TAGS, Fields, fields_of, read_values
from .label_names import read_label_names
from .offsets import START

# What marks a folder of `save_to_disk`: of several splits, or of one.
_SPLITS, _ONE_SPLIT = "dataset_dict.json", "state.json"
# The files of other folders; Arrow's are one table, or a stream of messages.
_SUFFIXES = (".parquet", ".arrow")
# How Parquet files, Arrow tables and Arrow streams begin.
_MAGIC = (b"PAR1", b"ARROW1", b"\xff\xff\xff\xff")
_PREFIX = re.compile(r"[BIESLU]-\S")

# The name of a split, None where nothing tells it, and its `datasets.Dataset`.
Table = Tuple[Optional[str], Any]


def read_huggingface(path: Path, on_bad: BadInput, options: ConvertOptions) -> Iterator[Record]:
    """Reads all splits at a path by the rules of JSONL, with ids of a ClassLabel as their names.

    The id -1 is "not annotated". Where no tag begins with `B-`, `I-` or the like, neighbours of one
    type are one entity. Ids without names get them from `options.label_names`. Several splits are
    told by `meta["split"]`; those whose name is none of train, dev and test are left out.
    Raises: MtnlpError (E002) without the library `datasets`, DataError through `on_bad`.
    """
    fields = fields_of(options)
    names = None if options.label_names is None else read_label_names(options.label_names)
    try:
        tables = _load(path)
    except DataError as error:
        on_bad.report(error)
        return
    for name, table in tables:
        split = None if name is None else split_of(name)
        if name is not None and split is None:
            on_bad.note(f"rows of the split {name} left out", len(table))
            continue
        where = path if name is None else path / name
        for record in read_values(_rows(table, fields, names, on_bad), where, on_bad, fields):
            if split is not None:
                record.meta["split"] = split
            yield record


def _load(path: Path) -> List[Table]:
    """The tables at a path. Raises: MtnlpError (E002), DataError (E185)."""
    try:
        import datasets
        import pyarrow
    except ImportError:
        raise MtnlpError(Errors.E002.format(library="datasets", extra="hub")) from None
    try:
        if (path / _SPLITS).is_file():
            return list(datasets.load_from_disk(str(path)).items())
        if (path / _ONE_SPLIT).is_file():
            return [(None, datasets.load_from_disk(str(path)))]
        files = _files(path) if path.is_dir() else [path]
        split_names = [split_of(file.name) if path.is_dir() else None for file in files]
        tables = [datasets.Dataset(_read_table(file)) for file in files]
    except (OSError, ValueError, KeyError, TypeError, pyarrow.ArrowException) as error:
        reason = str(error).split("\n")[0] or type(error).__name__
        raise DataError(Errors.E185.format(reason=reason), path) from None
    return list(zip(split_names, tables, strict=True))


def _read_table(path: Path) -> Any:
    import pyarrow.ipc
    import pyarrow.parquet

    with path.open("rb") as stream:
        start = stream.read(len(_MAGIC[1]))
    if start.startswith(_MAGIC[0]):
        return pyarrow.parquet.read_table(path)
    is_table = start == _MAGIC[1]
    reader = pyarrow.ipc.open_file(path) if is_table else pyarrow.ipc.open_stream(path)
    return reader.read_all()


def _files(folder: Path) -> List[Path]:
    """The Parquet and Arrow files in a folder, or in `data` below it, as on the hub."""
    for place in (folder, folder / "data"):
        files = [path for path in sorted(place.glob("[!.]*")) if path.suffix in _SUFFIXES]
        if files:
            return files
    return []


def _rows(
    table: Any, fields: Fields, names: Optional[Sequence[str]], on_bad: BadInput
) -> Iterator[Row]:
    """The rows as JSON has them, numbered from 1."""
    media = [name for name, feature in table.features.items() if hasattr(feature, "decode_example")]
    for column in media:
        on_bad.note(f"values of the column {column} left out", len(table))
    table = table.remove_columns(media)
    tags = (fields.tags,) if fields.tags is not None else TAGS
    named = (*tags, fields.label, fields.labels)
    for number, row in enumerate(table, start=1):
        values: Dict[str, Any] = {}
        for column, value in row.items():
            value = _named(value, table.features[column], column in tags)
            if names is not None and column in named:
                value = _with_names(value, names)
            values[column] = _spans(value)
        # Some datasets call a single label `labels`.
        if fields.label not in values and not isinstance(values.get(fields.labels, []), list):
            values[fields.label] = values.pop(fields.labels)
        yield Row(number, values)


def _named(value: Any, feature: Any, are_tags: bool = False) -> Any:
    """A value with the ids of every ClassLabel in it as their names, and -1 as None."""
    if isinstance(feature, dict) and isinstance(value, dict):
        return {key: _named(value[key], feature[key]) for key in value}
    if isinstance(value, list):
        inner = feature[0] if isinstance(feature, list) else getattr(feature, "feature", None)
        return [_named(item, inner, are_tags) for item in value]
    names = getattr(feature, "names", None)
    if names is None or not isinstance(value, int):
        return value
    if value < 0:
        return "-" if are_tags else None
    name = names[value]
    has_prefixes = not are_tags or name == "O" or any(_PREFIX.match(item) for item in names)
    return name if has_prefixes else f"I-{name}"


def _with_names(value: Any, names: Sequence[str]) -> Any:
    """Ids that the features do not name, by a list of names. Unknown ones stay as they are, which
    the reader of tags or labels then reports."""
    if isinstance(value, list):
        return [_with_names(item, names) for item in value]
    is_id = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names)
    return names[value] if is_id else value


def _spans(value: Any) -> Any:
    """`datasets` turns a list of mappings into a mapping of lists: turns spans back."""
    if not isinstance(value, dict) or not any(isinstance(value.get(key), list) for key in START):
        return value
    columns = zip(*value.values(), strict=True)
    return [dict(zip(value, cells, strict=True)) for cells in columns]


def is_huggingface(path: Path) -> bool:
    """Whether a folder or a file is a dataset on disk."""
    if path.is_dir():
        return any((path / name).is_file() for name in (_SPLITS, _ONE_SPLIT)) or bool(_files(path))
    try:
        with path.open("rb") as stream:
            return stream.read(max(map(len, _MAGIC))).startswith(_MAGIC)
    except OSError:
        return False


HUGGINGFACE = Format(
    "huggingface",
    read_huggingface,
    options=("label_names", "spans_field", "tags_field", "group_field", "spans_key"),
    recognise=is_huggingface,
)
