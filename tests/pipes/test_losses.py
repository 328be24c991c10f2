"""Every loss by config alone: the pipes learn with it, and keep it on disk.

All losses of classes are tried on tags, all of labels on events. The other heads have one of each
kind: with a state that is counted in the data, with classes that are named, with parameters of its
own, with denominators of a batch, on representations. The numbers are tested in `tests/losses`.
"""

from pathlib import Path
from typing import Any, Dict

import pytest
import spacy
import torch
from spacy.language import Language
from thinc.api import fix_random_seed

from mtnlp.errors import MtnlpError
from tests.pipes.cases import (
    EXACT_ENCODER,
    TASKS,
    assert_same_answers,
    initialized,
    mixed_examples,
    train,
)
from tests.tiny import make_nlp

Block = Dict[str, Any]


def block(name: str, **settings: Any) -> Block:
    return {"@losses": f"mtnlp.{name}.v1", **settings}


def compound(weights: Dict[str, float], **losses: Block) -> Block:
    return block("CompoundLoss", weights=weights, losses=losses)


EITHER: Dict[str, Block] = {
    "focal": block("FocalLoss"),
    "focal_inverse_frequency": block("FocalLoss", gamma=1.0, alpha="inverse_frequency"),
    "dice": block("DiceLoss"),
    "self_adjusting_dice": block("DiceLoss", alpha=0.01),
    "label_smoothing": block("LabelSmoothing", smoothing=0.05),
}
OF_CLASSES: Dict[str, Block] = {
    **EITHER,
    "cross_entropy": block("CrossEntropy"),
    "inverse_frequency": block("WeightedCrossEntropy"),
    "effective_number": block("WeightedCrossEntropy", weights="effective_number", beta=0.9),
    "embedding_label_smoothing": block("EmbeddingLabelSmoothing"),
    "contrastive": compound({"near": 0.1}, ce=block("CrossEntropy"), near=block("ContrastiveLoss")),
}
OF_TASKS: Dict[str, Block] = {
    **OF_CLASSES,
    "given_weights": block("WeightedCrossEntropy", weights={"positive": 2.0}),
}
OF_TAGS: Dict[str, Block] = {
    **OF_CLASSES,
    "given_weights": block("WeightedCrossEntropy", weights={"PER": 2.0, "B-LOC": 3.0, "O": 0.5}),
    "boundary": block("BoundaryLoss"),
}
KINDS_OF_CLASSES = [
    "dice",
    "focal_inverse_frequency",
    "embedding_label_smoothing",
    "contrastive",
    "given_weights",
]
KINDS_OF_LABELS = ["self_adjusting_dice", "effective_number", "compound", "given_weights"]
OF_EMISSIONS: Dict[str, Block] = {
    **{name: OF_TAGS[name] for name in ("label_smoothing", "dice", "given_weights", "boundary")},
    "crf": block("CRFLikelihood"),
    "crf_and_all": compound(
        {"crf": 1.0, "rest": 0.5},
        crf=block("CRFLikelihood"),
        rest=compound(
            {"near": 0.1},
            focal=block("FocalLoss", alpha="effective_number"),
            span=block("BoundaryLoss"),
            near=block("ContrastiveLoss"),
        ),
    ),
}
OF_LABELS: Dict[str, Block] = {
    **EITHER,
    "binary_cross_entropy": block("BinaryCrossEntropy"),
    "inverse_frequency": block("WeightedBinaryCrossEntropy"),
    "effective_number": block("WeightedBinaryCrossEntropy", weights="effective_number", beta=0.9),
    "asymmetric": block("AsymmetricLoss", gamma_neg=2.0),
    "compound": compound({"dice": 0.5}, bce=block("BinaryCrossEntropy"), dice=block("DiceLoss")),
}
OF_SPANS: Dict[str, Block] = {
    **OF_CLASSES,
    "given_weights": block("WeightedCrossEntropy", weights={"ORG": 2.0, "O": 0.5}),
    "near": block("ContrastiveLoss"),
}
OF_NESTED_SPANS: Dict[str, Block] = {
    **OF_LABELS,
    "given_weights": block("WeightedBinaryCrossEntropy", weights={"ORG": 2.0}),
}
OF_EVENTS: Dict[str, Block] = {
    **OF_LABELS,
    "given_weights": block("WeightedBinaryCrossEntropy", weights={"DEATH": 2.0}),
}


