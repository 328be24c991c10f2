"""`mtnlp.GradualUnfreezing.v1`: what moves when."""

import io
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence, Set

import numpy as np
import pytest
import spacy
from spacy import registry
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from thinc.api import Config

from mtnlp.errors import MtnlpError
from mtnlp.training.adamw import create_adamw_v1
from mtnlp.training.gradual_unfreezing import create_gradual_unfreezing_v1, find_encoders
from mtnlp.training.parameter_groups import depth_of
from tests.pipes.cases import (
    TASKS,
    adam,
    encoder_weights,
    head_weights,
    initialized,
    make_case,
    mixed_examples,
    same_weights,
    step,
)
from tests.tiny import make_nlp

# The tiny encoders have two layers: depths 0 and 1, the embeddings' is 2.
LAYERS = 2


@pytest.fixture
def nlp(backbone: Path) -> Language:
    return initialized(make_case(backbone, "multitask"))


def moved_depths(nlp: Language, train: Callable[[], Any]) -> Set[int]:
    """The depths at which any weight changes."""
    before = encoder_weights(nlp)
    train()
    after = encoder_weights(nlp)
    return {
        depth_of(name.partition("/")[2], LAYERS)
        for name, value in after.items()
        if not np.array_equal(value, before[name])
    }


def run(nlp: Language, callback: Callable, infos: Sequence[Dict[str, int]]) -> List[Set[int]]:
    """A step for each info, as `spacy train` makes it; what moved in each."""
    sgd = create_adamw_v1(0.01)

    def one_step(info: Dict[str, int]) -> None:
        callback(nlp, info)
        step(nlp, mixed_examples(nlp), sgd=sgd)

    return [moved_depths(nlp, lambda info=info: one_step(info)) for info in infos]  # type: ignore


