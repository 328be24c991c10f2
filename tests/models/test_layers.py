"""Hidden states of several layers: from the encoder to a pooler and back."""

from pathlib import Path
from typing import Any, List

import numpy as np
import pytest
import torch
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab
from thinc.api import xp2torch

from mtnlp.errors import MtnlpError
from mtnlp.models.listener import build_transformer_listener_v1
from mtnlp.models.poolers import build_transformer_pooler_v1
from tests.models.encoders import NO_DROPOUT, TEXTS, make_docs, make_encoder

LAYERS = [0, 1]


def direct_states(model: Any, data: Any) -> List[torch.Tensor]:
    """`[wordpieces, width]` of the last layer and of `LAYERS`, window by window."""
    model.transformer.eval()
    ids = torch.from_numpy(data.wordpieces.input_ids[0])
    windows = []
    for window in ids.split(list(data.wordpieces.lengths)):
        output = model.transformer(input_ids=window[None], output_hidden_states=True)
        windows.append([output.last_hidden_state, *(output.hidden_states[i] for i in LAYERS)])
    return [torch.cat([states[i][0] for states in windows]) for i in range(1 + len(LAYERS))]


def test_states_are_those_of_hugging_face(any_backbone: Path) -> None:
    model = make_encoder(any_backbone, layers=LAYERS)
    last, *inner = direct_states(model, model.predict(make_docs([TEXTS[5]])).doc_data[0])
    (data,) = model.predict(make_docs([TEXTS[5]])).doc_data
    assert len(data.wordpieces.lengths) > 1
    np.testing.assert_allclose(
        data.model_output.last_hidden_state[0], last.detach().numpy(), atol=1e-5
    )
    for layer, states in zip(LAYERS, inner, strict=True):
        np.testing.assert_allclose(
            data.model_output[f"layer_{layer}"][0], states.detach().numpy(), atol=1e-5
        )
    (plain,) = make_encoder(any_backbone).predict(make_docs([TEXTS[5]])).doc_data
    assert list(plain.model_output) == ["last_hidden_state"]


def test_gradients_are_those_of_autograd(backbone: Path) -> None:
    """A pooler over all layers and a listener to the last one share the encoder."""
    model = make_encoder(backbone, layers=LAYERS, transformer_config=NO_DROPOUT)
    docs = make_docs(["", *TEXTS])
    output, backprop = model.begin_update(docs)
    pool = build_transformer_pooler_v1(layers=[1, 0], grad_factor=0.5).get_ref("pool")
    tokens = build_transformer_listener_v1().layers[1]
    pooled, backprop_pool = pool(output.doc_data, is_train=True)
    vectors, backprop_tokens = tokens(output.doc_data, is_train=True)
    assert pooled.shape == (len(docs), 32 * 3)
    random = np.random.default_rng(0)
    d_pooled = random.normal(size=pooled.shape).astype("float32")
    d_vectors = [random.normal(size=part.shape).astype("float32") for part in vectors]
    added = [
        [one + other for one, other in zip(a.tensors, b.tensors, strict=True)]
        for a, b in zip(backprop_pool(d_pooled), backprop_tokens(d_vectors), strict=True)
    ]
    backprop(output.unsplit_by_doc(added))
    found = gradients(model)
    model.transformer.zero_grad()
    full = [i for i, data in enumerate(output.doc_data) if len(data.align.lengths)]
    loss = torch.zeros(())
    for i in full:
        data: Any = output.doc_data[i]
        states = direct_states(model, data)
        asked = torch.cat([states[0], states[2], states[1]], 1)
        loss = loss + 0.5 * (asked.mean(0) * torch.from_numpy(d_pooled[i])).sum()
        for token, d_vector in enumerate(xp2torch(d_vectors[i])):
            rows = torch.from_numpy(data.align[token].dataXd.ravel()).long()
            loss = loss + (states[0][rows].mean(0) * d_vector).sum()
    loss.backward()
    assert len(found) == len(gradients(model)) > 10
    for ours, autograd in zip(found, gradients(model), strict=True):
        np.testing.assert_allclose(ours, autograd, rtol=1e-3, atol=1e-3)


def gradients(model: Any) -> List[np.ndarray]:
    parameters = model.transformer.parameters()
    return [p.grad.numpy().copy() for p in parameters if p.grad is not None]


def test_a_copy_hands_out_the_same(backbone: Path) -> None:
    model = make_encoder(backbone, layers=LAYERS)
    (one,) = model.predict(make_docs([TEXTS[0]])).doc_data
    (other,) = model.copy().predict(make_docs([TEXTS[0]])).doc_data
    np.testing.assert_array_equal(one.model_output["layer_1"], other.model_output["layer_1"])


@pytest.mark.parametrize(("layer", "code"), [(-1, "E330"), (99, "E206")])
def test_no_such_layer(backbone: Path, layer: int, code: str) -> None:
    with pytest.raises(MtnlpError, match=f"{code}.*{layer}"):
        make_encoder(backbone, layers=[layer]).predict(make_docs([TEXTS[0]]))


def test_a_pooler_that_asks_in_vain(backbone: Path) -> None:
    datas = make_encoder(backbone, layers=[0]).predict(make_docs([TEXTS[0]])).doc_data
    with pytest.raises(MtnlpError, match=r"E207.*layer 1"):
        build_transformer_pooler_v1(layers=[1]).get_ref("pool").predict(datas)


def test_states_survive_a_docbin(backbone: Path) -> None:
    model = make_encoder(backbone, layers=LAYERS)
    (doc,) = make_docs([TEXTS[0]])
    if not Doc.has_extension("trf_data"):
        Doc.set_extension("trf_data", default=None)
    (doc._.trf_data,) = model.predict([doc]).doc_data
    data = DocBin(docs=[doc], store_user_data=True).to_bytes()
    (loaded,) = DocBin(store_user_data=True).from_bytes(data).get_docs(Vocab())
    np.testing.assert_array_equal(
        loaded._.trf_data.model_output["layer_1"], doc._.trf_data.model_output["layer_1"]
    )
