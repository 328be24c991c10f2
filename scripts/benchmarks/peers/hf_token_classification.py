"""The yardstick for `crf_ner`: the standard token classification recipe of Hugging Face's Trainer.

A word's label stands on its first wordpiece, the other wordpieces are ignored (-100); a softmax
over BIO tags; AdamW with weight decay, a linear schedule with warm-up (Devlin et al. 2019,
section 5.3, and the library's own `run_ner` example). Units are sentences.
"""

import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import numpy as np
import typer
from numpy.typing import NDArray
from transformers import (
    AutoModelForTokenClassification,
    DataCollatorForTokenClassification,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Trainer,
)
from transformers.utils import is_accelerate_available
from wasabi import msg

if not __package__:  # run by its path
    sys.path[0] = str(Path(__file__).parents[3])

from mtnlp.cli.verb import verb_app
from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.conll import read_conll
from mtnlp.data.labels import CONLL_LABELS
from mtnlp.errors import Errors, MtnlpError
from mtnlp.evaluation.intervals import bootstrap_interval
from mtnlp.evaluation.spans import document_counts
from mtnlp.evaluation.tagging import OUTSIDE, bio_tags, tag_spans, tagging_metrics
from mtnlp.types import Record
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

TAGS = [OUTSIDE, *(f"{prefix}-{label}" for label in CONLL_LABELS for prefix in "BI")]
IGNORED = -100
FILES = {"train": "eng.train", "dev": "eng.testa", "test": "eng.testb"}


@dataclass
class Split:
    """A split of the corpus, ready for the Trainer.

    gold: BIO2 tags, one per word.
    features: the model's inputs and `labels`, one dict per sentence.
    pieces: per word, the place of its first wordpiece in `input_ids`; None where it has none.
    """

    gold: List[List[str]]
    features: List[Dict[str, List[int]]]
    pieces: List[List[Optional[int]]]

    @property
    def words(self) -> int:
        return sum(len(tags) for tags in self.gold)

    @property
    def truncated_words(self) -> int:
        """Words left without a wordpiece: trained on never, predicted as outside."""
        return sum(place is None for places in self.pieces for place in places)

    def sizes(self) -> Dict[str, int]:
        return {
            "sentences": len(self.gold),
            "words": self.words,
            "truncated_words": self.truncated_words,
        }


def read_sentences(path: Path) -> List[Record]:
    """The sentences of a CoNLL-2003 file.

    Raises: DataError at the first malformed line.
    """
    return list(read_conll(path, BadInput()))


def encode(records: Sequence[Record], tokenizer: PreTrainedTokenizerBase, max_length: int) -> Split:
    """Wordpieces and labels: a word's tag on its first wordpiece, -100 everywhere else."""
    split = Split([], [], [])
    ids = {tag: index for index, tag in enumerate(TAGS)}
    for record in records:
        words = record.tokens or []
        gold = [tag or OUTSIDE for tag in bio_tags(len(words), record.entities or [])]
        encoding = tokenizer(
            words, is_split_into_words=True, truncation=True, max_length=max_length
        )
        owners = encoding.word_ids()
        pieces: List[Optional[int]] = [None] * len(words)
        labels = [IGNORED] * len(owners)
        for place, word in enumerate(owners):
            if word is not None and pieces[word] is None:
                pieces[word] = place
                labels[place] = ids[gold[word]]
        split.gold.append(gold)
        split.features.append({**encoding, "labels": labels})
        split.pieces.append(pieces)
    return split


def read_tags(split: Split, logits: NDArray[np.float32]) -> List[List[str]]:
    """The best tag of each word's first wordpiece; O for a word without one.

    logits: `[sentences, seq, tags]`.
    """
    best = logits.argmax(axis=-1)
    return [
        [OUTSIDE if place is None else TAGS[row[place]] for place in places]
        for row, places in zip(best, split.pieces, strict=True)
    ]


