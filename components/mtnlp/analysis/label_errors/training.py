"""The models of the folds: each trained on the other folds, one after another, and never twice."""

import gc
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from thinc.api import Config

from ...bulk.manifest import differences
from ...errors import Errors, MtnlpError
from ...files import fresh_folder, remove_unfinished, write_json
from ...trainer.checkpoint import flatten
from ...trainer.train import Options, train_from_config
from .corpus import CheckedCorpus
from .fold_config import DEV, TRAIN, TrainingCorpora
from .folds import Fold

FOLDS, RUN = "folds", "run.json"
# Steps between checkpoints: what a killed training loses at most.
CHECKPOINT_EVERY = 200


@dataclass(frozen=True)
class FoldFiles:
    """Where the files of a fold are.

    data: what its model is trained on, removed once that is done. training: weights and checkpoint
    meanwhile. model: the trained pipeline. found: what it says of the documents that it never saw;
    where that is, the fold is done.
    """

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def config(self) -> Path:
        return self.data / "config.cfg"

    @property
    def training(self) -> Path:
        return self.folder / "training"

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def found(self) -> Path:
        return self.folder / "found.jsonl"


def fold_files(output: Path, fold: Fold) -> FoldFiles:
    """Where the files of a fold are. output: the folder of the run."""
    return FoldFiles(output / FOLDS / str(fold.number))


def begin_run(output: Path, made_of: Dict[str, Any], resume: bool) -> None:
    """Write down what a run is made of, or hold that of an earlier one against it.

    Raises: MtnlpError E723 for an earlier run that is not to be resumed, or is of something else.
    """
    path = output / RUN
    if not path.exists():
        write_json(path, made_of)
        return
    found = differences(json.loads(path.read_text(encoding="utf8")), made_of)
    if found or not resume:
        shown = f" of something else: {'; '.join(found)}" if found else ""
        raise MtnlpError(Errors.E723.format(path=output, differences=shown))


def describe_run(
    corpus: CheckedCorpus,
    config: Optional[Config],
    folds: int,
    seed: int,
    models: Sequence[Path],
) -> Dict[str, Any]:
    """What a run is made of. folds: their number. seed: of the folds. models: ready ones."""
    settings = {} if config is None else flatten(config)
    return {
        "corpus": corpus.fingerprint(),
        "folds": folds,
        "seed": seed,
        "models": ", ".join(map(str, models)),
        "config": {name: str(value) for name, value in settings.items()},
    }


def prepare_fold(
    corpus: CheckedCorpus, corpora: TrainingCorpora, fold: Fold, files: FoldFiles
) -> None:
    """Write what a fold's model is trained on, and its config, unless they are there."""
    if files.config.exists():
        return
    remove_unfinished(files.data)
    with fresh_folder(files.data) as fresh:
        for name, indices in ((TRAIN, fold.train), (DEV, fold.dev)):
            (fresh / name).mkdir()
            corpus.write(fresh / name, indices)
        config = corpora.on_fold(fresh)
        # The folder takes its name when it is complete.
        text = config.to_str(interpolate=False).replace(str(fresh), str(files.data))
        (fresh / files.config.name).write_text(text, encoding="utf8")


def train_fold(files: FoldFiles, gpu_id: int = -1) -> Path:
    """Train the model of a fold, or go on with it where it was interrupted. Returns: its folder.

    The weights are the last ones, or the best ones on dev where the training stops once dev gets no
    better (`patience`).
    """
    if files.model.exists():
        return files.model
    options = Options(files.training, gpu_id, checkpoint_every=CHECKPOINT_EVERY, auto_resume=True)
    nlp = train_from_config(files.config, options, {})
    best = nlp.config["training"]["patience"] > 0
    del nlp
    gc.collect()  # the next model needs its memory
    (files.training / ("model-best" if best else "model-last")).rename(files.model)
    shutil.rmtree(files.training)
    return files.model


def unfinished(output: Path, folds: List[Fold]) -> List[Fold]:
    """The folds whose models are still to be trained."""
    files = [fold_files(output, fold) for fold in folds]
    return [
        fold
        for fold, each in zip(folds, files, strict=True)
        if not (each.model.exists() or each.found.exists())
    ]
