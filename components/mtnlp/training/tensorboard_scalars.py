"""Scalars of TensorBoard's event files, read back."""

from pathlib import Path
from typing import Any, Iterator, List, NamedTuple

from ..errors import Errors, MtnlpError

EVENTS = "events.out.tfevents.*"


class Scalar(NamedTuple):
    """One point. run: its folder, relative to the one that was asked for. wall_time: seconds since
    1970."""

    run: str
    tag: str
    step: int
    wall_time: float
    value: float


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
