"""Settings outside their range are coded errors, wherever they stand."""

from math import inf, nan
from pathlib import Path
from typing import Any, Callable, Dict

import pytest
import spacy
import torch
from spacy import registry
from thinc.api import registry as thinc_registry

from mtnlp.errors import MtnlpError
from mtnlp.nn.temperature import scale_by_temperature, scale_columns_by_temperature
from mtnlp.pipes.crf_ner import CRFNER
from mtnlp.pipes.multitask_textcat import DocClassifier
from mtnlp.ranges import COUNT, DROPOUT, PROBABILITY, SIZE, require, require_choice
from mtnlp.training.adamw import create_adamw_v1
from mtnlp.training.fit_schedule import create_fit_schedule_v1
from mtnlp.training.freeze_encoder import create_freeze_encoder_v1
from mtnlp.training.fused_adam import create_fused_adam_v1
from tests.tiny import make_nlp

TASKS = {"topic": {"exclusive": False}}


@pytest.mark.parametrize(
    "factory,setting,value,code",
    [
        ("crf_ner", "threshold", 7.0, "E330"),
        ("crf_ner", "min_confidence", 7.0, "E330"),
        ("span_ner", "threshold", -3.0, "E330"),
        ("span_ner", "threshold", 1.01, "E330"),
        ("multitask_textcat", "threshold", 2.0, "E330"),
        ("multitask_textcat", "tasks", {"a/b": {"exclusive": True}}, "E332"),
        ("event_textcat", "task", "", "E332"),
    ],
)
def test_factories(factory: str, setting: str, value: Any, code: str, backbone: Path) -> None:
    config = {"tasks": TASKS} if factory == "multitask_textcat" else {}
    with pytest.raises(MtnlpError, match=code):
        make_nlp(backbone, [factory], {factory: {**config, setting: value}})


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_bounds_belong_to_the_range(value: float, backbone: Path) -> None:
    make_nlp(backbone, ["crf_ner"], {"crf_ner": {"threshold": value}})
    make_nlp(backbone, ["span_ner"], {"span_ner": {"threshold": value}})


LISTENER = {"@architectures": "mtnlp.TransformerListener.v1"}
POOLER = {"@architectures": "mtnlp.TransformerPooler.v1"}
BLOCKS: Dict[str, Dict[str, Any]] = {
    "TokenClassifier": {"tok2vec": LISTENER},
    "SpanClassifier": {"tok2vec": LISTENER},
    "DocClassifier": {"tok2vec": POOLER},
    "SentenceEncoder": {"tok2vec": POOLER},
    "TransformerModel": {"name": "nowhere"},
}


@pytest.mark.parametrize(
    "name,setting,value",
    [
        ("TokenClassifier", "hidden", 0),
        ("TokenClassifier", "dropout", 1.0),
        ("TokenClassifier", "dropout", nan),
        ("SpanClassifier", "hidden", -2),
        ("SpanClassifier", "dropout", -0.1),
        ("SpanClassifier", "chunk_size", 0),
        ("DocClassifier", "hidden", 0),
        ("DocClassifier", "dropout", 1.5),
        ("SentenceEncoder", "width", 0),
        ("ShapeEmbedding", "width", 0),
        ("ShapeEmbedding", "rows", -1),
        ("TransformerListener", "grad_factor", nan),
        ("TransformerPooler", "grad_factor", inf),
        ("TransformerPooler", "layers", [-1]),
        ("TransformerModel", "window", -1),
        ("TransformerModel", "layers", [-1]),
        ("TransformerModel", "cache_size", -1),
    ],
)
def test_architectures(name: str, setting: str, value: Any) -> None:
    block = {"@architectures": f"mtnlp.{name}.v1", **BLOCKS.get(name, {}), setting: value}
    with pytest.raises(MtnlpError, match=rf"E330.*mtnlp\.{name}\.v1: {setting} = "):
        registry.resolve({"model": block})


