"""Curves of a training, found beside a pipeline or where one says."""

from pathlib import Path

import pytest
import spacy

from mtnlp.analysis.training_curves import POINTS, read_training, thin_curves
from mtnlp.errors import MtnlpError
from mtnlp.training.tensorboard_scalars import Scalar


def write_events(folder: Path, value: float) -> None:
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder)) as writer:
        for step in range(3):
            writer.add_scalar("loss/ner", value + step, step)


def test_where_curves_are_looked_for(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    model = tmp_path / "training" / "model-best"
    model.mkdir(parents=True)
    assert read_training(nlp, model) == []
    write_events(tmp_path / "training" / "log", 1.0)
    expected = {"name": "log: loss/ner", "step": [0, 1, 2], "value": [1.0, 2.0, 3.0]}
    assert read_training(nlp, model) == [expected]
    # What lies beside a folder of another name may be anybody's.
    assert read_training(nlp, tmp_path / "training" / "other") == []
    # What the config's logger names comes first, also within another one.
    write_events(tmp_path / "named", 5.0)
    tensorboard = {"@loggers": "mtnlp.TensorBoardLogger.v1", "log_dir": str(tmp_path / "named")}
    nlp.config["training"]["logger"] = {"@loggers": "spacy.ChainLogger.v1", "logger1": tensorboard}
    assert read_training(nlp, model)[0]["value"] == [5.0, 6.0, 7.0]
    assert read_training(nlp, model, tmp_path / "training")[0]["name"] == "log: loss/ner"
    with pytest.raises(MtnlpError, match="E471"):
        read_training(nlp, model, model)


def test_long_curves_are_thinned_and_later_values_stand() -> None:
    scalars = [Scalar(".", "a", step, 0.0, float(step)) for step in range(10_000)]
    scalars += [Scalar(".", "a", 9_999, 1.0, -1.0), Scalar("run-2", "a", 3, 1.0, 0.5)]
    long, short = thin_curves(scalars)
    assert long["name"] == "a" and len(long["step"]) == len(long["value"]) <= POINTS
    assert (long["step"][0], long["step"][-1], long["value"][-1]) == (0, 9_999, -1.0)
    assert short == {"name": "run-2: a", "step": [3], "value": [0.5]}
