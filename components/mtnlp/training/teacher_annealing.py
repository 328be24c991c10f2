"""Teachers count less and less beside gold: `mtnlp.TeacherAnnealing.v1`."""

from typing import Any, Callable, Dict, Iterator, Optional

from spacy.language import Language

from ..errors import Errors, MtnlpError
from ..pipes.taught import Annealing, Taught
from ..ranges import COUNT, require
from .fit_schedule import measure_length


def create_teacher_annealing_v1(steps: int = 0) -> Callable[..., None]:
    """A callback for `[training.before_update]`, or, where another one stands there, for
    `[initialize.after_init]`: teacher annealing (Clark et al., 2019, "BAM! Born-Again Multi-Task
    Networks for Natural Language Understanding").

    In what has gold and a teacher's opinion, the teacher's share goes from each component's
    `teacher_weight` in the first step to 0 in the last, by the same amount each step. What has an
    opinion alone counts as much as ever. Components in `training.frozen_components` are left alone.

    The step is all that is needed to go on, so that a training that `mtnlp train` resumes has the
    shares that it would have had.

    steps: after how many steps the share is 0; by default (0) the length of the training, which is
        known from `max_epochs` and `max_steps`: the batches of an epoch are counted for it, or
        taken from `mtnlp.FitSchedule.v1` where that has counted them. `patience` may end the
        training before.

    Raises: MtnlpError E330 for a negative number of steps; when called, E736 where no component
        learns from teachers, E431 where nothing ends the training.
    """
    require("mtnlp.TeacherAnnealing.v1", COUNT, steps=steps)

    def anneal(nlp: Language, args: Optional[Dict[str, Any]] = None) -> None:
        pupils = list(find_pupils(nlp))
        if not pupils:
            frozen = nlp.config["training"]["frozen_components"]
            raise MtnlpError(
                Errors.E736.format(
                    pipes=", ".join(nlp.pipe_names), frozen=", ".join(frozen) or "none"
                )
            )
        step = 0 if args is None else args["step"]
        if step == 0 or any(pupil.annealing is None for pupil in pupils):
            length = steps or training_steps(nlp)
            for pupil in pupils:
                pupil.annealing = Annealing(length)
        for pupil in pupils:
            assert pupil.annealing is not None
            pupil.annealing.step = step

    return anneal


def find_pupils(nlp: Language) -> Iterator[Taught]:
    """The components that learn from teachers and are trained."""
    frozen = nlp.config["training"]["frozen_components"]
    for name, pipe in nlp.pipeline:
        if isinstance(pipe, Taught) and pipe.learns_from_teachers and name not in frozen:
            yield pipe


def training_steps(nlp: Language) -> int:
    """The steps of a pipeline's training. Raises: MtnlpError E431 where nothing ends it."""
    config = nlp.config
    if "mtnlp.FitSchedule.v1" in str(config["initialize"].get("before_init")):
        return int(config["training"]["optimizer"]["learn_rate"]["total_steps"])
    return measure_length(nlp).steps
