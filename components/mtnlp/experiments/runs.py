"""The runs of a comparison and their folders: a run is done when its result is there, and the
corpora are those it was made on."""

import hashlib
import json
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Dict, Optional

from thinc.api import Config

from ..errors import Errors, MtnlpError
from ..files import write_json
from .corpus_files import content_hash
from .grid import Cell

CONFIG, JOB, LOG, RESULT, MODEL = "config.cfg", "job.json", "log.txt", "result.json", "model"
Result = Dict[str, Any]


@dataclass(frozen=True)
class Options:
    """How runs are made.

    keep: leave the trained weights in the run's folder. gpu_id: -1 for the CPU.
    """

    keep: bool = False
    gpu_id: int = -1


@dataclass(frozen=True)
class Run:
    """One training: a cell and a seed.

    config: not interpolated. folder: where everything of the run is. model: which weights are
    scored, the "last" or the "best". probe: a few steps only, to see how fast they are.
    """

    cell: Cell
    seed: int
    config: Config
    folder: Path
    model: str = "last"
    probe: bool = False

    @property
    def name(self) -> str:
        """`decoder=crf,loss=focal, seed 0`."""
        return f"{self.cell.name}, seed {self.seed}"

    @cached_property
    def fingerprint(self) -> str:
        """Of the settings that decide the scores."""
        text = f"{self.model}\n{self.config.to_str(interpolate=False)}"
        return hashlib.sha256(text.encode("utf8")).hexdigest()[:16]

    @cached_property
    def data(self) -> str:
        """Of what the corpora hold."""
        return content_hash(self.config)

    def result(self) -> Optional[Result]:
        """What the run found; None where it is not done, or the corpora have changed since.

        Raises: MtnlpError (E425) where the folder holds the result of another setting, or one that
        does not say of which corpora it is.
        """
        path = self.folder / RESULT
        if not path.exists():
            return None
        try:
            found: Result = json.loads(path.read_text(encoding="utf8"))
            same = found["fingerprint"] == self.fingerprint
            data = found["data"]
        except (ValueError, KeyError, TypeError):
            same = False
        if not same:
            raise MtnlpError(Errors.E425.format(path=path))
        return found if data == self.data else None

    def prepare(self, options: Options) -> None:
        """Write what the run's process reads: its config and its job."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config.to_disk(self.folder / CONFIG, interpolate=False)
        job = {
            "cell": self.cell.values,
            "seed": self.seed,
            "model": self.model,
            "probe": self.probe,
            "fingerprint": self.fingerprint,
            "data": self.data,
            "keep": options.keep,
            "gpu_id": options.gpu_id,
            "started": time.time(),
        }
        write_json(self.folder / JOB, job)
