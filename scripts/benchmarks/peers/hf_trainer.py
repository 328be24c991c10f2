"""What the baselines by Hugging Face's Trainer share: recipe, arguments, training, estimate."""

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence

import numpy as np
import torch
import transformers
from transformers import (
    AutoConfig,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    TrainingArguments,
)
from wasabi import msg

from mtnlp.errors import Errors, MtnlpError
from mtnlp.files import write_json

TIMED_STEPS = 5
# Byte-level BPE tokenizers take words one by one only if each stands after a space.
NEED_PREFIX_SPACE = {"bloom", "deberta", "gpt2", "roberta"}


@dataclass(frozen=True)
class Recipe:
    """Everything about a run but its learning rate.

    limit: training units to use, None for all.
    max_length: wordpieces a unit, special ones included; what is beyond is cut off.
    group_by_length: draw batches of similar length, which spares most padding; not the library's
        default.
    """

    batch_size: int = 16
    epochs: int = 3
    seed: int = 0
    limit: Optional[int] = None
    max_length: int = 128
    weight_decay: float = 0.01
    warmup_ratio: float = 0.1
    group_by_length: bool = False


def load_tokenizer(backbone: str) -> PreTrainedTokenizerBase:
    """The fast tokenizer of a backbone, set up for text already split into words."""
    prefix = AutoConfig.from_pretrained(backbone).model_type in NEED_PREFIX_SPACE
    options = {"add_prefix_space": True} if prefix else {}
    return AutoTokenizer.from_pretrained(backbone, use_fast=True, **options)


def training_arguments(folder: str, rate: float, recipe: Recipe) -> TrainingArguments:
    """The Trainer's settings: AdamW with weight decay, a linear schedule with warm-up."""
    return TrainingArguments(
        output_dir=folder,
        learning_rate=rate,
        per_device_train_batch_size=recipe.batch_size,
        per_device_eval_batch_size=32,
        num_train_epochs=recipe.epochs,
        # The same AdamW, without a pass over memory for each of its operations.
        optim="adamw_torch_fused",
        weight_decay=recipe.weight_decay,
        lr_scheduler_type="linear",
        warmup_ratio=recipe.warmup_ratio,
        group_by_length=recipe.group_by_length,
        seed=recipe.seed,
        disable_tqdm=not sys.stderr.isatty(),
        logging_steps=50,
        save_strategy="no",
        report_to="none",
        dataloader_pin_memory=torch.cuda.is_available(),
    )


def new_head(
    kind: Any, backbone: str, labels: Sequence[str], seed: int, **config: Any
) -> PreTrainedModel:
    """The backbone under a new head, whose random weights follow from the seed.

    kind: one of the classes `AutoModelFor…`. labels: of the head, in order. config: changed
    settings of the encoder's config.
    """
    transformers.set_seed(seed)
    model: PreTrainedModel = kind.from_pretrained(
        backbone,
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
        **config,
    )
    return model


def train(trainer: Any, words: int, recipe: Recipe) -> Dict[str, Any]:
    """Trains, and says how fast.

    trainer: a `transformers.Trainer`. words: of the training split.
    Returns: the losses logged, steps, seconds of wall clock and of the CPU, words/s, the machine.
    """
    cpu = time.process_time()
    seconds = trainer.train().metrics["train_runtime"]
    cpu = time.process_time() - cpu
    # Some versions of the Trainer would group, and so reorder, predictions too.
    trainer.args.group_by_length = False
    return {
        "loss": [
            [entry["step"], entry["loss"]] for entry in trainer.state.log_history if "loss" in entry
        ],
        "steps": trainer.state.global_step,
        "train_seconds": seconds,
        # Far below threads * train_seconds where other programs took the cores.
        "train_cpu_seconds": cpu,
        "train_words_per_second": words * recipe.epochs / seconds,
        "device": trainer.args.device.type,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
    }


def predict_logits(trainer: Any, features: Sequence[Dict[str, List[int]]]) -> np.ndarray:
    """The logits of all units, in their order; batches hold similar lengths, since padding costs
    time only."""
    lengths = [len(unit["input_ids"]) for unit in features]
    order = np.argsort(lengths, kind="stable")
    logits = np.asarray(trainer.predict([features[index] for index in order]).predictions)
    return logits[np.argsort(order)]


def announce_time(
    features: Sequence[Dict[str, List[int]]],
    collate: Callable[[List[Any]], Any],
    load_model: Callable[[], PreTrainedModel],
    recipe: Recipe,
    runs: int,
) -> None:
    """Times a few steps on a model that is thrown away, and prints what all will take."""
    order = np.random.default_rng(recipe.seed).permutation(len(features))
    size = recipe.batch_size
    batches = [
        collate([features[index] for index in order[start : start + size]])
        for start in range(0, min(len(order), size * (TIMED_STEPS + 1)), size)
    ]
    step = _seconds_per_step(load_model().train(), batches)
    steps = -(-len(features) // size) * recipe.epochs
    msg.info(
        f"{steps:,} steps a learning rate at {step:.2f} s: about {steps * step / 60:.0f} minutes "
        f"each, {runs * steps * step / 60:.0f} in all, and a few for predicting "
        f"({torch.get_num_threads()} threads, {os.cpu_count()} cores)"
    )


def _seconds_per_step(model: PreTrainedModel, batches: Sequence[Any]) -> float:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device)  # type: ignore[arg-type]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
    start = time.perf_counter()
    for index, batch in enumerate(batches):
        # The first step allocates memory; it counts only if it is the only one.
        if index == 1:
            start = time.perf_counter()
        model(**{name: values.to(device) for name, values in batch.items()}).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return (time.perf_counter() - start) / max(1, len(batches) - 1)


def rate_key(rate: float) -> str:
    """The name of a learning rate in the file: 0.0001, 5e-05."""
    return f"{rate:g}"


def open_results(path: Path, setting: Dict[str, Any]) -> Dict[str, Any]:
    """What the file holds, or an empty {"setting", "runs"}.

    Raises: MtnlpError (E511) where the file is no results file or was written under another
        setting: its runs must not be compared with new ones.
    """
    if not path.exists():
        return {"setting": setting, "runs": {}}
    try:
        found = json.loads(path.read_text(encoding="utf8"))
        before, runs = dict(found["setting"]), dict(found["runs"])
    except (ValueError, KeyError, TypeError):
        raise MtnlpError(Errors.E511.format(path=path, names="the whole file")) from None
    names = [name for name in sorted({*setting, *before}) if setting.get(name) != before.get(name)]
    if names:
        raise MtnlpError(Errors.E511.format(path=path, names=", ".join(names)))
    return {"setting": setting, "runs": runs}


def write_results(path: Path, results: Dict[str, Any], score: str = "f") -> None:
    """Adds "best", the run of the highest `score` on dev, and writes the file in one move."""
    if results["runs"]:
        best = max(results["runs"].values(), key=lambda run: run["dev"][score])
        shown = {"p", "r", "f", score, f"{score}_interval"}
        results["best"] = {
            "learning_rate": best["learning_rate"],
            "chosen_on": "dev",
            f"dev_{score}": best["dev"][score],
            "test": {key: value for key, value in best["test"].items() if key in shown},
        }
    write_json(path, results)
