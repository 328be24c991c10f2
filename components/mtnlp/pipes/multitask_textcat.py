"""`multitask_textcat`: any number of classification tasks over one vector per Doc."""

from typing import Callable, Dict, Optional

from pydantic import BaseModel
from spacy.language import Language
from thinc.api import Model

from .classifier import MODEL, DocClassifier
from .settings import POOLER, default_config
from .weighting import Weighting


class TaskConfig(BaseModel):
    """A task's config block. exclusive: exactly one of its labels holds. weight: λ, how much its
    loss counts beside those of the component's other tasks."""

    exclusive: bool
    weight: float = 1.0


DEFAULT_CONFIG = default_config(
    settings="""
    threshold = 0.5
    tasks = {}
    """,
    scorer="mtnlp.CategoryScorer.v1",
    model=MODEL,
    tok2vec=POOLER,
)


@Language.factory(
    "multitask_textcat",
    default_config=DEFAULT_CONFIG,
    assigns=["doc.cats"],
    default_score_weights={"cats_score": 1.0, "cats_f_per_type": None},
)
def make_multitask_textcat(
    nlp: Language,
    name: str,
    model: Model,
    tasks: Dict[str, TaskConfig],
    threshold: float,
    score_loss: bool,
    task_weight: float,
    weighting: Weighting,
    teacher_weight: float,
    teacher_temperature: float,
    teacher_confidence: float,
    scorer: Optional[Callable],
) -> DocClassifier:
    """A classifier for named tasks.

    A document that holds nothing to read (no text, white space alone, characters without a
    wordpiece) has 0.0 for all labels in `doc.cats`, exclusive or not, and `doc._.tasks` is empty.

    model: `mtnlp.DocClassifier.v1` or a model of its shape.
    tasks: a block a task, `[components.X.tasks.NAME]`, with `exclusive` and, if wanted, `weight`.
        Labels are found in the data, where the keys of `doc.cats` are `NAME/LABEL`.
    threshold: of the probability, for the labels of tasks that are not exclusive, where
        `cfg["thresholds"]` has none for them.
    task_weight: λ, how much this component's loss counts; mostly in the shared encoder.
    weighting: "uncertainty" learns a weight for each task instead.
    teacher_weight: the share of teachers' opinions in the loss of what has gold, too, from 0 to 1.
    teacher_temperature: what scores are divided by where they are compared with a teacher's.
    teacher_confidence: the power of a teacher's largest probability by which its opinion counts
        where there is no gold; 0: always in full.
    score_loss: score the mean loss, too, as `NAME_loss`. Docs then keep the head's inputs for as
        long as they live, so it is for training, not for prediction.
    scorer: `mtnlp.CategoryScorer.v1`.
    Raises: MtnlpError E303 without tasks, E440 for a negative weight, E441 for fixed weights beside
    learned ones.
    """
    # The config is validated against the hint but handed over as the dict it was.
    blocks = {task: TaskConfig.model_validate(settings) for task, settings in tasks.items()}
    pipe = DocClassifier(
        nlp.vocab,
        model,
        name,
        tasks={task: block.exclusive for task, block in blocks.items()},
        threshold=threshold,
        score_loss=score_loss,
        task_weight=task_weight,
        task_weights={task: block.weight for task, block in blocks.items()},
        weighting=weighting,
        teacher_weight=teacher_weight,
        teacher_temperature=teacher_temperature,
        teacher_confidence=teacher_confidence,
        scorer=scorer,
    )
    return pipe
