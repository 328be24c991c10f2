"""PCGrad against the algorithm as the paper writes it."""

from typing import List

import numpy as np
import pytest
import torch

from mtnlp.training.pcgrad import (
    add_weighted,
    cosine_matrix,
    gram_matrix,
    pcgrad_weights,
    random_orders,
)


def transcription(gradients: np.ndarray, orders: List[List[int]]) -> np.ndarray:
    """Algorithm 1 of Yu et al. (2020), on whole vectors. gradients: `[tasks, parameters]`."""
    projected = gradients.copy()
    for i, order in enumerate(orders):
        for j in order:
            if j != i and projected[i] @ gradients[j] < 0:
                share = (projected[i] @ gradients[j]) / (gradients[j] @ gradients[j])
                projected[i] = projected[i] - share * gradients[j]
    return projected.sum(0)


def as_parts(vector: np.ndarray) -> List[torch.Tensor]:
    """A vector of 10 as the gradients of two parameters."""
    made = torch.from_numpy(vector.astype("float32"))
    return [made[:6].reshape(2, 3), made[6:]]


def step(gradients: np.ndarray, orders: List[List[int]]) -> np.ndarray:
    """The same by what is tested."""
    parts = [as_parts(vector) for vector in gradients]
    parameters = [torch.nn.Parameter(torch.zeros(2, 3)), torch.nn.Parameter(torch.zeros(4))]
    weights = pcgrad_weights(gram_matrix(parts), orders).tolist()
    add_weighted(parameters, parts, weights)
    found = [parameter.grad.flatten() for parameter in parameters if parameter.grad is not None]
    return torch.cat(found).numpy()


@pytest.mark.parametrize("tasks", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", range(10))
def test_against_the_algorithm(tasks: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    gradients = generator.normal(size=(tasks, 10)) * generator.uniform(0.1, 5, size=(tasks, 1))
    orders = random_orders(tasks, seed, step=3)
    assert step(gradients, orders) == pytest.approx(transcription(gradients, orders), abs=1e-5)


def test_two_tasks_by_hand() -> None:
    """(1, 0) and (-1, 1): the first becomes (1/2, 1/2), the second (0, 1)."""
    gradients = np.zeros((2, 10))
    gradients[0, 0] = 1.0
    gradients[1, [0, 6]] = -1.0, 1.0
    expected = np.zeros(10)
    expected[[0, 6]] = 0.5, 1.5
    assert step(gradients, [[0, 1], [1, 0]]) == pytest.approx(expected)


def test_without_conflict_nothing_changes() -> None:
    gradients = np.abs(np.random.default_rng(0).normal(size=(4, 10)))
    weights = pcgrad_weights(gradients @ gradients.T, random_orders(4, 0, 0))
    assert weights.tolist() == [1.0] * 4


def test_opposite_gradients_and_none() -> None:
    gradients = np.zeros((3, 10))
    gradients[0, 0], gradients[1, 0] = 2.0, -1.0
    assert step(gradients, random_orders(3, 0, 0)) == pytest.approx(np.zeros(10))


def test_the_order_matters_and_is_drawn_each_step() -> None:
    orders = [random_orders(4, seed=1, step=step) for step in range(5)]
    assert orders[2] == random_orders(4, seed=1, step=2)
    assert len({str(order) for order in orders}) == 5
    assert orders[0] != random_orders(4, seed=2, step=0)
    assert all(sorted(each) == [0, 1, 2, 3] for order in orders for each in order)
    gradients = np.random.default_rng(4).normal(size=(4, 10))
    gram = gradients @ gradients.T
    assert len({tuple(pcgrad_weights(gram, order)) for order in orders}) > 1


def test_parameters_that_a_task_does_not_reach() -> None:
    one: List = [torch.ones(2), None, None]
    other: List = [torch.tensor([1.0, -3.0]), torch.ones(1), None]
    assert gram_matrix([one, other]).tolist() == [[2.0, -2.0], [-2.0, 11.0]]
    parameters = [torch.nn.Parameter(torch.zeros(size)) for size in (2, 1, 1)]
    parameters[0].grad = torch.tensor([10.0, 10.0])
    add_weighted(parameters, [one, other], [2.0, 3.0])
    found = [None if part.grad is None else part.grad.tolist() for part in parameters]
    assert found == [[15.0, 3.0], [3.0], None]
    assert one[0].tolist() == [1.0, 1.0]


def test_cosines() -> None:
    vectors = np.array([[3.0, 0.0], [3.0, 3.0], [-1.0, 0.0], [0.0, 0.0]])
    cosines = cosine_matrix(vectors @ vectors.T)
    half = 0.5**0.5
    expected = [[1, half, -1], [half, 1, -half], [-1, -half, 1]]
    assert cosines[:3, :3] == pytest.approx(np.array(expected))
    assert np.isnan(cosines[3]).all() and np.isnan(cosines[:, 3]).all()
