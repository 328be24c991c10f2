"""The config of a cell: overrides put in place, and everything checked before anything runs."""

import re
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, Iterator, Optional, Sequence

from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.training.initialize import resolve_dot_names
from spacy.util import load_config, load_model_from_config, registry
from thinc.api import Config

from ..errors import Errors, MtnlpError
from .grid import Cell, Setting

# No config needs it to train, and every comparison may have one.
TEST = ("paths", "test")
CORPORA = ("train", "dev", "test")
# What may also be a name on a hub.
HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")


def make_config(cell: Cell, seed: Optional[int]) -> Config:
    """The config of one run, its variables not yet filled in.

    seed: in place of the config's own; None leaves that.
    Raises: MtnlpError (E421, E422, E423) for settings that have no place, and for a config file
        that is missing or cannot be built.
    """
    if not cell.config.is_file():
        raise MtnlpError(Errors.E422.format(source=f"config ({cell.name})", path=cell.config))
    config, filled = load_config(cell.config), filled_config(cell.config).copy()
    for setting in cell.settings:
        known = setting.path == TEST or has_setting(filled, setting.path)
        if not (known and put_setting(config, setting) and put_setting(filled, setting)):
            name = ".".join(setting.path)
            raise MtnlpError(
                Errors.E421.format(source=setting.source, name=name, config=cell.config)
            )
    if seed is not None:
        if "seed" in config.get("system", {}):
            config["system"]["seed"] = seed
        config["training"]["seed"] = seed
    # A bar in a log file is noise.
    config["training"].get("logger", {}).pop("progress_bar", None)
    return config


def check_config(cell: Cell, config: Config) -> Language:
    """Build everything a run needs, short of reading data and encoder.

    Returns: the pipeline, not initialised, with its config filled in.
    Raises: MtnlpError (E422, E423, E426) for missing files and what cannot be built.
    """
    with config_errors(cell.name):
        paths = config.interpolate().get("paths", {})
    check_files(cell, paths)
    if has_test(config):
        with_test_as_dev(config)
    with config_errors(cell.name):
        nlp = load_model_from_config(config, auto_fill=True)
        complete = nlp.config.interpolate()
        training: Dict[str, Any] = registry.resolve(
            complete["training"],
            schema=ConfigSchemaTraining,
        )
        resolve_dot_names(complete, [training["train_corpus"], training["dev_corpus"]])
    return nlp


def check_files(cell: Cell, paths: Dict[str, Any]) -> None:
    """Raises: MtnlpError (E422) where `[paths]` names a corpus or a file that is not there."""
    for name, path in paths.items():
        if not isinstance(path, str) or (name not in CORPORA and HUB_NAME.fullmatch(path)):
            continue
        if not Path(path).exists():
            sources = [item.source for item in cell.settings if item.path == ("paths", name)]
            source = f"paths.{name} ({sources[-1] if sources else cell.config})"
            raise MtnlpError(Errors.E422.format(source=source, path=path))


def has_test(config: Config) -> bool:
    """Whether `paths.test` is given."""
    return config.get("paths", {}).get("test") is not None


def with_test_as_dev(config: Config) -> Config:
    """A copy whose dev corpus is the test corpus: the same reader, with `paths.test` as its
    `paths.dev`.

    Raises: MtnlpError (E426) where no corpus depends on `paths.dev`.
    """
    other = config.copy()
    other["paths"]["dev"] = config["paths"]["test"]
    before, after = config.interpolate()["corpora"], other.interpolate()["corpora"]
    if before == after and config["paths"].get("dev") != other["paths"]["dev"]:
        raise MtnlpError(Errors.E426)
    return other


@lru_cache(maxsize=16)
def filled_config(path: Path) -> Config:
    """A config with every default of spaCy, of its components and of its functions. Callers must
    not write to it. Raises: MtnlpError (E423) where it cannot be built."""
    with config_errors(str(path)):
        return load_model_from_config(load_config(path), auto_fill=True).config


@contextmanager
def config_errors(cell: str) -> Iterator[None]:
    """Whatever spaCy or a component has to say against a config, as MtnlpError (E423)."""
    try:
        yield
    except (ValueError, KeyError, TypeError, OSError) as error:
        reason = str(error).strip() or type(error).__name__
        raise MtnlpError(Errors.E423.format(cell=cell, reason=reason)) from error


def has_setting(config: Dict[str, Any], path: Sequence[str]) -> bool:
    """Whether a filled config has the setting, or a block above it names a function, which will
    check its arguments itself."""
    block: Any = config
    for key in path:
        if not isinstance(block, dict):
            return False
        if any(name.startswith("@") for name in block):
            return True
        if key not in block:
            return False
        block = block[key]
    return True


def put_setting(config: Dict[str, Any], setting: Setting) -> bool:
    """Put a setting into a config; a block replaces what was there.

    Returns: False, nothing changed, where a leaf stands in the way.
    """
    block: Any = config
    for key in setting.path[:-1]:
        block = block.setdefault(key, {})
        if not isinstance(block, dict):
            return False
    block[setting.path[-1]] = setting.value
    return True
