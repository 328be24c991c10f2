"""The recipe: which components a pipeline has, and how they are trained."""

from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional


@dataclass(frozen=True)
class EntityPart:
    """A component that finds entities.

    name: in the pipeline. factory: "crf_ner" or "span_ner". spans_key: as in the factory.
    labels: the gold labels, most frequent first.
    max_width: of `span_ner`. scorer: of `span_ner`, "biaffine" or "marker".
    boundary: of `crf_ner`, the weight of `mtnlp.BoundaryLoss.v1` beside the likelihood.
    shapes: whether the head reads the words' shapes beside the encoder.
    """

    name: str
    factory: str
    spans_key: Optional[str]
    labels: List[str]
    max_width: int = 8
    scorer: str = "biaffine"
    boundary: float = 0.0
    shapes: bool = False


@dataclass(frozen=True)
class ClassifierPart:
    """The component that classifies documents.

    tasks: task to whether it is exclusive. layers: hidden states pooled beside the last one.
    """

    name: str
    tasks: Mapping[str, bool]
    layers: List[int] = field(default_factory=list)


@dataclass(frozen=True)
class Recipe:
    """A pipeline and its training.

    language: of `nlp`. entities, classifier: its components.
    window: wordpieces per window. batch: wordpieces per step. rate: the encoder's highest learning
        rate. head_factor: how much higher that of the heads is. epochs, warmup: as in `[training]`
        and `mtnlp.FitSchedule.v1`. dropout: of the heads. attention_dropout: of the encoder;
        None leaves what its own config says. precision: that of the encoder.
    single_task: whether a step holds documents of one task only. min_docs: documents per step, at
        least; 0 for any number.
    weights: how often a document of each corpus is seen per epoch.
    device: "cpu" or "gpu". steps: per epoch, about.
    reasons: a sentence per setting, by its name: why it has this value.
    """

    language: str
    entities: List[EntityPart]
    classifier: Optional[ClassifierPart]
    window: int
    batch: int
    rate: float
    epochs: int
    head_factor: float = 10.0
    warmup: float = 0.1
    dropout: float = 0.1
    attention_dropout: Optional[float] = None
    precision: str = "auto"
    single_task: bool = False
    min_docs: int = 0
    weights: Mapping[str, float] = field(default_factory=dict)
    device: str = "cpu"
    steps: int = 0
    reasons: Dict[str, str] = field(default_factory=dict)

    @property
    def batch_settings(self) -> Dict[str, Any]:
        """Settings of the batcher, besides its size, that differ from its defaults."""
        settings: Dict[str, Any] = {"single_task": self.single_task, "min_docs": self.min_docs}
        return {name: value for name, value in settings.items() if value}
