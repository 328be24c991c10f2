"""The progress bars of the command line."""

from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Iterable, Iterator, Optional, Tuple, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

    from ..bulk.counts import Progress as DocumentProgress
    from ..bulk.counts import Show as ShowDocuments
    from ..experiments.comparison import Show

T = TypeVar("T")

# Seconds between lines, where there is no terminal for a bar.
_PAUSE = 10.0


def _console() -> "Console":
    """Stderr, also in a notebook, where rich would want widgets for a bar."""
    from rich.console import Console

    return Console(stderr=True, force_jupyter=False)


def progress_bar(items: Iterable[T], what: str, length: Optional[int] = None) -> Iterable[T]:
    """Yields the items while a bar on stderr shows how far along they are."""
    from rich.progress import track

    return track(items, description=what, total=length, console=_console())


@contextmanager
def run_progress(total: int) -> Iterator["Show"]:
    """A bar on stderr over `total` runs, with what is running and the time that is left."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from ..experiments.estimate import show_duration

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[left]}"),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=_console()) as progress:
        task = progress.add_task("", total=total, left="")

        def show(done: int, seconds: Optional[float], what: str) -> None:
            left = "" if seconds is None else f"{show_duration(seconds)} left"
            progress.update(task, completed=done, description=what, left=left)

        yield show


@contextmanager
def document_progress() -> Iterator["ShowDocuments"]:
    """A bar on stderr over the documents of a run, with documents/s, words/s and the time that is
    left; where stderr is no terminal, a line every ten seconds and at the end."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = _console()
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rates]}"))
    # The clock starts with the first batch: all that is loaded before counts for no rate.
    first: Optional[Tuple[float, DocumentProgress]] = None
    last = 0.0
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None, rates="")

        def show(now: "DocumentProgress") -> None:
            nonlocal first, last
            time = monotonic()
            rates = document_rates(now, first[1], time - first[0]) if first else ""
            if first is None and now.done.records:
                first = time, now
            done = now.skipped + now.done.records
            progress.update(task, total=now.total, completed=done, rates=rates)
            if not console.is_terminal and (time - last >= _PAUSE or done == now.total):
                last = time
                line = ", ".join(filter(None, [f"{done:,} of {now.total:,} documents", rates]))
                console.print(line, soft_wrap=True, highlight=False)

        yield show


def document_rates(now: "DocumentProgress", first: "DocumentProgress", seconds: float) -> str:
    """`41 documents/s, 903 words/s, 2 min left`, from what was done since the first batch, this
    many seconds ago; nothing where that is none."""
    from ..experiments.estimate import show_duration

    since = now.done.minus(first.done)
    if since.records <= 0 or seconds <= 0:
        return ""
    left = (now.total - now.skipped - now.done.records) * seconds / since.records
    rates = f"{since.records / seconds:,.0f} documents/s, {since.words / seconds:,.0f} words/s"
    return f"{rates}, {show_duration(left)} left"
