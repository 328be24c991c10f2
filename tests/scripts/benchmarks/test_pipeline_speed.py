"""Speeds of whole pipelines: what is counted, in what order, and how it is told."""

from pathlib import Path
from typing import List

import pytest
import torch

from mtnlp.errors import MtnlpError
from scripts.benchmarks.peers.hf_speed import TrainerContender, to_texts
from scripts.benchmarks.peers.span_marker import to_sentences
from scripts.benchmarks.pipeline_speed import (
    PipelineContender,
    Speed,
    SpeedWorkload,
    Turn,
    measure_speed,
    speed_table,
)
from tests.pipes.cases import same_weights
from tests.training.loop_cases import all_weights, make_config

WORKLOAD = SpeedWorkload(steps=2, documents=3, rounds=2, batch_size=4, threads=1)


class Fake:
    """Says how many words it had in how many seconds."""

    def __init__(self, name: str, calls: List[str], scale: int) -> None:
        self.name = name
        self.calls = calls
        self.scale = scale
        self.turns = 0

    def train(self) -> Turn:
        assert torch.get_num_threads() == WORKLOAD.threads
        self.calls.append(f"{self.name} trains")
        self.turns += 1
        return Turn(self.scale * self.turns, 1.0)

    def predict(self) -> Turn:
        self.calls.append(f"{self.name} predicts")
        return Turn(self.scale * 100, 2.0)


def test_contenders_take_turns_and_the_first_round_does_not_count() -> None:
    calls: List[str] = []
    threads = torch.get_num_threads()
    found = measure_speed([Fake("a", calls, 10), Fake("b", calls, 1)], WORKLOAD)
    assert torch.get_num_threads() == threads
    assert calls == 3 * ["a trains", "a predicts", "b trains", "b predicts"]
    assert found == [Speed("a", [20.0, 30.0], [500.0, 500.0]), Speed("b", [2.0, 3.0], [50.0, 50.0])]
    table = speed_table(found, WORKLOAD)
    cells = [list(column.cells) for column in table.columns]
    assert cells[1:] == [
        ["25 (20–30)", "2 (2–3)"],
        ["10.0", "1.0"],
        ["500 (500–500)", "50 (50–50)"],
        ["10.0", "1.0"],
    ]


@pytest.fixture
def contender(backbone: Path, tmp_path: Path) -> PipelineContender:
    config = make_config(backbone, tmp_path)
    config.to_disk(tmp_path / "tiny.cfg")
    return PipelineContender(tmp_path / "tiny.cfg", {"training.dropout": 0.0}, WORKLOAD)


def test_a_pipeline_is_trained_and_predicts(contender: PipelineContender) -> None:
    assert contender.name == "tiny" and len(contender.test) == 3
    before = all_weights(contender.nlp)
    turns = [contender.train() for _ in range(2)]
    assert not same_weights(before, all_weights(contender.nlp))
    longest = max(len(example) for example in contender.training)
    for turn in turns:  # batches of up to four documents
        assert 0 < turn.words <= 2 * 4 * longest and turn.seconds > 0
    turn = contender.predict()
    assert turn.words == sum(len(example.y) for example in contender.test)


def test_sentences_of_span_marker_are_the_pipelines(contender: PipelineContender) -> None:
    known = [example for example in contender.training if example.y.ents]
    found = to_sentences(known, None)
    assert found.tokens == [[token.text for token in example.y] for example in known]
    assert all(found.gold) and len(found.gold) == len(known)
    assert to_sentences(known, "missing").gold == [set()] * len(known)


def test_texts_of_the_trainer_are_the_pipelines(contender: PipelineContender) -> None:
    known = [
        example.y
        for example in contender.training
        if any(key.startswith("sentiment/") for key in example.y.cats)
    ]
    found = to_texts(contender.training, "sentiment")
    assert found.texts == [doc.text for doc in known] and found.words == sum(map(len, known))
    with pytest.raises(MtnlpError, match="E513"):
        to_texts(contender.training, "weather")


def test_the_trainer_trains_and_predicts(
    contender: PipelineContender, backbone: Path, tmp_path: Path
) -> None:
    pytest.importorskip("accelerate", reason="the Trainer needs accelerate")
    contender.training = contender.test = 4 * contender.training
    texts = to_texts(contender.training, "sentiment")
    batch = 2
    trainer = TrainerContender(
        contender, "sentiment", str(backbone), batch, WORKLOAD, str(tmp_path)
    )
    before = {name: value.clone() for name, value in trainer.trainer.model.state_dict().items()}
    turn = trainer.train()
    assert 0 < turn.words <= texts.words and turn.seconds > 0
    assert trainer.trainer.state.global_step == WORKLOAD.steps
    after = trainer.trainer.model.state_dict()
    assert any(not torch.equal(value, after[name]) for name, value in before.items())
    assert trainer.predict().words == texts.words
