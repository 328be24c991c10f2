"""Poolings, tag decoders and span decoders: one registration each, and the names in configs."""

import json
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

import numpy as np
import pytest
import spacy
import torch
from spacy.language import Language
from thinc.api import registry

from mtnlp.errors import MtnlpError
from mtnlp.models.registered import POOLINGS, SPAN_DECODERS, TAG_DECODERS
from mtnlp.nn.pooling import Pooling, Segments
from mtnlp.nn.taggers import CRFTagger, SoftmaxTagger, TaggerBuilder
from mtnlp.structured.span_decoding import SpanDecoder
from tests.pipes.cases import (
    NESTED,
    assert_same_answers,
    get_case_pipe,
    initialized,
    listed,
    make_case,
    mixed_examples,
    train,
    weights,
)

SAVED = Path(__file__).parents[1] / "fixtures" / "saved_pipeline"
TEXT = "Anna Keller flew to Paris ."


# What somebody else would write, one file each


class GatedSum(Pooling):
    """Learnt: a factor for each feature of the sum, which stands beside it as it is."""

    def query_shape(self, width: int) -> Tuple[int, ...]:
        return (1, width)

    def pooled_width(self, width: int) -> int:
        return 2 * width

    def __call__(self, batch: Segments, query: Optional[torch.Tensor]) -> torch.Tensor:
        assert query is not None
        total = batch.vectors.new_zeros(batch.count, batch.vectors.shape[1])
        total = total.index_add(0, batch.segment, batch.vectors)
        return torch.cat([total * (1 + query), total], dim=1)


class LoudTagger(SoftmaxTagger):
    """Its own loss and decoding."""


