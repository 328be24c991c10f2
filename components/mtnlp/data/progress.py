"""The progress bar of the command line."""

from typing import Iterable, Optional, TypeVar

T = TypeVar("T")


def bar(items: Iterable[T], what: str, length: Optional[int] = None) -> Iterable[T]:
    """Yields the items while a bar on stderr shows how far along they are."""
    from rich.console import Console
    from rich.progress import track

    return track(items, description=what, total=length, console=Console(stderr=True))
