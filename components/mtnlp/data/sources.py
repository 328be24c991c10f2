"""Where corpora come from: the embedded sample, a local copy, the hub, or one's own files."""

from pathlib import Path
from typing import Dict, Iterable, List, Tuple, Union

import spacy

from ..errors import Errors, MtnlpError
from ..types import Record
from .checks.unit import Finding
from .datasets import DATASETS, FORMATS
from .formats.bad_input import BadInput
from .formats.entry import Dataset, Format, renamed
from .hub import read_hub
from .language import guess_language
from .options import SPLITS, ConvertOptions, Splits
from .overlaps import separate_overlaps

SOURCES = ("sample", "local", "hub")
ASSETS = Path("assets")
# Options that not every format reads. One that the format at hand does not read is an error.
_SPECIAL = (
    "label_separator",
    "label_names",
    "spans_field",
    "tags_field",
    "delimiter",
    "group_field",
    "spans_key",
)


def read_source(options: ConvertOptions, on_bad: BadInput) -> Splits:
    """Reads everything the options name, by official split.

    Returns: some of "train", "dev", "test".
    Raises: MtnlpError for an option that cannot be met, DataError for malformed data.
    """
    entry = entry_of(options)
    _check_options(entry, options)
    if isinstance(entry, Format):
        return _read_own(entry, options, on_bad)
    if options.source not in SOURCES:
        form = "one of " + ", ".join(SOURCES)
        raise MtnlpError(Errors.E144.format(option="--source", value=options.source, form=form))
    unit = unit_of(options)
    if options.source == "hub" and entry.hub is not None:
        splits = read_hub(entry.hub, on_bad)
        return {split: renamed(records, entry.rename) for split, records in splits.items()}
    return read_dataset(entry, _root(entry, options), on_bad, unit)


def read_dataset(dataset: Dataset, root: Path, on_bad: BadInput, unit: str = "") -> Splits:
    """Reads a copy of a dataset, by official split.

    root: its folder or archive, or a folder that holds it.
    unit: one of its `units`; "" is the first.
    Raises: MtnlpError (E141) when nothing is there, DataError for malformed data.
    """
    splits: Dict[str, List[Record]] = {}
    for split, path in dataset.find(root).items():
        records = renamed(dataset.read(path, on_bad, unit or dataset.units[0]), dataset.rename)
        _add_by_split(splits, split, records)
    return {split: splits[split] for split in SPLITS if split in splits}


def _add_by_split(splits: Splits, split: str, records: Iterable[Record]) -> None:
    """Adds Records to the split each one names in `meta`, or else to that of its file."""
    splits.setdefault(split, [])
    for record in records:
        splits.setdefault(record.meta.get("split", split), []).append(record)


def entry_of(options: ConvertOptions) -> Union[Dataset, Format]:
    """The table's entry for what is converted. Raises: MtnlpError (E144) for an unknown name."""
    entry = DATASETS.get(options.format) or FORMATS.get(options.format)
    if entry is None:
        form = "one of " + ", ".join((*DATASETS, *FORMATS))
        raise MtnlpError(Errors.E144.format(option="NAME", value=options.format, form=form))
    return entry


def unit_of(options: ConvertOptions) -> str:
    """ "sentence" or "document": what a Record of this conversion is.

    Raises: MtnlpError when the corpus does not come in the unit asked for.
    """
    entry = entry_of(options)
    units: Tuple[str, ...] = entry.units
    if isinstance(entry, Dataset) and entry.hub is not None and options.source == "hub":
        units = units[:1]  # the hub's rows are what they are
    unit = options.unit or units[0]
    if unit not in ("sentence", "document"):
        form = "sentence or document"
        raise MtnlpError(Errors.E144.format(option="--unit", value=unit, form=form))
    if unit not in units:
        raise MtnlpError(Errors.E148.format(name=options.format, unit=unit, only=units[0]))
    return unit


def language_of(options: ConvertOptions) -> str:
    """The language of raw texts; the embedded sample may have another one than the dataset."""
    if options.lang:
        return options.lang
    entry = entry_of(options)
    if isinstance(entry, Format):
        return "en"
    return entry.sample_language if options.source == "sample" else entry.language


