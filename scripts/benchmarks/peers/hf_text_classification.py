"""The yardstick for `multitask_textcat`: the standard sequence classification recipe of Hugging
Face's Trainer.

A new classifier on the encoder's pooled first wordpiece, texts cut off at `max_length`; AdamW with
weight decay, a linear schedule with warm-up (Devlin et al. 2019, section 4.1). Reads the `.spacy`
files that `multitask_textcat` is trained on.
"""

import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import numpy as np
import spacy
import typer
from scipy.special import log_softmax
from spacy.tokens import Doc, DocBin
from transformers import (
    AutoModelForSequenceClassification,
    DataCollatorWithPadding,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Trainer,
)
from transformers.utils import is_accelerate_available
from wasabi import msg

if not __package__:  # run by its path
    sys.path[0] = str(Path(__file__).parents[3])

from mtnlp.annotation.categories import positive_keys, split_key
from mtnlp.cli.verb import verb_app
from mtnlp.errors import Errors, MtnlpError
from mtnlp.evaluation.classification import exclusive_metrics
from mtnlp.evaluation.intervals import wilson_interval
from scripts.benchmarks.peers.hf_trainer import (
    Recipe,
    announce_time,
    load_tokenizer,
    new_head,
    open_results,
    predict_logits,
    rate_key,
    train,
    training_arguments,
    write_results,
)


@dataclass
class Texts:
    """A split of the corpus: texts, the label of each, and the length of each in spaCy tokens."""

    texts: List[str] = field(default_factory=list)
    labels: List[str] = field(default_factory=list)
    lengths: List[int] = field(default_factory=list)

    @property
    def words(self) -> int:
        """Of all texts."""
        return sum(self.lengths)

    def sizes(self) -> Dict[str, int]:
        return {"documents": len(self.texts), "words": self.words}

    def add(self, doc: Doc, task: str) -> None:
        """Takes a document in, if it has a label of `task`."""
        label = text_label(doc, task)
        if label is not None:
            self.texts.append(doc.text)
            self.labels.append(label)
            self.lengths.append(len(doc))


def text_label(doc: Doc, task: str) -> Optional[str]:
    """The label of an exclusive task, None where the document has none."""
    return next((split_key(key)[1] for key in positive_keys(doc.cats, task)), None)


def run_text_baseline(
    splits: Dict[str, Path],
    task: str,
    backbone: str,
    output: Path,
    rates: Sequence[float],
    recipe: Recipe,
) -> Dict[str, Any]:
    """Trains once a learning rate, chooses by accuracy on dev, reports test.

    splits: the `.spacy` files "train", "dev" and "test". task: an exclusive task, whose labels are
    `doc.cats["task/LABEL"]`. backbone: a Hugging Face encoder, name or path.
    output: a JSON file, written after each learning rate. Rates it already holds are skipped.
    Returns: the content of the file: {"setting", "runs": {rate: {...}}, "best": {...}}.
    Raises: MtnlpError: E510 without accelerate, E511 where the file belongs to another setting,
        E513 where a file has no document of the task.
    """
    if not is_accelerate_available():
        raise MtnlpError(Errors.E510)
    tokenizer = load_tokenizer(backbone)
    texts = {name: read_texts(path, task) for name, path in splits.items()}
    texts["train"] = head(texts["train"], recipe.limit)
    labels = sorted(set(texts["train"].labels))
    features = {
        name: encode_texts(split, labels, tokenizer, recipe.max_length)
        for name, split in texts.items()
    }
    setting = {
        "backbone": Path(backbone).name if Path(backbone).is_dir() else backbone,
        "task": task,
        **asdict(recipe),
        **{name: split.sizes() for name, split in texts.items()},
    }
    results = open_results(output, setting)
    waiting = [rate for rate in rates if rate_key(rate) not in results["runs"]]
    load_model = partial(classifier, backbone, labels, recipe.seed)
    collate = DataCollatorWithPadding(tokenizer)
    if waiting:
        announce_time(features["train"], collate, load_model, recipe, len(waiting))
    for rate in waiting:
        msg.info(f"Learning rate {rate:g}")
        with tempfile.TemporaryDirectory() as scratch:
            # To type checkers it is a stub without attributes, since accelerate is optional.
            trainer: Any = Trainer(
                model=load_model(),
                args=training_arguments(scratch, rate, recipe),
                train_dataset=features["train"],
                data_collator=collate,
            )
            speed = train(trainer, texts["train"].words, recipe)
            start = time.perf_counter()
            logits = {name: predict_logits(trainer, features[name]) for name in ("dev", "test")}
            seconds = time.perf_counter() - start
        results["runs"][rate_key(rate)] = {
            "learning_rate": rate,
            **{
                name: score_texts(texts[name].labels, found, labels)
                for name, found in logits.items()
            },
            **speed,
            "predict_words_per_second": (texts["dev"].words + texts["test"].words) / seconds,
        }
        write_results(output, results, score="accuracy")
        _announce_scores(results["runs"][rate_key(rate)])
    write_results(output, results, score="accuracy")
    return results


