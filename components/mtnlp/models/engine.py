"""What runs the encoder of a pipeline that predicts: torch, or a network converted from it.

An engine is one file of the room `engines` and its registration in the group `thinc_layers`; a
config names it by its short name or by its registered one. A converted network is saved in place of
the encoder's weights, so that a pipeline is loaded, packaged and forked as any other.
"""

import os
import threading
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import (
    Any,
    Dict,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Protocol,
    Sequence,
    Tuple,
    cast,
    get_args,
)

import numpy as np
import torch
from numpy.typing import NDArray
from thinc.api import registry
from transformers.utils import logging

from ..errors import Errors, MtnlpError
from ..log import logger
from .precision import CPU, Precision, has_bf16, instruction_set, require_bf16
from .windows import Bools, Ints

Floats = NDArray[np.float32]
TORCH = "torch"
ENGINES = {
    # In int8; what torch computes in otherwise needs no network of its own.
    TORCH: "mtnlp.TorchEngine.v1",
    "onnxruntime": "mtnlp.OnnxRuntimeEngine.v1",
    "openvino": "mtnlp.OpenVinoEngine.v1",
}
# A shape to convert by; what comes out takes any.
EXAMPLE_SHAPE = (2, 8)
# Networks of a parent process, kept for as long as this one lives.
INHERITED: List[Any] = []
# The wordpiece ids of a batch of windows and which of them are real, both `[windows, seq]`.
Sample = Tuple[Ints, Bools]


class EngineInfo(NamedTuple):
    """What runs an encoder.

    threads: that compute. instructions: of the processor, as far as they
    matter to an engine.
    """

    engine: str
    precision: str
    threads: int
    instructions: str

    def __str__(self) -> str:
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{self.engine}, {self.precision}, {threads}, {self.instructions}"


class Network(Protocol):
    """A converted encoder, ready to run in this process, in any number of threads at once."""

    def __call__(self, ids: Ints, real: Bools) -> List[Floats]:
        """ids, real: `[windows, seq]`. Returns: the states of the last layer, then of those handed
        out beside it, each `[windows, seq, width]`; what they are at padding is not said."""


class Engine(Protocol):
    """A runtime for converted encoders.

    precisions: what it computes in. calibrated: those of them whose ranges are fixed by texts.
    libraries: what it converts and runs with, as they are
        imported; the first one runs. extra: of mtnlp, which installs them. survives_fork: whether a
        network that is open runs on in a fork of its process; else it is opened there anew.
    """

    precisions: Tuple[str, ...]
    calibrated: Tuple[str, ...]
    libraries: Tuple[str, ...]
    extra: str
    survives_fork: bool

    def can_open(self, saved: str, precision: str) -> bool:
        """Whether a network that was converted for one precision runs in another."""

    def convert(self, module: torch.nn.Module, precision: str, samples: Sequence[Sample]) -> bytes:
        """module: a `HiddenStates`. samples: of the texts to come, by which the ranges of numbers
        are fixed where `precision` needs that. Returns: the network. Raises: any error where the
        engine does not know something of the encoder."""

    def open(self, network: bytes, precision: str, threads: int) -> Network:
        """network: as from `convert`. threads: at least one."""


class HiddenStates(torch.nn.Module):
    """An encoder as a function of two tensors: `[windows, seq]` ids and mask, int64, to a tuple of
    states, `[windows, seq, width]` each.

    layers: handed out beside the last.
    """

    def __init__(self, encoder: torch.nn.Module, layers: Sequence[int]):
        super().__init__()
        self.encoder = encoder
        self.layers = tuple(layers)
        # Exporters put a module back into the mode it had, the encoder within it, too.
        self.eval()

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> Tuple[torch.Tensor, ...]:
        output = self.encoder(
            input_ids=input_ids,
            attention_mask=attention_mask,
            output_hidden_states=bool(self.layers),
        )
        return (output.last_hidden_state, *[output.hidden_states[n] for n in self.layers])


