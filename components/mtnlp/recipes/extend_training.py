"""How a pipeline is trained that learns new labels: `[corpora]` and `[training]`."""

from math import sqrt
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from spacy import registry
from spacy.language import Language
from spacy.vocab import Vocab
from thinc.api import Config

from ..annotation.layers import CategoriesLayer
from ..data.batchers import estimate_wordpieces
from ..data.docbin_stream import read_docs
from ..experiments.settings import config_errors
from ..models.windowed_model import WindowedTransformerModel
from ..pipes.base import TorchPipe
from ..pipes.upstream import is_encoder
from ..training.fit_schedule import create_fit_schedule_v1
from .extend_options import ExtendOptions
from .new_labels import NewLabels
from .rule import (
    EPOCH_SCALE,
    FEWEST_EPOCHS,
    HEAD_FACTOR,
    LARGEST_BATCH,
    MOST_EPOCHS,
    MOST_STEPS,
    SMALLEST_BATCH,
    WARMUP,
)


def set_training(
    nlp: Language,
    found: NewLabels,
    paths: Mapping[str, Path],
    opinions: Path,
    taught: Sequence[str],
    options: ExtendOptions,
) -> None:
    """The pipeline's `[corpora]` and `[training]`, and a frozen encoder where it is to be one."""
    frozen, annotating = freeze(nlp, taught, options.freeze_encoder)
    corpus = {"labels": {found.component: found.labels}, **found.settings}
    block: Dict[str, Any] = {
        "corpora": {
            split: {
                "@readers": "mtnlp.MixedCorpus.v1",
                "shuffle": split == "train",
                "corpora": {"new": {"path": str(path), **corpus}},
            }
            for split, path in {"dev": paths["train"], **paths}.items()
        },
        "training": training_block(nlp, found, paths["train"], frozen, annotating, options),
    }
    block["corpora"]["train"]["corpora"]["new"]["taught"] = str(opinions)
    with config_errors("the extension"):
        filled = Config().from_str(Config(block).to_str(), overrides=dict(options.overrides))
        nlp.config.update(filled)
        create_fit_schedule_v1(WARMUP, evaluations=1)(nlp)


def freeze(
    nlp: Language, taught: Sequence[str], freeze_encoder: bool
) -> Tuple[List[str], List[str]]:
    """The components that are not trained, and those encoders among them that must annotate.

    A component of mtnlp without gold keeps its weights, and passes on to the encoder that there is
    no gradient. Others are frozen; the trainer has the encoder wait for none of them.
    """
    frozen: List[str] = []
    annotating: List[str] = []
    for name, pipe in nlp.pipeline:
        model = getattr(pipe, "model", None)
        if is_encoder(pipe):
            if not freeze_encoder:
                continue
            if isinstance(model, WindowedTransformerModel) and model.adapter is None:
                model.freeze(model.cache_size)
                continue
            annotating.append(name)
            frozen.append(name)
        elif name not in taught and (freeze_encoder or not isinstance(pipe, TorchPipe)):
            frozen += [name] if getattr(pipe, "is_trainable", False) else []
    return frozen, annotating


def training_block(
    nlp: Language,
    found: NewLabels,
    train_path: Path,
    frozen: Sequence[str],
    annotating: Sequence[str],
    options: ExtendOptions,
) -> Dict[str, Any]:
    """`[training]`: the rates and the length that suit a pipeline that is trained already."""
    # What is not named has the weight that its component gives it.
    others = dict.fromkeys(nlp.config["training"].get("score_weights", {}))
    pieces = sum(estimate_wordpieces(doc) for doc in read_docs(train_path, Vocab()))
    wanted = round(sqrt(EPOCH_SCALE / max(1.0, pieces)))
    size = round(min(LARGEST_BATCH, max(SMALLEST_BATCH, pieces / MOST_STEPS)))
    epochs = options.epochs or min(MOST_EPOCHS, max(FEWEST_EPOCHS, wanted))
    return {
        "train_corpus": "corpora.train",
        "dev_corpus": "corpora.dev",
        "seed": 0,
        "gpu_allocator": "pytorch" if options.gpu_id >= 0 else None,
        "dropout": 0.1,
        "accumulate_gradient": 1,
        "patience": 0,
        "max_epochs": epochs,
        "max_steps": 0,
        "eval_frequency": 100,
        "frozen_components": list(frozen),
        "annotating_components": list(annotating),
        "before_to_disk": None,
        "before_update": None,
        "score_weights": {**others, main_score(nlp.get_pipe(found.component)): 1.0},
        "logger": {"@loggers": "spacy.ConsoleLogger.v3", "progress_bar": "train"},
        "batcher": {"@batchers": "mtnlp.WordpieceBatcher.v1", "size": size},
        "optimizer": {
            "@optimizers": "mtnlp.AdamW.v1",
            "head_factor": HEAD_FACTOR,
            "learn_rate": {
                "@schedules": "warmup_linear.v1",
                "initial_rate": options.learn_rate,
                "warmup_steps": 0,
                "total_steps": 1,
            },
        },
    }


def main_score(pipe: Any) -> str:
    """The score of a component that says most."""
    if isinstance(pipe.layer, CategoriesLayer):
        return "cats_score"
    key = pipe.layer.spans_key
    return "ents_f" if key is None else f"spans_{key}_f"


def make_reader(nlp: Language, split: str) -> Any:
    """A reader of the pipeline's config."""
    return registry.resolve({"corpus": nlp.config.interpolate()["corpora"][split]})["corpus"]
