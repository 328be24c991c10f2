"""Where corpora come from: the embedded sample, a local copy, the hub, or one's own files."""

from pathlib import Path
from typing import Callable, Dict, Iterable, List, Optional, Sequence, Tuple

from ..errors import Errors, MtnlpError
from ..types import Record
from . import hub
from .formats.bad_input import BadInput
from .formats.brat import read_nerel
from .formats.columns import read_columns
from .formats.conll import read_conll
from .formats.csvfile import CsvOptions, read_csv
from .formats.imdb import read_imdb
from .formats.jsonl import Fields, read_jsonl
from .formats.label_names import read_label_names
from .formats.multinerd import read_multinerd
from .formats.spacy_docbin import read_docbin
from .options import PARTS, ConvertOptions, Parts

CORPORA = ("imdb", "conll", "nerel", "multinerd")
FORMATS = ("columns", "jsonl", "csv", "docbin")
SOURCES = ("sample", "local", "hub")

ASSETS = Path("assets")

# How copies of each corpus name their folder, below the path given or being it.
FOLDERS: Dict[str, Tuple[str, ...]] = {
    "imdb": ("", "aclImdb", "aclImdb_v1.tar.gz", "aclImdb_v1", "aclImdb.tar.gz", "imdb"),
    "conll": ("", "conll2003", "conll", "CoNLL-2003"),
    "nerel": ("", "NEREL-v1.1", "NEREL/NEREL-v1.1", "NEREL", "nerel"),
    "multinerd": ("", "multinerd", "MultiNERD", "EN", "wikineural_en"),
}
# How they name each split: a file or folder, first found.
_TRAIN = ("train", "train/train", "train_en", "train/train_en")
_DEV = tuple(
    name.replace("train", dev) for dev in ("dev", "val", "valid", "validation") for name in _TRAIN
)
_TEST = tuple(name.replace("train", "test") for name in _TRAIN)
SPLIT_NAMES: Dict[str, Tuple[str, ...]] = {"train": _TRAIN, "dev": _DEV, "test": _TEST}
SUFFIXES: Dict[str, Tuple[str, ...]] = {
    "conll": (".txt", ".conll", ".tsv", ""),
    "multinerd": (".jsonl", ".tsv", ".conllu", ".txt"),
    "nerel": ("",),
}
CONLL_NAMES = {"train": "eng.train", "dev": "eng.testa", "test": "eng.testb"}


def read_source(options: ConvertOptions, on_bad: BadInput) -> Parts:
    """Reads everything the options name, by official part.

    Returns: some of "train", "dev", "test".
    Raises: MtnlpError for an option that cannot be met, DataError for malformed data.
    """
    if options.format in FORMATS:
        return _read_own(options, on_bad)
    if options.format not in CORPORA:
        form = "one of " + ", ".join((*CORPORA, *FORMATS))
        raise MtnlpError(Errors.E144.format(option="NAME", value=options.format, form=form))
    if options.source not in SOURCES:
        form = "one of " + ", ".join(SOURCES)
        raise MtnlpError(Errors.E144.format(option="--source", value=options.source, form=form))
    unit_of(options)
    if options.source == "hub" and options.format != "nerel":
        return _read_hub(options, on_bad)
    root = _root(options)
    if options.format == "imdb":
        return read_imdb_parts(root, on_bad)
    read: Callable[[Path], Iterable[Record]] = {
        "conll": lambda path: read_conll(path, on_bad, unit_of(options)),
        "nerel": lambda path: read_nerel(path, on_bad),
        "multinerd": lambda path: read_multinerd(path, on_bad),
    }[options.format]
    return {part: list(read(path)) for part, path in find_parts(options.format, root).items()}


def unit_of(options: ConvertOptions) -> str:
    """ "sentence" or "document": what a Record of this conversion is.

    Raises: MtnlpError when the corpus does not come in the unit asked for.
    """
    both = options.format in ("conll", "columns") and options.source != "hub"
    own = "sentence" if options.format in ("conll", "columns", "multinerd") else "document"
    unit = options.unit or own
    if unit not in ("sentence", "document"):
        form = "sentence or document"
        raise MtnlpError(Errors.E144.format(option="--unit", value=unit, form=form))
    if unit != own and not both:
        raise MtnlpError(Errors.E148.format(name=options.format, unit=unit, only=own))
    return unit


def language_of(options: ConvertOptions) -> str:
    """The language of raw texts: NEREL's is Russian, except in the English sample."""
    is_russian = options.format == "nerel" and options.source != "sample"
    return options.lang or ("ru" if is_russian else "en")


def read_imdb_parts(root: Path, on_bad: BadInput) -> Parts:
    """IMDB's official train and test."""
    parts: Parts = {}
    for record in read_imdb(root, on_bad):
        parts.setdefault(record.meta["part"], []).append(record)
    return {part: parts[part] for part in PARTS if part in parts}


