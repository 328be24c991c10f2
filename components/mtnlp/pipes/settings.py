"""The settings that the trainable pipes have in common, and their default configs."""

from inspect import cleandoc
from typing import Any, Callable, Dict, Optional, TypedDict

from thinc.api import Config

from .weighting import Weighting

# What `CommonSettings` are in a config.
DEFAULTS = """
score_loss = false
task_weight = 1.0
weighting = "static"
teacher_weight = 0.5
teacher_temperature = 1.0
teacher_confidence = 0.0
"""

# Encoders, for `default_config`: vectors of tokens, and one vector per document.
LISTENER = """
@architectures = "mtnlp.TransformerListener.v1"
grad_factor = 1.0
upstream = "*"
transformer = null
"""
POOLER = """
@architectures = "mtnlp.TransformerPooler.v1"
pooling = "mean"
layers = []
grad_factor = 1.0
upstream = "*"
transformer = null
"""


class CommonSettings(TypedDict, total=False):
    """What every pipe with a loss takes, beside its own settings.

    score_loss: score the mean loss, too, as `NAME_loss`. task_weight, weighting: how much the loss
        counts, see `weighting`. scorer: called by `Pipe.score`.
    teacher_weight: from 0 to 1, the share of teachers in the loss of what has gold, too.
    teacher_temperature: what the scores of both are divided by where they are compared; above 1,
        what a teacher thinks less probable counts more.
    teacher_confidence: how much what has no gold counts by the teacher's confidence: by its largest
        probability to this power; 0: all the same. See `taught`.
    """

    score_loss: bool
    task_weight: float
    weighting: Weighting
    teacher_weight: float
    teacher_temperature: float
    teacher_confidence: float
    scorer: Optional[Callable]


def default_config(
    settings: str, scorer: str, model: str, tok2vec: str, common: str = DEFAULTS
) -> Dict[str, Any]:
    """The default config of a factory, from the text of its parts.

    settings: the pipe's own. scorer: its registered name. model: the block of the head, with the
    blocks within it as `[pipe.model.NAME]`. tok2vec: the block of the encoder. common: settings
    that other pipes have, too.
    """
    parts = [
        *("[pipe]", settings, common, f'scorer = {{"@scorers": "{scorer}"}}'),
        *("[pipe.model]", model),
        *("[pipe.model.tok2vec]", tok2vec),
    ]
    return Config().from_str("\n".join(map(cleandoc, parts)))["pipe"]
