"""The grid of a side-by-side run: a TOML file to the cells it spans."""

import itertools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ..errors import Errors, MtnlpError

# What a grid file may hold, with the type of each.
KEYS: Dict[str, type] = {
    "config": str,
    "metrics": list,
    "seeds": list,
    "model": str,
    "paths": dict,
    "overrides": dict,
    "axes": dict,
    "exclude": list,
}
MODELS = ("last", "best")
# Axes and values name folders.
NAME = re.compile(r"[\w.+-]+")
COMMAND_LINE = "the command line"

# The settings of each value.
Axis = Dict[str, Dict[str, Any]]


@dataclass(frozen=True)
class Setting:
    """One override of a config.

    path: where, such as ("training", "max_epochs"). value: a leaf or a whole block. source: who
    wants it, for messages.
    """

    path: Tuple[str, ...]
    value: Any
    source: str


@dataclass(frozen=True)
class Cell:
    """One combination of axis values, trained once per seed.

    values: by axis. config: the config file. settings: overrides, later ones over earlier ones.
    """

    values: Dict[str, str]
    config: Path
    settings: Tuple[Setting, ...]

    @property
    def name(self) -> str:
        """`decoder=crf,loss=focal`; "config" where the grid has no axes."""
        return ",".join(f"{axis}={value}" for axis, value in self.values.items()) or "config"


@dataclass(frozen=True)
class Grid:
    """What is compared.

    name: of the file. axes: their names. cells: the product of the axes, less what is excluded.
    seeds: of each cell's runs. metrics: score keys of the table, the main one first. model: which
    weights are scored, the "last" or the "best" on dev.
    """

    name: str
    axes: List[str]
    cells: List[Cell]
    seeds: List[int]
    metrics: List[str]
    model: str


def read_grid(
    path: Path,
    overrides: Optional[Mapping[str, Any]] = None,
    seeds: Optional[Sequence[int]] = None,
) -> Grid:
    """Read a grid file.

    overrides: dotted, over everything the file says. seeds: in place of the file's.
    Raises: MtnlpError (E420) for a file that is no grid, naming what is wrong.
    """
    data = _read(path)
    axes: Dict[str, Axis] = data.get("axes", {})
    cells = list(_product(data, override_settings(overrides or {})))
    _require(path, bool(cells), "it has no cells: every combination is excluded")
    return Grid(
        name=path.stem,
        axes=list(axes),
        cells=cells,
        seeds=list(dict.fromkeys(seeds or data.get("seeds", [0]))),
        metrics=data["metrics"],
        model=data.get("model", MODELS[0]),
    )


def override_settings(overrides: Mapping[str, Any]) -> List[Setting]:
    """Dotted overrides of the command line."""
    return list(_settings(overrides, COMMAND_LINE))


def _product(data: Dict[str, Any], last: List[Setting]) -> Iterator[Cell]:
    axes: Dict[str, Axis] = data.get("axes", {})
    common = [
        *_settings({"paths": data.get("paths", {})}, "[paths]"),
        *_settings(data.get("overrides", {}), "[overrides]"),
    ]
    for combination in itertools.product(*axes.values()):
        values = dict(zip(axes, combination, strict=True))
        if any(pattern.items() <= values.items() for pattern in data.get("exclude", [])):
            continue
        config, settings = data.get("config"), list(common)
        for axis, value in values.items():
            table = dict(axes[axis][value])
            config = table.pop("config", config)
            settings += _settings(table, f"axis {axis} = {value}")
        yield Cell(values, Path(str(config)), (*settings, *last))


def _settings(table: Mapping[str, Any], source: str) -> Iterator[Setting]:
    """Dotted keys and nested tables alike. A table that names a registered function ("@losses")
    is a block and replaces the one in the config; any other is only the way to what is in it."""
    for key, value in table.items():
        path = tuple(key.split("."))
        if isinstance(value, dict) and not any(name.startswith("@") for name in value):
            for inner in _settings(value, source):
                yield Setting((*path, *inner.path), inner.value, source)
        else:
            yield Setting(path, _plain(value), source)


def _plain(value: Any) -> Any:
    """TOML has no null: the text "null" stands for it."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return None if value == "null" else value


def _read(path: Path) -> Dict[str, Any]:
    """The file's content, its form checked. Raises: MtnlpError (E420)."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf8"))
    except OSError as error:
        raise MtnlpError(Errors.E420.format(path=path, reason=error.strerror)) from None
    except ValueError as error:  # no TOML, or no UTF-8
        raise MtnlpError(Errors.E420.format(path=path, reason=error)) from None
    for key, value in data.items():
        _require(path, key in KEYS, f"unknown key '{key}'; known are {', '.join(KEYS)}")
        form = KEYS[key].__name__
        _require(path, isinstance(value, KEYS[key]), f"'{key}' must be of the type {form}")
    metrics, seeds, model = data.get("metrics"), data.get("seeds", [0]), data.get("model", "last")
    names = bool(metrics) and all(isinstance(name, str) for name in data["metrics"])
    _require(path, names, "'metrics' must list score keys, the main one first")
    numbers = bool(seeds) and all(type(seed) is int for seed in seeds)
    _require(path, numbers, "'seeds' must list whole numbers")
    _require(path, model in MODELS, f"'model' must be one of: {', '.join(MODELS)}")
    axes: Dict[str, Any] = data.get("axes", {})
    for axis, values in axes.items():
        _check_axis(path, axis, values)
    for pattern in data.get("exclude", []):
        known = isinstance(pattern, dict) and bool(pattern)
        known = known and all(value in axes.get(axis, ()) for axis, value in pattern.items())
        _require(path, known, f"'exclude' must name values of axes; {pattern} does not")
    everywhere = any(all("config" in table for table in axis.values()) for axis in axes.values())
    _require(path, everywhere or "config" in data, "no 'config', for all cells or by an axis")
    return data


def _check_axis(path: Path, axis: str, values: Any) -> None:
    where = f"[axes.{axis}]"
    _require(path, bool(NAME.fullmatch(axis)), f"{where}: letters, digits and . _ + - only")
    _require(path, axis != "seed", f"{where}: seeds belong in 'seeds'")
    _require(path, isinstance(values, dict) and bool(values), f"{where} has no values")
    for value, table in values.items():
        form = bool(NAME.fullmatch(value)) and isinstance(table, dict)
        _require(path, form, f"{where}: each value is a table, named by letters, digits, . _ + -")


def _require(path: Path, holds: bool, reason: str) -> None:
    if not holds:
        raise MtnlpError(Errors.E420.format(path=path, reason=reason))
