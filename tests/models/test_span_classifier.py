"""`mtnlp.SpanClassifier.v1` and `find_spans`."""

from typing import Any, Dict, List

import numpy as np
import pytest
import torch
from spacy import registry
from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.api import Model

from mtnlp.errors import MtnlpError
from mtnlp.models.span_classifier import find_spans
from mtnlp.models.torch_head import build_head, head_module
from mtnlp.nn.span_scorers import BiaffineScorer, MarkerScorer

WIDTH = 6


def rows(docs: List[Doc]) -> List[np.ndarray]:
    """Vectors of tokens by their text alone."""
    found = []
    for doc in docs:
        generators = [np.random.default_rng(token.lower) for token in doc]
        vectors = [4 * generator.standard_normal(WIDTH) for generator in generators]
        found.append(np.array(vectors, dtype="float32").reshape(-1, WIDTH))
    return found


def make(**settings: Any) -> Model:
    torch.manual_seed(0)
    encoder: Model = Model("rows", lambda model, docs, is_train: (rows(docs), lambda d: docs))
    block: Dict[str, Any] = {"@architectures": "mtnlp.SpanClassifier.v1", **settings}
    model = registry.resolve({"model": {**block, "tok2vec": encoder}})["model"]
    return model


DOCS = [
    Doc(Vocab(), words=words)
    for words in (["a", "b", "c", "d", "e"], [], ["b"], ["c", "a", "a"], [" "])
]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"exclusive": False, "max_width": 2, "hidden": 5},
        {"scorer": {"@layers": "mtnlp.MarkerScorer.v1", "hidden": 9}, "chunk_size": 3},
    ],
    ids=str,
)
def test_find_spans_is_decode_of_predict(settings: Dict[str, Any]) -> None:
    # A loss of both kinds of classes; it has no prior, so that some spans are found.
    model = make(**settings, loss={"@losses": "mtnlp.FocalLoss.v1"})
    head = model.get_ref("head")
    build_head(head, WIDTH, labels=["A", "B"])
    module = head_module(head)
    module.train()
    output, mask = model.predict(DOCS)
    expected, scores = module.decode(output.scores, mask, "all", 0.2)
    assert len(expected) > 3
    for batch in (DOCS, DOCS[1:2], []):
        spans, found = find_spans(head, rows(batch), "all", 0.2)
        assert not module.training and not found.requires_grad
        if batch is DOCS:
            assert spans.tolist() == expected.tolist()
            torch.testing.assert_close(found, scores)
        else:
            assert spans.shape == (0, 4)


def test_settings_reach_the_head() -> None:
    model = make(max_width=5, exclusive=False, hidden=4, dropout=0.3, chunk_size=17)
    build_head(model.get_ref("head"), WIDTH, labels=["A"])
    module = head_module(model.get_ref("head"))
    assert (module.max_width, module.exclusive, module.chunk_size) == (5, False, 17)
    assert module.body.output_width == 4 and module.body.layers[0].p == 0.3
    assert isinstance(module.scorer, BiaffineScorer)
    marker = make(scorer={"@layers": "mtnlp.MarkerScorer.v1"})
    build_head(marker.get_ref("head"), WIDTH, labels=["A"])
    assert isinstance(head_module(marker.get_ref("head")).scorer, MarkerScorer)


def test_a_head_that_is_not_built() -> None:
    with pytest.raises(MtnlpError, match="E205"):
        find_spans(make().get_ref("head"), rows(DOCS), "all", 0.5)
