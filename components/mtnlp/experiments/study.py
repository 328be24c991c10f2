"""The study of a search in its folder: trials, the values that are drawn for them, their scores."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Sequence, Tuple

from .search_space import Range
from .trial import EVALUATIONS

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import Trial

STUDY, TRIALS = "study.db", "trials.json"
# Evaluations of a training: at the same shares of trainings of any length, so that they compare.
SHARES = 8
# Trials that are trained to their end whatever their scores, and drawn at random.
STARTUP = 4
# Evaluations before a trial may be ended: it is still warming up.
WARMUP = 2


def open_study(folder: Path) -> "Study":
    """The study of a folder; a new one where it has none."""
    import optuna

    return optuna.create_study(
        storage=f"sqlite:///{folder / STUDY}",
        study_name=STUDY,
        direction="maximize",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(STARTUP, WARMUP),
    )


def remove_study(folder: Path) -> None:
    """Remove a study and its trials from a folder, and nothing else."""
    for trial in folder.glob("trial-*"):
        shutil.rmtree(trial)
    for name in (STUDY, TRIALS):
        (folder / name).unlink(missing_ok=True)


def draw(trial: "Trial", ranges: Sequence[Range]) -> Dict[str, Any]:
    """A trial's value of each setting."""
    values: Dict[str, Any] = {}
    for item in ranges:
        suggest: Callable = trial.suggest_int if item.is_whole else trial.suggest_float
        values[item.name] = suggest(item.name, item.low, item.high, log=item.is_log)
    return values


def report(trial: "Trial", folder: Path, steps: int) -> None:
    """Tell the study the scores that a trial has by now, at the nearest share of its training.

    steps: of the whole training.
    """
    known = set(trial.study.trials[trial.number].intermediate_values)
    for score, step in read_evaluations(folder):
        share = round(step * SHARES / steps)
        if step and share not in known:
            trial.report(score, share)
            known.add(share)


def read_evaluations(folder: Path) -> List[Tuple[float, int]]:
    """(score, step) of each evaluation that a trial has made."""
    path = folder / EVALUATIONS
    if not path.exists():
        return []
    return [(score, step) for score, step in json.loads(path.read_text(encoding="utf8"))]
