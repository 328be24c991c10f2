"""A tiny encoder of four layers, as the pages name layer 3, and a trained pipeline over it."""

from pathlib import Path
from typing import Any, Dict

import pytest
from spacy.language import Language

from tests import tiny
from tests.pipes.cases import initialized, mixed_examples, train
from tests.tiny import PIPES, make_backbone, make_nlp

# Where the pages say that the encoder is.
BACKBONE = "assets/backbone/all-MiniLM-L6-v2"


@pytest.fixture(scope="session")
def deep_backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sizes: Dict[str, Any] = {**tiny.SIZES, "num_hidden_layers": 6}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny, "SIZES", sizes)
        return make_backbone("bert", tmp_path_factory.mktemp("deep") / "bert")


@pytest.fixture(scope="session")
def served(deep_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a pipeline with the components of en_mtnlp."""
    nlp: Language = make_nlp(deep_backbone, PIPES)
    examples = [eg for eg in mixed_examples(nlp) if "topic/SPORT" not in eg.reference.cats]
    train(initialized(nlp), examples, 10)
    nlp.add_pipe("sentencizer", first=True)
    nlp.add_pipe("trf_data_cleaner")
    folder = tmp_path_factory.mktemp("served") / "model"
    nlp.to_disk(folder)
    return folder
