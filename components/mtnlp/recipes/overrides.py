"""What somebody has decided already; everything else the rule decides."""

from dataclasses import dataclass
from typing import Any, Literal, Mapping, Optional, get_args

from ..errors import Errors, MtnlpError
from ..models.precision import Precision

Factory = Literal["crf_ner", "span_ner"]


@dataclass(frozen=True)
class Overrides:
    """Settings that take the place of what the rule would choose; None leaves it to the rule.

    language: of `nlp`. exclusive: task to whether exactly one of its labels holds. factory: of all
    entities. max_width: of `span_ner`. shapes: whether heads read the words' shapes. The others
    are as in `Recipe`.
    """

    language: Optional[str] = None
    exclusive: Optional[Mapping[str, bool]] = None
    factory: Optional[Factory] = None
    max_width: Optional[int] = None
    shapes: Optional[bool] = None
    window: Optional[int] = None
    batch: Optional[int] = None
    rate: Optional[float] = None
    head_factor: Optional[float] = None
    epochs: Optional[int] = None
    warmup: Optional[float] = None
    dropout: Optional[float] = None
    attention_dropout: Optional[float] = None
    precision: Optional[Precision] = None

    def __post_init__(self) -> None:
        """Raises: MtnlpError (E482) for a setting out of range."""
        for name in ("max_width", "window", "batch", "epochs"):
            value = getattr(self, name)
            _require(name, value, value is None or value >= 1, "1 or more")
        for name in ("rate", "head_factor"):
            value = getattr(self, name)
            _require(name, value, value is None or value > 0, "more than 0")
        for name in ("warmup", "dropout", "attention_dropout"):
            value = getattr(self, name)
            _require(name, value, value is None or 0 <= value < 1, "0 or more, and below 1")
        for name, kind in (("factory", Factory), ("precision", Precision)):
            value, known = getattr(self, name), get_args(kind)
            _require(name, value, value is None or value in known, "one of " + ", ".join(known))


def _require(name: str, value: Any, is_right: bool, form: str) -> None:
    if not is_right:
        raise MtnlpError(Errors.E482.format(name=name, value=value, form=form))
