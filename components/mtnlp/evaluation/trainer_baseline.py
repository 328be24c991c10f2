"""The yardstick for `crf_ner`: the standard token classification recipe of Hugging Face's Trainer.

A word's label stands on its first wordpiece, the other wordpieces are ignored (-100); a softmax
over BIO tags; AdamW with weight decay, a linear schedule with warm-up (Devlin et al. 2019,
section 5.3, and the library's own `run_ner` example). Units are sentences.
"""

import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import numpy as np
import torch
import transformers
from seqeval.metrics.sequence_labeling import get_entities
from transformers import (
    AutoModelForTokenClassification,
    DataCollatorForTokenClassification,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Trainer,
    TrainingArguments,
)
from transformers.utils import is_accelerate_available
from wasabi import msg

from mtnlp.errors import Errors, MtnlpError
from mtnlp.evaluation.intervals import bootstrap_interval
from mtnlp.evaluation.spans import document_counts
from mtnlp.evaluation.tagging import tagging_metrics
from mtnlp.evaluation.trainer_encoding import (
    TAGS,
    Split,
    encode,
    load_tokenizer,
    read_sentences,
    read_tags,
)
from mtnlp.evaluation.trainer_results import open_results, rate_key, write_results

FILES = {"train": "eng.train", "dev": "eng.testa", "test": "eng.testb"}
TIMED_STEPS = 5


