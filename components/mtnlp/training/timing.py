"""Time by phase, and methods put over those of single objects: all that watches a training."""

from contextlib import ExitStack, contextmanager
from timeit import default_timer
from typing import Any, Callable, Dict, Iterator, List, Optional

import torch


class PhaseTimer:
    """Seconds by phase. Phases may lie within each other: the inner one's time is not the outer
    one's.

    synchronize: wait for the GPU at the borders of phases, which work on it may outlast. clock: a
    time in seconds, that of the wall by default.
    """

    def __init__(
        self, synchronize: bool = True, clock: Optional[Callable[[], float]] = None
    ) -> None:
        self.seconds: Dict[str, float] = {}
        self._clock = clock or default_timer
        self._synchronize = synchronize and torch.cuda.is_available()
        self._running: List[str] = []
        self._since = self._clock()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """What happens within is of this phase."""
        self._add_elapsed()
        self._running.append(name)
        try:
            yield
        finally:
            self._add_elapsed()
            self._running.pop()

    def start(self, name: str) -> None:
        """Begin a phase that `stop` ends, unless it is the innermost one already."""
        if self._running[-1:] != [name]:
            self._add_elapsed()
            self._running.append(name)

    def stop(self) -> None:
        """End the innermost phase, if there is one."""
        if self._running:
            self._add_elapsed()
            self._running.pop()

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its calls being of this phase."""

        def call(*args: Any, **kwargs: Any) -> Any:
            with self.phase(name):
                return function(*args, **kwargs)

        return call

    def reset(self) -> None:
        """Forget what was measured."""
        self.seconds.clear()
        self._since = self._clock()

    def _add_elapsed(self) -> None:
        if self._synchronize:
            torch.cuda.synchronize()
        now = self._clock()
        if self._running:
            name = self._running[-1]
            self.seconds[name] = self.seconds.get(name, 0.0) + now - self._since
        self._since = now


class WatchedMethods:
    """Methods put over those of single objects, until `close` or the end of a `with` block.

    Where another watcher has put its own method over one of these meanwhile, that stays, and what
    is below it only passes on.
    """

    def __init__(self) -> None:
        self._is_open = True
        self._undo = ExitStack()

    def __enter__(self) -> "WatchedMethods":
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def close(self) -> None:
        """Leave the methods as they were."""
        self._is_open = False
        self._undo.close()

    def wrap(self, owner: Any, name: str, wrap: Callable[[Callable], Callable]) -> bool:
        """Put a method over an object's, its class's or another watcher's.

        owner: the object. wrap: makes the new method of the plain one.
        Returns: False for an object without attributes of its own, such as a compiled component;
            `Proxy` is for these.
        """
        before = vars(owner).get(name) if hasattr(owner, "__dict__") else None
        plain = getattr(owner, name)
        watched = wrap(plain)

        def method(*args: Any, **kwargs: Any) -> Any:
            return (watched if self._is_open else plain)(*args, **kwargs)

        def undo() -> None:
            if vars(owner).get(name) is not method:
                return
            if before is None:
                delattr(owner, name)
            else:
                setattr(owner, name, before)

        try:
            setattr(owner, name, method)
        except AttributeError:
            return False
        self._undo.callback(undo)
        return True


class Proxy:
    """Stands for an object that takes no methods of others: those given here are over its own.

    methods: by name; `__call__` is what calling the proxy does.
    """

    def __init__(self, target: Any, **methods: Callable[..., Any]) -> None:
        self._target = target
        self._call = methods.pop("__call__", target)
        self.__dict__.update(methods)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._call(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)
