"""Time by phase against a clock that the test moves; methods over others, and away again."""

from types import SimpleNamespace
from typing import Any, Callable

import pytest

from mtnlp.training import timing
from mtnlp.training.timing import PhaseTimer, Proxy, WatchedMethods


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    made = SimpleNamespace(now=100.0)
    monkeypatch.setattr(timing, "default_timer", lambda: made.now)
    return made


def test_an_inner_phase_is_not_the_outer_ones(clock: Any) -> None:
    phases = PhaseTimer()

    def work(seconds: float) -> float:
        clock.now += seconds
        return seconds

    inner = phases.timed("inner", work)
    with phases.phase("outer"):
        assert inner(5.0) == 5.0
        work(1.0)
        inner(5.0)
    work(30.0)  # of no phase
    with pytest.raises(ZeroDivisionError), phases.phase("outer"):
        work(0.5)
        raise ZeroDivisionError
    assert phases.seconds == {"inner": 10.0, "outer": 1.5}
    phases.reset()
    assert phases.seconds == {}


def test_a_phase_that_goes_on_until_it_is_stopped(clock: Any) -> None:
    phases = PhaseTimer()
    phases.stop()
    for _ in range(3):
        phases.start("step")
        clock.now += 2.0
    with phases.phase("evaluation"):
        clock.now += 50.0
    phases.stop()
    clock.now += 7.0
    phases.start("step")
    clock.now += 1.0
    phases.stop()
    assert phases.seconds == {"step": 7.0, "evaluation": 50.0}


class Owner:
    def greet(self, name: str) -> str:
        return f"Hello {name}"


def louder(greet: Callable) -> Callable:
    return lambda name: greet(name).upper()


def test_methods_are_put_over_and_taken_away() -> None:
    owner = Owner()
    with WatchedMethods() as methods:
        assert methods.wrap(owner, "greet", louder)
        assert owner.greet("you") == "HELLO YOU" and Owner().greet("you") == "Hello you"
    assert owner.greet("you") == "Hello you" and not vars(owner)
    with pytest.raises(ZeroDivisionError), WatchedMethods() as methods:
        methods.wrap(owner, "greet", louder)
        raise ZeroDivisionError
    assert owner.greet("you") == "Hello you" and not vars(owner)


def test_another_method_over_it_stays() -> None:
    owner: Any = Owner()
    methods, seen = WatchedMethods(), []
    methods.wrap(owner, "greet", louder)
    below = owner.greet
    owner.greet = lambda name: (seen.append(name), below(name))[1]
    methods.close()
    assert owner.greet("you") == "Hello you" and seen == ["you"]


def test_what_takes_no_attributes_is_stood_for() -> None:
    methods, plain = WatchedMethods(), "text"
    assert not methods.wrap(plain, "upper", lambda upper: lambda: "never")
    proxy = Proxy(plain, lower=lambda: "watched", __call__=lambda n: n + 1)
    assert (proxy.upper(), proxy.lower(), proxy(1)) == ("TEXT", "watched", 2)
