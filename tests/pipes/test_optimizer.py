"""A pipe and an optimizer with a rate of its own for heads."""

from pathlib import Path
from typing import Any

import pytest
from thinc.api import Optimizer

from mtnlp.training.fused_adam import create_fused_adam_v1

from .cases import (
    encoder_weights,
    head_weights,
    initialized,
    make_case,
    mixed_examples,
    same_weights,
    step,
    weights,
)

PIPES = ["crf_ents", "softmax", "multitask", "events"]


def heads_stand_still() -> Optimizer:
    return create_fused_adam_v1(0.01, head_factor=0.0)


@pytest.mark.parametrize("name", PIPES)
def test_the_factor_is_for_the_head_alone(name: str, backbone: Path) -> None:
    nlp = initialized(make_case(backbone, name))
    factory = nlp.pipe_names[-1]
    head, encoder = head_weights(nlp, factory), encoder_weights(nlp)
    step(nlp, mixed_examples(nlp), sgd=heads_stand_still())
    assert same_weights(head, head_weights(nlp, factory))
    assert not same_weights(encoder, encoder_weights(nlp))
    step(nlp, mixed_examples(nlp), sgd=create_fused_adam_v1(0.01))
    assert not same_weights(head, head_weights(nlp, factory))


def test_an_encoder_of_its_own_has_the_encoders_rate(backbone: Path) -> None:
    nlp = initialized(make_case(backbone, "events"))
    factory = nlp.pipe_names[-1]
    nlp.replace_listeners("transformer", factory, ["model.tok2vec"])
    pipe: Any = nlp.get_pipe(factory)
    head, encoder = head_weights(nlp, factory), weights(pipe.model.get_ref("tok2vec"))
    step(nlp, mixed_examples(nlp), sgd=heads_stand_still())
    assert same_weights(head, head_weights(nlp, factory))
    assert not same_weights(encoder, weights(pipe.model.get_ref("tok2vec")))
