"""A search over a config's few settings: trials, one after another, each in a process of its own.

The study is an SQLite file, a trial's training has a checkpoint: whatever ends a tuning, the same
call goes on. The dev score decides; no test corpus is read.
"""

import hashlib
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from timeit import default_timer
from typing import TYPE_CHECKING, Any, Callable, Dict, List, NamedTuple, Optional, Sequence

from spacy.util import load_config
from thinc.api import Config

from ..errors import Errors, MtnlpError
from ..files import write_json, write_text
from ..trainer.checkpoint import FILE as CHECKPOINT
from ..training.step_count import count_steps, measure_training
from .comparison import Show, failure_reason, probe_rates, run_process, sigterm_exits
from .corpus_files import content_hash
from .estimate import run_seconds
from .grid import Cell, Setting
from .runs import CONFIG, JOB, LOG, Options, Run
from .search_space import Range, find_ranges
from .settings import check_config, config_errors, make_config, put_setting
from .study import (
    SHARES,
    STARTUP,
    TRIALS,
    draw,
    open_study,
    read_evaluations,
    remove_study,
    report,
)
from .workload import Workload, count_words

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

CHILD = "mtnlp.experiments.trial"


class Pruned(Exception):
    """A trial that is worse than most were by then."""


class Plan(NamedTuple):
    """A trial's training: its config, what it has to do, and the optimizer's steps."""

    config: Config
    work: Workload
    steps: int


@dataclass
class Tuning:
    """A config's trials, some of them perhaps done.

    cell: the config as it is, with the user's overrides. ranges: what is varied. count: how many
    trials there shall be in all. seconds: a trial's estimated seconds; None before it is known.
    failures: messages, in this session.
    """

    cell: Cell
    ranges: List[Range]
    folder: Path
    count: int
    study: "Study"
    gpu_id: int = -1
    seconds: Optional[float] = None
    failures: List[str] = field(default_factory=list)

    @property
    def done(self) -> List["FrozenTrial"]:
        """The trials that are over."""
        return [trial for trial in self.study.trials if trial.state.is_finished()]

    @property
    def left(self) -> int:
        """How many trials are still to be made."""
        return max(0, self.count - len(self.done))

    def estimate(self) -> None:
        """Find out how long the config as it is trains: from the first trial, if that is over, else
        from a few steps. Raises: MtnlpError (E428) where they fail."""
        first = next((trial for trial in self.done if trial.number == 0), None)
        if first is not None:
            self.seconds = first.user_attrs["seconds"]
        elif self.left:
            plan = self.plan([])
            run = Run(self.cell, 0, plan.config, self.folder / "probe", probe=True)
            self.seconds = run_seconds(plan.work, probe_rates(run, Options(gpu_id=self.gpu_id)))

    def seconds_left(self) -> Optional[float]:
        """For all that is to do, if no trial is ended early."""
        return None if self.seconds is None else self.seconds * self.left

    def run(self, show: Show, after_trial: Callable[[], object]) -> None:
        """Make the trials that are left. One that fails is put down in `failures`, and the others
        go on.

        show: told every second. after_trial: called after each.
        Raises: MtnlpError (E428) where the config as it is cannot be trained.
        """
        with sigterm_exits():
            while self.left:
                self.make_trial(self.next_trial(), show)
                self.write_log()
                after_trial()
            show(len(self.done), 0.0, "")

    def next_trial(self) -> "Trial":
        """One that was interrupted, else a new one; the first has the config's own values."""
        from optuna.trial import Trial, TrialState

        begun = self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        if begun:
            return Trial(self.study, begun[0]._trial_id)
        if not self.study.trials:
            self.study.enqueue_trial({item.name: item.start for item in self.ranges})
        return self.study.ask()

    def make_trial(self, trial: "Trial", show: Show) -> None:
        """Train with a trial's values, from where an interruption left it, and tell its scores."""
        from optuna.trial import TrialState

        name = f"trial {trial.number}"
        # The values are drawn, and so kept, before the training begins.
        plan = self.plan(self.settings(trial.number, draw(trial, self.ranges)))
        folder = self.folder / name.replace(" ", "-")
        folder.mkdir(parents=True, exist_ok=True)
        plan.config.to_disk(folder / CONFIG, interpolate=False)
        write_json(folder / JOB, {"gpu_id": self.gpu_id})
        begun = default_timer() - trial.user_attrs.get("seconds", 0.0)
        done = len(self.done)

        def tick() -> None:
            trial.set_user_attr("seconds", default_timer() - begun)
            report(trial, folder, plan.steps)
            if trial.should_prune():
                raise Pruned
            rest = self.seconds_left()
            left = None if rest is None else max(0.0, rest - trial.user_attrs["seconds"])
            show(done, left, name)

        show(done, self.seconds_left(), name)
        try:
            with (folder / LOG).open("a", encoding="utf8") as log:
                code = run_process(folder, log, tick, CHILD)
        except Pruned:
            self.study.tell(trial, state=TrialState.PRUNED)
        else:
            trial.set_user_attr("seconds", default_timer() - begun)
            report(trial, folder, plan.steps)
            if code:
                reason = failure_reason(folder / LOG, code)
                error = Errors.E428.format(run=name, reason=reason, log=folder / LOG)
                if trial.number == 0:
                    raise MtnlpError(error)
                trial.set_user_attr("failure", reason)
                self.study.tell(trial, state=TrialState.FAIL)
                self.failures.append(error)
            else:
                self.study.tell(trial, max(score for score, _ in read_evaluations(folder)))
        if trial.number == 0:
            self.seconds = trial.user_attrs["seconds"]
        (folder / CHECKPOINT).unlink(missing_ok=True)

    def settings(self, number: int, values: Dict[str, Any]) -> List[Setting]:
        """The overrides of a trial; none of the first, which is the config as it is."""
        if number == 0:
            return []
        return [setting for item in self.ranges for setting in item.settings(values[item.name])]

    def plan(self, settings: Sequence[Setting]) -> Plan:
        """A trial's training, evaluated at equal shares of it.

        Raises: MtnlpError (E421 to E424) for a config that cannot be trained.
        """
        name = self.cell.config.name
        cell = Cell({}, self.cell.config, (*self.cell.settings, *settings))
        config = make_config(cell, None)
        nlp = check_config(cell, config)
        complete = nlp.config.interpolate()
        epochs, steps = (complete["training"][key] for key in ("max_epochs", "max_steps"))
        if count_steps(1, epochs, steps) is None:
            raise MtnlpError(Errors.E424.format(cell=name))
        with config_errors(name):
            length = measure_training(nlp, complete, epochs, steps)
            dev = count_words(nlp, complete)
        config["training"]["eval_frequency"] = max(1, ceil((length.steps - 1) / SHARES))
        train = round(sum(length.batch_words) * length.steps / max(1, len(length.batch_words)))
        return Plan(config, Workload(train, (SHARES + 1) * dev), length.steps)

    def best(self) -> Optional["FrozenTrial"]:
        """The finished trial with the highest dev score, of equals the earliest."""
        complete = [trial for trial in self.done if trial.state.name == "COMPLETE"]
        return max(complete, key=lambda trial: (trial.value, -trial.number), default=None)

    def write_best(self, output: Path) -> None:
        """Write the config with the best trial's settings in it."""
        best = self.best()
        if best is None:
            return
        config = load_config(self.cell.config)
        for setting in (*self.cell.settings, *self.settings(best.number, best.params)):
            put_setting(config, setting)
        write_text(output, config.to_str(interpolate=False) + "\n")

    def write_log(self) -> None:
        """Write what is known of all trials to `trials.json`."""
        write_json(self.folder / TRIALS, [self.describe(trial) for trial in self.done])

    def describe(self, trial: "FrozenTrial") -> Dict[str, Any]:
        """A trial in JSON's types. score: the best of its evaluations on dev. evaluations: by
        eighths of the training; where several fall on one, the first."""
        scores = [*trial.intermediate_values.values()]
        if trial.value is not None:
            scores.append(trial.value)
        return {
            "trial": trial.number,
            "state": trial.state.name.lower(),
            "score": max(scores, default=None),
            "settings": {item.name: trial.params.get(item.name) for item in self.ranges},
            "seconds": trial.user_attrs.get("seconds"),
            "evaluations": trial.intermediate_values,
            **{key: trial.user_attrs[key] for key in ("failure",) if key in trial.user_attrs},
        }