def run_baseline(
    data: Path, backbone: str, output: Path, rates: Sequence[float], recipe: Recipe
) -> Dict[str, Any]:
    """Trains once a learning rate, chooses by entity F1 on testa, reports testb.

    data: a folder with `eng.train`, `eng.testa` and `eng.testb`, four columns.
    backbone: a Hugging Face encoder, name or path.
    output: a JSON file, written after each learning rate. Rates it already holds are skipped.
    Returns: the content of the file: {"setting", "runs": {rate: {...}}, "best": {...}}.
    Raises: MtnlpError: E510 without accelerate, E511 where the file belongs to another setting;
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
        announce_time(
            splits["train"].features,
            DataCollatorForTokenClassification(tokenizer),
            partial(_load_model, backbone, recipe.seed),
            recipe,
            len(waiting),
        )
    for rate in waiting:
        msg.info(f"Learning rate {rate:g}")
        run = _train_and_score(splits, backbone, tokenizer, rate, recipe)
        results["runs"][rate_key(rate)] = run
        write_results(output, results)
        _announce_scores(f"{rate:g}", run)
    write_results(output, results)
    return results


def score(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> Dict[str, Any]:
    """Entity precision, recall and F1, and the 95% interval of F1 over sentences."""
    metrics = tagging_metrics(gold, predicted)
    counts = document_counts(
        [tag_spans(tags) for tags in gold],
        [tag_spans(tags) for tags in predicted],
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
            args=training_arguments(scratch, rate, recipe),
            train_dataset=splits["train"].features,
            data_collator=DataCollatorForTokenClassification(tokenizer),
        )
        speed = train(trainer, splits["train"].words, recipe)
        start = time.perf_counter()
        tags = {
            name: read_tags(splits[name], predict_logits(trainer, splits[name].features))
            for name in ("dev", "test")
        }
        predicting = time.perf_counter() - start
    return {
        "learning_rate": rate,
        **{name: score(splits[name].gold, predicted) for name, predicted in tags.items()},
        **speed,
        "predict_words_per_second": (splits["dev"].words + splits["test"].words) / predicting,
    }


def _load_model(backbone: str, seed: int) -> PreTrainedModel:
    """The backbone under a new classifier of tokens."""
    return new_head(AutoModelForTokenClassification, backbone, TAGS, seed)


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


def _announce_scores(rate: str, run: Dict[str, Any]) -> None:
    low, high = run["test"]["f_interval"]
    msg.good(
        f"{rate}: testa F1 {run['dev']['f']:.4f}, testb F1 {run['test']['f']:.4f} "
        f"[{low:.4f}, {high:.4f}], training {run['train_words_per_second']:.0f} words/s, "
        f"predicting {run['predict_words_per_second']:.0f} words/s"
    )


app = verb_app()


@app.command()
def main(
    data: Path = typer.Argument(..., help="Folder with eng.train, eng.testa and eng.testb"),
    backbone: str = typer.Option(
        "assets/backbone/all-MiniLM-L6-v2", help="Hugging Face encoder, name or path"
    ),
    output: Path = typer.Option(
        Path("metrics/baseline_conll.json"), help="Results; runs already in it are skipped"
    ),
    lr: List[float] = typer.Option(
        [1e-4, 2e-4, 5e-5], help="Learning rate; repeat it to try several"
    ),
    batch_size: int = typer.Option(16, min=1, help="Sentences a step"),
    epochs: int = typer.Option(3, min=1),
    seed: int = typer.Option(0),
    limit: Optional[int] = typer.Option(None, min=1, help="Training sentences to use"),
    max_length: int = typer.Option(128, min=4, help="Wordpieces a sentence; the rest is cut off"),
    group_by_length: bool = typer.Option(
        False, help="Draw batches of similar length: about twice as fast, not the usual recipe"
    ),
) -> None:
    """Token classification with Hugging Face's Trainer on CoNLL-2003, one run per learning rate.

    The learning rate is chosen by entity F1 on eng.testa; the score is that on eng.testb. An
    interrupted command goes on after the last finished run.
    """
    recipe = Recipe(
        batch_size=batch_size,
        epochs=epochs,
        seed=seed,
        limit=limit,
        max_length=max_length,
        group_by_length=group_by_length,
    )
    try:
        run_baseline(data, backbone, output, lr, recipe)
    except MtnlpError as error:
        msg.fail(str(error), exits=1)
    msg.good(f"Results in {output}")


if __name__ == "__main__":
    app()
