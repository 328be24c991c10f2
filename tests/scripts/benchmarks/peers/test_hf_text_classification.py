import json
from pathlib import Path
from typing import Dict

import numpy as np
import pytest
import spacy
from sklearn.metrics import log_loss
from spacy.tokens import DocBin
from transformers.utils import is_accelerate_available

from mtnlp.errors import MtnlpError
from scripts.benchmarks.peers.hf_text_classification import (
    Texts,
    head,
    read_texts,
    run_text_baseline,
    score_texts,
)
from scripts.benchmarks.peers.hf_trainer import Recipe

needs_accelerate = pytest.mark.skipif(
    not is_accelerate_available(), reason="the Trainer needs accelerate"
)


@pytest.fixture
def splits(tmp_path: Path) -> Dict[str, Path]:
    """Three files of films that are good or bad, and one text nobody judged."""
    nlp = spacy.blank("en")
    files = {}
    for name, count in (("train", 24), ("dev", 8), ("test", 8)):
        docs = [nlp("not judged")]
        for number in range(count):
            good = number % 2 == 0
            doc = nlp("a lovely bright film" if good else "dull and awful and very long")
            doc.cats = {"sentiment/positive": float(good), "sentiment/negative": float(not good)}
            docs.append(doc)
        files[name] = tmp_path / f"{name}.spacy"
        DocBin(docs=docs).to_disk(files[name])
    return files


def test_only_texts_of_the_task_are_read(splits: Dict[str, Path]) -> None:
    texts = read_texts(splits["dev"], "sentiment")
    assert texts.labels == ["positive", "negative"] * 4
    assert texts.words == 4 * 4 + 4 * 6
    with pytest.raises(MtnlpError, match=r"E513.*topic"):
        read_texts(splits["dev"], "topic")


def test_a_limit_keeps_labels_in_balance() -> None:
    split = Texts([f"t{number}" for number in range(10)], ["a"] * 7 + ["b"] * 3, list(range(10)))
    assert head(split, None) is head(split, 10) is split
    chosen = head(split, 4)
    assert chosen.texts == ["t0", "t1", "t7", "t8"] and chosen.labels == ["a", "a", "b", "b"]
    assert chosen.lengths == [0, 1, 7, 8] and chosen.words == 16
    assert head(split, 8).labels.count("b") == 3


def test_scores_of_logits() -> None:
    logits = np.array([[2.0, 0.0], [0.0, 1.0], [3.0, 0.0]])
    found = score_texts(["no", "yes", "yes"], logits, ["no", "yes"])
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["cross_entropy"] == pytest.approx(
        log_loss(["no", "yes", "yes"], np.exp(logits) / np.exp(logits).sum(-1, keepdims=True))
    )
    low, high = found["accuracy_interval"]
    assert 0 < low < 2 / 3 < high < 1
    assert found["per_label"]["yes"] == {
        "p": 1.0,
        "r": 0.5,
        "f": pytest.approx(2 / 3),
        "support": 2,
    }


@needs_accelerate
def test_training_learns_and_runs_are_kept(
    splits: Dict[str, Path], backbone: Path, tmp_path: Path
) -> None:
    recipe = Recipe(batch_size=4, epochs=6, max_length=16)
    output = tmp_path / "metrics" / "text.json"
    results = run_text_baseline(splits, "sentiment", str(backbone), output, [5e-3], recipe)
    run = results["runs"]["0.005"]
    assert run["test"]["accuracy"] == 1.0 and run["steps"] == 36
    assert results["best"]["dev_accuracy"] == run["dev"]["accuracy"]
    assert json.loads(output.read_text(encoding="utf8")) == results
    again = run_text_baseline(splits, "sentiment", str(backbone), output, [5e-3], recipe)
    assert again["runs"] == results["runs"]
    with pytest.raises(MtnlpError, match=r"E511.*epochs"):
        run_text_baseline(splits, "sentiment", str(backbone), output, [5e-3], Recipe(epochs=1))
