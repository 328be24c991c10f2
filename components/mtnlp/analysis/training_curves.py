"""The curves of a training, from TensorBoard's event files."""

from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

import numpy as np
from spacy.language import Language

from ..errors import Errors, MtnlpError
from ..log import logger
from ..training.tensorboard_scalars import EVENTS, Scalar, read_scalars

# Points of a curve that are kept: more than a figure shows.
POINTS = 500
# Where `spacy train` puts the weights: what is beside them belongs to them.
WEIGHTS = ("model-best", "model-last")


def read_training(nlp: Language, model: Path, logs: Optional[Path] = None) -> List[Dict[str, Any]]:
    """The curves of a pipeline's training.

    logs: the folder of the event files; by default what the logger of the pipeline's config names,
        the pipeline's own folder, or that of `model-best` and `model-last`: the first that has any.
    Returns: [{"name", "step", "value"}], at most `POINTS` points of each; none where there are no
        event files.
    Raises: MtnlpError, where `logs` is given, what `read_scalars` raises.
    """
    if logs is not None:
        return thin_curves(read_scalars(logs))
    for folder in _likely_folders(nlp, model):
        if folder.is_dir() and next(folder.rglob(EVENTS), None) is not None:
            try:
                return thin_curves(read_scalars(folder))
            except MtnlpError as error:
                logger.warning(Errors.W700.format(path=folder, reason=error))
                return []
    return []


def thin_curves(scalars: List[Scalar]) -> List[Dict[str, Any]]:
    """One curve for each run and tag. Where a step was written twice, as after a training went on
    from a checkpoint, the later value stands."""
    curves: Dict[Tuple[str, str], Dict[int, float]] = {}
    for scalar in scalars:
        curves.setdefault((scalar.run, scalar.tag), {})[scalar.step] = scalar.value
    found = []
    for (run, tag), points in sorted(curves.items()):
        steps = np.array(sorted(points))
        kept = steps[np.unique(np.linspace(0, len(steps) - 1, POINTS).round().astype(int))]
        found.append(
            {
                "name": tag if run == "." else f"{run}: {tag}",
                "step": kept.tolist(),
                "value": [float(points[step]) for step in kept.tolist()],
            }
        )
    return found


def _likely_folders(nlp: Language, model: Path) -> Iterator[Path]:
    config = nlp.config.interpolate()
    yield from map(Path, _log_folders(config.get("training", {}).get("logger", {})))
    yield model
    if model.name in WEIGHTS:
        yield model.parent


def _log_folders(block: Mapping[str, Any]) -> Iterator[str]:
    """What loggers call `log_dir`, those within others too."""
    for name, value in block.items():
        if isinstance(value, Mapping):
            yield from _log_folders(value)
        elif name == "log_dir" and isinstance(value, str):
            yield value
