"""All that a training needs to go on, in one file: `checkpoint.pt`."""

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

import numpy as np
import torch
from spacy.util import dict_to_dot
from thinc.api import Config, xp2torch
from wasabi import msg

from ..errors import Errors, MtnlpError
from ..files import fresh_file

FILE = "checkpoint.pt"
# What may be other when a training goes on: how long it is, and who is told of it.
FREE = ("training.max_steps", "training.max_epochs", "training.patience", "training.logger")
ARRAY = "__array__"


@dataclass
class Checkpoint:
    """A training between two steps.

    config: the config as given, interpolated, by dotted names.
    steps: how many are done.
    scores: (main score, step) of every evaluation.
    unscored: the score weights that count no more, because an evaluation had no such score.
    losses: summed since the last evaluation. words: seen so far. seconds: trained so far.
    weights, optimizer: of `get_weights` and `get_optimizer_state`.
    random: of `get_random_state`, one per process.
    is_finished: whether no step was left.
    """

    config: Dict[str, Any]
    steps: int
    scores: List[Tuple[float, int]]
    unscored: List[str]
    losses: Dict[str, float]
    words: int
    seconds: int
    weights: Dict[str, Any]
    optimizer: Dict[str, Any]
    random: List[Dict[str, Any]]
    version: int = 1
    is_finished: bool = False

    def require(self, config: Config, processes: int) -> None:
        """Raises: MtnlpError E461 naming what is other than in the run that wrote this.

        config: as given for the run that goes on. processes: their number.
        """
        now = flatten(config)
        names = [name for name in sorted({*now, *self.config}) if not name.startswith(FREE)]
        none = object()
        changed = [
            f"{name} = {show(self.config, name)} (now {show(now, name)})"
            for name in names
            if now.get(name, none) != self.config.get(name, none)
        ]
        if processes != len(self.random):
            changed.append(f"processes = {len(self.random)} (now {processes})")
        if changed:
            raise MtnlpError(Errors.E461.format(names="; ".join(changed)))


def flatten(config: Config) -> Dict[str, Any]:
    """A config's settings by dotted names, interpolated."""
    return dict_to_dot(Config(config).interpolate())


def show(settings: Dict[str, Any], name: str) -> str:
    """A setting for the eye."""
    return repr(settings[name]) if name in settings else "not set"


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write `folder/checkpoint.pt`. The one before it stays until the new one is whole."""
    state = {item.name: getattr(checkpoint, item.name) for item in fields(checkpoint)}
    with fresh_file(folder / FILE) as temporary, temporary.open("wb") as file:
        torch.save(pack(state), file)
        file.flush()
        os.fsync(file.fileno())  # whole on the disk before it takes the old one's place


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read `folder/checkpoint.pt`.

    Raises: MtnlpError E460 where there is none, E462 where it cannot be read.
    """
    path = folder / FILE
    if not path.exists():
        raise MtnlpError(Errors.E460.format(path=path))
    try:
        # Tensors and plain types alone: nothing in the file is run.
        return Checkpoint(**unpack(torch.load(path, map_location="cpu", weights_only=True)))
    except Exception as error:  # torch's reader fails in many ways on a broken file
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise MtnlpError(Errors.E462.format(path=path, reason=reason)) from error


def read_same(folder: Path, config: Config, processes: int) -> Optional[Checkpoint]:
    """Read the checkpoint of an earlier run of the same training; None, where it cannot go on.

    The same: every setting as it was, and no file that a setting names was written since. It cannot
    go on where it is finished: who trains again wants another training.
    config: as given for the run that goes on. processes: their number.
    """
    path = folder / FILE
    if not path.exists():
        return None
    settings = flatten(config)
    written = path.stat().st_mtime
    try:
        checkpoint = read_checkpoint(folder)
        checkpoint.require(config, processes)
    except MtnlpError as error:
        msg.info(f"Starting anew. {error}")
        return None
    newer = [file for file in files_named(settings) if file.stat().st_mtime > written]
    if newer:
        msg.info(f"Starting anew: {newer[0]} was written after {path}")
    elif checkpoint.config != settings:
        msg.info(f"Starting anew: {path} was made for a training of another length")
    elif checkpoint.is_finished:
        msg.info(f"Starting anew: the training of {path} is finished")
    else:
        return checkpoint
    return None


def files_named(settings: Dict[str, Any]) -> Iterator[Path]:
    """The files that settings name, and those below the folders that they name."""
    for value in settings.values():
        # A setting may be any text; `Path.exists` raises where one is too long for a name.
        if isinstance(value, str) and value and os.path.exists(value):  # noqa: PTH110
            path = Path(value)
            below = path.rglob("*") if path.is_dir() else [path]
            yield from (file for file in below if file.is_file())


def pack(value: Any) -> Any:
    """Arrays of numpy and cupy as marked tensors, all else as it is."""
    if isinstance(value, dict):
        return {key: pack(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(pack(item) for item in value)
    if isinstance(value, np.generic):
        return value.item()
    if not isinstance(value, torch.Tensor) and hasattr(value, "__array_interface__"):
        return {ARRAY: torch.from_numpy(np.array(value))}
    if hasattr(value, "__cuda_array_interface__") and not isinstance(value, torch.Tensor):
        return {ARRAY: xp2torch(value).cpu()}
    return value


def unpack(value: Any) -> Any:
    """What `pack` was given, with numpy's arrays."""
    if isinstance(value, dict):
        if set(value) == {ARRAY}:
            return value[ARRAY].numpy()
        return {key: unpack(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(unpack(item) for item in value)
    return value