def with_loss(backbone: Path, factory: str, **config: Any) -> Language:
    """A pipeline without dropout. config: the factory's."""
    config["model"] = {"dropout": 0.0, **config["model"]}
    return make_nlp(backbone, [factory], {"transformer": EXACT_ENCODER, factory: config})


def loss_of(nlp: Language) -> float:
    """The last pipe's loss on the mixed corpus, without a step."""
    losses: Dict[str, float] = {}
    nlp.update(mixed_examples(nlp), sgd=False, losses=losses)  # type: ignore[arg-type]
    nlp.get_pipe(nlp.pipe_names[-1]).module.zero_grad()  # type: ignore[attr-defined]
    return losses[nlp.pipe_names[-1]]


def check(nlp: Language, folder: Path) -> None:
    """It learns, and a loaded pipeline has the same answers, scores, loss and state."""
    initialized(nlp)
    before = loss_of(nlp)
    train(nlp, mixed_examples(nlp), 12)
    after = loss_of(nlp)
    assert after < 0.9 * before

    nlp.to_disk(folder)
    fix_random_seed(1)  # what is drawn when a head is built must not matter
    loaded = spacy.load(folder)
    assert loss_of(loaded) == pytest.approx(after, rel=1e-5, abs=1e-7)
    modules = [part.get_pipe(nlp.pipe_names[-1]).module for part in (nlp, loaded)]  # type: ignore
    first, second = (module.state_dict() for module in modules)
    assert all(torch.equal(first[name], second[name]) for name in first)
    examples = mixed_examples(nlp)
    one, other = nlp.evaluate(examples), loaded.evaluate(mixed_examples(loaded))
    assert {key: one[key] for key in one if key != "speed"} == {
        key: other[key] for key in other if key != "speed"
    }
    for example in examples[:3]:
        assert_same_answers(nlp(example.text), loaded(example.text), 1e-6)


@pytest.mark.parametrize("name", OF_TAGS)
def test_softmax(name: str, backbone: Path, tmp_path: Path) -> None:
    model = {"decoder": "softmax", "loss": OF_TAGS[name]}
    check(with_loss(backbone, "crf_ner", model=model), tmp_path)


@pytest.mark.parametrize("name", OF_EMISSIONS)
def test_crf(name: str, backbone: Path, tmp_path: Path) -> None:
    model = {"decoder": "crf", "loss": OF_EMISSIONS[name]}
    check(with_loss(backbone, "crf_ner", model=model), tmp_path)


@pytest.mark.parametrize("name", ["boundary", "contrastive", "given_weights"])
def test_biluo(name: str, backbone: Path, tmp_path: Path) -> None:
    model = {"decoder": "softmax", "scheme": "biluo", "loss": OF_TAGS[name]}
    check(with_loss(backbone, "crf_ner", model=model), tmp_path)


@pytest.mark.parametrize(
    "exclusive, multilabel",
    zip(KINDS_OF_CLASSES, ["asymmetric", *KINDS_OF_LABELS[:3], None], strict=True),
)
def test_multitask(exclusive: str, multilabel: str, backbone: Path, tmp_path: Path) -> None:
    model = {
        "loss_exclusive": OF_TASKS[exclusive],
        "loss_multilabel": OF_LABELS.get(multilabel),
    }
    check(with_loss(backbone, "multitask_textcat", tasks=TASKS, model=model), tmp_path)


@pytest.mark.parametrize("name", OF_EVENTS)
def test_events(name: str, backbone: Path, tmp_path: Path) -> None:
    check(
        with_loss(backbone, "event_textcat", model={"loss_multilabel": OF_EVENTS[name]}), tmp_path
    )


@pytest.mark.parametrize(
    "exclusive, name",
    [
        *((True, name) for name in [*KINDS_OF_CLASSES, "near"]),
        *((False, name) for name in KINDS_OF_LABELS),
    ],
)
def test_spans(exclusive: bool, name: str, backbone: Path, tmp_path: Path) -> None:
    loss = (OF_SPANS if exclusive else OF_NESTED_SPANS)[name]
    model = {"exclusive": exclusive, "loss": loss, "scorer": {"hidden": 32, "dropout": 0.0}}
    check(with_loss(backbone, "span_ner", spans_key="nerel", model=model), tmp_path)


