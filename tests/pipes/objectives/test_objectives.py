"""The losses of vectors, against their definitions and against sentence-transformers'."""

import math
from typing import Any, Dict, List

import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc

from mtnlp.annotation.pairs import join_sides
from mtnlp.errors import MtnlpError
from mtnlp.gold.opinions import CategoryOpinion, VectorOpinion, set_opinions
from mtnlp.pipes.objectives.anchor import create_anchor_objective_v1
from mtnlp.pipes.objectives.base import DocObjective, PairObjective
from mtnlp.pipes.objectives.contrastive import create_contrastive_objective_v1
from mtnlp.pipes.objectives.cosent import create_cosent_v1
from mtnlp.pipes.objectives.multiple_negatives import Texts, create_multiple_negatives_v1
from mtnlp.pipes.objectives.pair_regression import create_pair_regression_v1
from mtnlp.pipes.vector_targets import Chosen, objective_loss

NLP = spacy.blank("en")
N, WIDTH = 6, 5
SIMILARITIES = [0.9, 0.1, 0.4, 0.4, 1.0, 0.0]
TEXTS = [Texts(f"a{i}", f"b{i}") for i in range(N)]


def random(seed: int, *shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


FIRST, SECOND = random(1, N, WIDTH), random(2, N, WIDTH)


def cosine(one: Any, other: Any) -> float:
    return float(one @ other / (one.norm() * other.norm()))


def pair(similarity: Any = None) -> Doc:
    doc = NLP(join_sides("One sentence", "another"))
    doc.spans["pair"] = [doc[:2], doc[3:]]
    if similarity is not None:
        doc.cats["similarity"] = similarity
    return doc


# Pairs


def brute_regression() -> float:
    cosines = [cosine(a, b) for a, b in zip(FIRST, SECOND, strict=True)]
    return sum((c - s) ** 2 for c, s in zip(cosines, SIMILARITIES, strict=True))


def brute_cosent() -> float:
    cosines = [cosine(a, b) for a, b in zip(FIRST, SECOND, strict=True)]
    total = 1.0
    for i in range(N):
        for j in range(N):
            if SIMILARITIES[i] > SIMILARITIES[j]:
                total += math.exp(20 * (cosines[j] - cosines[i]))
    return N * math.log(total)


def brute_negatives() -> float:
    total = 0.0
    for i in range(N):
        scores = [math.exp(20 * cosine(FIRST[i], SECOND[j])) for j in range(N)]
        total -= math.log(scores[i] / sum(scores))
    return total


PAIRS: Dict[str, Any] = {
    "CosineSimilarityLoss": (create_pair_regression_v1(), SIMILARITIES, brute_regression),
    "CoSENTLoss": (create_cosent_v1(), SIMILARITIES, brute_cosent),
    "MultipleNegativesRankingLoss": (create_multiple_negatives_v1(), TEXTS, brute_negatives),
}


@pytest.mark.parametrize("peer", PAIRS)
def test_losses_of_pairs(peer: str) -> None:
    """Summed over the pairs; the peer has the mean, and the same gradients."""
    losses = pytest.importorskip("sentence_transformers.losses")
    objective, gold, brute = PAIRS[peer]
    grads = []
    for run in (
        lambda a, b: objective.loss(a, b, gold) / N,
        lambda a, b: getattr(losses, peer)(torch.nn.Identity()).compute_loss_from_embeddings(
            [a, b], torch.tensor(SIMILARITIES, dtype=torch.float64)
        ),
    ):
        first, second = FIRST.clone().requires_grad_(), SECOND.clone().requires_grad_()
        loss = run(first, second)
        loss.backward()
        assert float(loss.detach()) == pytest.approx(brute() / N, rel=1e-6)
        grads.append((first.grad, second.grad))
    torch.testing.assert_close(grads[0], grads[1], rtol=1e-6, atol=1e-8)
    inputs = (FIRST.clone().requires_grad_(), SECOND.clone().requires_grad_())
    assert torch.autograd.gradcheck(lambda a, b: objective.loss(a, b, gold), inputs)


def test_pairs_that_are_no_negatives() -> None:
    """The same first text, or the same second one, has no other's for a negative."""
    gold = [Texts("a", "b"), Texts("a", "c"), Texts("d", "b"), Texts("e", "f")]
    negatives = {0: [3], 1: [2, 3], 2: [1, 3], 3: [0, 1, 2]}
    expected = 0.0
    for i, others in negatives.items():
        scores = {j: math.exp(20 * cosine(FIRST[i], SECOND[j])) for j in (i, *others)}
        expected -= math.log(scores[i] / sum(scores.values()))
    found = create_multiple_negatives_v1().loss(FIRST[:4], SECOND[:4], gold)
    assert float(found) == pytest.approx(expected, rel=1e-9)


def test_a_batch_of_one_pair() -> None:
    for objective, gold, _ in PAIRS.values():
        first = FIRST[:1].clone().requires_grad_()
        objective.loss(first, SECOND[:1], gold[:1]).backward()
        assert first.grad is not None and torch.isfinite(first.grad).all()
    assert float(create_cosent_v1().loss(FIRST[:1], SECOND[:1], [0.5])) == 0.0


def test_what_pairs_say() -> None:
    regression, ranking, negatives = (PAIRS[name][0] for name in PAIRS)
    for similarity, gold, found in (
        (None, None, Texts("One sentence", "another")),
        (0.3, 0.3, None),
        (0.8, 0.8, Texts("One sentence", "another")),
    ):
        doc = pair(similarity)
        assert regression.read(doc, "x") == ranking.read(doc, "x") == gold
        assert negatives.read(doc, "x") == found
    assert create_multiple_negatives_v1(min_similarity=0.0).read(pair(0.0), "x") is not None
    doc = NLP("No pair")
    doc.cats["similarity"] = 1.0
    assert not any(objective.read(doc, "x") for objective in (regression, ranking, negatives))


# Documents


def test_supervised_contrastive() -> None:
    """Against the definition, with a document of two labels and one of a label of its own."""
    gold = [frozenset(labels.split()) for labels in ("a", "b", "a b", "c", "a", "b")]
    expected = 0.0
    for i in range(N):
        positive = [j for j in range(N) if j != i and gold[i] & gold[j]]
        scores = {j: math.exp(cosine(FIRST[i], FIRST[j]) / 0.5) for j in range(N) if j != i}
        for j in positive:
            expected -= math.log(scores[j] / sum(scores.values())) / len(positive)
    objective = create_contrastive_objective_v1("topic", temperature=0.5)
    assert float(objective.loss(FIRST, gold)) == pytest.approx(expected, rel=1e-9)
    inputs = (FIRST.clone().requires_grad_(),)
    assert torch.autograd.gradcheck(lambda x: objective.loss(x, gold), inputs)
    for alone in (gold[:1], gold[:2]):  # nobody shares a label
        vectors = FIRST[: len(alone)].clone().requires_grad_()
        loss = objective.loss(vectors, alone)
        loss.backward()
        assert float(loss.detach()) == 0.0 and not vectors.grad.any()


def test_what_documents_say_of_a_task() -> None:
    objective = create_contrastive_objective_v1("topic")
    doc = NLP("A text")
    assert objective.read(doc, "x") is None
    doc.cats = {"topic/SPORT": 1.0, "topic/MONEY": 1.0, "topic/ART": 0.0, "mood/good": 1.0}
    assert objective.read(doc, "x") == {"topic/SPORT", "topic/MONEY"}
    doc.cats = {"topic/SPORT": 0.0, "mood/good": 1.0}
    assert objective.read(doc, "x") is None


def test_anchor() -> None:
    """1 - cosine to each teacher, the mean over several; a teacher's own vectors cost nothing."""
    teachers = random(3, 3, WIDTH).float()
    gold = [teachers[:1].numpy(), teachers[1:].numpy()]
    objective = create_anchor_objective_v1()
    expected = 1 - cosine(FIRST[0], teachers[0].double())
    expected += 1 - sum(cosine(FIRST[1], teacher.double()) for teacher in teachers[1:]) / 2
    assert float(objective.loss(FIRST[:2], gold)) == pytest.approx(expected, rel=1e-6)
    assert float(objective.loss(2 * teachers[:1], gold[:1])) == pytest.approx(0.0, abs=1e-6)
    inputs = (FIRST[:2].clone().requires_grad_(),)
    assert torch.autograd.gradcheck(lambda x: objective.loss(x, gold), inputs)
    for width in (4, 6):
        with pytest.raises(MtnlpError, match=rf"E757.*5 numbers.*{width}"):
            objective_loss(objective, Chosen([[0]], gold[:1]), random(4, 1, width), [2])


def test_what_teachers_say() -> None:
    doc, objective = NLP("A text"), create_anchor_objective_v1()
    assert objective.read(doc, "vectors") is None
    one, other = np.ones(4), np.arange(4.0)
    nothing = CategoryOpinion((), np.zeros(0, dtype="f"), ())
    opinions = [VectorOpinion(one), nothing, VectorOpinion(np.zeros(4)), VectorOpinion(other)]
    set_opinions(doc, {"vectors": opinions, "other": [VectorOpinion(np.zeros(4))]})
    found = objective.read(doc, "vectors")
    assert found is not None and found.tolist() == [one.tolist(), other.tolist()]
    assert objective.read(doc, "other") is objective.read(doc, "third") is None


# Both


def all_objectives() -> List[Any]:
    labels = [frozenset(label) for label in "aabbaa"]
    teachers = [vector[None] for vector in random(5, N, WIDTH).numpy()]
    return [
        (create_anchor_objective_v1(), teachers),
        (create_contrastive_objective_v1("t"), labels),
        *((objective, gold) for objective, gold, _ in PAIRS.values()),
    ]


def rows_of(objective: Any) -> List[List[int]]:
    """Two rows for each pair, or one for each document."""
    if isinstance(objective, PairObjective):
        return [[i, i + 1] for i in range(0, 2 * N, 2)]
    return [[i] for i in range(N)]


def loss_of_prefix(objective: Any, gold: Any, vectors: torch.Tensor, width: int) -> float:
    if isinstance(objective, PairObjective):
        return float(objective.loss(vectors[0::2, :width], vectors[1::2, :width], gold))
    if objective.name.startswith("mtnlp.Anchor"):
        gold = [teacher[:, :width] for teacher in gold]
    return float(objective.loss(vectors[:N, :width], gold))


def test_prefixes() -> None:
    """Matryoshka: the mean of the losses on the vectors and on each prefix; one that is as long as
    they are is these again."""
    vectors = random(6, 2 * N, WIDTH)
    for objective, gold in all_objectives():
        chosen = Chosen(rows_of(objective), gold)
        found = objective_loss(objective, chosen, vectors, [2, 3, WIDTH])
        parts = [loss_of_prefix(objective, gold, vectors, width) for width in (2, 3, WIDTH)]
        assert float(found) == pytest.approx(sum(parts) / 3, rel=1e-6)


def test_vectors_of_zeros_and_no_units() -> None:
    for objective, gold in all_objectives():
        vectors = torch.zeros(2 * N, WIDTH, requires_grad=True)
        objective_loss(objective, Chosen(rows_of(objective), gold), vectors, [2]).backward()
        assert vectors.grad is not None and torch.isfinite(vectors.grad).all()
        nothing = objective_loss(objective, Chosen([], []), vectors, [])
        assert float(nothing.detach()) == 0.0 and nothing.requires_grad


def test_a_doc_of_several_sides_has_their_mean() -> None:
    class Sums(DocObjective):
        name = "sums"

        def loss(self, vectors: torch.Tensor, gold: Any) -> torch.Tensor:
            return (vectors * torch.tensor([[1.0], [10.0]], dtype=vectors.dtype)).sum()

    found = objective_loss(Sums(), Chosen([[0, 1], [2]], [0, 0]), FIRST[:3], [])
    assert float(found) == pytest.approx(float(FIRST[:2].mean(0).sum() + 10 * FIRST[2].sum()))


@pytest.mark.parametrize(
    ("make", "settings"),
    [
        (create_anchor_objective_v1, {"weight": -1.0}),
        (create_pair_regression_v1, {"weight": float("nan")}),
        (create_contrastive_objective_v1, {"task": "t", "temperature": 0.0}),
        (create_cosent_v1, {"scale": 0.0}),
        (create_multiple_negatives_v1, {"scale": -1.0}),
        (create_multiple_negatives_v1, {"min_similarity": 1.5}),
    ],
)
def test_settings_out_of_range(make: Any, settings: Dict[str, Any]) -> None:
    name = list(settings)[-1]
    with pytest.raises(MtnlpError, match=rf"E330.*mtnlp\..*{name}"):
        make(**settings)