def make_tuning(
    path: Path,
    folder: Path,
    count: int,
    settings: Sequence[Setting] = (),
    gpu_id: int = -1,
    replace: bool = False,
) -> Tuning:
    """Check a config, and open its study, or begin one.

    path: the config. settings: overrides of every trial. folder: of the study. count: how many
    trials there shall be, those of earlier calls included. replace: begin anew where the folder has
    the study of another config or of other corpora, which is an error otherwise.
    Raises: MtnlpError (E421 to E424) for a config that cannot be trained, (E444) where the folder
        has another study, (E445) where nothing can be varied; ModuleNotFoundError without Optuna.
    """
    import optuna  # before all else: without it nothing can be done

    cell = Cell({}, path, tuple(settings))
    config = make_config(cell, None)
    complete = check_config(cell, config).config.interpolate()
    ranges = find_ranges(complete)
    if not ranges:
        raise MtnlpError(Errors.E445.format(config=path))
    folder.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    text = f"{config.to_str(interpolate=False)}\n{content_hash(config)}"
    fingerprint = hashlib.sha256(text.encode("utf8")).hexdigest()
    study = open_study(folder)
    if study.user_attrs.get("fingerprint", fingerprint) != fingerprint:
        if not replace:
            raise MtnlpError(Errors.E444.format(folder=folder))
        remove_study(folder)
        study = open_study(folder)
    study.set_user_attr("fingerprint", fingerprint)
    # A sampler begins anew with each call: without the count it would draw the same values again.
    seed = (complete["training"]["seed"] or 0) + len(study.trials)
    study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP)
    return Tuning(cell, ranges, folder, count, study, gpu_id)
