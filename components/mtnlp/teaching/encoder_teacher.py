"""An encoder that nobody has trained further as a teacher of vectors."""

import json
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

import spacy
from spacy.language import Language
from spacy.training import Example

from ..errors import Errors, MtnlpError
from ..evaluation.evaluator import use_gpu
from .teachers import LoadedTeacher

COMPONENT = "sentence_vectors"
POOLINGS = {"mean_tokens": "mean", "cls_token": "cls", "max_tokens": "max"}
# Modules of a sentence-transformers model that our own component stands for, or that change nothing
# for a loss of angles.
KNOWN = ("Transformer", "Pooling", "Normalize")


class SentenceModel(NamedTuple):
    """encoder: a folder or a hub's name. pooling: of its wordpieces."""

    encoder: str
    pooling: str = "mean"


def load_encoder_teacher(name: str, component: str = COMPONENT, gpu_id: int = -1) -> LoadedTeacher:
    """A teacher that pools an encoder's last hidden states into the vector of a document.

    name: an encoder's folder or hub name, or the folder of a sentence-transformers model; a hub's
    model is pooled by its mean. component: the student's, which learns from it. gpu_id: -1 for the
    CPU. Raises: MtnlpError E204 where there is no encoder, E747 for a sentence-transformers model
    with modules beyond a pooling.
    """
    use_gpu(gpu_id)
    model = read_sentence_model(name)
    nlp = make_encoder_pipeline(model)
    nlp.meta["name"] = Path(name).name
    return LoadedTeacher(nlp, name, [(component, COMPONENT)])


def make_encoder_pipeline(model: SentenceModel) -> Language:
    """A pipeline of an encoder and `sentence_vectors`, both untrained."""
    nlp = spacy.blank("xx")
    encoder = {"@architectures": "mtnlp.TransformerModel.v1", "name": model.encoder}
    nlp.add_pipe("transformer", config={"model": encoder})
    pooler = {"@architectures": "mtnlp.TransformerPooler.v1", "pooling": model.pooling}
    nlp.add_pipe(COMPONENT, config={"store_tensor": False, "model": {"tok2vec": pooler}})
    # It has nothing to learn: one document says how wide the vectors are.
    doc = nlp.make_doc("A text")
    nlp.initialize(lambda: [Example(doc, doc)])
    return nlp


def read_sentence_model(name: str) -> SentenceModel:
    """What a sentence-transformers folder is made of; any other name is an encoder's."""
    path = Path(name, "modules.json")
    if not path.is_file():
        return SentenceModel(name)
    modules: List[Dict[str, Any]] = _read(path, name)
    kinds = {str(module["type"]).rpartition(".")[2]: str(module["path"]) for module in modules}
    others = [kind for kind in kinds if kind not in KNOWN]
    if others or "Transformer" not in kinds:
        reason = f"it is made of {', '.join(kinds)}, and only {', '.join(KNOWN)} can be read here"
        raise MtnlpError(Errors.E747.format(teacher=name, reason=reason))
    encoder = str(Path(name, kinds["Transformer"]))
    if "Pooling" not in kinds:
        return SentenceModel(encoder)
    settings = _read(Path(name, kinds["Pooling"], "config.json"), name)
    chosen = [key for key, value in settings.items() if key.startswith("pooling_mode_") and value]
    poolings = [POOLINGS.get(key.removeprefix("pooling_mode_")) for key in chosen]
    if len(poolings) != 1 or poolings[0] is None:
        reason = f"it pools by {', '.join(chosen)}; one of mean, cls and max can be read here"
        raise MtnlpError(Errors.E747.format(teacher=name, reason=reason))
    return SentenceModel(encoder, poolings[0])


def _read(path: Path, name: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError) as error:
        reason = f"{path.name} of the sentence-transformers model cannot be read ({error})"
        raise MtnlpError(Errors.E747.format(teacher=name, reason=reason)) from error
