"""The few settings that a tuning varies, and how far."""

from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, Tuple, Union

from .grid import Setting

Path = Tuple[str, ...]
Number = Union[int, float]

SOURCE = "mtnlp tune"
RATE: Path = ("training", "optimizer", "learn_rate", "initial_rate")
FIXED_RATE: Path = ("training", "optimizer", "learn_rate")
HEAD_FACTOR: Path = ("training", "optimizer", "head_factor")
BATCH: Path = ("training", "batcher", "size")
EPOCHS: Path = ("training", "max_epochs")


@dataclass(frozen=True)
class Range:
    """One setting and the values it may have.

    name: in the study and in tables. paths: where it stands in the config; dropout is the same in
    all heads. start: the config's own value. low, high: both included; `start` is between them.
    is_log: whether values are drawn by their logarithm, as those that multiply something are.
    """

    name: str
    paths: Tuple[Path, ...]
    start: Number
    low: Number
    high: Number
    is_log: bool = True

    @property
    def is_whole(self) -> bool:
        """Whether only whole numbers will do."""
        return isinstance(self.start, int)

    def settings(self, value: Number) -> List[Setting]:
        """The overrides that set it."""
        return [Setting(path, value, SOURCE) for path in self.paths]


def find_ranges(config: Mapping[str, Any]) -> List[Range]:
    """What can be varied in a config: the encoder's rate, how much faster heads learn, the batch,
    the epochs, the dropout of heads. What a config lacks is left out.

    config: filled in with all defaults, and interpolated.
    """
    ranges = []
    for path in (RATE, FIXED_RATE):
        rate = _number(config, path)
        if rate:
            ranges.append(Range("rate", (path,), float(rate), rate / 4, rate * 4))
            break
    factor = _number(config, HEAD_FACTOR)
    if factor:
        ranges.append(
            Range("head_factor", (HEAD_FACTOR,), float(factor), min(factor, 1.0), max(factor, 50.0))
        )
    for name, path in (("batch", BATCH), ("epochs", EPOCHS)):
        size = _number(config, path)
        if size and size > 0:
            ranges.append(Range(name, (path,), int(size), max(1, int(size) // 2), int(size) * 2))
    dropouts = dict(_head_dropouts(config))
    if dropouts:
        # Heads that differ have no common value: the mean stands for them in the study.
        start = sum(dropouts.values()) / len(dropouts)
        high = max(start, 0.3)
        ranges.append(Range("dropout", tuple(dropouts), start, 0.0, high, is_log=False))
    return ranges


def _head_dropouts(config: Mapping[str, Any]) -> Iterator[Tuple[Path, float]]:
    components: Dict[str, Any] = config["components"]
    for name in config["nlp"]["pipeline"]:
        dropout = components[name].get("model", {}).get("dropout")
        if name not in config["training"]["frozen_components"] and isinstance(dropout, float):
            yield ("components", name, "model", "dropout"), dropout


def _number(config: Mapping[str, Any], path: Path) -> Number:
    """What stands at a path, where it is a number; 0 otherwise."""
    block: Any = config
    for key in path:
        block = block.get(key) if isinstance(block, dict) else None
    return block if isinstance(block, (int, float)) and not isinstance(block, bool) else 0
