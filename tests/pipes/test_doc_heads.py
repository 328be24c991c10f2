"""`mtnlp.DocClassifier.v1` by config: a head for each label, labels that go together, attention."""

from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest
import spacy
import torch
from spacy.language import Language
from spacy.training import Example
from spacy.util import load_config

from mtnlp.errors import MtnlpError
from mtnlp.nn.label_correlation import initial_weight
from tests.pipes.cases import (
    EXACT_ENCODER,
    TASKS,
    TEXTS,
    adam,
    assert_close,
    assert_same_answers,
    gradients,
    initialized,
    mixed_examples,
    only,
    step,
    train,
    weights,
    without,
)
from tests.tiny import make_nlp

ALL: Dict[str, Any] = {
    "hidden": 8,
    "dropout": 0.0,
    "label_heads": "separate",
    "label_correlation": True,
    "tok2vec": {"pooling": "attention"},
}


def make(backbone: Path, tasks: Any = TASKS, **model: Any) -> Language:
    """`multitask_textcat` as `textcat`. model: settings of its model."""
    configs = {"transformer": EXACT_ENCODER, "textcat": {"tasks": tasks, "model": model}}
    return make_nlp(backbone, ["textcat"], configs)


def get_pipe(nlp: Language) -> Any:
    return nlp.get_pipe("textcat")


def query_of(nlp: Language) -> np.ndarray:
    return get_pipe(nlp).model.get_ref("tok2vec").get_ref("pool").get_param("query")


def test_pairs_are_counted_in_the_training_data(backbone: Path) -> None:
    """Of the mixed corpus three documents know of the task `topic`: one has both labels."""
    nlp = initialized(make(backbone, label_correlation=True))
    pipe = get_pipe(nlp)
    assert pipe.labels[-2:] == ("topic/MONEY", "topic/SPORT")
    pairs = torch.zeros(2, 2, 2, 2)
    for money, sport in ((0, 1), (1, 0), (1, 1)):
        for i, a in enumerate((money, sport)):
            for j, b in enumerate((money, sport)):
                pairs[a, b, i, j] += 1
    _, layer = pipe.module.graphs
    torch.testing.assert_close(layer.weight.detach(), initial_weight(pairs))
    assert layer.weight[0, 1] < 0
    # One half is added to both answers.
    torch.testing.assert_close(layer.prior, torch.tensor([2.5 / 4, 2.5 / 4]))


def test_they_learn_where_they_are_annotated_only(backbone: Path) -> None:
    nlp = initialized(make(backbone, **ALL))
    pipe = get_pipe(nlp)
    sgd = adam()
    step(nlp, mixed_examples(nlp), sgd=sgd)
    before, query = weights(pipe.model), query_of(nlp).copy()
    step(nlp, without(nlp, "textcat"), sgd=sgd)
    after = weights(pipe.model)
    assert all(np.array_equal(before[name], after[name]) for name in before)
    np.testing.assert_array_equal(query, query_of(nlp))
    topic = [
        example
        for example in only(nlp, "textcat")
        if any(key.startswith("topic") for key in example.reference.cats)
    ]
    step(nlp, topic, sgd=sgd)
    after = weights(pipe.model)
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert any("graphs.1.weight" in name for name in changed)
    assert any("outputs.1.hidden_weight" in name for name in changed)
    assert not any("outputs.0" in name or "prior" in name for name in changed)
    assert (query != query_of(nlp)).all()


def test_sub_batches_add_up(backbone: Path) -> None:
    nlp = initialized(make(backbone, **ALL))
    train(nlp, mixed_examples(nlp), 3)  # the query is no longer zero
    pipe = get_pipe(nlp)
    pool = pipe.model.get_ref("tok2vec").get_ref("pool")
    examples = mixed_examples(nlp)

    def accumulate(*batches: List[Example]) -> Dict[str, np.ndarray]:
        pipe.module.zero_grad(set_to_none=True)
        pool.set_grad("query", np.zeros_like(query_of(nlp)))
        for batch in batches:
            nlp.update(batch, sgd=False)  # type: ignore[arg-type]
        return {**gradients(pipe.module), "query": pool.get_grad("query").copy()}

    whole = accumulate(examples)
    assert whole["query"].any() and whole["graphs.1.weight"].any()
    assert_close(whole, accumulate(examples[:6], examples[6:-1], examples[-1:]), 1e-5)


def test_an_encoder_of_its_own(backbone: Path, tmp_path: Path) -> None:
    nlp = initialized(make(backbone, **ALL))
    train(nlp, mixed_examples(nlp), 5)
    docs = [nlp(text) for text in TEXTS]
    nlp.replace_listeners("transformer", "textcat", ["model.tok2vec"])
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert query_of(loaded).any()
    np.testing.assert_array_equal(query_of(loaded), query_of(nlp))
    for text, doc in zip(TEXTS, docs, strict=True):
        assert_same_answers(doc, loaded(text))


def test_a_pipeline_saved_before_there_were_these_settings(backbone: Path, tmp_path: Path) -> None:
    nlp = initialized(make(backbone, hidden=8))
    train(nlp, mixed_examples(nlp), 3)
    nlp.to_disk(tmp_path)
    config = load_config(tmp_path / "config.cfg")
    for name in ("label_heads", "label_correlation"):
        assert config["components"]["textcat"]["model"].pop(name) in ("shared", False)
    config.to_disk(tmp_path / "config.cfg")
    loaded = spacy.load(tmp_path)
    for text in TEXTS:
        assert_same_answers(nlp(text), loaded(text))


@pytest.mark.parametrize("value", [True, False])
def test_label_correlation_under_its_earlier_name(
    value: bool, backbone: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nlp = initialized(make(backbone, label_correlation=value))
    nlp.to_disk(tmp_path)
    config = load_config(tmp_path / "config.cfg")
    model = config["components"]["textcat"]["model"]
    model["dependency"] = model.pop("label_correlation")
    config.to_disk(tmp_path / "config.cfg")
    assert "W334" not in caplog.text
    loaded = spacy.load(tmp_path)
    assert ("W334" in caplog.text) == value
    for text in TEXTS:
        assert_same_answers(nlp(text), loaded(text))
    assert get_pipe(loaded).module.has_correlation == value


def test_weights_of_labels_of_several_tasks(backbone: Path) -> None:
    tasks = {"topic": {"exclusive": False}, "event": {"exclusive": False}}
    loss = {
        "@losses": "mtnlp.WeightedBinaryCrossEntropy.v1",
        "weights": {"SPORT": 3.0, "DEATH": 2.0},
    }
    nlp = initialized(make(backbone, tasks, loss_multilabel=loss))
    made = [loss.weights.by_answer[1].tolist() for loss in get_pipe(nlp).module.losses]
    assert made == [[1.0, 3.0], [1.0, 2.0]]


def test_settings_that_do_not_fit(backbone: Path) -> None:
    with pytest.raises(MtnlpError, match="E243"):
        initialized(make(backbone, label_heads="separate"))
    with pytest.raises(MtnlpError, match=r"E244.*sentiment"):
        initialized(make(backbone, {"sentiment": {"exclusive": True}}, label_correlation=True))
