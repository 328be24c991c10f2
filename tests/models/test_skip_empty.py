"""Batches in which no Doc has tokens never reach the tok2vec layer."""

from pathlib import Path
from typing import Any, List

import numpy as np
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model

from mtnlp.models.skip_empty import skip_empty
from tests.models.encoders import make_docs
from tests.models.test_listener import STOCK
from tests.tiny import make_nlp


def counting_layer() -> Model:
    """Ones for every token; `attrs["calls"]` counts the batches."""

    def forward(model: Model, docs: List[Doc], is_train: bool) -> Any:
        model.attrs["calls"] += 1
        vectors = [np.ones((len(doc), 3), dtype="float32") for doc in docs]
        return vectors, lambda d_vectors: ["backprop", *d_vectors]

    return Model("counting", forward, attrs={"calls": 0})


def test_layer_is_not_asked() -> None:
    inner = counting_layer()
    layer = skip_empty(inner)
    docs = [Doc(Vocab()), Doc(Vocab())]
    vectors, backprop = layer(docs, is_train=True)
    assert inner.attrs["calls"] == 0
    assert [len(part) for part in vectors] == [0, 0]
    assert backprop(vectors) == docs


def test_layer_is_asked_where_one_doc_has_tokens() -> None:
    inner = counting_layer()
    vectors, backprop = skip_empty(inner)([Doc(Vocab()), *make_docs(["a b"])], is_train=True)
    assert inner.attrs["calls"] == 1
    assert [part.shape for part in vectors] == [(0, 3), (2, 3)]
    assert backprop(["gradient"]) == ["backprop", "gradient"]


def test_stock_listener_survives_empty_texts(backbone: Path) -> None:
    nlp = make_nlp(backbone, [])
    config = {"model": {"@architectures": "mtnlp.TokenClassifier.v1", "tok2vec": STOCK}}
    ner: Any = nlp.add_pipe("crf_ner", config=config)
    ner.add_label("PER")
    doc = make_docs(["Anna"])[0]
    doc.ents = [doc.char_span(0, 4, "PER")]
    nlp.initialize(lambda: [Example(nlp.make_doc("Anna"), doc)])
    assert [len(doc) for doc in nlp.pipe(["", ""])] == [0, 0]
