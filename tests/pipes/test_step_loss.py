"""`step_loss`: the loss of one step of the optimizer."""

from pathlib import Path
from typing import Any, Dict

import pytest
from thinc.api import Adam

from tests.pipes.cases import EXACT, initialized, mixed_examples, only
from tests.tiny import make_nlp


def test_the_sum_over_sub_batches(backbone: Path) -> None:
    nlp = initialized(make_nlp(backbone, ["ner"], EXACT))
    pipe: Any = nlp.get_pipe("ner")
    assert pipe.step_loss == 0.0
    examples = only(nlp, "ner")
    losses: Dict[str, float] = {}
    for part in (examples[:1], examples[1:]):
        nlp.update(part, sgd=False, losses=losses)  # type: ignore[arg-type]
    assert pipe.step_loss == losses["ner"] > 0
    whole = pipe.step_loss
    for _, component in nlp.pipeline:
        component.finish_update(Adam(0.0))  # type: ignore[attr-defined]
    assert pipe.step_loss == whole  # it can still be read
    nlp.update(examples[:1], sgd=False, losses=losses)  # type: ignore[arg-type]
    assert pipe.step_loss == pytest.approx(losses["ner"] - whole, rel=1e-5)


def test_a_step_without_annotation(backbone: Path) -> None:
    nlp = initialized(make_nlp(backbone, ["ner"], EXACT))
    pipe: Any = nlp.get_pipe("ner")
    nlp.update(only(nlp, "ner"), sgd=Adam(0.0))
    assert pipe.step_loss > 0
    others = [eg for eg in mixed_examples(nlp) if not eg.reference.has_annotation("ENT_IOB")]
    nlp.update(others, sgd=Adam(0.0))
    assert pipe.step_loss == 0.0
