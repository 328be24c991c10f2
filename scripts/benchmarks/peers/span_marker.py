"""The yardstick for `span_ner`: SpanMarker (Aarsen, 2023), trained on the same corpora.

Its recipe is its own: markers of all spans up to a length stand behind the text, AdamW, a linear
schedule with warm-up. Reads the `.spacy` files that `span_ner` is trained on.
"""

import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Set

import spacy
import torch
import typer
from spacy.tokens import DocBin
from spacy.training import Example
from wasabi import msg

if not __package__:  # run by its path
    sys.path[0] = str(Path(__file__).parents[3])

from mtnlp.annotation.layers import entity_layer
from mtnlp.cli.verb import verb_app
from mtnlp.errors import Errors, MtnlpError
from mtnlp.evaluation.intervals import bootstrap_interval
from mtnlp.evaluation.spans import SpanKey, document_counts, span_metrics
from mtnlp.evaluation.tagging import OUTSIDE, bio_tags
from mtnlp.files import write_json
from scripts.benchmarks.pipeline_speed import PipelineContender, SpeedWorkload, Turn


@dataclass(frozen=True)
class Recipe:
    """Everything about a run.

    limit: training documents to use, the first of the file; None for all. max_length: wordpieces a
    text. marker_length: spans a sample. entity_length: words of the widest entity.
    """

    learning_rate: float = 5e-5
    batch_size: int = 16
    epochs: int = 1
    seed: int = 0
    limit: Optional[int] = None
    max_length: int = 256
    marker_length: int = 128
    entity_length: int = 8
    warmup_ratio: float = 0.1
    weight_decay: float = 0.01


@dataclass
class Sentences:
    """tokens: words of each document. gold: its entities, `(start, end, label)`."""

    tokens: List[List[str]]
    gold: List[Set[SpanKey]]

    @property
    def words(self) -> int:
        return sum(map(len, self.tokens))


def run_span_marker(
    train: Path, test: Path, spans_key: Optional[str], backbone: str, recipe: Recipe
) -> Dict[str, Any]:
    """Trains and scores once.

    train, test: `.spacy` files. spans_key: where their entities are, None for `doc.ents`.
    backbone: a Hugging Face encoder, name or path.
    Returns: the recipe, entity scores on test with a 95% interval over documents,
        seconds and words/s of training and of prediction.
    Raises: MtnlpError: E512 without the library span_marker.
    """
    learn, held_out = read(train, spans_key, recipe.limit), read(test, spans_key)
    msg.info(f"train: {len(learn.tokens):,} documents, {learn.words:,} words")
    with tempfile.TemporaryDirectory() as scratch:
        trainer = make_trainer(learn, backbone, recipe, scratch)
        model = trainer.model
        cpu, start = time.process_time(), time.perf_counter()
        trainer.train()
        training, cpu = time.perf_counter() - start, time.process_time() - cpu
    start = time.perf_counter()
    predicted = predict(model, held_out.tokens)
    predicting = time.perf_counter() - start
    metrics = span_metrics(held_out.gold, predicted)
    return {
        "backbone": Path(backbone).name if Path(backbone).is_dir() else backbone,
        **asdict(recipe),
        "train_documents": len(learn.tokens),
        "train_words": learn.words,
        "test_documents": len(held_out.tokens),
        "test": metrics,
        "f_interval": list(bootstrap_interval(document_counts(held_out.gold, predicted))),
        "train_seconds": training,
        "train_cpu_seconds": cpu,
        "train_words_per_second": learn.words * recipe.epochs / training,
        "predict_words_per_second": held_out.words / predicting,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
    }


def make_trainer(
    learn: Sentences, backbone: str, recipe: Recipe, folder: str, max_steps: int = -1
) -> Any:
    """SpanMarker's own Trainer over a new model.

    learn: to train on. folder: for what the Trainer writes. max_steps: ends the training; -1 for
    the recipe's epochs.
    Raises: MtnlpError: E512 without the library span_marker.
    """
    try:
        from span_marker import SpanMarkerModel, Trainer
    except ImportError as error:
        raise MtnlpError(Errors.E512.format(error=error)) from error
    from transformers import TrainingArguments, set_seed

    types = sorted({label for gold in learn.gold for _, _, label in gold})
    labels = [OUTSIDE, *(f"{prefix}-{label}" for label in types for prefix in "BI")]
    set_seed(recipe.seed)
    model = SpanMarkerModel.from_pretrained(
        backbone,
        labels=labels,
        model_max_length=recipe.max_length,
        marker_max_length=recipe.marker_length,
        entity_max_length=recipe.entity_length,
    )
    arguments = TrainingArguments(
        output_dir=folder,
        learning_rate=recipe.learning_rate,
        per_device_train_batch_size=recipe.batch_size,
        num_train_epochs=recipe.epochs,
        max_steps=max_steps,
        optim="adamw_torch_fused",
        warmup_ratio=recipe.warmup_ratio,
        weight_decay=recipe.weight_decay,
        seed=recipe.seed,
        logging_steps=10,
        save_strategy="no",
        report_to="none",
        disable_tqdm=not sys.stderr.isatty(),
    )
    return Trainer(model=model, args=arguments, train_dataset=to_dataset(learn, labels))


