"""Copies of a pipeline as it was at its best evaluations, each complete or not there."""

import shutil
from pathlib import Path
from typing import Any, Callable, Dict, List

from spacy import registry
from spacy.language import Language

from ..files import fresh_folder


class BestCheckpoints:
    """Saves a pipeline in training as `folder/step-{step}` and keeps the newest ones.

    folder: made where it is not there. What another training left in it stays, except under the
    same name. keep: how many checkpoints of this training stay.
    """

    def __init__(self, folder: Path, keep: int = 1):
        self.folder = folder
        self.keep = keep
        self.saved: List[Path] = []

    def save(self, nlp: Language, info: Dict[str, Any], optimizer: Any = None) -> Path:
        """Save the pipeline as spaCy's loop does: averaged weights where the optimizer has them,
        after `[training.before_to_disk]`. Where the loop has just saved it, that is copied.

        info: of the evaluation, as a logger gets it. Returns: the checkpoint's folder.
        """
        target = self.folder / f"step-{info['step']}"
        with fresh_folder(target) as fresh:
            if info.get("output_path"):
                shutil.copytree(info["output_path"], fresh, dirs_exist_ok=True)
            else:
                with nlp.use_params(getattr(optimizer, "averages", None) or {}):
                    before_to_disk(nlp)(nlp).to_disk(fresh)
        self.saved.append(target)
        while len(self.saved) > self.keep:
            shutil.rmtree(self.saved.pop(0), ignore_errors=True)
        return target


def before_to_disk(nlp: Language) -> Callable[[Language], Language]:
    """The callback `[training.before_to_disk]`, or one that changes nothing."""
    block = nlp.config.interpolate()["training"].get("before_to_disk")
    if block is None:
        return lambda pipeline: pipeline
    callback: Callable[[Language], Language] = registry.resolve({"callback": block})["callback"]
    return callback


def is_best(info: Dict[str, Any]) -> bool:
    """Whether an evaluation is the best so far, by spaCy's own rule for `model-best`."""
    return bool(info["score"] == max(info["checkpoints"])[0])


def steps_since_evaluation(info: Dict[str, Any]) -> int:
    """How many steps the losses of an evaluation are summed over: those since the one before it,
    which may have been in an earlier run of a resumed training."""
    evaluated = [step for _, step in info["checkpoints"] if step < info["step"]]
    return int(info["step"] - max(evaluated, default=-1))
