"""`SpanTagger`: layout, loss, decoding, chunks."""

from typing import Any, Dict, List, Tuple

import pytest
import torch

from mtnlp.errors import MtnlpError
from mtnlp.losses.compound import build_compound_loss_v1
from mtnlp.losses.cross_entropy import CrossEntropy
from mtnlp.losses.dice import build_dice_loss_v1
from mtnlp.losses.focal import build_focal_loss_v1
from mtnlp.nn.span_scorers import BiaffineScorer, MarkerScorer
from mtnlp.nn.span_tagger import SpanTagger
from mtnlp.structured.span_enumeration import span_mask
from mtnlp.types import LossBatch
from tests.tensors import LargestTensor

WIDTH, LABELS, MAX_WIDTH = 6, ["A", "B", "C"], 3
LENGTHS = [5, 2, 0, 1]
SETTINGS: List[Dict[str, Any]] = [
    {},
    {"exclusive": False},
    {"scorer": MarkerScorer, "hidden": 7},
    {"chunk_size": 2},
    {"max_width": 1, "exclusive": False, "chunk_size": 3},
]


def make(width: int = WIDTH, **settings: Any) -> SpanTagger:
    torch.manual_seed(0)
    return SpanTagger(width, LABELS, **{"max_width": MAX_WIDTH, **settings}).eval()


def batch(lengths: List[int] = LENGTHS, width: int = WIDTH) -> Tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)
    return torch.randn(*mask.shape, width), mask


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_scores_are_those_of_each_text_alone(settings: Dict[str, Any]) -> None:
    tagger = make(**settings)
    inputs, mask = batch()
    output = tagger(inputs, mask)
    max_width = tagger.max_width
    assert output.scores.shape == (*mask.shape, max_width, len(LABELS) + tagger.exclusive)
    assert output.features.shape[:2] == mask.shape
    inside = span_mask(mask, tagger.max_width)
    for row, length in enumerate(LENGTHS):
        for start in range(length):
            for w in range(min(max_width, length - start)):
                # A text that ends with the span scores it alike.
                alone = inputs[row, : start + w + 1].unsqueeze(0)
                scores = tagger(alone, torch.ones(1, start + w + 1, dtype=torch.bool)).scores
                torch.testing.assert_close(output.scores[row, start, w], scores[0, start, w])
                assert inside[row, start, w]


@pytest.mark.parametrize("exclusive", [True, False])
def test_masked_spans_and_padding_have_no_gradient(exclusive: bool) -> None:
    tagger = make(exclusive=exclusive)
    inputs, mask = batch()
    inputs.requires_grad_()
    output = tagger(inputs, mask)
    annotated = span_mask(mask, tagger.max_width)
    annotated[0, :, 1:] = False
    shape = annotated.shape if exclusive else output.scores.shape
    target = torch.randint(0, 2, shape)
    scores = output.scores.detach()
    scores[~annotated] = torch.nan
    scores.requires_grad_()
    loss = tagger.loss(LossBatch(scores, output.features, target, annotated))
    loss.backward()
    assert torch.isfinite(loss) and scores.grad is not None
    assert not scores.grad[~annotated].any() and scores.grad[annotated].any()
    output.scores.backward(scores.grad)
    assert inputs.grad is not None and not inputs.grad[~mask].any()
    # The first text's tokens have a gradient by their own span alone.
    assert inputs.grad[0].any(-1).all()


def test_loss_by_hand() -> None:
    """Uniform scores: log 4 a span, and 2 + 1 spans up to two tokens."""
    tagger = make(max_width=2)
    mask = torch.ones(1, 2, dtype=torch.bool)
    target = torch.tensor([[[0, 3], [1, 0]]])
    scores = torch.zeros(1, 2, 2, 4)
    found = tagger.loss(LossBatch(scores, None, target, span_mask(mask, tagger.max_width)))
    assert found.item() == pytest.approx(3 * 1.3862944)
    each = make(max_width=2, exclusive=False)
    wanted = torch.nn.functional.one_hot(target, 4)[..., 1:].float()
    found = each.loss(LossBatch(scores[..., 1:], None, wanted, span_mask(mask, each.max_width)))
    assert found.item() == pytest.approx(3 * 3 * 0.6931472)


def test_the_loss_is_a_choice_and_sees_features_of_spans() -> None:
    class Spy(CrossEntropy):
        reads_features = True

        def forward(self, batch: LossBatch) -> torch.Tensor:
            self.features = batch.features
            return super().forward(batch)

    tagger = make(loss=Spy())
    inputs, mask = batch()
    output = tagger(inputs, mask)
    target = torch.zeros(*mask.shape, MAX_WIDTH, dtype=torch.long)
    given = LossBatch(output.scores, output.features, target, span_mask(mask, tagger.max_width))
    torch.testing.assert_close(tagger.loss(given), make().loss(given))
    spy: Any = tagger.criterion
    assert spy.features.shape == (*mask.shape, MAX_WIDTH, WIDTH)
    expected = (output.features[0, 1] + output.features[0, 3]) / 2
    torch.testing.assert_close(spy.features[0, 1, 2], expected)