def example_inputs() -> Tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask to trace an encoder with."""
    ids = torch.ones(EXAMPLE_SHAPE, dtype=torch.int64)
    mask = torch.ones_like(ids)
    mask[0, EXAMPLE_SHAPE[1] // 2 :] = 0
    return ids, mask


@cache
def find_engine(name: str) -> Engine:
    """An engine by name. Raises: MtnlpError E290 for an unknown one."""
    registered = ENGINES.get(name, name)
    if not registry.has("layers", registered):
        names = ", ".join(ENGINES)
        raise MtnlpError(Errors.E290.format(name=name, names=names))
    return cast(Engine, registry.get("layers", registered)())


@dataclass
class Runner:
    """Runs the encoder by an engine that is not torch, and keeps what that needs.

    precision: of the engine's. threads: 0 for as many as torch has when the network is opened.
    layers: handed out beside the last. network: converted; None where
    the encoder's weights are at hand and it has not been asked for.
    """

    engine: str
    precision: str
    threads: int
    layers: Tuple[int, ...]
    network: Optional[bytes] = None
    _opened: Optional[Network] = field(default=None, repr=False, compare=False)
    _threads: int = field(default=0, repr=False, compare=False)
    _pid: int = field(default=0, repr=False, compare=False)
    _lock: Any = field(default_factory=threading.Lock, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises: MtnlpError E290 for an unknown engine, E291 for a precision it has not."""
        known = find_engine(self.engine).precisions
        if self.precision not in known:
            raise MtnlpError(
                Errors.E291.format(
                    engine=self.engine, precision=self.precision, known=", ".join(known)
                )
            )

    @property
    def info(self) -> EngineInfo:
        """What runs the encoder."""
        threads = self._threads or self.threads or torch.get_num_threads()
        return EngineInfo(self.engine, self.precision, threads, instruction_set())

    def saved(self) -> Dict[str, Any]:
        """What `restore` needs."""
        return {"engine": self.engine, "precision": self.precision, "network": self.network}

    def restore(self, saved: Dict[str, Any]) -> None:
        """Take a saved network. Raises: MtnlpError E293 for one of another engine or precision."""
        is_ours = saved["engine"] == self.engine and find_engine(self.engine).can_open(
            saved["precision"], self.precision
        )
        if not is_ours:
            named = f"{self.engine}, {self.precision}"
            raise MtnlpError(Errors.E293.format(saved=describe(saved), named=named))
        self.network, self._opened = saved["network"], None
        # Here and not at the first call: some engines cannot begin in a fork.
        self.open()
        logger.info("Encoder: %s", self.info)

    def convert(self, encoder: torch.nn.Module, samples: Sequence[Sample] = ()) -> None:
        """Convert an encoder. samples: as in `Engine.convert`. Raises: MtnlpError E292 where the
        engine's library is missing, E295 where it cannot convert the encoder, E297 without the
        samples that the precision needs."""
        if not samples and self.precision in find_engine(self.engine).calibrated:
            raise MtnlpError(Errors.E297.format(engine=self.engine, precision=self.precision))
        module = HiddenStates(encoder, self.layers)
        try:
            with quiet_conversion():
                self.network = find_engine(self.engine).convert(module, self.precision, samples)
        except MtnlpError:
            raise
        except Exception as error:  # whatever a converter stumbles over
            kind = getattr(getattr(encoder, "config", None), "model_type", type(encoder).__name__)
            message = Errors.E295.format(
                engine=self.engine, precision=self.precision, encoder=kind, error=error
            )
            raise MtnlpError(message) from error
        self._opened = None

    def __call__(self, encoder: torch.nn.Module, ids: Ints, real: Bools) -> List[Floats]:
        """As `Network`. encoder: converted where nothing has been."""
        if not self._is_open:
            # A lock that another thread held when this process was forked is never released.
            if self._pid not in (0, os.getpid()):
                self._lock = threading.Lock()
            with self._lock:
                if self.network is None:
                    self.convert(encoder)
                if not self._is_open:
                    self.open()
        assert self._opened is not None
        return self._opened(ids, real)

    @property
    def _is_open(self) -> bool:
        is_here = self._pid == os.getpid() or find_engine(self.engine).survives_fork
        return self._opened is not None and is_here

    def open(self) -> None:
        """Make the network ready to run in this process."""
        assert self.network is not None
        is_fork = self._pid not in (0, os.getpid())
        threads = 1 if is_fork else self.threads or torch.get_num_threads()
        if is_fork and self._opened is not None:
            # To destroy it would wait for threads that were not forked with it.
            INHERITED.append(self._opened)
        self._opened = find_engine(self.engine).open(self.network, self.precision, threads)
        self._threads = threads
        self._pid = os.getpid()

    def __getstate__(self) -> Dict[str, Any]:
        """Without what lives in this process only."""
        kept = {name: value for name, value in self.__dict__.items() if not name.startswith("_")}
        return kept

    def __setstate__(self, state: Dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


@contextmanager
def quiet_conversion() -> Iterator[None]:
    """Without what converters and the encoder say while it is traced: of sizes that become
    constants, of their own age, of settings that only training reads."""
    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)


def describe(saved: Dict[str, Any]) -> str:
    """What a saved network is of."""
    return f"{saved['engine']}, {saved['precision']}"


def make_runner(
    engine: str,
    precision: str,
    threads: int,
    layers: Tuple[int, ...],
    allow_slow: bool = False,
) -> Optional[Runner]:
    """What predicts in torch's place; None where torch itself does.

    precision: "auto" is bf16 where engine and processor have it, else fp32.
    Raises: MtnlpError E290 and E291; E296 for bf16 that the processor has not, unless `allow_slow`.
    """
    if engine == TORCH and precision in get_args(Precision):
        return None
    if precision == "auto":
        is_fast = has_bf16(CPU) and "bf16" in find_engine(engine).precisions
        precision = "bf16" if is_fast else "fp32"
    runner = Runner(engine, precision, threads, layers)
    if precision == "bf16" and not allow_slow:
        require_bf16(CPU)
    return runner
