"""`trf_data_cleaner` frees the hidden states and keeps what vectors are made of."""

from pathlib import Path

import numpy as np

from tests.pipes.cases import initialized
from tests.tiny import make_nlp


def test_vectors_of_spans_outlive_the_hidden_states(backbone: Path) -> None:
    nlp = initialized(make_nlp(backbone, ["sentence_vectors"]))
    text = "Anna Keller flew to Paris ."
    before = nlp(text)
    nlp.add_pipe("trf_data_cleaner")
    after = nlp(text)
    assert before._.trf_data is not None and after._.trf_data is None
    assert np.allclose(after[:2].vector, before[:2].vector)
    assert np.any(after[:2].vector)
