"""Training in bf16: float32 weights, gradients close to those of fp32, and the same files."""

from pathlib import Path
from typing import Any, Dict

import numpy as np
import pytest
import spacy
from spacy.language import Language

from tests.pipes.cases import (
    EXACT,
    TEXTS,
    encoder_weights,
    gradients,
    head_weights,
    initialized,
    mixed_examples,
    train,
)
from tests.tiny import PIPES, make_nlp


def make_pipeline(backbone: Path, precision: str) -> Language:
    encoder = {**EXACT["transformer"], "precision": precision, "allow_slow": True}
    return initialized(make_nlp(backbone, PIPES, {**EXACT, "transformer": encoder}))


def flat_gradients(nlp: Language) -> np.ndarray:
    """All gradients of the encoder after one backward pass through all pipes."""
    nlp.update(mixed_examples(nlp), sgd=False)  # type: ignore[arg-type]
    pipe: Any = nlp.get_pipe("transformer")
    found = gradients(pipe.model.transformer)
    assert len(found) > 10
    assert all(value.dtype == np.float32 for value in found.values())
    return np.concatenate([value.ravel() for value in found.values()])


def test_gradients_are_close_to_those_of_fp32(backbone: Path) -> None:
    exact = flat_gradients(make_pipeline(backbone, "fp32"))
    rough = flat_gradients(make_pipeline(backbone, "bf16"))
    assert np.isfinite(rough).all()
    assert not np.allclose(rough, exact, rtol=1e-5)  # it did run in bf16
    assert rough @ exact / np.linalg.norm(rough) / np.linalg.norm(exact) > 0.99


def test_training(backbone: Path, tmp_path: Path) -> None:
    losses: Dict[str, Dict[str, float]] = {}
    for precision in ("fp32", "bf16"):
        nlp = make_pipeline(backbone, precision)
        first = train(nlp, mixed_examples(nlp), 1)
        losses[precision] = train(nlp, mixed_examples(nlp), 20)
        for name in ("ner", "fine_ner", "nested_ner", "textcat", "events"):
            assert losses[precision][name] < 0.5 * first[name]
        nlp.to_disk(tmp_path / precision)
    # As good as in float32, not only better than at first.
    total = {precision: sum(found[name] for name in PIPES) for precision, found in losses.items()}
    assert total["bf16"] == pytest.approx(total["fp32"], rel=0.2, abs=0.05)
    exact, rough = (spacy.load(tmp_path / precision) for precision in ("fp32", "bf16"))
    for name, value in encoder_weights(nlp).items():
        assert value.dtype == np.float32
        np.testing.assert_array_equal(encoder_weights(rough)[name], value)
        assert encoder_weights(exact)[name].shape == value.shape
    assert all(value.dtype == np.float32 for value in head_weights(rough, "ner").values())
    files = [
        sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
        for folder in (tmp_path / "fp32", tmp_path / "bf16")
    ]
    assert files[0] == files[1]
    for one, other in zip(nlp.pipe(TEXTS), rough.pipe(TEXTS), strict=True):
        assert one.cats == pytest.approx(other.cats, abs=1e-5)