def read_texts(path: Path, task: str) -> Texts:
    """The documents of a `.spacy` file that have a label of `task`.

    Raises: MtnlpError: E513 where there is none.
    """
    found = Texts()
    for doc in DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab):
        found.add(doc, task)
    if not found.texts:
        raise MtnlpError(Errors.E513.format(path=path, task=task))
    return found


def head(split: Texts, limit: Optional[int]) -> Texts:
    """The first `limit` documents of each label in turn, so that labels keep their balance; all
    for None."""
    if limit is None or limit >= len(split.texts):
        return split
    seen: Dict[str, int] = {}
    ranks = []
    for label in split.labels:
        ranks.append(seen.get(label, 0))
        seen[label] = ranks[-1] + 1
    chosen = sorted(np.argsort(ranks, kind="stable")[:limit].tolist())
    columns = (split.texts, split.labels, split.lengths)
    return Texts(*([column[index] for index in chosen] for column in columns))


def encode_texts(
    split: Texts, labels: List[str], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> List[Dict[str, Any]]:
    """The model's inputs and `labels`, the index of the label, one dict per document."""
    encoded = tokenizer(split.texts, truncation=True, max_length=max_length)
    return [
        {**{name: values[row] for name, values in encoded.items()}, "labels": labels.index(label)}
        for row, label in enumerate(split.labels)
    ]


def classifier(backbone: str, labels: List[str], seed: int, **config: Any) -> PreTrainedModel:
    """The backbone under a new classifier of texts. config: as in `new_head`."""
    return new_head(AutoModelForSequenceClassification, backbone, labels, seed, **config)


def score_texts(gold: Sequence[str], logits: np.ndarray, labels: List[str]) -> Dict[str, Any]:
    """Accuracy with its 95% interval (Wilson), macro precision, recall and F1, and the mean
    cross-entropy.

    logits: `[documents, labels]`.
    """
    best = logits.argmax(-1)
    predicted = [labels[index] for index in best]
    metrics = exclusive_metrics(gold, predicted)
    right = sum(a == b for a, b in zip(gold, predicted, strict=True))
    columns = [labels.index(label) for label in gold]
    loss = -log_softmax(logits.astype(np.float64), axis=-1)[np.arange(len(gold)), columns].mean()
    return {
        "n": len(gold),
        "accuracy": metrics["accuracy"],
        "accuracy_interval": list(wilson_interval(right, len(gold))),
        **metrics["macro"],
        "per_label": metrics["per_label"],
        "cross_entropy": float(loss),
    }


def _announce_scores(run: Dict[str, Any]) -> None:
    low, high = run["test"]["accuracy_interval"]
    msg.good(
        f"{run['learning_rate']:g}: dev accuracy {run['dev']['accuracy']:.4f}, test "
        f"{run['test']['accuracy']:.4f} [{low:.4f}, {high:.4f}], training "
        f"{run['train_words_per_second']:.0f} words/s, predicting "
        f"{run['predict_words_per_second']:.0f} words/s"
    )


app = verb_app()


@app.command()
def main(
    train: Path = typer.Argument(..., exists=True, help=".spacy file to train on"),
    dev: Path = typer.Argument(..., exists=True, help=".spacy file that chooses the rate"),
    test: Path = typer.Argument(..., exists=True, help=".spacy file to score"),
    task: str = typer.Option("sentiment", help="Exclusive task: labels in doc.cats['task/LABEL']"),
    backbone: str = typer.Option(
        "assets/backbone/all-MiniLM-L6-v2", help="Hugging Face encoder, name or path"
    ),
    output: Path = typer.Option(
        Path("metrics/baseline_textcat.json"), help="Results; runs already in it are skipped"
    ),
    lr: List[float] = typer.Option(
        [1e-4, 2e-4, 5e-5], help="Learning rate; repeat it to try several"
    ),
    batch_size: int = typer.Option(16, min=1, help="Texts a step"),
    epochs: int = typer.Option(3, min=1),
    seed: int = typer.Option(0),
    limit: Optional[int] = typer.Option(None, min=1, help="Training texts to use"),
    max_length: int = typer.Option(512, min=4, help="Wordpieces a text; the rest is cut off"),
    group_by_length: bool = typer.Option(
        False, help="Draw batches of similar length: faster, not the usual recipe"
    ),
) -> None:
    """Text classification with Hugging Face's Trainer, one run per learning rate.

    The learning rate is chosen by accuracy on DEV; the score is that on TEST. An interrupted
    command goes on after the last finished run.
    """
    recipe = Recipe(
        batch_size=batch_size,
        epochs=epochs,
        seed=seed,
        limit=limit,
        max_length=max_length,
        group_by_length=group_by_length,
    )
    splits = {"train": train, "dev": dev, "test": test}
    try:
        run_text_baseline(splits, task, backbone, output, lr, recipe)
    except MtnlpError as error:
        msg.fail(str(error), exits=1)
    msg.good(f"Results in {output}")


if __name__ == "__main__":
    app()
