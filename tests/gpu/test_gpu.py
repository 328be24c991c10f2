"""Training, prediction, bf16, thresholds and resuming on a GPU: `pytest -m gpu`."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
import torch
from spacy.language import Language
from thinc.api import require_cpu
from thinc.compat import has_cupy_gpu

from mtnlp.calibration.classifier_fit import FitOptions, fit_classifier
from mtnlp.calibration.collected_scores import CategoryScores, collect
from mtnlp.trainer.checkpoint import read_checkpoint
from tests.pipes.cases import (
    EXACT,
    LONG_TEXT,
    TEXTS,
    assert_same_answers,
    initialized,
    mixed_examples,
    train,
)
from tests.tiny import PIPES, make_nlp
from tests.training.loop_cases import Killed, all_weights, make_config, run

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"),
    pytest.mark.skipif(not has_cupy_gpu, reason="no cupy that sees a GPU: spaCy needs it"),
]
# A GPU adds up in other orders than a processor, and in TF32 with fewer digits.
TOLERANCE = 5e-3


def make_pipeline(backbone: Path, precision: str = "fp32") -> Language:
    encoder = {**EXACT["transformer"], "precision": precision}
    return initialized(make_nlp(backbone, PIPES, {**EXACT, "transformer": encoder}))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_and_prediction(backbone: Path, tmp_path: Path, precision: str) -> None:
    """What is trained on a GPU answers the same there, loaded there, and on a processor."""
    nlp = make_pipeline(backbone, precision)
    examples = mixed_examples(nlp)
    first = train(nlp, examples, 1)
    last = train(nlp, examples, 40)
    assert all(last[name] < 0.5 * first[name] for name in PIPES if name != "sentence_vectors")
    transformer: Any = nlp.get_pipe("transformer")
    assert transformer.model.transformer.device.type == "cuda"
    nlp.to_disk(tmp_path)
    texts = [*TEXTS, LONG_TEXT]
    answers = list(nlp.pipe(texts))
    for one, other in zip(answers, spacy.load(tmp_path).pipe(texts), strict=True):
        assert_same_answers(one, other, vectors=False)
    for doc in answers:
        doc.tensor = np.zeros((0,), dtype="float32")
    require_cpu()
    if precision == "fp32":
        for one, other in zip(answers, spacy.load(tmp_path).pipe(texts), strict=True):
            assert_same_answers(one, other, TOLERANCE, vectors=False)


def test_bf16_gradients_are_close(backbone: Path) -> None:
    found = []
    for precision in ("fp32", "bf16"):
        nlp = make_pipeline(backbone, precision)
        nlp.update(mixed_examples(nlp), sgd=False)  # type: ignore[arg-type]
        transformer: Any = nlp.get_pipe("transformer")
        parameters = transformer.model.transformer.parameters()
        found.append(torch.cat([p.grad.flatten() for p in parameters if p.grad is not None]))
    assert torch.isfinite(found[1]).all()
    assert torch.nn.functional.cosine_similarity(found[0], found[1], dim=0) > 0.99


def test_thresholds(backbone: Path) -> None:
    nlp = make_pipeline(backbone)
    examples = [eg for eg in mixed_examples(nlp) if eg.reference.cats]
    train(nlp, mixed_examples(nlp), 10)
    collected = CategoryScores(nlp.get_pipe("events"))
    collect(nlp, [collected], examples)
    fits = fit_classifier(collected, FitOptions(min_positives=1, smoothing=0.0))
    pipe: Any = nlp.get_pipe("events")
    assert fits and pipe.cfg["temperatures"] and pipe.cfg["thresholds"]
    assert nlp.evaluate(examples)["cats_event_macro_f"] > 0


def test_a_resumed_training_goes_on(backbone: Path, tmp_path: Path) -> None:
    """Kernels of a GPU are not exact to the bit: the weights are near, not equal."""
    config = make_config(backbone, tmp_path, max_steps=6)
    whole = run(config, tmp_path / "whole")
    with pytest.raises(Killed):
        run(config, tmp_path / "cut", every=1, kill_at=3)
    checkpoint = read_checkpoint(tmp_path / "cut")
    resumed = run(config, tmp_path / "cut", checkpoint=checkpoint)
    expected = all_weights(whole)
    for name, value in all_weights(resumed).items():
        np.testing.assert_allclose(value, expected[name], atol=1e-3, err_msg=name)
