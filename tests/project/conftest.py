"""A pipeline of all components over a tiny encoder, for everything that runs a trained one."""

from pathlib import Path
from typing import List, NamedTuple

import pytest
from spacy.language import Language
from spacy.training import Example

from ..pipes.cases import initialized, mixed_examples, train
from ..tiny import PIPES, make_nlp


class Joint(NamedTuple):
    """nlp: trained a little. examples: what on."""

    nlp: Language
    examples: List[Example]


@pytest.fixture(scope="session")
def joint(backbone: Path) -> Joint:
    nlp = make_nlp(backbone, PIPES, {"textcat": {"tasks": {"sentiment": {"exclusive": True}}}})
    examples = [eg for eg in mixed_examples(nlp) if "topic/SPORT" not in eg.reference.cats]
    train(initialized(nlp), examples, 10)
    nlp.add_pipe("sentencizer", first=True)
    return Joint(nlp, examples)
