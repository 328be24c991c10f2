"""Decoding under a condition on the tags, where scores underflow in probability space, too."""

from itertools import pairwise, product

import pytest
import torch

from mtnlp.nn.taggers import CRFTagger

LABELS = ["X", "Y"]


@pytest.mark.parametrize("scheme", ["bio", "biluo"])
@pytest.mark.parametrize("scale", [1.0, 300.0, 1e6])
def test_crf_under_a_condition_equals_enumeration(scheme: str, scale: float) -> None:
    torch.manual_seed(2)
    head = CRFTagger(8, LABELS, scheme)
    for parameter in head.crf.parameters():
        torch.nn.init.normal_(parameter)
    crf, tags = head.crf, head.scheme.tags(LABELS)
    scores = scale * torch.randn(2, 4, len(tags))
    mask = torch.tensor([[True] * 4, [True] * 3 + [False]])
    gold = torch.zeros(2, 4, dtype=torch.long)
    gold[0, 1] = tags.index("B-X" if scheme == "bio" else "U-X")
    missing = torch.tensor([[True, False, True, True], [True] * 4])
    allowed = head.scheme.refine(gold, missing, LABELS)
    spans, probabilities = head.decode(scores, mask, allowed=allowed)
    readings, logs = head.nbest(scores, mask, 3, allowed=allowed)
    assert [0, 1, 2, 0] in spans.tolist()
    assert probabilities[spans.tolist().index([0, 1, 2, 0])] == pytest.approx(1.0)
    for row, length in enumerate(mask.sum(1).tolist()):
        paths = [
            path
            for path in product(range(len(tags)), repeat=length)
            if crf.legal_start[path[0]]
            and crf.legal_end[path[-1]]
            and all(crf.legal_transitions[a, b] for a, b in pairwise(path))
            and all(allowed[row, t, tag] for t, tag in enumerate(path))
        ]
        totals = torch.tensor(
            [
                (crf.start[path[0]] + crf.end[path[-1]]).item()
                + scores[row, range(length), path].double().sum().item()
                + sum(crf.transitions[a, b].item() for a, b in pairwise(path))
                for path in paths
            ],
            dtype=torch.float64,
        )
        decoded = head.scheme.spans(torch.tensor(paths), torch.ones(len(paths), length).bool())
        best = decoded[decoded[:, 0] == totals.argmax()][:, 1:].tolist()
        own = spans[:, 0] == row
        assert spans[own][:, 1:].tolist() == best
        weights = totals.softmax(0)
        for span, found in zip(best, probabilities[own].tolist(), strict=True):
            holders = [doc for doc, *other in decoded.tolist() if other == span]
            assert found == pytest.approx(weights[holders].sum().item(), abs=1e-5)
        expected = totals.log_softmax(0).topk(3).values
        torch.testing.assert_close(logs[row], expected, rtol=1e-6, atol=1e-6)
    assert not torch.isnan(readings).any()


def test_all_allowed_is_no_condition() -> None:
    torch.manual_seed(0)
    head = CRFTagger(8, LABELS)
    scores, mask = torch.randn(2, 5, 5), torch.ones(2, 5, dtype=torch.bool)
    everything = torch.ones_like(scores, dtype=torch.bool)
    for one, other in zip(
        head.decode(scores, mask), head.decode(scores, mask, allowed=everything), strict=True
    ):
        assert torch.equal(one, other)
