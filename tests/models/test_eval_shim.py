"""When a module is in train mode, and when not."""

import copy
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Optional

import pytest
import torch
from thinc.api import PyTorchShim
from thinc.types import ArgsKwargs
from torch.utils.checkpoint import checkpoint

from mtnlp.models.eval_shim import EvalShim


class Noisy(torch.nn.Module):
    """A weight, and dropout of half of what it is multiplied with. between: called before."""

    def __init__(self, between: Optional[Any] = None) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(64))
        self.dropout = torch.nn.Dropout(0.5)
        self.between = between or (lambda: None)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        self.between()
        return self.dropout(self.weight * inputs)


class Recomputed(Noisy):
    """The same, computed again in the backward pass."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return checkpoint(super().forward, inputs, use_reentrant=False)  # type: ignore[no-any-return]


def arguments(inputs: torch.Tensor) -> ArgsKwargs:
    return ArgsKwargs(args=(inputs,), kwargs={})


ONES = torch.ones(64)


def modes(shim: EvalShim) -> set:
    return {module.training for module in shim._model.modules()}


def test_predictions_have_no_dropout() -> None:
    shim = EvalShim(Noisy())
    output, _ = shim(arguments(ONES), is_train=False)
    assert torch.equal(output, ONES) and not output.requires_grad
    assert modes(shim) == {False}
    shim._model.train()  # by somebody else
    assert torch.equal(shim.predict(arguments(ONES)), ONES)
    assert modes(shim) == {False}


@pytest.mark.parametrize("kind", [Noisy, Recomputed])
def test_training_has_dropout_and_the_right_gradient(kind: type) -> None:
    shim = EvalShim(kind())
    torch.manual_seed(0)
    output, backprop = shim(arguments(ONES), is_train=True)
    kept = output > 0
    assert 10 < kept.sum() < 54
    assert modes(shim) == {True}
    # Somebody looks at it before the way back.
    assert torch.equal(shim.predict(arguments(ONES)), ONES)
    backprop(ArgsKwargs(args=((output,),), kwargs={"grad_tensors": [ONES.clone()]}))
    assert torch.equal(shim._model.weight.grad, 2.0 * kept)
    shim.finish_update(lambda key, weights, gradient: (weights - gradient, gradient))
    assert modes(shim) == {False}
    assert torch.equal(shim.predict(arguments(ONES)), 1 - 2.0 * kept)


def test_one_thread_leaves_the_pass_of_another_alone() -> None:
    """One thread has begun its pass when another ends its own."""
    begun, ended = threading.Event(), threading.Event()
    first = threading.Lock()

    def between() -> None:
        if first.acquire(blocking=False):
            begun.set()
            assert ended.wait(20)

    shim = EvalShim(Noisy(between))
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(shim.predict, arguments(ONES))
        assert begun.wait(20)
        shim.predict(arguments(ONES))
        ended.set()
        assert torch.equal(slow.result(), ONES)


def test_a_thread_does_not_rely_on_a_mode_that_is_being_set() -> None:
    """torch sets the flag of the whole module before those of its parts."""
    setting, through = threading.Event(), threading.Event()
    shim = EvalShim(Noisy())
    shim._model.train()
    set_flags = shim._model.dropout.train

    def set_slowly(mode: bool) -> Any:
        shim._model.dropout.train = set_flags
        setting.set()
        assert through.wait(20)
        return set_flags(mode)

    shim._model.dropout.train = set_slowly
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(shim.predict, arguments(ONES))
        assert setting.wait(20)
        assert torch.equal(shim.predict(arguments(ONES)), ONES)
        through.set()
        assert torch.equal(slow.result(), ONES)


def test_copies_and_bytes() -> None:
    shim = EvalShim(Noisy())
    shim._model.weight.data *= 2
    shim(arguments(ONES), is_train=True)
    saved = PyTorchShim(shim._model).to_bytes()  # what a pipeline saved before holds
    for other in (copy.deepcopy(shim), EvalShim(Noisy()).from_bytes(saved)):
        assert torch.equal(other.predict(arguments(ONES)), 2 * ONES)
        assert modes(other) == {False}
    assert modes(shim) == {True}
    assert shim.to_bytes() == saved
