import json
from functools import partial
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest
from transformers import DataCollatorForTokenClassification, Trainer
from transformers.utils import is_accelerate_available

from mtnlp.errors import DataError, MtnlpError
from mtnlp.types import Annotation, Record
from scripts.benchmarks.peers import hf_token_classification
from scripts.benchmarks.peers.hf_token_classification import (
    IGNORED,
    TAGS,
    encode,
    read_sentences,
    read_tags,
    run_baseline,
    score,
)
from scripts.benchmarks.peers.hf_trainer import (
    Recipe,
    load_tokenizer,
    open_results,
    predict_logits,
    rate_key,
    training_arguments,
    write_results,
)

SAMPLE = Path(__file__).parents[4] / "corpus" / "sample" / "conll"
RECIPE = Recipe(batch_size=8, epochs=2, limit=40, max_length=60)

paired = partial(zip, strict=True)
needs_accelerate = pytest.mark.skipif(
    not is_accelerate_available(), reason="the Trainer needs accelerate"
)


@pytest.fixture
def record() -> Record:
    return Record(
        tokens=["Anna", "Kellerovskaya-Unpronounceable", "left", "Paris", "."],
        entities=[Annotation(0, 2, "PER"), Annotation(3, 4, "LOC")],
    )


@pytest.mark.parametrize("family", ["bert", "roberta", "distilbert", "xlm-r"])
def test_labels_stand_on_first_wordpieces(
    family: str, backbones: Dict[str, Path], record: Record
) -> None:
    tokenizer = load_tokenizer(str(backbones[family]))
    split = encode([record], tokenizer, 60)
    features, pieces = split.features[0], split.pieces[0]
    labels = features["labels"]
    assert len(labels) == len(features["input_ids"]) > len(record.tokens or []) + 2
    assert split.gold == [["B-PER", "I-PER", "O", "B-LOC", "O"]]
    assert [TAGS[label] for label in labels if label != IGNORED] == split.gold[0]
    assert [TAGS[labels[place]] for place in pieces if place is not None] == split.gold[0]
    assert split.truncated_words == 0 and split.words == 5


def test_words_beyond_max_length_are_counted_and_outside(backbone: Path, record: Record) -> None:
    tokenizer = load_tokenizer(str(backbone))
    whole = encode([record], tokenizer, 60)
    # Room for everything up to the word before "Paris", and the closing special piece.
    split = encode([record], tokenizer, (whole.pieces[0][3] or 0) + 1)
    assert split.pieces[0][3:] == [None, None]
    assert split.truncated_words == split.sizes()["truncated_words"] == 2
    logits = np.zeros((1, 40, len(TAGS)), dtype=np.float32)
    logits[..., TAGS.index("I-LOC")] = 1
    assert read_tags(split, logits) == [["I-LOC", "I-LOC", "I-LOC", "O", "O"]]


def test_gold_logits_give_gold_tags(backbone: Path) -> None:
    split = encode(read_sentences(SAMPLE / "eng.testa"), load_tokenizer(str(backbone)), 512)
    logits = np.zeros((len(split.gold), 512, len(TAGS)), dtype=np.float32)
    for index, features in enumerate(split.features):
        for place, label in enumerate(features["labels"]):
            # Anything may stand where no word begins.
            logits[index, place, TAGS.index("B-ORG") if label == IGNORED else label] = 1
    tags = read_tags(split, logits)
    assert split.truncated_words == 0
    assert tags == split.gold
    assert {tag for sentence in tags for tag in sentence} >= {"B-PER", "I-PER", "B-LOC"}


def test_score_counts_whole_entities() -> None:
    gold = [["B-PER", "I-PER", "O"], ["B-LOC", "O", "B-ORG"], ["O"]]
    predicted = [["B-PER", "O", "O"], ["B-LOC", "O", "B-ORG"], ["O"]]
    result = score(gold, predicted)
    assert result["p"] == result["r"] == result["f"] == pytest.approx(2 / 3)
    low, high = result["f_interval"]
    assert 0 <= low < 2 / 3 < high <= 1
    assert (result["entities"], result["sentences"]) == (3, 3)
    assert score(gold[:2] * 20, gold[:2] * 20)["f_interval"] == [1.0, 1.0]


