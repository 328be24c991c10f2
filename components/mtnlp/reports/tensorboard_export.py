"""Scalars of TensorBoard's event files as CSV."""

from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

from ..errors import Errors, MtnlpError
from ..files import write_csv

EVENTS = "events.out.tfevents.*"
LONG, WIDE = "scalars_long.csv", "scalars_wide.csv"


class Scalar(NamedTuple):
    """One point. run: its folder, relative to the one that was asked for. wall_time: seconds since
    1970."""

    run: str
    tag: str
    step: int
    wall_time: float
    value: float


def export_scalars(path: Path, output: Path) -> Tuple[Path, Path]:
    """Write the points of all runs below a folder, once with one row per point and
    once with one row per step.

    Returns: the two files. Raises: MtnlpError: what `read_scalars` raises.
    """
    scalars = read_scalars(path)
    long, wide = output / LONG, output / WIDE
    write_csv(long, [scalar._asdict() for scalar in scalars])
    write_csv(wide, wide_rows(scalars))
    return long, wide


def read_scalars(path: Path) -> List[Scalar]:
    """All points of a folder's event files and of those below it, run by run and tag by tag.

    Raises: MtnlpError (E470) without tensorboard, E471 where there is no point.
    """
    runs = sorted({events.parent for events in path.rglob(EVENTS)})
    scalars = [scalar for run in runs for scalar in read_run(run, run.relative_to(path).as_posix())]
    if not scalars:
        raise MtnlpError(Errors.E471.format(path=path))
    return scalars


def read_run(folder: Path, name: str) -> Iterator[Scalar]:
    """The points of the event files of one folder. Raises: MtnlpError (E470)."""
    try:
        from tensorboard.backend.event_processing import event_accumulator
    except ImportError as error:
        raise MtnlpError(Errors.E470) from error
    everything = {event_accumulator.SCALARS: 0}
    events: Any = event_accumulator.EventAccumulator(str(folder), size_guidance=everything)
    events.Reload()
    for tag in events.Tags()[event_accumulator.SCALARS]:
        for event in events.Scalars(tag):
            yield Scalar(name, tag, event.step, event.wall_time, event.value)


def wide_rows(scalars: List[Scalar]) -> List[Dict[str, Any]]:
    """One row per run and step, one column per tag. Where a step was written twice, as after a
    training went on from a checkpoint, the later value stands."""
    rows: Dict[Tuple[str, int], Dict[str, Any]] = {}
    for scalar in scalars:
        place = (scalar.run, scalar.step)
        rows.setdefault(place, {"run": scalar.run, "step": scalar.step})[scalar.tag] = scalar.value
    return [rows[place] for place in sorted(rows)]