def steps(count: int) -> List[Dict[str, int]]:
    """Two steps per epoch."""
    return [{"step": i, "epoch": i // 2} for i in range(count)]


def test_resolves() -> None:
    config = {"c": {"@callbacks": "mtnlp.GradualUnfreezing.v1", "unit": "step", "every": 100}}
    assert callable(registry.resolve(config)["c"])


def test_a_layer_an_epoch(nlp: Language) -> None:
    moved = run(nlp, create_gradual_unfreezing_v1(), steps(6))
    assert moved == [{0}, {0}, {0, 1}, {0, 1}, {0, 1, 2}, {0, 1, 2}]


def test_steps_and_several_at_a_time(nlp: Language) -> None:
    callback = create_gradual_unfreezing_v1(unit="step", every=2, layers=2, first=1)
    assert run(nlp, callback, steps(4)) == [{0}, {0}, {0, 1, 2}, {0, 1, 2}]


def test_heads_alone_at_first(nlp: Language) -> None:
    head = head_weights(nlp, "multitask_textcat")
    callback = create_gradual_unfreezing_v1(unit="step", first=0)
    assert run(nlp, callback, steps(1)) == [set()]
    assert not same_weights(head, head_weights(nlp, "multitask_textcat"))
    assert run(nlp, callback, steps(2)[1:]) == [{0}]


def test_frozen_again_stays_where_it_is(nlp: Language) -> None:
    """A gradient left behind by thinc as zeros would move weights by momentum and decay."""
    sgd = adam()
    step(nlp, mixed_examples(nlp), sgd=sgd)
    create_gradual_unfreezing_v1()(nlp, {"step": 0, "epoch": 0})
    assert moved_depths(nlp, lambda: step(nlp, mixed_examples(nlp), sgd=sgd)) == {0}


@pytest.mark.parametrize("family", ["bert", "distilbert", "roberta", "llama"])
def test_frozen_layers_have_no_backward_pass(family: str, backbones: Dict[str, Path]) -> None:
    nlp = initialized(make_case(backbones[family], "multitask"))
    (encoder,) = find_encoders(nlp)
    embeddings: Any = encoder.get_input_embeddings()  # type: ignore[operator]
    calls: List[str] = []
    for name, module in encoder.named_modules():
        if name.endswith((".0", ".1")):
            module.register_full_backward_hook(lambda *_, name=name: calls.append(name[-1]))
    callback = create_gradual_unfreezing_v1()
    for epoch, expected in ((0, {"1"}), (1, {"0", "1"})):
        callback(nlp, {"step": epoch, "epoch": epoch})
        nlp.update(mixed_examples(nlp), sgd=False)  # type: ignore[arg-type]
        assert set(calls) == expected
        assert embeddings.weight.grad is None


def test_inner_states_below_the_frozen_ones(backbone: Path) -> None:
    """Hidden states that a pooler asks for, of which only the last have a backward pass."""
    pooler = {"@architectures": "mtnlp.TransformerPooler.v1", "layers": [0, 1]}
    head = {"tasks": TASKS, "model": {"tok2vec": pooler}}
    configs = {"transformer": {"layers": [0, 1]}, "multitask_textcat": head}
    nlp = initialized(make_nlp(backbone, ["multitask_textcat"], configs))
    assert run(nlp, create_gradual_unfreezing_v1(), steps(4)[1:3]) == [{0}, {0, 1}]


def test_an_encoder_of_its_own(nlp: Language) -> None:
    nlp.replace_listeners("transformer", "multitask_textcat", ["model.tok2vec"])
    create_gradual_unfreezing_v1()(nlp, {"step": 0, "epoch": 0})
    encoders = list(find_encoders(nlp))
    assert len(encoders) == 2
    for encoder in encoders:
        learning = {n for n, p in encoder.named_parameters() if p.requires_grad}
        assert learning and all(depth_of(name, LAYERS) == 0 for name in learning)


def test_adapters_leave_the_rest_frozen(nlp: Language) -> None:
    (encoder,) = find_encoders(nlp)
    for name, parameter in encoder.named_parameters():
        parameter.requires_grad_("query" in name)
    callback = create_gradual_unfreezing_v1()
    callback(nlp, {"step": 0, "epoch": 0})
    callback(nlp, {"step": 9, "epoch": 9})
    assert all(p.requires_grad == ("query" in n) for n, p in encoder.named_parameters())


def test_the_saved_pipeline_is_plain(nlp: Language, tmp_path: Path) -> None:
    run(nlp, create_gradual_unfreezing_v1(), steps(1))
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    (encoder,) = find_encoders(loaded)
    assert all(parameter.requires_grad for parameter in encoder.parameters())
    assert loaded("He died in Rome .").cats == pytest.approx(
        nlp("He died in Rome .").cats, abs=1e-6
    )
    assert "Gradual" not in str(loaded.config["components"])


TRAINING = """
[training]
seed = 0
gpu_allocator = null
max_steps = 2
eval_frequency = 5
accumulate_gradient = 2
train_corpus = "corpora.train"
dev_corpus = "corpora.train"

[training.batcher]
@batchers = "spacy.batch_by_sequence.v1"
size = 20

[training.optimizer]
@optimizers = "mtnlp.AdamW.v1"
learn_rate = 0.01
layer_decay = 0.9

[training.before_update]
@callbacks = "mtnlp.GradualUnfreezing.v1"
unit = "step"
every = 100

[corpora]

[corpora.train]
@readers = "spacy.Corpus.v1"
path = ${paths.train}
"""


def test_spacy_train(nlp: Language, tmp_path: Path) -> None:
    """With mtnlp.AdamW.v1, whose steps are made by the loop."""
    docs = [example.reference for example in mixed_examples(nlp)]
    DocBin(docs=docs).to_disk(tmp_path / "train.spacy")
    config = Config().from_str(TRAINING, interpolate=False)
    own = Config().from_str(nlp.config.to_str())
    config["paths"] = {part: str(tmp_path / "train.spacy") for part in ("train", "dev")}
    config["nlp"], config["components"] = own["nlp"], own["components"]
    fresh = init_nlp(config)
    head = head_weights(fresh, "multitask_textcat")

    def run_loop() -> None:
        train(fresh, None, stdout=io.StringIO(), stderr=io.StringIO())

    assert moved_depths(fresh, run_loop) == {0}
    assert not same_weights(head, head_weights(fresh, "multitask_textcat"))


def test_frozen_components_stay_as_they_are(nlp: Language, backbone: Path) -> None:
    """A frozen encoder is left alone; another one of the pipeline unfreezes."""
    own = make_nlp(backbone, ["textcat"])
    nlp.config["training"]["frozen_components"] = ["transformer"]
    (shared,) = find_encoders(nlp)
    with pytest.raises(MtnlpError, match=r"E458.*frozen: transformer"):
        create_gradual_unfreezing_v1()(nlp, {"step": 0, "epoch": 0})
    initialized(own).replace_listeners("transformer", "textcat", ["model.tok2vec"])
    own.remove_pipe("transformer")
    nlp.add_pipe("textcat", source=own, name="other")
    create_gradual_unfreezing_v1()(nlp, {"step": 0, "epoch": 0})
    assert all(parameter.requires_grad for parameter in shared.parameters())
    (other,) = find_encoders(nlp, ["transformer"])
    assert {parameter.requires_grad for parameter in other.parameters()} == {True, False}


@pytest.mark.parametrize("settings", [{"every": 0}, {"layers": 0}, {"first": -1}])
def test_numbers_too_small(settings: Dict[str, int]) -> None:
    with pytest.raises(MtnlpError, match="E457"):
        create_gradual_unfreezing_v1(**settings)  # type: ignore[arg-type]


def test_no_transformer() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    with pytest.raises(MtnlpError, match=r"E458.*sentencizer"):
        create_gradual_unfreezing_v1()(nlp, {"step": 0, "epoch": 0})
