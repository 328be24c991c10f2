"""The files of somebody's own data: which split each one is, and what format they are in."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence

from wasabi import msg

from ..errors import Errors, MtnlpError
from .datasets import DATASETS, FORMATS
from .options import SPLITS
from .recognise import not_recognised, recognise, recognised
from .split_names import SPLIT_OF, split_of


@dataclass(frozen=True)
class Inputs:
    """Data of one's own.

    format: a name of `FORMATS`. splits: a file or folder per split; "train" alone where nothing is
        split yet, or where the Records themselves say where they belong (`meta["split"]`).
    name: what the corpus may be called; None is the format's own name.
    recognised: whether the format was told by content.
    """

    format: str
    splits: Dict[str, Path]
    name: Optional[str] = None
    recognised: bool = False


def requested(
    data: Sequence[str], given: Mapping[str, Optional[Path]], format: Optional[str] = None
) -> Inputs:
    """What a command line asks for.

    data: the name of a published corpus or of a format, or paths. given: a file per split that an
        option names; None where none does.
    format: the value of --format.
    Raises: MtnlpError (E144) where nothing is named, and those of `find_inputs`.
    """
    splits = {split: path for split, path in given.items() if path is not None}
    if len(data) == 1 and format is None and data[0] in (*DATASETS, *FORMATS):
        return Inputs(data[0], splits)
    if not data and "train" not in splits:
        form = "a corpus, a format, or the path of your data"
        raise MtnlpError(Errors.E144.format(option="NAME", value="", form=form))
    found = find_inputs([Path(path) for path in data], format).splits if data else {}
    twice = sorted(set(found) & set(splits))
    if twice:
        form = f"no second file for {twice[0]}: {found[twice[0]]} is one"
        raise MtnlpError(
            Errors.E144.format(option=f"--{twice[0]}", value=splits[twice[0]], form=form)
        )
    return inputs_of({**found, **splits}, format)


def say_recognised(inputs: Inputs) -> None:
    """Shows what was recognised by content, if anything was."""
    if inputs.recognised:
        files = ", ".join(f"{split} {path}" for split, path in inputs.splits.items())
        msg.info(f"Recognised as {inputs.format}: {files}")


def find_inputs(paths: Sequence[Path], format: Optional[str] = None) -> Inputs:
    """What is at one or several paths.

    paths: one file; one folder, which holds a file or folder per split, or is one format itself;
        or a file (or folder) per split, told apart by their names.
    format: the format's name; None recognises it by content.
    Raises: MtnlpError where nothing is there (E156), the format is not recognised (E155) or not
        known (E144), names do not tell the splits (E157), or formats differ (E158).
    """
    for path in paths:
        if not path.exists():
            recognise(path)
    if len(paths) == 1:
        splits = _of_folder(paths[0], format) if paths[0].is_dir() else {"train": paths[0]}
    else:
        splits = _by_name(paths)
        if len(splits) < len(paths) or "train" not in splits:
            raise _unclear(paths)
    return inputs_of(splits, format)


def inputs_of(splits: Mapping[str, Path], format: Optional[str] = None) -> Inputs:
    """The same for a file or folder per split, train among them.

    Raises: MtnlpError (E144, E155, E156, E158).
    """
    if format is not None:
        if format not in FORMATS:
            form = "one of " + ", ".join(FORMATS)
            raise MtnlpError(Errors.E144.format(option="--format", value=format, form=form))
        return Inputs(format, dict(splits), corpus_name(splits["train"]))
    formats = {split: recognise(path).name for split, path in splits.items()}
    if len(set(formats.values())) > 1:
        found = ", ".join(f"{splits[split]} ({name})" for split, name in formats.items())
        raise MtnlpError(Errors.E158.format(found=found))
    format = next(iter(formats.values()))
    return Inputs(format, dict(splits), corpus_name(splits["train"]), recognised=True)


def corpus_name(train: Path) -> str:
    """A name for the corpus: that of its file or folder without the word for the split, or else
    that of the folder above it."""
    path = train.resolve()
    pieces = re.split(r"([-_. ])", path.name if path.is_dir() else path.stem)
    while pieces and (pieces[-1].lower() in SPLIT_OF or pieces[-1] in "-_. "):
        pieces.pop()
    is_split = not pieces or pieces[0].lower() in SPLIT_OF
    return path.parent.name if is_split else "".join(pieces)


def _of_folder(folder: Path, format: Optional[str]) -> Dict[str, Path]:
    """The splits in a folder, or the folder as the only one."""
    children = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    if format is None:
        children = [path for path in children if recognised(path) is not None]
    clear = _by_name(children)
    if "train" in clear and len(clear) > 1:
        return clear
    if format is not None or recognised(folder) is not None:
        return {"train": folder}
    if "train" in clear:
        return clear
    if len(children) == 1:
        return {"train": children[0]}
    if any(split_of(path.name) for path in children):
        raise _unclear([path for path in children if split_of(path.name)])
    raise not_recognised(folder)


def _by_name(paths: Sequence[Path]) -> Dict[str, Path]:
    """The splits that names tell. Of several for one split the plainest name counts, such as
    `train.csv` before `old_train.csv`; a split with several as plain is left out."""
    found: Dict[str, Path] = {}
    for split in SPLITS:
        named: List[Path] = [path for path in paths if split_of(path.name) == split]
        plainest = min((_plainness(path) for path in named), default=0)
        best = [path for path in named if _plainness(path) == plainest]
        if len(best) == 1:
            found[split] = best[0]
    return found


def _plainness(path: Path) -> int:
    """0 for a name that is the split's word, 1 for an ending that is (`eng.train`), 2 otherwise."""
    if path.name.lower() in SPLIT_OF or path.stem.lower() in SPLIT_OF:
        return 0
    return 1 if path.suffix.lower().removeprefix(".") in SPLIT_OF else 2


def _unclear(paths: Sequence[Path]) -> MtnlpError:
    return MtnlpError(Errors.E157.format(found=", ".join(str(path) for path in paths)))
