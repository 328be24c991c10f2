"""Components as heads of `standalone`: what each knows, and its network."""

from typing import Any, Callable, Dict, NamedTuple, Optional, Sequence

import torch

from ...nn.span_tagger import SpanTagger
from ...nn.taggers import CRFTagger, SoftmaxTagger
from ...pipes.base import TorchPipe
from ...pipes.classifier import DocClassifier
from ...pipes.crf_ner import CRFNER
from ...pipes.event_textcat import EventClassifier
from ...pipes.sentence_vectors import SentenceVectors
from ...pipes.span_ner import SpanNER
from ...structured.span_decoding import DECODERS
from .settings import (
    Unsupported,
    pooler_settings,
    require_listener,
    shape_settings,
)


class HeadParts(NamedTuple):
    """A component as `standalone.component` takes it.

    kind: of its `HEADS`. cfg: JSON. arrays: by name. module: `[rows, width]` to scores, None where
    there is no network. width: of what it reads. rows: that an example to trace it by has.
    """

    kind: str
    cfg: Dict[str, Any]
    arrays: Dict[str, Any]
    module: Optional[torch.nn.Module] = None
    width: int = 0
    rows: int = 2


class Scores(torch.nn.Module):
    """The scores of a head for `[rows, width]`."""

    def __init__(self, head: torch.nn.Module):
        super().__init__()
        self.head = head
        self.eval()

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.head(vectors, None).scores
        return scores


class SpanScores(torch.nn.Module):
    """The scores of spans: `[tokens + max_width - 1, width]` to `[tokens, max_width, classes]`."""

    def __init__(self, head: SpanTagger):
        super().__init__()
        self.head = head
        self.eval()

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.head.scorer(self.head.body(vectors)) + self.head.bias
        return scores


def describe_pipe(pipe: TorchPipe, inner: Sequence[int]) -> HeadParts:
    """A component as a head. inner: the layers that the encoder hands out beside the last. Raises:
    Unsupported for one that cannot be."""
    make = MAKERS.get(type(pipe))
    if make is None:
        raise Unsupported(f"mtnlp has no form without torch for {type(pipe).__name__}")
    return make(pipe, inner)


def describe_tagger(pipe: CRFNER, inner: Sequence[int]) -> HeadParts:
    """`crf_ner`."""
    shapes, arrays = shape_settings(pipe.model.get_ref("tok2vec"))
    module = pipe.module
    if type(module) not in (CRFTagger, SoftmaxTagger):
        raise Unsupported(f"its tag decoder, {type(module).__name__}, is none of mtnlp's own")
    pipe.take_over_earlier_names()
    cfg = {
        **chosen(pipe, "labels", "spans_key", "overwrite_ents", "threshold", "temperature"),
        **{"scheme": module.scheme.arrays()._asdict(), "shapes": shapes},
    }
    if type(module) is CRFTagger:
        arrays["chain"] = module.crf.arrays()._asdict()
    return HeadParts("tagger", cfg, arrays, Scores(module), pipe.cfg["width"])


def describe_spans(pipe: SpanNER, inner: Sequence[int]) -> HeadParts:
    """`span_ner`."""
    shapes, arrays = shape_settings(pipe.model.get_ref("tok2vec"))
    decoder = pipe.cfg["decoder"]
    if decoder not in DECODERS:
        raise Unsupported(f"its span decoder, {decoder or 'a block'}, is none of mtnlp's own")
    module = pipe.module
    cfg = {
        **chosen(pipe, "labels", "spans_key", "overwrite_ents", "threshold", "temperature"),
        **{"decoder": decoder, "max_width": module.max_width, "exclusive": module.exclusive},
        "shapes": shapes,
    }
    rows = module.max_width + 2
    return HeadParts("spans", cfg, arrays, SpanScores(module), pipe.cfg["width"], rows)


def describe_classifier(pipe: DocClassifier, inner: Sequence[int]) -> HeadParts:
    """`multitask_textcat` and `event_textcat`."""
    pooler = pipe.model.get_ref("tok2vec")
    require_listener(pooler.get_ref("source"))
    settings, arrays = pooler_settings(pooler, inner)
    cfg = {
        **chosen(pipe, "tasks", "threshold", "thresholds", "temperatures"),
        **{"events": isinstance(pipe, EventClassifier), "pooler": settings},
    }
    return HeadParts("classifier", cfg, arrays, Scores(pipe.module), pipe.cfg["width"])


def describe_vectors(pipe: SentenceVectors, inner: Sequence[int]) -> HeadParts:
    """`sentence_vectors`."""
    pooler = pipe.model.get_ref("tok2vec")
    require_listener(pooler.get_ref("source"))
    settings, arrays = pooler_settings(pooler, inner)
    projection = pipe.module.projection
    if projection.linear is not None:
        arrays["projection"] = projection.linear.weight.detach().cpu().numpy()
    cfg = {
        **chosen(pipe, "store_tensor"),
        **{"normalize": projection.normalize, "pooler": settings},
    }
    return HeadParts("vectors", cfg, arrays)


def chosen(pipe: TorchPipe, *names: str) -> Dict[str, Any]:
    """The name of a component, and some of its settings."""
    return {"name": pipe.name, **{name: pipe.cfg[name] for name in names}}


MAKERS: Dict[type, Callable[..., HeadParts]] = {
    CRFNER: describe_tagger,
    SpanNER: describe_spans,
    DocClassifier: describe_classifier,
    EventClassifier: describe_classifier,
    SentenceVectors: describe_vectors,
}
