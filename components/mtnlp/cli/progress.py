"""The progress bars of the command line."""

from contextlib import contextmanager
from typing import TYPE_CHECKING, Iterable, Iterator, Optional, TypeVar

if TYPE_CHECKING:
    from ..experiments.comparison import Show

T = TypeVar("T")


def progress_bar(items: Iterable[T], what: str, length: Optional[int] = None) -> Iterable[T]:
    """Yields the items while a bar on stderr shows how far along they are."""
    from rich.console import Console
    from rich.progress import track

    return track(items, description=what, total=length, console=Console(stderr=True))


@contextmanager
def run_progress(total: int) -> Iterator["Show"]:
    """A bar on stderr over `total` runs, with what is running and the time that is left."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from ..experiments.estimate import show_duration

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[left]}"),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=total, left="")

        def show(done: int, seconds: Optional[float], what: str) -> None:
            left = "" if seconds is None else f"{show_duration(seconds)} left"
            progress.update(task, completed=done, description=what, left=left)

        yield show
