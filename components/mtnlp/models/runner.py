"""The encoder of a pipeline that predicts, run by another engine than torch, and what is saved."""

import os
import threading
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, get_args

import torch
from transformers.utils import logging

from ..errors import Errors, MtnlpError
from ..log import logger
from ..types import Bools, Floats, Ints
from .cpu_kernels import standard_copy
from .engine import TORCH, EngineInfo, HiddenStates, Network, Sample, find_engine
from .precision import CPU, Precision, has_bf16, instruction_set, require_bf16

# Networks of a parent process, kept for as long as this one lives.
INHERITED: List[Any] = []


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
        return EngineInfo(self.engine, self.precision, self.threads_used, instruction_set())

    @property
    def threads_used(self) -> int:
        """The threads that compute; before there is a network, those that will."""
        return self._threads or self.threads or torch.get_num_threads()

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
        try:
            with quiet_conversion():
                module = HiddenStates(standard_copy(encoder), self.layers)
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
        self.make_ready(encoder)
        assert self._opened is not None
        return self._opened(ids, real)

    def make_ready(self, encoder: torch.nn.Module) -> None:
        """Have a network that runs in this process. encoder: converted where nothing has been.
        Raises: MtnlpError as `convert`."""
        if not self._is_open:
            # A lock that another thread held when this process was forked is never released.
            if self._pid not in (0, os.getpid()):
                self._lock = threading.Lock()
            with self._lock:
                if self.network is None:
                    self.convert(encoder)
                if not self._is_open:
                    self.open()

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
    # torch's exporter switches it off, and leaves it so where it fails: an encoder in bf16 would
    # then cast its weights for every group of windows.
    has_cache = torch.is_autocast_cache_enabled()
    logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.set_autocast_cache_enabled(has_cache)
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
