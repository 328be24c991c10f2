"""The progress bar of a comparison."""

from contextlib import contextmanager
from typing import Iterator, Optional

from .comparison import Show
from .estimate import show_duration


@contextmanager
def progress_bar(total: int) -> Iterator[Show]:
    """A bar on stderr over `total` runs, with what is running and the time that is left."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

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
