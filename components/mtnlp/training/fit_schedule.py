"""A learning rate schedule that fits the training data: `mtnlp.FitSchedule.v1`."""

from math import ceil, inf
from typing import Callable

from spacy.language import Language

from ..errors import Errors, MtnlpError
from ..log import logger
from ..ranges import COUNT, require
from .step_count import TrainingLength, count_steps, measure_training

# Of the batchers whose number of batches does not depend on the order of the examples.
BY_NUMBER = ("spacy.batch_by_sequence.v1",)


def create_fit_schedule_v1(
    warmup: float = 0.1, epochs: int = 0, evaluations: int = 0
) -> Callable[[Language], None]:
    """A callback for `[initialize.before_init]`: sets the steps of `warmup_linear.v1`.

    `warmup_linear.v1` wants to know the number of steps, which follows from corpus, batcher and
    epochs; nobody counts that by hand for each corpus. The callback reads the training corpus
    once, counts its batches, and writes `total_steps` and `warmup_steps` into
    `[training.optimizer.learn_rate]`, so the saved config shows the numbers that were used. Where
    `learn_rate` is a number, it becomes a `warmup_linear.v1` that rises to it.

    It also brings `eval_frequency` down so that the last evaluation comes at the end: spaCy keeps
    the best *evaluated* weights, and a training shorter than `eval_frequency` would otherwise
    evaluate once, before its first step, and give away an untrained pipeline. For the same reason
    `eval_frequency` is at most `patience`, where that is set.

    The training ends with `max_epochs` or `max_steps`, whichever comes first: spaCy's default of
    `max_steps = 20000` may stay beside `max_epochs`. With `max_epochs = -1`, where each epoch is
    read anew, spaCy's loop ends by `max_steps` only: `epochs` says how many epochs it should have,
    and `max_steps` is set accordingly.

    One epoch is counted, as it is read, or all of them where the batch size follows a schedule.
    Epochs of `mtnlp.MixedCorpus.v1` have all the same number of documents; a batcher that goes by
    size may cut them into a batch more or less.

    warmup: in how many steps the rate rises: a share of all steps where below 1, a number of steps
        from 1 on.
    epochs: with `max_epochs = -1`, the epochs to train; 0 goes by `max_steps` as it stands.
    evaluations: how many there should be per epoch; 0 leaves `eval_frequency` as it is. With 1 a
        logger writes one line per epoch.
    Raises: MtnlpError E330 for a negative number of evaluations, E456 for a warm-up that is
        neither; when called, E430 where the schedule is another one, E431 where nothing ends the
        training, E162 where `epochs` is given beside other `max_epochs`.
    """
    require("mtnlp.FitSchedule.v1", COUNT, evaluations=evaluations)
    if not 0 <= warmup < inf or (warmup >= 1 and warmup != int(warmup)):
        raise MtnlpError(Errors.E456.format(value=warmup))

    def fit_schedule(nlp: Language) -> None:
        training = nlp.config["training"]
        rate = training["optimizer"].get("learn_rate")
        if isinstance(rate, (int, float)) and not isinstance(rate, bool):
            rate = {"@schedules": "warmup_linear.v1", "initial_rate": rate}
            training["optimizer"]["learn_rate"] = rate
        if not isinstance(rate, dict) or rate.get("@schedules") != "warmup_linear.v1":
            raise MtnlpError(Errors.E430)
        length = measure_length(nlp, epochs, bool(evaluations))
        total = length.steps
        if epochs:
            # spaCy counts from 0 and stops after the step with this number; 0 would be no end.
            training["max_steps"] = max(1, total - 1)
            total = training["max_steps"] + 1
        rate["total_steps"] = total
        rate["warmup_steps"] = ceil(warmup * total) if warmup < 1 else int(warmup)
        frequency = training["eval_frequency"]
        if evaluations:
            frequency = max(1, ceil(len(length.batch_words) / evaluations))
        if training["patience"] > 0:
            frequency = min(frequency, training["patience"])
        # Where one evaluation is all there will be, a batch less per epoch must not forestall it.
        is_exact = training["batcher"].get("@batchers") in BY_NUMBER or training["max_epochs"] <= 0
        spare = 0 if is_exact or 2 * frequency < total else training["max_epochs"]
        training["eval_frequency"] = fit_frequency(frequency, max(2, total - spare))
        logger.info(
            "Learning rate: %d steps, %d of them warm-up; an evaluation every %d steps",
            total,
            rate["warmup_steps"],
            training["eval_frequency"],
        )

    return fit_schedule


def fit_frequency(frequency: int, total: int) -> int:
    """The largest eval frequency up to `frequency` that also evaluates near the end.

    Steps are counted from 0 to `total - 1`, and spaCy evaluates at the multiples. With 350 steps
    and 100, the last evaluation would be at 300; with 87 it is at 348.
    """
    last = total - 1
    return max(1, last // ceil(last / frequency)) if last > 0 else 1


def measure_length(nlp: Language, epochs: int = 0, read: bool = False) -> TrainingLength:
    """How long the training will be: `epochs` epochs where given, else as `[training]` says.

    read: read the corpus even where the steps are known without.
    Raises: MtnlpError E431 where nothing ends the training, E162 where `epochs` does not fit
        `max_epochs`.
    """
    config = nlp.config.interpolate()
    training = config["training"]
    max_epochs, max_steps = training["max_epochs"], training["max_steps"]
    if epochs:
        if epochs < 0 or max_epochs != -1:
            raise MtnlpError(Errors.E162.format(epochs=epochs, max_epochs=max_epochs))
        max_epochs, max_steps = epochs, 0
    steps = count_steps(1, max_epochs, max_steps)
    if steps is None:
        raise MtnlpError(Errors.E431)
    if max_epochs <= 0 and not read:
        return TrainingLength(steps, [])
    length = measure_training(nlp, config, max_epochs, max_steps)
    return TrainingLength(max(1, length.steps), length.batch_words)
