"""One trial of a tuning in a process of its own: `python -m mtnlp.experiments.trial FOLDER`.

Reads `config.cfg` and `job.json` in the folder and trains, from `checkpoint.pt` on where there is
one. After each evaluation it writes all dev scores to `evaluations.json`, and the checkpoint. The
weights themselves are not kept.
"""

import json
import sys
from pathlib import Path

import spacy
from spacy.training.initialize import init_nlp
from spacy.util import load_config

from ..files import remove_unfinished, write_json
from ..trainer.checkpoint import FILE, flatten, read_checkpoint, write_checkpoint
from ..trainer.distributed import Processes
from ..trainer.resumable_loop import ResumableLoop
from ..trainer.train import resolve_training
from ..training.encoders import prepare_encoders
from .child import report_errors
from .runs import CONFIG, JOB

EVALUATIONS = "evaluations.json"


def main(folder: Path) -> None:
    """Train as a folder says."""
    gpu_id = json.loads((folder / JOB).read_text(encoding="utf8"))["gpu_id"]
    if gpu_id >= 0:
        spacy.require_gpu(gpu_id)
    config = load_config(folder / CONFIG)
    remove_unfinished(folder / FILE)
    checkpoint = None
    if (folder / FILE).exists():
        checkpoint = read_checkpoint(folder)
        checkpoint.require(config, 1)
    nlp = init_nlp(config, use_gpu=gpu_id)
    training, corpora = resolve_training(nlp, gpu_id)
    prepare_encoders(nlp, training["frozen_components"])
    loop = ResumableLoop(nlp, training, corpora, Processes(), checkpoint)
    given = flatten(config)
    for info, is_best in loop:
        if is_best is None:
            continue
        write_json(folder / EVALUATIONS, info["checkpoints"])
        print(f"step {info['step']}: {info['score']:.4f}", flush=True)
        if info["step"]:  # before the first step there is nothing to lose
            write_checkpoint(folder, loop.make_checkpoint(given))


def attempt(folder: Path) -> int:
    """Do the trial of a folder; what fails is printed. Returns: an exit code."""
    return report_errors(main, folder)


if __name__ == "__main__":
    sys.exit(attempt(Path(sys.argv[1])))
