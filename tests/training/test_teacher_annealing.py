"""Teachers count less and less beside gold."""

import io
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest
import spacy
from spacy.language import Language
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as spacy_train
from thinc.api import Config

from mtnlp.errors import MtnlpError
from mtnlp.pipes.taught import Taught
from mtnlp.trainer.checkpoint import read_checkpoint
from mtnlp.training.teacher_annealing import create_teacher_annealing_v1
from tests.pipes.cases import initialized
from tests.tiny import make_nlp
from tests.training.loop_cases import Killed, make_config, run

ANNEALING = {"@callbacks": "mtnlp.TeacherAnnealing.v1"}
UNFREEZING = {"@callbacks": "mtnlp.GradualUnfreezing.v1"}


@pytest.fixture
def shares(monkeypatch: pytest.MonkeyPatch) -> List[float]:
    """The teachers' share in each batch that a component learns from."""
    seen: List[float] = []
    get_lesson = Taught.get_lesson

    def watched(pipe: Any, examples: Any) -> Any:
        if examples and pipe.name == "ner" and pipe.annealing is not None:
            seen.append(pipe.teacher_weight)
        return get_lesson(pipe, examples)

    monkeypatch.setattr(Taught, "get_lesson", watched)
    return seen


def configure(backbone: Path, folder: Path, place: str) -> Config:
    """place: of the callback."""
    config = make_config(backbone, folder, accumulate_gradient=1, max_epochs=2, eval_frequency=100)
    config["components"]["ner"]["teacher_weight"] = 0.8
    if place == "after_init":  # another callback stands at the other place
        config["initialize"] = {"after_init": ANNEALING}
        config["training"]["before_update"] = UNFREEZING
    else:
        config["training"]["before_update"] = ANNEALING
    return config


def expected(steps: int, start: float = 0.8) -> List[float]:
    return [start * (1 - step / (steps - 1)) for step in range(steps)]


def test_resumed(backbone: Path, tmp_path: Path, shares: List[float]) -> None:
    """From the teacher's weight to nothing over the training of `mtnlp train`, also when it goes on
    from a checkpoint; where the loop does not say which step it is, steps are counted."""
    config = configure(backbone, tmp_path, "after_init")
    run(config, tmp_path / "whole")
    assert len(shares) > 4 and shares == pytest.approx(expected(len(shares)))
    whole, shares[:] = list(shares), []
    with pytest.raises(Killed):
        run(config, tmp_path / "out", every=2, kill_at=3)
    checkpoint = read_checkpoint(tmp_path / "out")
    shares.clear()
    run(config, tmp_path / "out", checkpoint=checkpoint)
    assert checkpoint.steps > 0 and shares == whole[checkpoint.steps :]


def test_spacy_train(backbone: Path, tmp_path: Path, shares: List[float]) -> None:
    config = configure(backbone, tmp_path, "before_update")
    config["training"].update(max_epochs=-1, max_steps=2)
    nlp = init_nlp(config)
    spacy_train(nlp, None, stdout=io.StringIO(), stderr=io.StringIO())
    # spaCy counts from 0 and stops after the step with this number.
    assert shares == pytest.approx(expected(3))


def trained(backbone: Path, **training: Any) -> Language:
    nlp = initialized(make_nlp(backbone, ["ner", "sentence_vectors"]))
    nlp.config["training"].update(training)
    return nlp


def annealing(nlp: Language) -> Any:
    return nlp.get_pipe("ner").annealing  # type: ignore[attr-defined]


def test_a_length_of_its_own(backbone: Path) -> None:
    nlp, anneal = trained(backbone), create_teacher_annealing_v1(steps=101)
    anneal(nlp, {"step": 0, "epoch": 0})
    anneal(nlp, {"step": 40, "epoch": 0})
    assert annealing(nlp).factor == pytest.approx(0.6)
    # Another training of the same pipeline begins anew.
    create_teacher_annealing_v1(steps=11)(nlp, {"step": 0, "epoch": 0})
    assert (annealing(nlp).steps, annealing(nlp).factor) == (11, 1.0)
    assert nlp.get_pipe("sentence_vectors").annealing is None  # type: ignore[attr-defined]


def test_the_steps_that_another_callback_counted(backbone: Path) -> None:
    nlp = trained(backbone)
    nlp.config["initialize"]["before_init"] = {"@callbacks": "mtnlp.FitSchedule.v1"}
    nlp.config["training"]["optimizer"]["learn_rate"] = {"total_steps": 33}
    create_teacher_annealing_v1()(nlp)
    assert annealing(nlp).steps == 33


def test_it_is_not_saved(backbone: Path, tmp_path: Path) -> None:
    nlp = trained(backbone)
    create_teacher_annealing_v1(steps=3)(nlp, {"step": 2, "epoch": 0})
    assert nlp.get_pipe("ner").teacher_weight == 0.0  # type: ignore[attr-defined]
    nlp.to_disk(tmp_path)
    loaded: Any = spacy.load(tmp_path).get_pipe("ner")
    assert loaded.annealing is None and loaded.teacher_weight == 0.5


@pytest.mark.parametrize(
    "frozen, args", [(["ner"], {"step": 0, "epoch": 0}), (["ner", "transformer"], None)]
)
def test_nobody_to_learn(frozen: List[str], args: Optional[Dict[str, int]], backbone: Path) -> None:
    nlp = trained(backbone, frozen_components=frozen)
    with pytest.raises(MtnlpError, match=r"E736.*ner, sentence_vectors; frozen: ner"):
        create_teacher_annealing_v1(steps=3)(nlp, args)


def test_no_end(backbone: Path) -> None:
    with pytest.raises(MtnlpError, match="E431"):
        create_teacher_annealing_v1()(trained(backbone, max_epochs=0, max_steps=0))
    with pytest.raises(MtnlpError, match="E330"):
        create_teacher_annealing_v1(steps=-1)
