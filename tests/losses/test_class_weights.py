"""Weights of classes from their counts, or given."""

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from mtnlp.errors import MtnlpError
from mtnlp.losses.class_weights import (
    ClassWeights,
    effective_number,
    given_weights,
    inverse_frequency,
)

COUNTS = torch.tensor([80, 15, 5])
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


def test_inverse_frequency_is_that_of_scikit_learn() -> None:
    units = np.repeat(np.arange(3), COUNTS.numpy())
    expected = compute_class_weight("balanced", classes=np.arange(3), y=units)
    np.testing.assert_allclose(inverse_frequency(COUNTS), expected)


def test_effective_number_by_hand() -> None:
    # 1 + 1/2 + 1/4 = 7/4 effective units against 1: weights 4/7 and 1, scaled by 14/11.
    weights = effective_number(torch.tensor([3, 1]), 0.5)
    torch.testing.assert_close(weights, torch.tensor([8 / 11, 14 / 11], dtype=torch.float64))


def test_limits_of_the_effective_number() -> None:
    torch.testing.assert_close(effective_number(COUNTS, 0.0), torch.ones(3, dtype=torch.float64))
    inverse = inverse_frequency(COUNTS)
    near = effective_number(COUNTS, 1 - 1e-9)
    torch.testing.assert_close(near, inverse / inverse.mean(), rtol=1e-6, atol=0)


@pytest.mark.parametrize("method", [inverse_frequency, effective_number])
def test_absent_classes_weigh_like_the_rarest(method: object) -> None:
    weights = method(torch.tensor([8, 0, 2]), 0.5)  # type: ignore[operator]
    assert weights[1] == weights[2] > weights[0]
    assert method(torch.zeros(3), 0.5).tolist() == [1.0] * 3  # type: ignore[operator]


def test_absent_classes_leave_the_others_as_they_are() -> None:
    with_absent = inverse_frequency(torch.tensor([8, 0, 2]))
    torch.testing.assert_close(with_absent[[0, 2]], inverse_frequency(torch.tensor([8, 2])))


def test_given_by_class_and_label() -> None:
    weights = given_weights({"PER": 3.0, "I-PER": 2.0, "O": 0.5}, TAGS)
    assert weights.tolist() == [0.5, 3.0, 2.0, 1.0, 1.0]


def test_unknown_names() -> None:
    with pytest.raises(MtnlpError, match=r"E218.*for ORG, but.*O, B-PER, I-PER.*, PER, LOC"):
        given_weights({"PER": 3.0, "ORG": 1.0}, TAGS)


def test_both_kinds_of_target() -> None:
    positive, negative = torch.tensor([6, 1]), torch.tensor([2, 7])
    weights = ClassWeights("x", "inverse_frequency", 0.9)
    weights.bind(["A", "B"])
    assert weights.by_class.tolist() == [1.0, 1.0]
    weights.set_counts(positive, negative)
    torch.testing.assert_close(weights.by_class, torch.tensor([7 / 12, 7 / 2]))
    # n / 2 over the label's own negatives and positives.
    expected = torch.tensor([[8 / 4, 8 / 14], [8 / 12, 8 / 2]])
    torch.testing.assert_close(weights.by_answer, expected)


def test_given_weights_are_of_yes() -> None:
    weights = ClassWeights("x", {"B": 4.0}, 0.9)
    weights.bind(["A", "B"])
    weights.set_counts(torch.tensor([6, 1]), torch.tensor([2, 7]))
    assert weights.by_class.tolist() == [1.0, 4.0]
    assert weights.by_answer.tolist() == [[1.0, 1.0], [1.0, 4.0]]


def test_they_are_state() -> None:
    made, other = (ClassWeights("x", "inverse_frequency", 0.9) for _ in range(2))
    made.bind(TAGS)
    made.set_counts(torch.arange(1, 6), torch.arange(5, 0, -1))
    other.bind(TAGS)
    other.load_state_dict(made.state_dict())
    assert torch.equal(made.by_class, other.by_class)
    assert torch.equal(made.by_answer, other.by_answer) and made.by_answer.dtype == torch.float32


def test_settings_that_cannot_be() -> None:
    with pytest.raises(MtnlpError, match=r"E217.*'inverse'.*inverse_frequency, effective_number"):
        ClassWeights("x", "inverse", 0.9)
    with pytest.raises(MtnlpError, match=r"E221.*x: the weight of PER = -1"):
        ClassWeights("x", {"PER": -1.0}, 0.9)
    with pytest.raises(MtnlpError, match=r"E221.*beta = 1"):
        ClassWeights("x", "effective_number", 1.0)
    with pytest.raises(MtnlpError, match="E215"):
        _ = ClassWeights("x", "inverse_frequency", 0.9).by_class
    with pytest.raises(MtnlpError, match="E215"):
        _ = ClassWeights("x", "inverse_frequency", 0.9).by_answer