def widest(spans: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    """The widest span of each text."""
    kept = []
    for text in spans[:, 0].unique().tolist():
        own = (spans[:, 0] == text).nonzero().flatten()
        kept.append(own[(spans[own, 2] - spans[own, 1]).argmax()])
    return torch.stack(kept).sort().values if kept else spans.new_zeros(0)


def make_tagger() -> TaggerBuilder:
    return LoudTagger


def make_decoder(flat: bool = True) -> SpanDecoder:
    return SpanDecoder(widest, is_flat=flat)


@pytest.fixture(autouse=True, scope="module")
def plugins() -> None:
    """In a package of its own these would be entry points of the group `thinc_layers`."""
    registry.layers.register("test.GatedSum.v1", func=GatedSum)
    registry.layers.register("test.Loud.v1", func=make_tagger)
    registry.layers.register("test.Widest.v1", func=make_decoder)


def check_saved(nlp: Language, folder: Path) -> None:
    nlp.to_disk(folder)
    assert_same_answers(spacy.load(folder)(TEXT), nlp(TEXT), 1e-6)


@pytest.mark.parametrize("block", [False, True])
def test_another_pooling(block: bool, backbone: Path, tmp_path: Path) -> None:
    pooling: Any = {"@layers": "test.GatedSum.v1"} if block else "test.GatedSum.v1"
    nlp = initialized(make_case(backbone, "events", model={"tok2vec": {"pooling": pooling}}))
    pool = get_case_pipe(nlp, "events").model.get_ref("tok2vec").get_ref("pool")
    assert pool.get_param("query").shape == (1, 32), "as wide as what is pooled"
    train(nlp, mixed_examples(nlp), 2)
    assert pool.get_param("query").any(), "it is trained"
    check_saved(nlp, tmp_path)


@pytest.mark.parametrize("block", [False, True])
def test_another_tag_decoder(block: bool, backbone: Path, tmp_path: Path) -> None:
    decoder: Any = {"@layers": "test.Loud.v1"} if block else "test.Loud.v1"
    nlp = initialized(make_case(backbone, "crf_ents", model={"decoder": decoder, "hidden": 8}))
    head = get_case_pipe(nlp, "crf_ents").module
    assert isinstance(head, LoudTagger) and head.body.output_width == 8
    train(nlp, mixed_examples(nlp), 2)
    check_saved(nlp, tmp_path)


@pytest.mark.parametrize("block", [False, True])
def test_another_span_decoder(block: bool, backbone: Path, tmp_path: Path) -> None:
    decoder: Any = {"@layers": "test.Widest.v1", "flat": True} if block else "test.Widest.v1"
    config = {**NESTED, "spans_key": None, "decoder": decoder, "threshold": 0.0}
    nlp = initialized(make_case(backbone, "span", **config))
    assert [span.end - span.start for span in nlp(TEXT).ents] == [6]
    check_saved(nlp, tmp_path)
    pipe = get_case_pipe(nlp, "span")
    assert pipe.cfg["decoder"] == (None if block else decoder)
    pipe.cfg["decoder"] = "flat"
    assert len(listed(nlp(TEXT).ents)) > 1
    with pytest.raises(MtnlpError, match="E231"):
        nested = {"@layers": "test.Widest.v1", "flat": False}
        make_case(backbone, "span", **{**config, "decoder": nested})


# The names


def test_short_names_mean_what_is_registered() -> None:
    for names in (POOLINGS, TAG_DECODERS, SPAN_DECODERS):
        for name in names.values():
            assert callable(registry.get("layers", name)())
    assert registry.get("layers", TAG_DECODERS["crf"])() is CRFTagger
    assert registry.get("layers", TAG_DECODERS["softmax"])() is SoftmaxTagger
    flat = {name: registry.get("layers", SPAN_DECODERS[name])().is_flat for name in SPAN_DECODERS}
    assert flat == {"flat": True, "nested": False, "all": False}


CHOICES: Dict[str, Tuple[str, Dict[str, Any], str]] = {
    "pooling": ("events", {"model": {"tok2vec": {"pooling": "sum"}}}, r"E212.*max, mean_max, cls"),
    "no pooling": (
        "events",
        {"model": {"tok2vec": {"pooling": {"@layers": "mtnlp.BiaffineScorer.v1"}}}},
        "E246",
    ),
    "tag decoder": ("crf_ents", {"model": {"decoder": "viterbi"}}, r"E245.*crf, softmax"),
    "span decoder": ("span", {"decoder": "beam"}, r"E230.*flat, nested, all"),
}


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
def test_unknown_names(choice: Tuple[str, Dict[str, Any], str], backbone: Path) -> None:
    case, config, message = choice
    with pytest.raises(MtnlpError, match=message):
        make_case(backbone, case, **config)


@pytest.mark.parametrize(
    "case,short,registered",
    [
        ("attention", "attention", "mtnlp.AttentionPooling.v1"),
        ("softmax", "softmax", "mtnlp.SoftmaxTagger.v1"),
    ],
)
def test_all_ways_to_write_it(case: str, short: str, registered: str, backbone: Path) -> None:
    """One meaning, and the same weights from the same seed."""
    made = []
    for choice in (short, registered, {"@layers": registered}):
        model: Any = {"decoder": choice}
        if case == "attention":
            model = {"label_correlation": True, "tok2vec": {"pooling": choice}}
        nlp = initialized(make_case(backbone, case, model=model))
        made.append((weights(get_case_pipe(nlp, case).model), nlp(TEXT)))
    for found, doc in made[1:]:
        assert found.keys() == made[0][0].keys()
        assert all(np.array_equal(found[name], made[0][0][name]) for name in found)
        assert_same_answers(doc, made[0][1], 0.0)


def test_pipelines_saved_with_short_names() -> None:
    nlp = spacy.load(SAVED / "model")
    for answer in json.loads((SAVED / "answers.json").read_text(encoding="utf8")):
        doc = nlp(answer["text"])
        assert [list(entity) for entity in listed(doc.ents)] == answer["ents"]
        for key, group in answer["spans"].items():
            assert [list(entity) for entity in listed(doc.spans[key])] == group["spans"]
            scores = np.asarray(doc.spans[key].attrs["scores"])
            np.testing.assert_allclose(scores, group["scores"], atol=1e-4)
        assert doc.cats == pytest.approx(answer["cats"], abs=1e-4)
        if len(doc):
            np.testing.assert_allclose(doc.vector, answer["vector"], atol=1e-4)
