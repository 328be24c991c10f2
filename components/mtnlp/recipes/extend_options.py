"""What an extension can be told."""

from dataclasses import dataclass, field
from typing import Any, Mapping, Optional

from .options import ProjectOptions

# Of a pipeline that is trained already: half of what the rule has for one that is not.
LEARN_RATE = 1e-4


@dataclass(frozen=True)
class ExtendOptions:
    """component: which one learns the labels; None finds it. freeze_encoder: whether encoder and
    other components stay what they are. epochs, learn_rate: None chooses them. data: how the files
    are read, as for `mtnlp init`. overrides: settings of `[training]` by dotted names. gpu_id: -1
    for the CPU."""

    component: Optional[str] = None
    freeze_encoder: bool = False
    epochs: Optional[int] = None
    learn_rate: float = LEARN_RATE
    data: ProjectOptions = field(default_factory=ProjectOptions)
    overrides: Mapping[str, Any] = field(default_factory=dict)
    gpu_id: int = -1
