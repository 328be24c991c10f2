"""A side-by-side run from its grid to its results."""

import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from timeit import default_timer
from types import FrameType
from typing import Callable, Dict, Iterator, List, Optional, TextIO

from ..errors import Errors, MtnlpError
from .estimate import Rates, nearest_rates, progress_summary, run_seconds
from .grid import Grid
from .runs import LOG, RESULT, Options, Result, Run
from .settings import check_config, make_config
from .workload import Workload, WorkloadCounter

# Seconds between two looks at a run's process.
TICK = 1.0
CHILD = "mtnlp.experiments.child"
# Called with the runs behind us, the seconds left and what is going on.
Show = Callable[[int, Optional[float], str], None]


@dataclass
class Comparison:
    """The runs of a grid, some of them perhaps done.

    runs: all of them, seed by seed, so that every cell has a result early. workloads: by the name
    of the cell. rates: of a probe, where one was made. failures: messages, in this session.
    """

    grid: Grid
    runs: List[Run]
    workloads: Dict[str, Workload]
    output: Path
    options: Options = field(default_factory=Options)
    rates: Optional[Rates] = None
    failures: List[str] = field(default_factory=list)

    @property
    def results(self) -> List[Result]:
        """Of the runs that are done, cell by cell."""
        found = [(run.cell.name, run.result()) for run in self.runs]
        return [
            result
            for cell in self.grid.cells
            for name, result in found
            if name == cell.name and result is not None
        ]

    @property
    def left(self) -> List[Run]:
        """The runs that are not done."""
        return [run for run in self.runs if run.result() is None]

    def probe(self) -> None:
        """Make a few steps of the first run that is left, unless a run is done already.

        Raises: MtnlpError (E428) where they fail.
        """
        left = self.left
        if self.results or not left:
            return
        first = left[0]
        run = Run(first.cell, first.seed, first.config, self.output / "probe", probe=True)
        self.rates = probe_rates(run, self.options)

    def seconds_left(self, runs: List[Run]) -> Optional[float]:
        """An estimate for some runs; None where nothing is known yet of their speed."""
        done = [(found["cell"], Rates.from_measures(found["measures"])) for found in self.results]
        total = 0.0
        for run in runs:
            rates = nearest_rates(run.cell.values, done) or self.rates
            if rates is None:
                return None
            total += run_seconds(self.workloads[run.cell.name], rates)
        return total

    def progress_summary(self) -> str:
        """How many runs there are, how many are done and how long the others will take."""
        left = self.left
        runs = f"{len(self.grid.cells)} cells × {len(self.grid.seeds)} seeds"
        done = len(self.runs) - len(left)
        return progress_summary(runs, len(self.runs), done, self.seconds_left(left))

    def run(self, show: Show, after_run: Callable[[], object]) -> None:
        """Make all runs that are left, one after another. One that fails is put down in `failures`,
        and the others go on.

        show: told every second. after_run: called after each run that ended well.
        """
        with sigterm_exits():
            left = self.left
            behind = len(self.runs) - len(left)
            for number, run in enumerate(left):
                after = self.seconds_left(left[number + 1 :])
                alone = self.seconds_left([run])
                tick = _ticker(show, behind + number, alone, after, run.name)
                tick()
                try:
                    execute(run, self.options, tick)
                except MtnlpError as error:
                    self.failures.append(str(error))
                else:
                    after_run()
            show(behind + len(left) - len(self.failures), 0.0, "")


def make_comparison(grid: Grid, output: Path, options: Optional[Options] = None) -> Comparison:
    """Check every cell of a grid, count its words and lay out its runs.

    output: the folder of the comparison. Raises: MtnlpError (E421 to E426) for cells that could not
    run and for folders with other results.
    """
    count = WorkloadCounter()
    workloads: Dict[str, Workload] = {}
    runs: List[Run] = []
    for seed in grid.seeds:
        for cell in grid.cells:
            config = make_config(cell, seed)
            if cell.name not in workloads:
                workloads[cell.name] = count(cell.name, check_config(cell, config))
            folder = output / "runs" / cell.name / f"seed-{seed}"
            runs.append(Run(cell, seed, config, folder, grid.model))
            runs[-1].result()
    return Comparison(grid, runs, workloads, output, options or Options())


def probe_rates(run: Run, options: Options) -> Rates:
    """How fast the few steps of a probe are; made, unless its folder has them already.

    Raises: MtnlpError (E428) where they fail.
    """
    try:
        found = run.result()
    except MtnlpError:  # of another setting: nothing that could be lost
        (run.folder / RESULT).unlink()
        found = None
    if found is None:
        execute(run, options)
        found = run.result()
    assert found is not None
    return Rates.from_measures(found["measures"])


def execute(run: Run, options: Options, tick: Optional[Callable[[], None]] = None) -> None:
    """Make a run in a process of its own, and wait for its end.

    tick: called while it runs. Raises: MtnlpError (E428) where it fails; what it printed is in
    `log.txt`. Whatever ends this call ends the process.
    """
    run.prepare(options)
    path = run.folder / LOG
    with path.open("w", encoding="utf8") as log:
        code = run_process(run.folder, log, tick)
    if run.result() is None:
        raise MtnlpError(
            Errors.E428.format(run=run.name, reason=failure_reason(path, code), log=path)
        )


def failure_reason(log: Path, code: int) -> str:
    """The last line that a process printed; its exit code, where it printed none."""
    lines = log.read_text(encoding="utf8", errors="replace").strip().splitlines()
    return lines[-1] if lines else f"exit code {code}"


def run_process(
    folder: Path,
    log: TextIO,
    tick: Optional[Callable[[], None]] = None,
    module: Optional[str] = None,
) -> int:
    """Do the job of a folder in a process of its own.

    log: gets what it prints. tick: called while it runs; what it raises ends the process. module:
    what does the job; a run of a comparison by default. Returns: the exit code.
    """
    command = [sys.executable, "-m", module or CHILD, str(folder)]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
    )
    try:
        while process.poll() is None:
            try:
                process.wait(TICK)
            except subprocess.TimeoutExpired:
                if tick is not None:
                    tick()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    return process.returncode


@contextmanager
def sigterm_exits() -> Iterator[None]:
    """SIGTERM as an exception, so that the running process is ended, too."""

    def leave(number: int, frame: Optional[FrameType]) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _ticker(
    show: Show, behind: int, alone: Optional[float], after: Optional[float], name: str
) -> Callable[[], None]:
    begun = default_timer()

    def tick() -> None:
        rest = None if alone is None else max(0.0, alone - (default_timer() - begun))
        show(behind, None if rest is None or after is None else rest + after, name)

    return tick