def find_parts(corpus: str, root: Path) -> Dict[str, Path]:
    """The files (NEREL: folders) of a corpus' splits, found by the names its copies use.

    root: the folder that holds them, or one that holds a folder with a usual name.
    Raises: MtnlpError when there is no train split.
    """
    for folder in FOLDERS[corpus]:
        found = {part: _find_part(corpus, root / folder, part) for part in PARTS}
        if found["train"] is not None:
            return {part: path for part, path in found.items() if path is not None}
    wanted = _wanted(corpus)
    raise MtnlpError(Errors.E141.format(path=root, wanted=wanted))


def _wanted(corpus: str) -> str:
    if corpus == "nerel":
        return "the folders train, dev and test, which `spacy project assets . --extra` fetches"
    names = ["eng.train"] if corpus == "conll" else []
    names += [f"{name}{suffix}" for name in _TRAIN for suffix in SUFFIXES[corpus] if suffix]
    return ", ".join(names)


def _find_part(corpus: str, folder: Path, part: str) -> Optional[Path]:
    names: List[str] = [CONLL_NAMES[part]] if corpus == "conll" else []
    names += [name + suffix for suffix in SUFFIXES[corpus] for name in SPLIT_NAMES[part]]
    for name in names:
        path = folder / name
        if path.is_dir() if corpus == "nerel" else path.is_file():
            return path
    return None


def _root(options: ConvertOptions) -> Path:
    if options.source == "sample":
        root = options.sample / options.format
    elif options.source == "hub":  # NEREL is no hub dataset but an asset of the project
        root = ASSETS / "NEREL"
    elif options.path is None:
        form = "the folder that holds your copy"
        raise MtnlpError(Errors.E144.format(option="--path", value="", form=form))
    else:
        root = options.path
    if not root.exists():
        raise MtnlpError(Errors.E141.format(path=root, wanted=_hint(options)))
    if options.format == "imdb":
        return _imdb_root(root)
    return root


def _hint(options: ConvertOptions) -> str:
    if options.source == "hub":
        return _wanted("nerel")
    if options.source == "sample":
        return "the embedded sample; run this in the project's folder"
    return f"a copy of {options.format}"


def _imdb_root(root: Path) -> Path:
    """The tree or archive at a path or just below it."""
    if root.is_file():
        return root
    for folder in FOLDERS["imdb"]:
        path = root / folder
        if path.is_file() or (path / "train").is_dir():
            return path
    raise MtnlpError(Errors.E141.format(path=root, wanted="aclImdb/, aclImdb_v1.tar.gz"))


def _read_hub(options: ConvertOptions, on_bad: BadInput) -> Parts:
    read = {"imdb": hub.hub_imdb, "conll": hub.hub_conll, "multinerd": hub.hub_multinerd}
    return read[options.format](on_bad)


def _read_own(options: ConvertOptions, on_bad: BadInput) -> Parts:
    """One's own files, a file a split."""
    given = {"train": options.train, "dev": options.dev, "test": options.test}
    if options.train is None:
        form = "the file with your training data"
        raise MtnlpError(Errors.E144.format(option="--train", value="", form=form))
    if options.label_names is not None and options.format != "csv":
        raise MtnlpError(Errors.E154.format(found=options.format))
    unit = unit_of(options) if options.format == "columns" else "document"
    fields = Fields(
        text=options.text_field,
        label=options.label_field,
        group=options.group_field or "group",
        task=options.task,
        spans_key=options.spans_key,
    )
    csv_options = CsvOptions(
        text=options.text_field,
        label=options.label_field,
        label_separator=options.label_separator,
        group=options.group_field,
        task=options.task,
        label_names=None if options.label_names is None else read_label_names(options.label_names),
    )
    read: Callable[[Path], Iterable[Record]] = {
        "columns": lambda path: read_columns(path, on_bad, unit=unit, spans_key=options.spans_key),
        "jsonl": lambda path: read_jsonl(path, on_bad, fields),
        "csv": lambda path: read_csv(path, on_bad, csv_options),
        "docbin": lambda path: read_docbin(path, on_bad),
    }[options.format]
    parts = {part: list(read(path)) for part, path in given.items() if path is not None}
    return fill_cats(parts)


def fill_cats(parts: Parts) -> Parts:
    """Writes 0.0 for the labels a unit does not have, in every task it is annotated for: which
    labels a task has only all splits together tell. Changes the Records in place.

    A unit with `cats` but no positive label is annotated for a corpus' only task.
    """
    records: Sequence[Record] = [record for rows in parts.values() for record in rows]
    tasks: Dict[str, List[str]] = {}
    for key in sorted({key for record in records for key in record.cats or {}}):
        tasks.setdefault(key.partition("/")[0], []).append(key)
    for record in records:
        if record.cats is not None:
            annotated = {key.partition("/")[0] for key in record.cats}
            if not annotated and len(tasks) == 1:
                annotated = set(tasks)
            known = record.cats
            record.cats = {
                key: known.get(key, 0.0) for task in sorted(annotated) for key in tasks[task]
            }
    return parts