def test_counts_come_from_the_training_data(backbone: Path) -> None:
    """No I-LOC there: it weighs as much as the rarest tag, I-PER."""
    nlp = with_loss(
        backbone, "crf_ner", model={"decoder": "softmax", "loss": OF_TAGS["inverse_frequency"]}
    )
    pipe: Any = initialized(nlp).get_pipe("crf_ner")
    counts = {"O": 10, "B-LOC": 2, "B-PER": 2, "I-PER": 1}
    tags = pipe.module.scheme.tags(list(pipe.labels))
    assert pipe.cfg["loss_normalization"] == sum(counts.values())
    expected = [15 / (4 * counts.get(tag, 1)) for tag in tags]
    assert pipe.module.criterion.weights.by_class.tolist() == pytest.approx(expected)


def test_the_encoder_learns_from_features_alone(backbone: Path) -> None:
    """A loss on representations reaches the encoder, and leaves the scores' layer alone."""
    nlp = with_loss(backbone, "crf_ner", model={"loss": block("ContrastiveLoss")})
    initialized(nlp)
    before = loss_of(nlp)
    output = nlp.get_pipe("crf_ner").module.output  # type: ignore[attr-defined]
    weight = output.weight.detach().clone()
    train(nlp, mixed_examples(nlp), 5)
    assert loss_of(nlp) < 0.9 * before
    assert torch.equal(weight, output.weight)


ONLY_CLASSES = {
    "CrossEntropy": block("CrossEntropy"),
    "WeightedCrossEntropy": block("WeightedCrossEntropy"),
    "EmbeddingLabelSmoothing": block("EmbeddingLabelSmoothing"),
    "ContrastiveLoss": compound({}, bce=block("BinaryCrossEntropy"), near=block("ContrastiveLoss")),
}
ONLY_LABELS = {
    "BinaryCrossEntropy": block("BinaryCrossEntropy"),
    "WeightedBinaryCrossEntropy": block("WeightedBinaryCrossEntropy"),
    "AsymmetricLoss": compound({}, rest=compound({}, inner=block("AsymmetricLoss"))),
}


@pytest.mark.parametrize("name", ONLY_CLASSES)
def test_losses_of_classes_where_labels_do_not_exclude_one_another(
    name: str, backbone: Path
) -> None:
    """They are refused before a step is made, by the name of the loss and of the setting."""
    model = {"exclusive": False, "loss": ONLY_CLASSES[name]}
    with pytest.raises(MtnlpError, match=rf"E223.* {name} .*exclusive = false.*exclusive = true"):
        initialized(with_loss(backbone, "span_ner", spans_key="nerel", model=model))
    with pytest.raises(MtnlpError, match=rf"E223.* {name} .*loss_multilabel"):
        model = {"loss_multilabel": ONLY_CLASSES[name]}
        initialized(with_loss(backbone, "event_textcat", model=model))


@pytest.mark.parametrize("name", ONLY_LABELS)
def test_losses_of_labels_where_exactly_one_class_holds(name: str, backbone: Path) -> None:
    model = {"exclusive": True, "loss": ONLY_LABELS[name]}
    with pytest.raises(MtnlpError, match=rf"E224.* {name} .*exclusive = true.*exclusive = false"):
        initialized(with_loss(backbone, "span_ner", spans_key="nerel", model=model))
    with pytest.raises(MtnlpError, match=rf"E224.* {name} .*a token's tag"):
        initialized(with_loss(backbone, "crf_ner", model={"loss": ONLY_LABELS[name]}))
    with pytest.raises(MtnlpError, match=rf"E224.* {name} .*loss_exclusive"):
        model = {"loss_exclusive": ONLY_LABELS[name]}
        initialized(with_loss(backbone, "multitask_textcat", tasks=TASKS, model=model))


def test_losses_for_other_heads(backbone: Path) -> None:
    model = {"decoder": "softmax", "loss": block("CRFLikelihood")}
    with pytest.raises(MtnlpError, match="E219"):
        initialized(with_loss(backbone, "crf_ner", model=model))
    boundary = {"loss_multilabel": block("BoundaryLoss")}
    with pytest.raises(MtnlpError, match=r"E216.*BIRTH, DEATH"):
        initialized(with_loss(backbone, "event_textcat", model=boundary))
    unknown = {"loss": block("WeightedCrossEntropy", weights={"ORG": 2.0})}
    with pytest.raises(MtnlpError, match=r"E218.*ORG"):
        initialized(with_loss(backbone, "crf_ner", model=unknown))