def read(path: Path, spans_key: Optional[str], limit: Optional[int] = None) -> Sentences:
    """The documents of a `.spacy` file that have words and are annotated."""
    layer = entity_layer(spans_key)
    docs = DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab)
    found = Sentences([], [])
    for doc in docs:
        if not len(doc) or not layer.is_annotated(doc):
            continue
        spans = layer.spans(doc)
        found.tokens.append([token.text for token in doc])
        found.gold.append({(span.start, span.end, span.label_) for span in spans})
    return Sentences(found.tokens[:limit], found.gold[:limit])


def to_dataset(sentences: Sentences, labels: List[str]) -> Any:
    """SpanMarker's columns: words, and the index of each word's BIO tag among `labels`."""
    from datasets import Dataset

    index = {label: i for i, label in enumerate(labels)}
    tags = [
        [index[tag or OUTSIDE] for tag in bio_tags(len(tokens), gold)]
        for tokens, gold in zip(sentences.tokens, sentences.gold, strict=True)
    ]
    return Dataset.from_dict({"tokens": sentences.tokens, "ner_tags": tags})


def predict(model: Any, sentences: List[List[str]]) -> List[Set[SpanKey]]:
    """SpanMarker's entities in each of some sentences of words."""
    return [
        {
            (entity["word_start_index"], entity["word_end_index"], entity["label"])
            for entity in entities
        }
        for entities in model.predict(sentences)
    ]


class SpanMarkerContender:
    """SpanMarker on the documents of one of our pipelines, by its own Trainer."""

    name = "SpanMarker"

    def __init__(
        self,
        other: PipelineContender,
        spans_key: Optional[str],
        backbone: str,
        workload: SpeedWorkload,
        folder: str,
    ):
        """spans_key: where gold entities are, None for `doc.ents`. folder: for the Trainer.

        Raises: MtnlpError E512 without the library span_marker.
        """
        # As many as the steps take: it goes through a document's spans before it trains.
        count = workload.steps * workload.batch_size
        self.learn = to_sentences(other.training[:count], spans_key)
        self.test = to_sentences(other.test, spans_key)
        recipe = Recipe(learning_rate=2e-4, batch_size=workload.batch_size)
        self.trainer = make_trainer(self.learn, backbone, recipe, folder)
        # The Trainer replaces it by what it makes of it.
        self.dataset = self.trainer.train_dataset

    def train(self) -> Turn:
        """One epoch, as the Trainer times it: without its preparations."""
        self.trainer.train_dataset = self.dataset
        seconds = self.trainer.train().metrics["train_runtime"]
        return Turn(self.learn.words, seconds)

    def predict(self) -> Turn:
        """`SpanMarkerModel.predict` over lists of words."""
        begin = time.perf_counter()
        predict(self.trainer.model, self.test.tokens)
        return Turn(self.test.words, time.perf_counter() - begin)


def to_sentences(examples: List[Example], spans_key: Optional[str]) -> Sentences:
    """The words and gold entities of examples that have words and are annotated."""
    layer = entity_layer(spans_key)
    found = Sentences([], [])
    for example in examples:
        doc = example.y
        if len(doc) and layer.is_annotated(doc):
            spans = layer.spans(doc)
            found.tokens.append([token.text for token in doc])
            found.gold.append({(span.start, span.end, span.label_) for span in spans})
    return found


app = verb_app()


@app.command()
def main(
    train: Path = typer.Argument(..., exists=True, help=".spacy file to train on"),
    test: Path = typer.Argument(..., exists=True, help=".spacy file to score"),
    spans_key: Optional[str] = typer.Option(
        None, help="Entities are in doc.spans of this key; without it in doc.ents"
    ),
    backbone: str = typer.Option(
        "assets/backbone/all-MiniLM-L6-v2", help="Hugging Face encoder, name or path"
    ),
    output: Path = typer.Option(Path("metrics/baseline_span_marker.json"), help="Results"),
    lr: float = typer.Option(5e-5, help="Learning rate"),
    batch_size: int = typer.Option(16, min=1, help="Sentences a step"),
    epochs: int = typer.Option(1, min=1),
    seed: int = typer.Option(0),
    limit: Optional[int] = typer.Option(None, min=1, help="Training documents to use"),
    max_length: int = typer.Option(256, min=8, help="Wordpieces a text"),
    entity_length: int = typer.Option(8, min=1, help="Words of the widest entity"),
) -> None:
    """SpanMarker on the corpora of `span_ner`. Needs `pip install span_marker==1.8.0`.

    Without a GPU it trains at some twenty words per second: choose --limit and --epochs
        accordingly.
    """
    recipe = Recipe(
        learning_rate=lr,
        batch_size=batch_size,
        epochs=epochs,
        seed=seed,
        limit=limit,
        max_length=max_length,
        entity_length=entity_length,
    )
    try:
        results = run_span_marker(train, test, spans_key, backbone, recipe)
    except MtnlpError as error:
        msg.fail(str(error), exits=1)
    write_json(output, results)
    low, high = results["f_interval"]
    msg.good(
        f"F1 {results['test']['micro']['f']:.4f} [{low:.4f}, {high:.4f}], training "
        f"{results['train_words_per_second']:.0f} words/s, predicting "
        f"{results['predict_words_per_second']:.0f} words/s. Results in {output}"
    )


if __name__ == "__main__":
    app()
