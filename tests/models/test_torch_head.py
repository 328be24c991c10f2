"""The torch head as a layer: built late, padded, differentiable."""

from typing import List

import numpy as np
import pytest
import torch

from mtnlp.errors import MtnlpError
from mtnlp.models.torch_head import build_head, doc_head, head_module, token_head
from mtnlp.types import HeadOutput


class Scorer(torch.nn.Module):
    """Two layers, so that scores and features differ."""

    def __init__(self, width: int, labels: List[str], hidden: int = 5):
        super().__init__()
        self.inner = torch.nn.Linear(width, hidden)
        self.outer = torch.nn.Linear(hidden, len(labels))

    def forward(self, inputs: torch.Tensor, mask: torch.Tensor) -> HeadOutput:
        features = self.inner(inputs).tanh()
        return HeadOutput(self.outer(features), features)


LABELS = ["A", "B", "C"]


def vectors(*lengths: int, width: int = 4) -> List[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.normal(size=(n, width)).astype("float32") for n in lengths]


@pytest.mark.parametrize("make", [token_head, doc_head])
def test_not_built(make: object) -> None:
    model = make(Scorer)  # type: ignore[operator]
    with pytest.raises(MtnlpError, match="E205"):
        head_module(model)
    with pytest.raises(MtnlpError, match="E205"):
        model.predict(vectors(2) if make is token_head else vectors(2)[0])


def test_built_when_sizes_are_known_and_again_at_another_width() -> None:
    model = token_head(Scorer)
    build_head(model, 4, labels=LABELS)
    assert head_module(model).inner.in_features == model.get_dim("nI") == 4
    build_head(model, 7, labels=LABELS, hidden=2)
    assert head_module(model).inner.in_features == model.get_dim("nI") == 7
    assert head_module(model).inner.out_features == 2
    assert len(model.shims) == 1


def test_weights_are_read_into_a_head_built_alike() -> None:
    model, other = token_head(Scorer), token_head(Scorer)
    build_head(model, 4, labels=LABELS)
    build_head(other, 4, labels=LABELS)
    batch = vectors(3, 2)
    before = model.predict(batch)[0].scores
    assert not torch.allclose(other.predict(batch)[0].scores, before)
    other.from_bytes(model.to_bytes())
    assert torch.equal(other.predict(batch)[0].scores, before)


def test_tokens_are_padded_and_masked() -> None:
    model = token_head(Scorer)
    build_head(model, 4, labels=LABELS)
    batch = vectors(3, 0, 1)
    (output, mask), _ = model(batch, is_train=False)
    assert mask.tolist() == [[True, True, True], [False] * 3, [True, False, False]]
    assert output.scores.shape == (3, 3, 3)
    module = head_module(model)
    for i, part in enumerate(batch):
        with torch.no_grad():
            expected = module(torch.from_numpy(part), None).scores
        torch.testing.assert_close(output.scores[i, : len(part)], expected)


def test_predicting_leaves_no_graph() -> None:
    model = token_head(Scorer)
    build_head(model, 4, labels=LABELS)
    for is_train in (True, False):
        (output, _), _ = model(vectors(2), is_train=is_train)
        assert not output.scores.requires_grad
        assert output.features is not None
        assert not output.features.requires_grad


@pytest.mark.parametrize("with_features", [True, False])
def test_gradients_of_tokens_are_those_of_autograd(with_features: bool) -> None:
    model = token_head(Scorer)
    build_head(model, 4, labels=LABELS)
    module = head_module(model)
    batch = vectors(3, 0, 1)
    (output, mask), backprop = model(batch, is_train=True)
    assert output.features is not None
    d_scores = torch.randn_like(output.scores) * mask[..., None]
    d_features = torch.randn_like(output.features) * mask[..., None]
    d_batch = backprop(HeadOutput(d_scores, d_features if with_features else None))
    found = [parameter.grad.clone() for parameter in module.parameters()]
    module.zero_grad()
    assert [part.shape for part in d_batch] == [part.shape for part in batch]
    for i, part in enumerate(batch):
        leaf = torch.from_numpy(part).requires_grad_()
        made = module(leaf, None)
        value = (made.scores * d_scores[i, : len(part)]).sum()
        if with_features:
            value = value + (made.features * d_features[i, : len(part)]).sum()
        value.backward()
        assert leaf.grad is not None
        np.testing.assert_allclose(d_batch[i], leaf.grad.numpy(), atol=1e-5)
    for grad, parameter in zip(found, module.parameters(), strict=True):
        torch.testing.assert_close(grad, parameter.grad, atol=1e-5, rtol=1e-4)


def test_gradients_of_docs_are_those_of_autograd() -> None:
    model = doc_head(Scorer)
    build_head(model, 4, labels=LABELS)
    module = head_module(model)
    (batch,) = vectors(5)
    (output, mask), backprop = model(batch, is_train=True)
    assert mask.tolist() == [True] * 5
    d_scores = torch.randn_like(output.scores)
    d_batch = backprop(HeadOutput(d_scores, None))
    leaf = torch.from_numpy(batch).requires_grad_()
    module(leaf, None).scores.backward(d_scores)
    assert leaf.grad is not None
    np.testing.assert_allclose(d_batch, leaf.grad.numpy(), atol=1e-6)


def test_batches_without_tokens() -> None:
    model = token_head(Scorer)
    build_head(model, 4, labels=LABELS)
    (output, mask), backprop = model(vectors(0, 0), is_train=True)
    assert output.scores.shape == (2, 0, 3)
    assert mask.shape == (2, 0)
    assert [part.shape for part in backprop(output)] == [(0, 4), (0, 4)]


def test_docs_of_a_batch_without_width() -> None:
    model = doc_head(Scorer)
    build_head(model, 4, labels=LABELS)
    (output, _), _ = model(np.zeros((2, 0), dtype="float32"), is_train=False)
    assert output.scores.shape == (2, 3)


class PerToken(Scorer):
    """Says that it needs no neighbours, and keeps the shapes it was given."""

    is_per_token = True

    def forward(self, inputs: torch.Tensor, mask: torch.Tensor) -> HeadOutput:
        self.shape = inputs.shape
        return super().forward(inputs, mask)


def test_scores_of_each_token_alone_are_padded_afterwards() -> None:
    padded, alone = token_head(Scorer), token_head(PerToken)
    for model in (padded, alone):
        build_head(model, 4, labels=LABELS)
    head_module(alone).load_state_dict(head_module(padded).state_dict())
    batch = vectors(3, 0, 2)
    (expected, mask), (found, same) = padded.predict(batch), alone.predict(batch)
    assert head_module(alone).shape == (1, 5, 4)
    assert mask.tolist() == same.tolist()
    assert torch.allclose(found.scores[mask], expected.scores[mask], atol=1e-6)
    assert found.scores.shape == expected.scores.shape and found.features is None
    trained, _ = alone.begin_update(batch)
    assert head_module(alone).shape == (3, 3, 4)
    assert trained[0].features.shape == (3, 3, 5)


def test_no_token_at_all() -> None:
    model = token_head(PerToken)
    build_head(model, 4, labels=LABELS)
    output, mask = model.predict(vectors(0, 0))
    assert output.scores.shape == (2, 0, 3) and mask.shape == (2, 0)
