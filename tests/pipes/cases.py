"""What the tests of the pipes share: the pipes, a corpus for all of them, training, comparing."""

from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc, SpanGroup
from spacy.training import Example
from thinc.api import Adam, Model, Optimizer, fix_random_seed, to_numpy

from tests.tiny import make_example, make_examples, make_nlp

TASKS = {"sentiment": {"exclusive": True}, "topic": {"exclusive": False}}
# No dropout anywhere: what a step does is then the same every time.
EXACT_ENCODER = {
    "transformer_config": {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
}
EXACT: Dict[str, Any] = {
    "transformer": EXACT_ENCODER,
    "ner": {"model": {"dropout": 0.0}},
    "fine_ner": {"model": {"dropout": 0.0}},
    "nested_ner": {"model": {"dropout": 0.0, "scorer": {"dropout": 0.0}}},
    "textcat": {"tasks": TASKS, "model": {"dropout": 0.0}},
    "events": {"model": {"dropout": 0.0}},
}
# A tiny encoder at a high rate needs no more.
NESTED = {"spans_key": "nerel", "model": {"scorer": {"hidden": 32}}}
# Token vectors of the encoder and what it cannot see of a word.
WITH_SHAPE: Dict[str, Any] = {
    "@architectures": "mtnlp.ConcatTok2Vec.v1",
    "parts": {
        "listener": {"@architectures": "mtnlp.TransformerListener.v1"},
        "shape": {"@architectures": "mtnlp.ShapeEmbedding.v1", "width": 8, "rows": 50},
    },
}


class Case(NamedTuple):
    """A pipe as the tests set it up. scores: which of the scores of `nlp.evaluate` are 1.0 once it
    has learnt its corpus by heart."""

    factory: str
    config: Dict[str, Any]
    scores: Sequence[str]


CASES = {
    "crf_ents": Case("crf_ner", {}, ["ents_f"]),
    "crf_spans": Case("crf_ner", {"spans_key": "multinerd"}, ["spans_multinerd_f"]),
    "softmax": Case("crf_ner", {"model": {"decoder": "softmax"}}, ["ents_f"]),
    "span": Case("span_ner", NESTED, ["spans_nerel_f"]),
    "multitask": Case(
        "multitask_textcat", {"tasks": TASKS}, ["cats_sentiment_acc", "cats_topic_micro_f"]
    ),
    "events": Case("event_textcat", {}, ["cats_event_micro_f", "cats_event_macro_f"]),
    "sentence_vectors": Case("sentence_vectors", {}, []),
}
VARIANTS = {
    **CASES,
    "biluo": Case("crf_ner", {"model": {"scheme": "biluo", "hidden": 16}}, ["ents_f"]),
    "marker": Case(
        "span_ner",
        {
            "spans_key": "nerel",
            "decoder": "all",
            "model": {"exclusive": False, "scorer": {"@layers": "mtnlp.MarkerScorer.v1"}},
        },
        ["spans_nerel_f"],
    ),
    "span_ents": Case("span_ner", {"spans_key": None, "decoder": "flat"}, ["ents_f"]),
    "shape": Case("crf_ner", {"model": {"tok2vec": WITH_SHAPE}}, ["ents_f"]),
    "span_shape": Case(
        "span_ner",
        {"spans_key": "nerel", "model": {"scorer": {"hidden": 32}, "tok2vec": WITH_SHAPE}},
        ["spans_nerel_f"],
    ),
    "hidden": Case(
        "event_textcat", {"model": {"hidden": 16}}, ["cats_event_micro_f", "cats_event_macro_f"]
    ),
    "separate": Case(
        "multitask_textcat",
        {
            "tasks": TASKS,
            "model": {"hidden": 16, "label_heads": "separate", "label_correlation": True},
        },
        ["cats_sentiment_acc", "cats_topic_micro_f"],
    ),
    "attention": Case(
        "event_textcat",
        {"model": {"label_correlation": True, "tok2vec": {"pooling": "attention"}}},
        ["cats_event_micro_f", "cats_event_macro_f"],
    ),
}
WITH_LABELS = [name for name in CASES if name != "sentence_vectors"]
TEXTS = [
    "Anna Keller flew to Paris .",
    "What a great film .",
    "He died in Rome .",
    "I saw a red fox near Rome .",
    "Anna",
    "",
    " ",
    "  \n ",
]
LONG_TEXT = "Anna Keller flew to Paris , and Tom saw a red fox near Rome . " * 60


def make_case(backbone: Path, name: str, **config: Any) -> Language:
    """A pipeline of the encoder and one pipe. config: settings beside those of the case."""
    case = VARIANTS[name]
    return make_nlp(backbone, [case.factory], {case.factory: {**case.config, **config}})


def get_case_pipe(nlp: Language, name: str) -> Any:
    return nlp.get_pipe(VARIANTS[name].factory)


def mixed_examples(nlp: Language) -> List[Example]:
    """`make_examples`, and Docs annotated with the multi-label task `topic` only."""
    sport = {"topic/SPORT": 1.0, "topic/MONEY": 0.0}
    money = {"topic/SPORT": 0.0, "topic/MONEY": 1.0}
    return [
        *make_examples(nlp),
        make_example(nlp, "The team won the match .", cats=sport),
        make_example(nlp, "Shares fell at the bank .", cats=money),
        make_example(nlp, "The club sold its shares .", cats={**sport, "topic/MONEY": 1.0}),
    ]


def only(nlp: Language, layer: str) -> List[Example]:
    """The part of the mixed corpus that is annotated in one layer: the name of a pipe."""
    return [eg for eg in mixed_examples(nlp) if has_layer(eg.reference, layer)]


def without(nlp: Language, layer: str) -> List[Example]:
    """The part of the mixed corpus that is not annotated in a layer: the name of a pipe."""
    return [eg for eg in mixed_examples(nlp) if not has_layer(eg.reference, layer)]


def has_layer(doc: Doc, layer: str) -> bool:
    if layer == "ner":
        return doc.has_annotation("ENT_IOB")
    if layer == "fine_ner":
        return "multinerd" in doc.spans
    if layer == "nested_ner":
        return "nerel" in doc.spans
    tasks = {"textcat": tuple(TASKS), "events": ("event",)}[layer]
    return any(key.startswith(tasks) for key in doc.cats)


def adam(learn_rate: float = 0.005) -> Optimizer:
    """Adam with momentum and decay: it moves every weight whose gradient is zero."""
    return Adam(learn_rate, L2=0.01, L2_is_weight_decay=True)


def initialized(nlp: Language, seed: int = 0) -> Language:
    fix_random_seed(seed)
    nlp.initialize(lambda: mixed_examples(nlp))
    return nlp


def step(
    nlp: Language,
    *batches: List[Example],
    sgd: Optional[Optimizer] = None,
    exclude: Sequence[str] = (),
    annotates: Sequence[str] = (),
) -> Dict[str, float]:
    """One step as `spacy train` makes it, on one or several sub-batches.

    `nlp.update(..., sgd=sgd)` would step every pipe right after its own update: the shared encoder
    before the others have given it a gradient. Returns: the losses.
    """
    losses: Dict[str, float] = {}
    for batch in batches:
        nlp.update(batch, sgd=False, losses=losses, exclude=exclude, annotates=annotates)
    sgd = sgd or adam()
    for name, pipe in nlp.pipeline:
        if name not in exclude and getattr(pipe, "is_trainable", False):
            pipe.finish_update(sgd)
    sgd.step_schedules()
    return losses


def train(nlp: Language, examples: List[Example], steps: int = 40, **kw: Any) -> Dict[str, float]:
    """Steps on one batch. kw: as for `step`. Returns: the last step's losses."""
    sgd = kw.pop("sgd", None) or adam()
    losses: Dict[str, float] = {}
    for _ in range(steps):
        losses = step(nlp, examples, sgd=sgd, **kw)
    return losses


def weights(model: Model) -> Dict[str, np.ndarray]:
    """Copies of all weights of a model, torch's and thinc's."""
    found = {}
    for i, node in enumerate(model.walk()):
        for shim in node.shims:
            for name, value in shim._model.state_dict().items():
                found[f"{i}/{name}"] = value.detach().cpu().numpy().copy()
        for name in node.param_names:
            if node.has_param(name):
                found[f"{i}/{name}"] = to_numpy(node.get_param(name)).copy()
    return found


def encoder_weights(nlp: Language) -> Dict[str, np.ndarray]:
    return weights(nlp.get_pipe("transformer").model)


def head_weights(nlp: Language, name: str) -> Dict[str, np.ndarray]:
    pipe: Any = nlp.get_pipe(name)
    return weights(pipe.model.get_ref("head"))


def same_weights(one: Dict[str, np.ndarray], other: Dict[str, np.ndarray]) -> bool:
    """Bit for bit."""
    assert one.keys() == other.keys() and one
    return all(np.array_equal(one[name], other[name]) for name in one)


def gradients(module: Any) -> Dict[str, np.ndarray]:
    """The gradients of a torch module's parameters, where there are any."""
    return {
        name: parameter.grad.detach().cpu().numpy().copy()
        for name, parameter in module.named_parameters()
        if parameter.grad is not None
    }


def assert_close(
    one: Dict[str, np.ndarray], other: Dict[str, np.ndarray], tolerance: float = 1e-6
) -> None:
    """tolerance: of the largest value of each array, or of 1."""
    assert one.keys() == other.keys() and one
    for name, value in one.items():
        atol = tolerance * max(1.0, float(abs(value).max()))
        np.testing.assert_allclose(value, other[name], rtol=0, atol=atol, err_msg=name)


def listed(group: Any) -> List[Any]:
    return [(span.start, span.end, span.label_) for span in group]


def group_scores(group: SpanGroup) -> List[float]:
    return np.asarray(group.attrs["scores"]).tolist()


def assert_same_answers(
    one: Doc, other: Doc, tolerance: float = 1e-5, vectors: bool = True
) -> None:
    """Everything the pipes write. vectors: `doc.vector` too."""
    assert listed(one.ents) == listed(other.ents)
    assert set(one.spans) == set(other.spans)
    for key, group in one.spans.items():
        assert listed(group) == listed(other.spans[key])
        np.testing.assert_allclose(
            group_scores(group), group_scores(other.spans[key]), atol=tolerance
        )
    assert one.cats == {key: np.float64(value).item() for key, value in one.cats.items()}, (
        "plain Python numbers"
    )
    assert other.cats.keys() == one.cats.keys()
    np.testing.assert_allclose(
        list(one.cats.values()), [other.cats[key] for key in one.cats], atol=tolerance
    )
    if Doc.has_extension("tasks"):
        assert {t: set(labels) for t, labels in one._.tasks.items()} == {
            t: set(labels) for t, labels in other._.tasks.items()
        }
    if Doc.has_extension("events"):
        assert one._.events == other._.events
    # Without its hook, an empty Doc's vector has no width.
    if vectors and len(one) and "vector" in one.user_hooks:
        np.testing.assert_allclose(one.vector, other.vector, atol=tolerance)
