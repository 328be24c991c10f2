"""`Classifier.set_counts`: an untrained head's probabilities are the labels' shares."""

import torch

from mtnlp.nn.classifier import Classifier


def test_prior_is_the_share_of_each_label() -> None:
    tasks = {
        "sentiment": {"labels": ["neg", "pos"], "exclusive": True},
        "event": {"labels": ["A", "B"], "exclusive": False},
    }
    head = Classifier(4, tasks)
    n = 2000
    target = torch.zeros(n, 4)
    target[:500, 0] = 1.0
    target[500:, 1] = 1.0
    target[:200, 2] = 1.0
    target[:1000, 3] = 1.0
    mask = torch.ones(n, 4, dtype=torch.bool)
    mask[1000:, 3] = False  # label B is annotated in the first half alone, where it always holds
    head.set_counts(head.count(target, mask))
    output = head(torch.zeros(1, 4), torch.ones(1, dtype=torch.bool))
    got = head.decode(output.scores)[0]
    expected = torch.tensor([0.25, 0.75, 0.1, 1.0])
    assert torch.allclose(got, expected, atol=2e-3)


def test_prior_of_an_unseen_label_is_finite() -> None:
    head = Classifier(4, {"event": {"labels": ["A"], "exclusive": False}})
    head.set_counts(torch.zeros(2, 1))
    assert torch.isfinite(head.outputs[0].bias).all()
