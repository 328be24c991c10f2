"""Training from a config as `spacy train` does it, with checkpoints to resume from."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Optional, Tuple

import numpy as np
import torch
from spacy import registry, util
from spacy.cli._util import setup_gpu, show_validation_error
from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.training.initialize import init_nlp
from spacy.training.loop import (
    DIR_MODEL_BEST,
    DIR_MODEL_LAST,
    clean_output_dir,
    create_before_to_disk_callback,
    update_meta,
)
from spacy.util import resolve_dot_names
from thinc.api import Config, fix_random_seed, set_gpu_allocator
from wasabi import msg

from ..files import fresh_folder, remove_unfinished
from ..training.encoders import prepare_encoders
from .checkpoint import FILE, Checkpoint, flatten, read_checkpoint, read_same, write_checkpoint
from .distributed import Processes, local_gpu, processes_of_torchrun, send_weights
from .resumable_loop import ResumableLoop


@dataclass(frozen=True)
class Options:
    """output: the folder of the weights and the checkpoint. use_gpu: -1 for the CPU.
    resume: go on from the checkpoint. auto_resume: go on from it where it is of the same training.
    checkpoint_every: write one every so many steps, and at each evaluation in any case; 0 for those
    alone."""

    output: Path
    use_gpu: int = -1
    resume: bool = False
    checkpoint_every: int = 0
    auto_resume: bool = False


def train_from_config(path: Path, options: Options, overrides: Dict[str, Any]) -> Language:
    """What `mtnlp train` does: read a config, initialise the pipeline, train it.

    path: the config file. overrides: settings by dotted names. Returns: the trained pipeline.
    Raises: MtnlpError E460 to E463 where a training cannot be resumed.
    """
    use_gpu = local_gpu(options.use_gpu)
    with processes_of_torchrun(use_gpu >= 0) as processes:
        msg.no_print = not processes.is_first
        setup_gpu(use_gpu, silent=not processes.is_first)
        with show_validation_error(path):
            config = util.load_config(path, overrides=overrides, interpolate=False)
        checkpoint = None
        if options.resume:
            checkpoint = read_checkpoint(options.output)
            checkpoint.require(config, processes.count)
        elif options.auto_resume:
            checkpoint = read_same(options.output, config, processes.count)
        msg.divider("Initializing pipeline")
        with show_validation_error(path, hint_fill=False):
            nlp = init_nlp(config, use_gpu=use_gpu)
        msg.divider("Training pipeline")
        train(nlp, config, options, processes, checkpoint)
        return nlp


def train(
    nlp: Language,
    config: Config,
    options: Options,
    processes: Processes = Processes(),
    checkpoint: Optional[Checkpoint] = None,
) -> None:
    """Train an initialised pipeline as `spacy.training.loop.train` does, and write checkpoints.

    Writes `model-last` and `model-best` at evaluations, then `checkpoint.pt`, so that whatever of
    the weights is lost when a run is killed is written again when it is resumed; and a checkpoint
    every so many steps and at the end.

    config: as given, before the pipeline was made of it; kept in checkpoints, to be compared.
    checkpoint: where to go on; None starts anew and removes what an earlier run left.
    Raises: MtnlpError E463 where the checkpoint's weights do not fit.
    """
    training, corpora = resolve_training(nlp, local_gpu(options.use_gpu))
    frozen = training["frozen_components"]
    prepare_encoders(nlp, frozen)
    if processes.count > 1:
        send_weights(nlp)
    loop = ResumableLoop(nlp, training, corpora, processes, checkpoint)
    write = Writer(nlp, training, options.output) if processes.is_first else None
    given = flatten(config)
    options.output.mkdir(parents=True, exist_ok=True)
    if processes.is_first:
        for name in (FILE, DIR_MODEL_BEST):
            remove_unfinished(options.output / name)
    if checkpoint is None and processes.is_first:
        clean_output_dir(options.output)
        (options.output / FILE).unlink(missing_ok=True)
    elif checkpoint is not None:
        msg.info(f"Resuming after {checkpoint.steps} steps")
    log, finish_log = start_log(nlp, training, processes)

    def save_state(is_finished: bool = False) -> None:
        made = loop.make_checkpoint(given)
        made.is_finished = is_finished
        if write is not None:
            write_checkpoint(options.output, made)

    has_steps = False
    try:
        for info, is_best in loop:
            has_steps = True
            if is_best is not None and write is not None:
                with nlp.select_pipes(disable=frozen):
                    update_meta(training, nlp, info)
                write(is_best)
                info["output_path"] = str(options.output / DIR_MODEL_LAST)
            log(info if is_best is not None else None)
            every = options.checkpoint_every
            if is_best is not None or (every and (info["step"] + 1) % every == 0):
                save_state()
        if has_steps:
            save_state(is_finished=True)  # the last step's, for a longer training
    finally:
        finish_log()
        if write is not None:
            write(False)
    msg.good("Saved pipeline to output directory", options.output / DIR_MODEL_LAST)


def resolve_training(
    nlp: Language, use_gpu: int
) -> Tuple[Dict[str, Any], Tuple[Callable, Callable]]:
    """Seed the random numbers and make what `[training]` describes.

    Returns: the block's objects, and the readers of the training and the dev corpus.
    """
    config = nlp.config.interpolate()
    if config["training"]["seed"] is not None:
        fix_random_seed(config["training"]["seed"])
    allocator = config["training"]["gpu_allocator"]
    if use_gpu >= 0 and allocator:
        set_gpu_allocator(allocator)
    training = registry.resolve(config["training"], schema=ConfigSchemaTraining)
    names = [training["train_corpus"], training["dev_corpus"]]
    train_corpus, dev_corpus = resolve_dot_names(config, names)
    return training, (train_corpus, dev_corpus)


def start_log(
    nlp: Language, training: Dict[str, Any], processes: Processes
) -> Tuple[Callable[[Optional[Dict[str, Any]]], None], Callable[[], None]]:
    """The config's logger; one that is silent in all processes but the first."""
    if not processes.is_first:
        # Or all would drop the same units of their shares.
        torch.manual_seed(torch.initial_seed() + processes.rank)
        np.random.seed(np.random.randint(2**31) + processes.rank)
        return (lambda info: None), (lambda: None)
    with nlp.select_pipes(disable=training["frozen_components"]):
        return training["logger"](nlp, sys.stdout, sys.stderr)


class Writer:
    """Writes the pipeline to `model-last` and, where it is the best so far, to `model-best`."""

    def __init__(self, nlp: Language, training: Dict[str, Any], output: Path) -> None:
        self.nlp = nlp
        self.averages = training["optimizer"].averages
        self.before_to_disk = create_before_to_disk_callback(training["before_to_disk"])
        self.last, self.best = output / DIR_MODEL_LAST, output / DIR_MODEL_BEST

    def __call__(self, is_best: bool) -> None:
        with self.nlp.use_params(self.averages):
            self.before_to_disk(self.nlp).to_disk(self.last)
        if is_best:
            with fresh_folder(self.best) as fresh:
                shutil.copytree(self.last, fresh, dirs_exist_ok=True)