def choose_language(options: ConvertOptions, splits: Splits) -> Tuple[str, List[Finding]]:
    """The language whose tokenizer splits raw texts: of one's own data what they seem to be in,
    English where that is unsure.

    Returns: the language, and what there is to say of it; nothing where nobody had to guess.
    """
    language = language_of(options)
    texts = [record.text for rows in splits.values() for record in rows if record.text]
    if options.lang or isinstance(entry_of(options), Dataset) or not texts:
        return language, []
    guessed = guess_language(texts)
    if guessed is None:
        message = f"The language of the texts is not clear, so '{language}' is taken"
        return language, [_about_language(f"{message}. --lang sets another one")]
    try:
        spacy.blank(guessed)
    except ImportError as error:  # a library that its tokenizer needs
        reason = str(error).strip().splitlines()[0]
        message = Errors.W181.format(language=guessed, reason=reason, taken=language)
        return language, [_about_language(message, is_fault=True)]
    message = f"The texts seem to be in '{guessed}', which is taken. --lang sets another one"
    return guessed, [_about_language(message)]


def _about_language(message: str, is_fault: bool = False) -> Finding:
    return Finding("language", message, None, is_fault=is_fault)


def find_splits(corpus: str, root: Path) -> Dict[str, Path]:
    """The files or folders of a dataset's splits, found by the names its copies use.

    root: the folder that holds them, or one that holds a folder with a usual name.
    Raises: MtnlpError (E141) when there is no train split.
    """
    return DATASETS[corpus].find(root)


def _check_options(entry: Union[Dataset, Format], options: ConvertOptions) -> None:
    if "/" in options.task or not options.task.strip():
        form = "a name without a slash: keys of categories are task/LABEL"
        raise MtnlpError(Errors.E144.format(option="--task", value=options.task, form=form))
    readable = {*entry.options, *SPLITS} if isinstance(entry, Format) else set()
    for name in (*SPLITS, *_SPECIAL):
        if getattr(options, name) is not None and name not in readable:
            names = [item.name for item in FORMATS.values() if name in (*SPLITS, *item.options)]
            formats = " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
            option = "--" + name.replace("_", "-")
            message = Errors.E154.format(option=option, formats=formats, found=options.format)
            raise MtnlpError(message)


def _root(dataset: Dataset, options: ConvertOptions) -> Path:
    if options.source == "sample":
        root, wanted = options.sample / dataset.name, "the embedded sample; run this in the "
        wanted += "project's folder"
    elif options.source == "hub":
        if dataset.asset is None:
            raise MtnlpError(Errors.E174.format(name=dataset.name))
        root, wanted = ASSETS / dataset.asset, "what `spacy project assets . --extra` fetches"
    elif options.path is None:
        form = "the folder that holds your copy"
        raise MtnlpError(Errors.E144.format(option="--path", value="", form=form))
    else:
        root, wanted = options.path, f"a copy of {dataset.name}"
    if not root.exists():
        raise MtnlpError(Errors.E141.format(path=root, wanted=wanted))
    return root


def _read_own(format: Format, options: ConvertOptions, on_bad: BadInput) -> Splits:
    """One's own files, one per split."""
    given = {"train": options.train, "dev": options.dev, "test": options.test}
    if options.train is None:
        form = "the file with your training data"
        raise MtnlpError(Errors.E144.format(option="--train", value="", form=form))
    unit_of(options)
    splits: Splits = {}
    for split, path in given.items():
        if path is not None:
            _add_by_split(splits, split, format.read(path, on_bad, options))
    splits = {split: splits[split] for split in SPLITS if split in splits}
    separate_overlaps(splits, on_bad)
    return fill_cats(splits)


def fill_cats(splits: Splits) -> Splits:
    """Writes 0.0 for the labels a unit does not have, in the tasks of which it names every label
    that holds (`meta["judged"]`): which labels a task has only all splits together tell. Where a
    unit says label by label what holds, a label that it leaves out stays missing. Changes the
    Records in place.
    """
    records = [record for rows in splits.values() for record in rows]
    tasks: Dict[str, List[str]] = {}
    for key in sorted({key for record in records for key in record.cats or {}}):
        tasks.setdefault(key.partition("/")[0], []).append(key)
    for record in records:
        if record.cats is not None:
            judged = sorted(record.meta.get("judged", ()))
            absent = {key: 0.0 for task in judged for key in tasks.get(task, ())}
            record.cats = dict(sorted({**absent, **record.cats}.items()))
    return splits
