"""What the table of datasets and formats holds: one entry for each."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Tuple

from ...errors import Errors, MtnlpError
from ...types import Record
from ..options import SPLITS, ConvertOptions
from .bad_input import BadInput

# (a split's file or folder, policy, "sentence" or "document") to Records. A Record whose
# `meta["split"]` names a split belongs there, whatever file it stands in.
DatasetReader = Callable[[Path, BadInput, str], Iterable[Record]]
FormatReader = Callable[[Path, BadInput, ConvertOptions], Iterable[Record]]
RowReader = Callable[[Mapping[str, Any]], Record]

# How copies name each split: a file or folder, first found.
_TRAIN = ("train", "train/train", "train_en", "train/train_en")
_DEV = tuple(
    name.replace("train", dev) for dev in ("dev", "val", "valid", "validation") for name in _TRAIN
)
_TEST = tuple(name.replace("train", "test") for name in _TRAIN)
SPLIT_NAMES: Mapping[str, Tuple[str, ...]] = {"train": _TRAIN, "dev": _DEV, "test": _TEST}


@dataclass(frozen=True)
class Card:
    """A dataset as a model's papers name it.

    title, author, url: for meta.json's `sources`.
    licence: its licence in a few words.
    notice: what whoever uses or passes on a model trained on it should know.
    """

    title: str
    author: str
    url: str
    licence: str
    notice: str


@dataclass(frozen=True)
class SplitFiles:
    """The usual layout on disk: a file or folder per split. Called with a root, it finds them.

    folders: how copies name the folder of the splits, below the root; "" is the root itself.
    suffixes: of a split's file, in the order they are tried.
    own_names: the names it was distributed under, by split; they are tried first.
    are_folders: whether a split is a folder.
    wanted: what an error says was looked for; None names the training file's names.
    """

    folders: Tuple[str, ...] = ("",)
    suffixes: Tuple[str, ...] = ("",)
    own_names: Mapping[str, str] = field(default_factory=dict)
    are_folders: bool = False
    wanted: Optional[str] = None

    def __call__(self, root: Path) -> Dict[str, Path]:
        """The files or folders found, by split.

        Raises: MtnlpError (E141) when there is no train split.
        """
        for folder in self.folders:
            found = {split: self._find(root / folder, split) for split in SPLITS}
            if found["train"] is not None:
                return {split: path for split, path in found.items() if path is not None}
        raise MtnlpError(Errors.E141.format(path=root, wanted=self.wanted or self._names()))

    def _find(self, folder: Path, split: str) -> Optional[Path]:
        own = [self.own_names[split]] if split in self.own_names else []
        names = [name + suffix for suffix in self.suffixes for name in SPLIT_NAMES[split]]
        paths = [folder / name for name in (*own, *names)]
        is_there = Path.is_dir if self.are_folders else Path.is_file
        return next((path for path in paths if is_there(path)), None)

    def _names(self) -> str:
        own = [self.own_names["train"]] if "train" in self.own_names else []
        usual = [name + suffix for name in _TRAIN for suffix in self.suffixes if suffix]
        return ", ".join([*own, *usual])


@dataclass(frozen=True)
class HubSource:
    """A dataset on the Hugging Face hub.

    dataset, revision: as `datasets.load_dataset` takes them.
    row_reader: makes the reader of a split's rows, given the split (whose `features` may name ids).
    splits: the hub's names of the splits to read.
    left_out: what a row that does not count is noted as, None for one that does.
    """

    dataset: str
    row_reader: Callable[[Any], RowReader]
    revision: Optional[str] = None
    splits: Tuple[str, ...] = ("train", "validation", "test")
    left_out: Callable[[Mapping[str, Any]], Optional[str]] = lambda row: None


@dataclass(frozen=True)
class Dataset:
    """A published dataset: everything the converter knows of it.

    name: what the command line calls it, and the file name of the result.
    card: title, makers and licence.
    read: reads one split. find: the files or folders below a folder, by split.
    labels: the entity labels it may hold, as Docs have them; empty where it has no entities.
    rename: labels as the reader gives them to what Docs shall have; others stay as they are.
    units: "sentence" or "document", what a Record of it can be; the first one is the default.
    language: of its texts. sample_language: of the embedded sample's.
    hub: where the hub has it. asset: or else the folder below `assets/` where the project
        downloads it to.
    """

    name: str
    card: Card
    read: DatasetReader
    find: Callable[[Path], Dict[str, Path]]
    labels: Tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    units: Tuple[str, ...] = ("document",)
    language: str = "en"
    sample_language: str = "en"
    hub: Optional[HubSource] = None
    asset: Optional[str] = None


@dataclass(frozen=True)
class Format:
    """A format of one's own data.

    name: what the command line calls it.
    read: reads one file, as the options of the conversion say. Entities of its Records may
        overlap: `separate_overlaps` finds them a place.
    units: as in `Dataset`.
    options: those fields of `ConvertOptions` that not every format reads, and this one does.
    recognise: whether a file or folder is of this format, by its content; never raises. The first
        format of the table that says yes is taken, so the special ones stand before the general.
    """

    name: str
    read: FormatReader
    units: Tuple[str, ...] = ("document",)
    options: Tuple[str, ...] = ()
    recognise: Callable[[Path], bool] = lambda path: False


def renamed(records: Iterable[Record], names: Mapping[str, str]) -> List[Record]:
    """The Records with labels of entities, spans and categories renamed, in place."""
    rows = list(records)
    for record in rows if names else ():
        layers = [record.entities or [], *(record.spans or {}).values()]
        for layer in layers:
            layer[:] = [item._replace(label=names.get(item.label, item.label)) for item in layer]
        if record.cats is not None:
            record.cats = {_renamed(key, names): value for key, value in record.cats.items()}
    return rows


def _renamed(key: str, names: Mapping[str, str]) -> str:
    task, slash, label = key.rpartition("/")
    return f"{task}{slash}{names.get(label, label)}"
