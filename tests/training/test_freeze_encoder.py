"""`mtnlp.FreezeEncoder.v1` outside of a training; in one: tests/pipes/test_frozen_encoder.py."""

from pathlib import Path
from typing import Any

import pytest

from mtnlp.errors import MtnlpError
from mtnlp.training.freeze_encoder import create_freeze_encoder_v1
from tests.tiny import make_examples, make_nlp


def test_freezes_the_component(backbone: Path) -> None:
    nlp = make_nlp(backbone, ["ner"])
    nlp.initialize(lambda: make_examples(nlp))
    create_freeze_encoder_v1(cache_size=3)(nlp)
    pipe: Any = nlp.get_pipe("transformer")
    assert pipe.model.frozen
    assert pipe.model.features.capacity == 3 * 2**20
    assert not any(weights.requires_grad for weights in pipe.model.transformer.parameters())


def test_no_such_component(backbone: Path) -> None:
    nlp = make_nlp(backbone, ["ner"])
    for name in ("encoder", "ner"):
        with pytest.raises(MtnlpError, match=f"E274.*'{name}'.*: transformer"):
            create_freeze_encoder_v1(name)(nlp)