@pytest.mark.parametrize("name", ["MarkerScorer", "BiaffineScorer"])
@pytest.mark.parametrize("setting,value", [("hidden", 0), ("dropout", nan)])
def test_span_scorers(name: str, setting: str, value: float) -> None:
    with pytest.raises(MtnlpError, match="E330"):
        registry.resolve({"scorer": {"@layers": f"mtnlp.{name}.v1", setting: value}})


@pytest.mark.parametrize(
    "name,setting,value",
    [
        ("FocalLoss", "gamma", inf),
        ("DiceLoss", "smooth", nan),
        ("LabelSmoothing", "smoothing", nan),
        ("ContrastiveLoss", "margin", inf),
    ],
)
def test_losses(name: str, setting: str, value: float) -> None:
    with pytest.raises(MtnlpError, match="E221"):
        thinc_registry.losses.get(f"mtnlp.{name}.v1")(**{setting: value})


@pytest.mark.parametrize(
    "create,settings",
    [
        (create_adamw_v1, {"learn_rate": -1e-3}),
        (create_adamw_v1, {"learn_rate": 1e-3, "beta2": 1.0}),
        (create_adamw_v1, {"learn_rate": 1e-3, "grad_clip": nan}),
        (create_adamw_v1, {"learn_rate": 1e-3, "head_factor": inf}),
        (create_fused_adam_v1, {"learn_rate": 1e-3, "L2": -0.1}),
        (create_fused_adam_v1, {"learn_rate": 1e-3, "head_factor": nan}),
        (create_fit_schedule_v1, {"evaluations": -1}),
        (create_fit_schedule_v1, {"warmup": nan}),
        (create_freeze_encoder_v1, {"cache_size": -1}),
        (registry.get("batchers", "mtnlp.WordpieceBatcher.v1"), {"size": 0}),
        (registry.get("batchers", "mtnlp.WordpieceBatcher.v1"), {"size": 9, "tolerance": nan}),
        (registry.get("misc", "mtnlp.LoRA.v1"), {"alpha": nan}),
    ],
)
def test_training(create: Callable[..., Any], settings: Dict[str, Any]) -> None:
    with pytest.raises(MtnlpError, match=r"E330|E455|E456|E271"):
        create(**settings)


@pytest.mark.parametrize("value", [0.0, -1.0, nan, inf])
def test_temperatures(value: float) -> None:
    for function, given in (
        (scale_by_temperature, value),
        (scale_columns_by_temperature, [1.0, value]),
    ):
        with pytest.raises(MtnlpError, match=rf"(E235|E330).* {value}"):
            function(torch.ones(2, 2), given)


def test_pipes_made_without_a_config(backbone: Path) -> None:
    """No validation by type has seen these."""
    nlp = spacy.blank("en")
    model: Any = None
    with pytest.raises(MtnlpError, match=r"E330.*weighting = 'none'. Expected one of: static"):
        CRFNER(nlp.vocab, model, weighting="none")  # type: ignore[arg-type]
    for settings in ({"threshold": nan}, {"task_weight": inf}):
        with pytest.raises(MtnlpError, match=r"E330.*crf_ner"):
            CRFNER(nlp.vocab, model, **settings)
    with pytest.raises(MtnlpError, match="E330"):
        DocClassifier(nlp.vocab, model, "x", tasks={"a": True}, threshold=nan)


def test_messages() -> None:
    require("x", PROBABILITY, a=0.5, b=None)
    for allowed, value, form in (
        (PROBABILITY, 1.5, "a number from 0 to 1"),
        (DROPOUT, 1, "a number from 0 to below 1"),
        (SIZE, 2.5, "a whole number from 1 on"),
        (COUNT, -1, "a whole number from 0 on"),
    ):
        with pytest.raises(MtnlpError, match=rf"\[E330\] x: y = {value}. Expected {form}."):
            require("x", allowed, y=value)
    with pytest.raises(MtnlpError, match="Expected one of: a, b"):
        require_choice("x", ["a", "b"], y="c")