def test_both_iob_schemes_in_one_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "eng.train"
    path.write_text("Rome NNP I-NP I-LOC\nis VBZ I-VP O\nRoman JJ I-NP B-MISC\n", encoding="utf8")
    assert read_sentences(path)[0].entities == [(0, 1, "LOC"), (2, 3, "MISC")]
    path.write_text("Rome NNP I-NP I-LOC\nis VBZ O\n", encoding="utf8")
    with pytest.raises(DataError, match=r"eng\.train:2: .*E103"):
        read_sentences(path)


@needs_accelerate
def test_prediction_keeps_the_order_of_sentences(backbone: Path, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(str(backbone))
    split = encode(read_sentences(SAMPLE / "eng.testa"), tokenizer, 60)
    trainer = Trainer(
        model=hf_token_classification._load_model(str(backbone), 0),
        args=training_arguments(str(tmp_path), 1e-4, RECIPE),
        data_collator=DataCollatorForTokenClassification(tokenizer),
    )
    features: Any = split.features
    plain = np.asarray(trainer.predict(features).predictions)
    tags = read_tags(split, predict_logits(trainer, split.features))
    assert [len(sentence) for sentence in tags] == [len(sentence) for sentence in split.gold]
    pairs = [(a, b) for x, y in paired(tags, read_tags(split, plain)) for a, b in paired(x, y)]
    # Another batch may round differently; a random model sits close to ties.
    assert np.mean([a == b for a, b in pairs]) > 0.99
    assert len({a for a, _ in pairs}) > 1


@needs_accelerate
def test_runs_are_kept_and_go_on(
    backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "metrics" / "baseline.json"
    results = run_baseline(SAMPLE, str(backbone), output, [1e-2], RECIPE)
    run = results["runs"]["0.01"]
    assert results["setting"]["train"]["sentences"] == 40
    assert results["setting"]["backbone"] == backbone.name
    assert run["steps"] == 10 and run["train_words_per_second"] > 0
    assert json.loads(output.read_text(encoding="utf8")) == results

    trained: List[float] = []
    true_training = hf_token_classification._train_and_score

    def spy(splits: Any, name: str, tokenizer: Any, rate: float, recipe: Recipe) -> Any:
        trained.append(rate)
        return true_training(splits, name, tokenizer, rate, recipe)

    monkeypatch.setattr(hf_token_classification, "_train_and_score", spy)
    again = run_baseline(SAMPLE, str(backbone), output, [1e-2, 1e-5], RECIPE)
    assert trained == [1e-5]
    assert again["runs"]["0.01"] == run and set(again["runs"]) == {"0.01", "1e-05"}

    with pytest.raises(MtnlpError, match=r"E511.*epochs"):
        run_baseline(SAMPLE, str(backbone), output, [1e-2], Recipe(epochs=1, limit=40))


@needs_accelerate
@pytest.mark.parametrize("grouped", [False, True])
def test_training_learns(grouped: bool, backbone: Path, tmp_path: Path) -> None:
    recipe = Recipe(batch_size=8, epochs=7, limit=60, max_length=60, group_by_length=grouped)
    results = run_baseline(SAMPLE, str(backbone), tmp_path / "r.json", [5e-3], recipe)
    run = results["runs"][rate_key(5e-3)]
    losses = [loss for _, loss in run["loss"]]
    # Even always saying O costs less than the nine equally likely tags it starts from.
    assert losses and losses[-1] < np.log(len(TAGS)) * 0.6


def test_best_is_chosen_on_dev(tmp_path: Path) -> None:
    def run(rate: float, dev: float, test: float) -> Dict[str, Any]:
        scores = {"p": test, "r": test, "f": test, "f_interval": [0.0, 1.0]}
        return {"learning_rate": rate, "dev": {"f": dev}, "test": scores}

    path = tmp_path / "r.json"
    results = {"setting": {}, "runs": {"a": run(1e-4, 0.8, 0.6), "b": run(2e-4, 0.7, 0.9)}}
    write_results(path, results)
    best = json.loads(path.read_text(encoding="utf8"))["best"]
    assert (best["learning_rate"], best["test"]["f"]) == (1e-4, 0.6)
    assert [file.name for file in tmp_path.iterdir()] == ["r.json"]


def test_a_broken_results_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text('{"setting": ', encoding="utf8")
    with pytest.raises(MtnlpError, match="E511"):
        open_results(path, {})


def test_without_accelerate_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hf_token_classification, "is_accelerate_available", lambda: False)
    with pytest.raises(MtnlpError, match=r"E510.*mtnlp\[compare\]"):
        run_baseline(SAMPLE, "anything", tmp_path / "r.json", [1e-4], RECIPE)