@dataclass(frozen=True)
class Recipe:
    """Everything about a run but its learning rate.

    limit: training sentences to use, None for all.
    max_length: wordpieces a sentence, special ones included; what is beyond is cut off and
        counted.
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


def run_baseline(
    data: Path, backbone: str, output: Path, rates: Sequence[float], recipe: Recipe
) -> Dict[str, Any]:
    """Trains once a learning rate, chooses by entity F1 on testa, reports testb.

    data: a folder with `eng.train`, `eng.testa` and `eng.testb`, four columns.
    backbone: a Hugging Face encoder, name or path.
    output: a JSON file, written after each learning rate. Rates it already holds are skipped.
    RETURNS: the content of the file: {"setting", "runs": {rate: {...}}, "best": {...}}.
    RAISES MtnlpError: E510 without accelerate, E511 where the file belongs to another setting;
        DataError for malformed files.
    """
    if not is_accelerate_available():
        raise MtnlpError(Errors.E510)
    tokenizer = load_tokenizer(backbone)
    splits = {
        name: encode(read_sentences(data / file), tokenizer, recipe.max_length)
        for name, file in FILES.items()
    }
    splits["train"] = _head(splits["train"], recipe.limit)
    setting = {
        # A folder's own name only: results are passed on, other people's paths are not.
        "backbone": Path(backbone).name if Path(backbone).is_dir() else backbone,
        "parameters": _load_model(backbone, recipe.seed).num_parameters(),
        **asdict(recipe),
        **{name: split.sizes() for name, split in splits.items()},
    }
    results = open_results(output, setting)
    waiting = [rate for rate in rates if rate_key(rate) not in results["runs"]]
    _announce(splits, rates, waiting)
    if waiting:
        _announce_time(splits, backbone, tokenizer, recipe, len(waiting))
    for rate in waiting:
        msg.info(f"Learning rate {rate:g}")
        run = _train_and_score(splits, backbone, tokenizer, rate, recipe)
        results["runs"][rate_key(rate)] = run
        write_results(output, results)
        _announce_scores(f"{rate:g}", run)
    write_results(output, results)
    return results


def score(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> Dict[str, Any]:
    """Entity precision, recall and F1 by seqeval, and the 95% interval of F1 over sentences."""
    metrics = tagging_metrics(gold, predicted)
    counts = document_counts(
        [set(get_entities(list(tags))) for tags in gold],
        [set(get_entities(list(tags))) for tags in predicted],
    )
    return {
        **metrics["micro"],
        "f_interval": list(bootstrap_interval(counts)),
        "entities": metrics["entities"],
        "sentences": len(gold),
        "token_accuracy": metrics["token_accuracy"],
        "per_type": metrics["per_type"],
    }


def _train_and_score(
    splits: Dict[str, Split],
    backbone: str,
    tokenizer: PreTrainedTokenizerBase,
    rate: float,
    recipe: Recipe,
) -> Dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        # To type checkers it is a stub without attributes, since accelerate is optional.
        trainer: Any = Trainer(
            model=_load_model(backbone, recipe.seed),
            args=_arguments(scratch, rate, recipe),
            train_dataset=splits["train"].features,
            data_collator=DataCollatorForTokenClassification(tokenizer),
        )
        cpu = time.process_time()
        seconds = trainer.train().metrics["train_runtime"]
        cpu = time.process_time() - cpu
        # Some versions of the Trainer would group, and so reorder, predictions too.
        trainer.args.group_by_length = False
        start = time.perf_counter()
        tags = {name: _predict(trainer, splits[name]) for name in ("dev", "test")}
        predicting = time.perf_counter() - start
    return {
        "learning_rate": rate,
        **{name: score(splits[name].gold, predicted) for name, predicted in tags.items()},
        "loss": [
            [entry["step"], entry["loss"]] for entry in trainer.state.log_history if "loss" in entry
        ],
        "steps": trainer.state.global_step,
        "train_seconds": seconds,
        # Far below threads * train_seconds where other programs took the cores.
        "train_cpu_seconds": cpu,
        "train_words_per_second": splits["train"].words * recipe.epochs / seconds,
        "predict_words_per_second": (splits["dev"].words + splits["test"].words) / predicting,
        "device": trainer.args.device.type,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
    }


def _predict(trainer: Any, split: Split) -> List[List[str]]:
    """Tags of all sentences; batches hold similar lengths, since padding costs time only."""
    lengths = [len(features["input_ids"]) for features in split.features]
    order = np.argsort(lengths, kind="stable")
    features = [split.features[index] for index in order]
    logits = np.asarray(trainer.predict(features).predictions)
    return read_tags(split, logits[np.argsort(order)])


def _arguments(folder: str, rate: float, recipe: Recipe) -> TrainingArguments:
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


def _load_model(backbone: str, seed: int) -> PreTrainedModel:
    """The backbone under a new classifier, whose random weights follow from the seed."""
    transformers.set_seed(seed)
    return AutoModelForTokenClassification.from_pretrained(
        backbone,
        num_labels=len(TAGS),
        id2label=dict(enumerate(TAGS)),
        label2id={tag: index for index, tag in enumerate(TAGS)},
    )


def _head(split: Split, limit: Optional[int]) -> Split:
    return Split(split.gold[:limit], split.features[:limit], split.pieces[:limit])


def _announce(splits: Dict[str, Split], rates: Sequence[float], waiting: Sequence[float]) -> None:
    for name, split in splits.items():
        sizes = split.sizes()
        msg.info(
            f"{name}: {sizes['sentences']:,} sentences, {sizes['words']:,} words, "
            f"{sizes['truncated_words']:,} words cut off"
        )
    for rate in rates:
        if rate not in waiting:
            msg.info(f"Learning rate {rate:g} is there already: skipped.")


def _announce_time(
    splits: Dict[str, Split],
    backbone: str,
    tokenizer: PreTrainedTokenizerBase,
    recipe: Recipe,
    runs: int,
) -> None:
    """Times a few steps on a model that is thrown away, and prints what all will take."""
    features = splits["train"].features
    order = np.random.default_rng(recipe.seed).permutation(len(features))
    collate = DataCollatorForTokenClassification(tokenizer)
    size = recipe.batch_size
    batches = [
        collate([features[index] for index in order[start : start + size]])
        for start in range(0, min(len(order), size * (TIMED_STEPS + 1)), size)
    ]
    step = _seconds_per_step(_load_model(backbone, recipe.seed).train(), batches)
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


def _announce_scores(rate: str, run: Dict[str, Any]) -> None:
    low, high = run["test"]["f_interval"]
    msg.good(
        f"{rate}: testa F1 {run['dev']['f']:.4f}, testb F1 {run['test']['f']:.4f} "
        f"[{low:.4f}, {high:.4f}], training {run['train_words_per_second']:.0f} words/s, "
        f"predicting {run['predict_words_per_second']:.0f} words/s"
    )
