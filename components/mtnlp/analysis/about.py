"""What was analysed, with what: pipeline, encoder, versions, documents, licences."""

from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any, Dict, List, Optional

from spacy.language import Language
from spacy_transformers.layers.transformer_model import TransformerModel

from ..data.datasets import DATASETS
from ..evaluation.evaluator import name_of
from ..evaluation.speed import folder_size
from ..training.encoders import encoder_models
from .corpus import Files

PACKAGES = ("mtnlp", "spacy", "thinc", "torch", "transformers", "spacy-transformers")


def describe_pipeline(nlp: Language, model: Path) -> Dict[str, Any]:
    """A pipeline in a few facts.

    model: its folder. Returns: {"pipeline", "version", "lang", "components", "encoder", "engine":
        what runs the encoder if it is not torch, "licences", "size_mb": a million bytes}.
    """
    encoder = next(encoder_models(nlp), None)
    runner = getattr(encoder, "runner", None)
    return {
        "pipeline": name_of(nlp, model),
        "version": nlp.meta["version"],
        "lang": nlp.lang,
        "components": list(nlp.pipe_names),
        "encoder": None if encoder is None else describe_encoder(encoder),
        "engine": None if runner is None else str(runner.info),
        "licences": pipeline_licences(nlp),
        "size_mb": folder_size(model) if model.is_dir() else None,
    }


def describe_encoder(encoder: TransformerModel) -> Dict[str, Any]:
    """Returns: {"name", "layers", "width", "parameters"}; numbers are None where the encoder's own
    config does not tell, parameters also where another engine has them."""
    module: Any = encoder.transformer
    config = getattr(module, "config", None)
    weights = sum(part.numel() for part in module.parameters()) if module is not None else 0
    return {
        "name": str(encoder.attrs["name"]),
        "layers": getattr(config, "num_hidden_layers", None),
        "width": getattr(config, "hidden_size", None),
        "parameters": weights or None,
    }


def describe_corpus(files: Files, documents: int, words: int, train: int) -> Dict[str, Any]:
    """The documents that were read.

    documents, words: that were scored. train: documents of train.
    Returns: {"corpus": {"path", "split", "files", "documents", "words"}, "train": {"path",
        "files", "documents"} or None}.
    """
    learnt: Optional[Dict[str, Any]] = None
    if files.train:
        names = [path.stem for path in files.train]
        learnt = {"path": str(files.train[0].parent), "files": names, "documents": train}
    return {
        "corpus": {
            "path": str(files.path),
            "split": files.split,
            "files": [path.stem for path in files.scored],
            "documents": documents,
            "words": words,
        },
        "train": learnt,
    }


def pipeline_licences(nlp: Language) -> List[str]:
    """The licence of a pipeline and those of what it was made from, as its meta.json has them."""
    lines = [f"pipeline: {nlp.meta['license']}"] if nlp.meta.get("license") else []
    for source in nlp.meta.get("sources") or ():
        if isinstance(source, dict):
            known = (str(source[key]) for key in ("name", "license") if source.get(key))
            lines.append(": ".join(known))
        else:
            lines.append(str(source))
    return lines


def corpus_licences(files: Files) -> List[str]:
    """The licences of the data sets that the corpora are named after."""
    return [
        f"{path.stem}: {DATASETS[path.stem].card.title}, {DATASETS[path.stem].card.licence}"
        for path in files.scored
        if path.stem in DATASETS
    ]


def packages() -> Dict[str, str]:
    """The versions of what runs a pipeline, of what is installed."""
    found = {"python": python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def now() -> str:
    """The time of day, in UTC, as ISO 8601 has it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
