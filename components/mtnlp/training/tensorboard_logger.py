"""Training curves for TensorBoard: `mtnlp.TensorBoardLogger.v1`."""

import sys
from numbers import Real
from pathlib import Path
from typing import IO, Any, Callable, Dict, Iterator, Mapping, Optional, Tuple

from spacy.language import Language

from ..errors import Errors, MtnlpError
from .best_checkpoints import BestCheckpoints, is_best, steps_since_evaluation
from .step_watch import Step, StepWatch
from .tensorboard_scalars import EVENTS

Info = Optional[Dict[str, Any]]
SetupLogger = Callable[[Language, IO, IO], Tuple[Callable[[Info], None], Callable[[], None]]]


def create_tensorboard_logger_v1(
    log_dir: str,
    checkpoint_dir: Optional[str] = None,
    keep_checkpoints: int = 1,
    flush_every: int = 20,
    gradient_norms: bool = True,
) -> SetupLogger:
    """A logger that writes TensorBoard's event files; it prints nothing, so chain it with another.

    At every step: `loss/{component}`, `weight/{component}/{task}` of learned task weights,
    `learn_rate/encoder` and `learn_rate/heads`, `gradient_norm/{component}` and
    `gradient_norm/total` (before clipping), `words_per_second`. At every evaluation:
    `score/{name}` of each number among the dev scores (`score/ents_per_type/PER/f`),
    `score/weighted`, the sum by `[training.score_weights]`, and `epoch`. A component that keeps no
    loss of a step (`step_loss`), one that is not mtnlp's, has the mean of the steps since the last
    evaluation, at evaluations. A step in which nothing was annotated for a component is no point
    of its curves. A training that goes on from a checkpoint goes on with its numbers of steps.

    log_dir: where the event files go. Where it holds those of another training, or of the same
        before it was resumed, a folder `run-2` (`run-3` and so on) below it.
    checkpoint_dir: where given, each evaluation that is the best so far saves the pipeline there,
        as `step-{step}`, complete or not at all.
    keep_checkpoints: so many of them stay, the newest: with 1 the best.
    flush_every: steps after which the events are on disk at the latest; evaluations always are.
    gradient_norms: False saves a pass over all gradients per step.
    Raises: MtnlpError (E470) without tensorboard, E472 for counts below 1.
    """
    for name, value in (("keep_checkpoints", keep_checkpoints), ("flush_every", flush_every)):
        if value < 1:
            raise MtnlpError(Errors.E472.format(name=name, value=value))
    open_writer = find_writer()

    def setup_logger(
        nlp: Language, stdout: IO = sys.stdout, stderr: IO = sys.stderr
    ) -> Tuple[Callable[[Info], None], Callable[[], None]]:
        checkpoints = None
        if checkpoint_dir is not None:
            checkpoints = BestCheckpoints(Path(checkpoint_dir), keep_checkpoints)
        writer = open_writer(str(run_folder(Path(log_dir))))
        curves = TrainingCurves(nlp, writer, checkpoints, flush_every, gradient_norms)
        return curves.log_step, curves.close

    return setup_logger


class TrainingCurves:
    """Writes what happens in one training.

    nlp: its pipeline; frozen components disabled, as spaCy sets loggers up. writer: a
    `SummaryWriter`. The other arguments are those of `create_tensorboard_logger_v1`.
    """

    def __init__(
        self,
        nlp: Language,
        writer: Any,
        checkpoints: Optional[BestCheckpoints] = None,
        flush_every: int = 20,
        gradient_norms: bool = True,
    ):
        trained = {
            name: pipe for name, pipe in nlp.pipeline if getattr(pipe, "is_trainable", False)
        }
        self.nlp = nlp
        self.pipes: Dict[str, Any] = trained
        self.writer = writer
        self.checkpoints = checkpoints
        self.flush_every = flush_every
        self.watch = StepWatch(nlp, list(trained), norms=gradient_norms)
        self.step = -1  # the last one made

    def log_step(self, info: Info) -> None:
        """info: of an evaluation, else None."""
        step = self.watch.read()
        # spaCy tells the number of a step at evaluations only.
        self.step = self.step + step.count if info is None else info["step"]
        for tag, value in self.step_scalars(step):
            self.writer.add_scalar(tag, value, self.step)
        if info is not None:
            for tag, value in self.evaluation_scalars(info):
                self.writer.add_scalar(tag, value, self.step)
        if info is not None or (self.step + 1) % self.flush_every == 0:
            self.writer.flush()
        if info is not None and self.checkpoints is not None and is_best(info):
            self.checkpoints.save(self.nlp, info, self.watch.optimizer)

    def step_scalars(self, step: Step) -> Iterator[Tuple[str, float]]:
        """(tag, value) of the step that has just been made. step: what was seen of it."""
        for name, pipe in self.pipes.items():
            loss = getattr(pipe, "step_loss", None)
            if loss:
                yield f"loss/{name}", loss
            for task, weight in (getattr(pipe, "task_weights", None) or {}).items():
                yield f"weight/{name}/{task}", weight
        for name, rate in step.learn_rates.items():
            yield f"learn_rate/{name}", rate
        for name, norm in step.gradient_norms.items():
            if norm:
                yield f"gradient_norm/{name}", norm
        if step.gradient_norm is not None:
            yield "gradient_norm/total", step.gradient_norm
        if step.seconds:
            yield "words_per_second", step.words / step.seconds

    def evaluation_scalars(self, info: Dict[str, Any]) -> Iterator[Tuple[str, float]]:
        """(tag, value) of an evaluation."""
        steps = steps_since_evaluation(info)
        for name, pipe in self.pipes.items():
            if not hasattr(pipe, "step_loss") and name in info["losses"]:
                yield f"loss/{name}", float(info["losses"][name]) / steps
        for name, value in flat_numbers(info["other_scores"]):
            yield f"score/{name}", value
        yield "score/weighted", float(info["score"])
        yield "epoch", float(info["epoch"])

    def close(self) -> None:
        """Leave the pipeline as it was, and the events on disk."""
        self.watch.close()
        self.writer.close()


def flat_numbers(scores: Mapping[str, Any], prefix: str = "") -> Iterator[Tuple[str, float]]:
    """The numbers among scores, those of nested ones under `outer/inner`; texts are left out."""
    for key, value in scores.items():
        if isinstance(value, Mapping):
            yield from flat_numbers(value, f"{prefix}{key}/")
        elif isinstance(value, Real) and not isinstance(value, bool):
            yield f"{prefix}{key}", float(value)


def run_folder(log_dir: Path) -> Path:
    """`log_dir`, or the first free `run-2`, `run-3` and so on below it: events of two runs in one
    folder would be drawn as one curve."""
    folder, number = log_dir, 1
    while any(folder.glob(EVENTS)):
        number += 1
        folder = log_dir / f"run-{number}"
    return folder


def find_writer() -> Callable[[str], Any]:
    """torch's `SummaryWriter`. Raises: MtnlpError (E470) without tensorboard."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MtnlpError(Errors.E470) from error
    return SummaryWriter
