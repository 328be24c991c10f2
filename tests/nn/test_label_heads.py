"""A network for each label, against a loop over labels; none touches another's."""

import pytest
import torch

from mtnlp.errors import MtnlpError
from mtnlp.nn.classifier import Classifier, LabelHeads
from mtnlp.types import LossBatch

TASKS = {
    "sentiment": {"labels": ["negative", "positive"], "exclusive": True},
    "event": {"labels": ["A", "B", "C"], "exclusive": False},
}


def test_it_is_a_network_for_each_label() -> None:
    torch.manual_seed(0)
    heads = LabelHeads(width=4, labels=3, hidden=5)
    inputs = torch.randn(7, 4)
    scores = heads(inputs)
    assert scores.shape == (7, 3)
    for i in range(3):
        hidden, output = torch.nn.Linear(4, 5), torch.nn.Linear(5, 1)
        with torch.no_grad():
            hidden.weight.copy_(heads.hidden_weight[i])
            hidden.bias.copy_(heads.hidden_bias[i])
            output.weight.copy_(heads.weight[i])
            output.bias.copy_(heads.bias[i])
        expected = torch.nn.Sequential(hidden, torch.nn.GELU(), output)(inputs)
        torch.testing.assert_close(scores[:, i : i + 1], expected)


def test_it_begins_like_a_linear_layer() -> None:
    heads = LabelHeads(width=16, labels=40, hidden=25)
    linear = torch.nn.Linear(16, 1000)
    for values in (heads.hidden_weight, heads.hidden_bias):
        assert values.abs().max() <= 1 / 4
        assert values.std().item() == pytest.approx(linear.weight.std().item(), rel=0.1)
    assert heads.weight.abs().max() <= 1 / 5 < 5 * heads.weight.std()


def test_a_label_moves_nothing_of_the_others() -> None:
    torch.manual_seed(0)
    heads = LabelHeads(width=4, labels=3, hidden=5)
    heads(torch.randn(7, 4))[:, 1].square().sum().backward()
    for parameter in heads.parameters():
        assert parameter.grad is not None and parameter.grad[1].any()
        assert not parameter.grad[[0, 2]].any()


def test_gradcheck() -> None:
    torch.manual_seed(0)
    heads = LabelHeads(width=3, labels=2, hidden=4).double()
    inputs = torch.randn(3, 3, dtype=torch.float64, requires_grad=True)
    parameters = tuple(heads.parameters())

    def run(inputs: torch.Tensor, *weights: torch.Tensor) -> torch.Tensor:
        named = dict(zip(dict(heads.named_parameters()), weights, strict=True))
        return torch.func.functional_call(heads, named, (inputs,))

    assert torch.autograd.gradcheck(run, (inputs, *parameters))


@pytest.mark.parametrize("batch", [0, 1])
def test_small_batches(batch: int) -> None:
    assert LabelHeads(4, 3, 5)(torch.zeros(batch, 4)).shape == (batch, 3)


def test_classifier_with_separate_heads() -> None:
    """The loss of one label moves that label's parameters alone; no layer is common to all."""
    torch.manual_seed(0)
    head = Classifier(4, TASKS, hidden=6, separate=True)
    assert not list(head.body.parameters())
    output = head(torch.randn(5, 4))
    assert output.scores.shape == (5, 5) and output.features.shape == (5, 4)
    mask = torch.zeros(5, 5, dtype=torch.bool)
    mask[:, 3] = True  # event B
    head.loss(LossBatch(output.scores, output.features, torch.ones(5, 5), mask)).backward()
    for parameter in head.outputs[1].parameters():
        assert parameter.grad is not None and parameter.grad[1].any()
        assert not parameter.grad[[0, 2]].any()
    assert not any(p.grad.any() for p in head.outputs[0].parameters() if p.grad is not None)


def test_separate_heads_begin_with_the_shares_of_their_labels() -> None:
    head = Classifier(4, TASKS, hidden=6, separate=True)
    target = torch.tensor([[0.0, 1.0, 1.0, 0.0, 0.0]]).repeat(1000, 1)
    target[:250] = torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0])
    head.set_counts(head.count(target, torch.ones(1000, 5, dtype=torch.bool)))
    with torch.no_grad():
        for output in head.outputs:
            output.weight.zero_()  # type: ignore[union-attr]
    shares = head.decode(head(torch.randn(1, 4)).scores)[0]
    torch.testing.assert_close(
        shares, torch.tensor([0.25, 0.75, 0.75, 0.25, 0.0]), atol=2e-3, rtol=0
    )


def test_separate_heads_need_a_hidden_layer() -> None:
    with pytest.raises(MtnlpError, match=r"E243.*hidden"):
        Classifier(4, TASKS, separate=True)
