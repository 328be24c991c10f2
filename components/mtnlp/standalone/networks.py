"""The networks of a pipeline, by ONNX Runtime or OpenVINO."""

import os
import threading
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Dict, List

import numpy as np
import srsly

from ..engines.onnxruntime import open_session
from ..engines.openvino import HINTS, POSITIONS, compile_network, fill_up
from ..errors import Errors, MtnlpError
from ..models.engine import INPUTS
from ..models.runner import INHERITED
from ..types import Floats


@dataclass
class LoadedNetwork:
    """A converted network, which any number of threads may use.

    engine: "onnxruntime" or "openvino". precision: as there. network: bytes, as the engine saves
    them. threads: that compute, 0 for the engine's own choice; one in a forked process.
    """

    engine: str
    precision: str
    network: bytes = field(repr=False)
    threads: int = 0
    _opened: Any = field(default=None, repr=False)
    _positions: int = field(default=0, repr=False)
    _pid: int = field(default=0, repr=False)
    _lock: Any = field(default_factory=threading.Lock, repr=False)

    def run(self, **inputs: Any) -> List[Floats]:
        """inputs: arrays by name. Returns: what the network makes of them, in order."""
        self.open()
        if self.engine == "onnxruntime":
            return list(self._opened.run(None, inputs))
        request = getattr(self._requests, "made", None)
        if request is None:
            request = self._requests.made = self._opened.create_infer_request()
        ids = inputs.get(INPUTS[0])
        if ids is None:  # of a head
            request.infer(inputs)
            return [np.array(tensor.data) for tensor in request.output_tensors]
        rows, seq = ids.shape
        filled = fill_up(ids, inputs[INPUTS[1]], self._positions)
        request.infer(dict(zip(INPUTS, (filled[0], filled[1].astype(np.int64)), strict=True)))
        return [np.array(tensor.data[:rows, :seq]) for tensor in request.output_tensors]

    def open(self) -> None:
        """Make the network ready to run in this process. Raises: MtnlpError E660 where its library
        is missing."""
        # ONNX Runtime has threads that a fork lacks; OpenVINO runs on in one.
        is_here = self._pid == os.getpid() or self.engine == "openvino"
        if self._opened is not None and is_here:
            return
        # A lock that another thread held when this process was forked is never released.
        if self._pid not in (0, os.getpid()):
            self._lock = threading.Lock()
        with self._lock:
            if self._opened is not None and self._pid in (0, os.getpid()):
                return
            is_fork = self._pid != 0
            if self._opened is not None:
                # To destroy it would wait for threads that were not forked with it.
                INHERITED.append(self._opened)
            self._opened = self._load(1 if is_fork else self.threads)
            self._requests = threading.local()
            self._pid = os.getpid()

    def _load(self, threads: int) -> Any:
        try:
            library: Any = import_module(self.engine)
        except ImportError as error:
            message = Errors.E660.format(library=self.engine, error=error)
            raise MtnlpError(message) from error
        if self.engine == "onnxruntime":
            return open_session(library, self.network, threads)
        core = library.Core()
        wanted = "bf16" if self.precision == "int8_mixed" else HINTS[self.precision]
        # bf16 without instructions for it takes many times as long as fp32.
        is_native = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        hint = wanted if is_native else "f32"
        files = srsly.msgpack_loads(self.network)
        self._positions = files[POSITIONS]
        return compile_network(library, core, files, hint, threads)

    def __getstate__(self) -> Dict[str, Any]:
        """Without what lives in this process only."""
        return {name: value for name, value in self.__dict__.items() if not name.startswith("_")}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]
