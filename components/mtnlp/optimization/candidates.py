"""What could run a pipeline's encoder on this machine."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Dict, List, Optional, Tuple

from ..errors import Errors, MtnlpError
from ..models.engine import ENGINES, TORCH, find_engine
from ..models.precision import CPU, has_bf16
from ..models.runner import Runner, make_runner

# The engines that `auto` tries, and what torch computes in without a network of its own.
AUTO = "auto"
OWN = {TORCH: ("fp32", "bf16")}


@dataclass(frozen=True)
class Candidate:
    """An engine and what it computes in, as in `mtnlp.TransformerModel.v1`."""

    engine: str
    precision: str

    def __str__(self) -> str:
        return f"{self.engine} {self.precision}"

    def make_runner(self, threads: int, layers: Tuple[int, ...]) -> Optional[Runner]:
        """What runs an encoder; None where torch does so itself. layers: as in `Runner`."""
        return make_runner(self.engine, self.precision, threads, layers)


# What all others are compared with.
BASELINE = Candidate(TORCH, "fp32")


def find_candidates(engine: str = AUTO) -> Tuple[List[Candidate], Dict[Candidate, str]]:
    """What this machine can run, the baseline left out, and what it cannot, with the reason.

    engine: one of `ENGINES`, or "auto" for all of them.
    Raises: MtnlpError E290 for an unknown engine, E292 where the library of one that was asked for
        by name is missing.
    """
    found: List[Candidate] = []
    left_out: Dict[Candidate, str] = {}
    for name in ENGINES if engine == AUTO else (engine,):
        known = find_engine(name)
        missing = [library for library in known.libraries if find_spec(library) is None]
        if missing and engine != AUTO:
            raise MtnlpError(
                Errors.E292.format(
                    library=missing[0], extra=known.extra, error="it is not installed"
                )
            )
        for precision in (*OWN.get(name, ()), *known.precisions):
            candidate = Candidate(name, precision)
            if missing:
                left_out[candidate] = (
                    f"{', '.join(missing)} not installed: pip install 'mtnlp[{known.extra}]'"
                )
            elif precision == "bf16" and not has_bf16(CPU):
                left_out[candidate] = "this processor has no instructions for bf16"
            elif candidate != BASELINE:
                found.append(candidate)
    return found, left_out