def test_prior() -> None:
    """An untrained head without a say gives the shares of the data."""
    for exclusive, counts in ((True, [95, 3, 2, 0]), (False, [3, 2, 0])):
        tagger = make(exclusive=exclusive)
        positive = torch.tensor(counts)
        tagger.set_counts(torch.stack([positive, 100 - positive]))
        torch.nn.init.zeros_(tagger.scorer.form)  # type: ignore
        inputs, mask = batch()
        scores = tagger(inputs, mask).scores[0, 0, 0]
        shares = scores.softmax(-1)[1:] if exclusive else scores.sigmoid()
        assert shares.tolist() == pytest.approx([0.035, 0.025, 0.005], abs=1e-3)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("decoder", ["flat", "nested", "all"])
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5])
def test_decode(decoder: str, threshold: float, settings: Dict[str, Any]) -> None:
    """Every candidate and its probability, by loops; `find` without padding says the same."""
    tagger = make(**settings)
    inputs, mask = batch()
    inputs *= 8
    scores = tagger(inputs, mask).scores
    spans, probabilities = tagger.decode(scores, mask, decoder, threshold)
    assert spans.tolist() == sorted(spans.tolist())
    each = scores.softmax(-1)[..., 1:] if tagger.exclusive else scores.sigmoid()
    expected = {}
    for row, length in enumerate(LENGTHS):
        for start in range(length):
            for w in range(min(tagger.max_width, length - start)):
                values = each[row, start, w].tolist()
                labels = [values.index(max(values))] if tagger.exclusive else range(len(LABELS))
                for label in labels:
                    if values[label] >= threshold:
                        expected[row, start, start + w + 1, label] = values[label]
    found = dict(zip(map(tuple, spans.tolist()), probabilities.tolist(), strict=True))
    if decoder == "all":
        assert found == pytest.approx(expected)
    else:
        assert found == pytest.approx({key: expected[key] for key in found})
        assert bool(found) == bool(expected)
    lengths = torch.tensor(LENGTHS)
    again, same = tagger.find(inputs[mask], lengths, decoder, threshold)
    assert again.tolist() == spans.tolist()
    torch.testing.assert_close(same, probabilities)


def test_two_labels_of_one_span() -> None:
    scores = torch.full((1, 1, 1, 3), 2.0)
    mask = torch.ones(1, 1, dtype=torch.bool)
    assert len(make(max_width=1, exclusive=False).decode(scores, mask)[0]) == 3
    assert len(make(max_width=1, exclusive=False).decode(scores, mask, "flat")[0]) == 1


def test_nothing_to_read() -> None:
    tagger = make()
    inputs, mask = torch.zeros(2, 0, WIDTH), torch.zeros(2, 0, dtype=torch.bool)
    output = tagger(inputs, mask)
    assert output.scores.shape == (2, 0, MAX_WIDTH, 4)
    assert tagger.decode(output.scores, mask)[0].shape == (0, 4)
    assert tagger.find(inputs[mask], torch.tensor([0, 0]))[0].shape == (0, 4)
    with pytest.raises(MtnlpError, match="E232"):
        make(max_width=0)


# Chunks

LOSSES_OF_SCORES = [
    None,
    build_focal_loss_v1(),
    build_compound_loss_v1({"ce": CrossEntropy(), "dice": build_dice_loss_v1()}),
]


def loss_of(tagger: SpanTagger, inputs: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    output = tagger(inputs, mask)
    target = torch.zeros(*mask.shape, tagger.max_width, dtype=torch.long)
    given = LossBatch(output.scores, output.features, target, span_mask(mask, tagger.max_width))
    return tagger.loss(given)


@pytest.mark.parametrize("kind", [MarkerScorer, BiaffineScorer])
def test_chunks_change_nothing(kind: Any) -> None:
    found = []
    inputs, mask = batch([23, 9])
    for size in (1, 7, 100):
        tagger = make(scorer=kind, chunk_size=size).train()
        for module in tagger.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        leaf = inputs.clone().requires_grad_()
        loss = loss_of(tagger, leaf, mask)
        loss.backward()
        found.append([loss, leaf.grad, *(p.grad for p in tagger.parameters())])
    for other in found[1:]:
        torch.testing.assert_close(found[0], other)


@pytest.mark.parametrize("kind", [MarkerScorer, BiaffineScorer])
@pytest.mark.parametrize("loss", LOSSES_OF_SCORES, ids=lambda loss: type(loss).__name__)
def test_a_long_document_takes_bounded_memory(loss: Any, kind: Any) -> None:
    """2,000 tokens: hidden values of all spans would be 4 M numbers and more, their features 0.5 M,
    which a loss on scores alone does not need."""
    length, size, width = 2000, 64, 32
    tagger = make(width, scorer=kind, max_width=8, chunk_size=size, loss=loss)
    inputs, mask = batch([length], width)
    whole = length * 8 * 150
    with LargestTensor() as predicting:
        tagger.find(inputs[mask], torch.tensor([length]), "nested", 0.3)
    assert predicting.numbers < 1.2 * size * 8 * 256 < whole / 10
    with LargestTensor() as training:
        loss_of(tagger.train(), inputs.requires_grad_(), mask).backward()
    # The scores of all spans are there at once, their hidden values are not.
    assert training.numbers < max(1.2 * size * 8 * 256, 1.2 * length * 8 * 4) < whole / 10
    assert training.numbers < length * 8 * width / 2


def test_hidden_values_of_several_chunks_are_not_kept() -> None:
    inputs, mask = batch([400])
    inputs.requires_grad_()
    kept = {}
    for size in (20, 1000):
        total = 0

        def count(tensor: torch.Tensor) -> torch.Tensor:
            nonlocal total
            total += tensor.numel()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(count, lambda t: t):
            loss_of(make(max_width=8, chunk_size=size).train(), inputs, mask)
        kept[size] = total
    assert kept[1000] > 400 * 8 * 256 > 5 * kept[20]
