"""`span_ner`: what the tests of all pipes do not ask."""

import logging
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

import mtnlp
from mtnlp.errors import MtnlpError
from tests.pipes.cases import (
    adam,
    group_scores,
    initialized,
    listed,
    make_case,
    mixed_examples,
    step,
    train,
)
from tests.tensors import LargestTensor
from tests.tiny import make_example, make_nlp

TEXT = "The Bank of New York fell ."
CNN = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    "width": 16,
    "depth": 1,
    "embed_size": 100,
    "window_size": 1,
    "maxout_pieces": 2,
    "subword_features": True,
    "pretrained_vectors": None,
}


def on_cnn(examples_of: Any, **config: Any) -> Language:
    nlp = spacy.blank("en")
    model = {**config.pop("model", {}), "tok2vec": CNN}
    nlp.add_pipe("span_ner", config={"spans_key": "nerel", **config, "model": model})
    examples = examples_of(nlp)
    nlp.initialize(lambda: examples)
    return nlp


# Settings


@pytest.mark.parametrize("decoder", ["nested", "all"])
def test_doc_ents_hold_flat_entities_only(decoder: str, backbone: Path) -> None:
    with pytest.raises(MtnlpError, match=r"E231.*span_ner.*doc\.ents"):
        make_nlp(backbone, ["span_ner"], {"span_ner": {"spans_key": None, "decoder": decoder}})


def test_bad_settings(backbone: Path) -> None:
    with pytest.raises(MtnlpError, match="E230"):
        make_nlp(backbone, ["span_ner"], {"span_ner": {"decoder": "beam"}})
    nlp = make_nlp(backbone, ["span_ner"], {"span_ner": {"model": {"max_width": 0}}})
    examples = [make_example(nlp, TEXT, spans=[(1, 5, "ORG")], key="sc")]
    with pytest.raises(MtnlpError, match="E232"):
        nlp.initialize(lambda: examples)


def test_defaults_are_spacys_own_for_spans(backbone: Path) -> None:
    nlp = make_nlp(backbone, ["span_ner"])
    examples = [make_example(nlp, TEXT, spans=[(1, 5, "ORG"), (3, 5, "CITY")], key="sc")]
    nlp.initialize(lambda: examples)
    train(nlp, examples, 20)
    assert nlp.evaluate(examples)["spans_sc_f"] == 1.0
    doc = nlp(TEXT)
    assert listed(doc.spans["sc"]) == [(1, 5, "ORG"), (3, 5, "CITY")]


def test_doc_ents(backbone: Path) -> None:
    """As `crf_ner` writes them: the group of the component's name has the scores."""
    nlp = initialized(make_case(backbone, "span_ents"))
    train(nlp, mixed_examples(nlp), 30)
    doc = nlp("Anna Keller flew to Paris .")
    assert listed(doc.ents) == listed(doc.spans["span_ner"]) == [(0, 2, "PER"), (4, 5, "LOC")]
    assert doc.ents[0]._.confidence == mtnlp.confidence(doc.ents[0], "span_ner") > 0.5
    assert doc.has_annotation("ENT_IOB")


def test_threshold_and_decoder_can_be_changed_afterwards(backbone: Path) -> None:
    nlp = initialized(make_case(backbone, "span"))
    train(nlp, mixed_examples(nlp), 30)
    pipe: Any = nlp.get_pipe("span_ner")
    found: Dict[Any, List[Any]] = {}
    for decoder in ("flat", "nested", "all"):
        for threshold in (0.0, 0.5, 1.01):
            pipe.cfg.update(decoder=decoder, threshold=threshold)
            doc = nlp(TEXT)
            found[decoder, threshold] = listed(doc.spans["nerel"])
            assert all(score >= threshold for score in group_scores(doc.spans["nerel"]))
    words = len(TEXT.split())
    assert len(found["all", 0.0]) == words * (words + 1) / 2  # the best label of every span
    assert found["all", 0.5] == found["nested", 0.5] == [(1, 5, "ORG"), (3, 5, "CITY")]
    assert len(found["flat", 0.5]) == 1 and found["flat", 0.5][0] in found["all", 0.5]
    assert not any(found[decoder, 1.01] for decoder in ("flat", "nested", "all"))
    assert len(found["nested", 0.0]) > len(found["flat", 0.0])


def test_two_labels_of_one_span() -> None:
    gold = [(1, 5, "ORG"), (3, 5, "CITY"), (3, 5, "DISTRICT")]

    def examples(nlp: Language) -> List[Example]:
        return [make_example(nlp, TEXT, spans=gold, key="nerel")]

    nlp = on_cnn(examples, model={"exclusive": False})
    train(nlp, examples(nlp), 60)
    doc = nlp(Doc(nlp.vocab, words=TEXT.split()))
    assert listed(doc.spans["nerel"]) == gold
    assert nlp.evaluate(examples(nlp))["spans_nerel_f"] == 1.0
    # An exclusive head finds the first of them.
    nlp = on_cnn(examples)
    train(nlp, examples(nlp), 60)
    doc = nlp(Doc(nlp.vocab, words=TEXT.split()))
    assert listed(doc.spans["nerel"]) == gold[:2]


@pytest.mark.parametrize("losses", [None, {"@losses": "mtnlp.BinaryCrossEntropy.v1"}])
def test_a_loss_of_the_config(losses: Any, backbone: Path) -> None:
    nlp = initialized(make_case(backbone, "marker", model={"exclusive": False, "loss": losses}))
    first = step(nlp, mixed_examples(nlp))["span_ner"]
    assert 0 < train(nlp, mixed_examples(nlp), 8)["span_ner"] < first


# Initialisation


@pytest.mark.parametrize(
    ("max_width", "message"),
    [(8, "0 of 3 gold entities (0.0%)"), (2, "1 of 3 gold entities (33.3%)")],
)
def test_the_log_tells_entities_that_are_too_wide(
    max_width: int, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("spacy")
    logger.propagate = True
    with caplog.at_level(logging.INFO, "spacy"):
        nlp = on_cnn(mixed_examples, model={"max_width": max_width})
    lines = [record.getMessage() for record in caplog.records if "max_width" in record.getMessage()]
    (line,) = lines
    assert line.startswith(f"span_ner: {message}") and f"max_width = {max_width} words" in line
    # What is too wide is left out, and everything else is learnt.
    train(nlp, mixed_examples(nlp), 40)
    scores = nlp.evaluate(mixed_examples(nlp))
    assert (scores["spans_nerel_p"], scores["spans_nerel_f"] == 1.0) == (1.0, max_width == 8)


@pytest.mark.parametrize("exclusive", [True, False])
def test_training_starts_from_the_shares_of_the_labels(exclusive: bool) -> None:
    nlp = on_cnn(mixed_examples, model={"exclusive": exclusive})
    pipe: Any = nlp.get_pipe("span_ner")
    bias = pipe.module.bias.detach()
    shares = bias.softmax(0)[1:] if exclusive else bias.sigmoid()
    spans = 7 * 8 / 2 + 6 * 7 / 2  # of seven tokens and of six
    assert shares.tolist() == pytest.approx([2.5 / (spans + 1), 1.5 / (spans + 1)], rel=0.02)
    # A constant guess at the start: few entities.
    loss, units = pipe.loss_on(mixed_examples(nlp))
    assert units == 13 and loss < spans * 0.5


# Texts


def test_white_space_is_no_part_of_an_entity(backbone: Path) -> None:
    """Spans that differ in white space alone are one entity, with the best score: here every span
    is found with every label."""
    nlp = initialized(make_case(backbone, "marker", decoder="all", threshold=0.0))
    doc = nlp(Doc(nlp.vocab, words=["The", "Bank", " ", "\n", "fell", " "]))
    group = listed(doc.spans["nerel"])
    assert len(group) == len(set(group)) == len(group_scores(doc.spans["nerel"]))
    assert not {(start, end) for start, end, _ in group} & {(2, 3), (2, 5), (1, 3), (5, 6)}
    pipe: Any = nlp.get_pipe("span_ner")
    bare = nlp.get_pipe("transformer")(Doc(nlp.vocab, words=[t.text for t in doc]))  # type: ignore
    spans, scores = pipe.predict([bare])
    written = dict(zip(group, group_scores(doc.spans["nerel"]), strict=True))
    # For each entity all spans of the head that are the same but for white space.
    cores = {
        (1, 2): [(1, 2), (1, 3), (1, 4)],
        (1, 5): [(1, 5), (1, 6)],
        (4, 5): [(2, 5), (2, 6), (3, 5), (3, 6), (4, 5), (4, 6)],
    }
    rows = zip(spans.tolist(), scores.tolist(), strict=True)
    each = {(start, end, pipe.labels[label]): score for (_, start, end, label), score in rows}
    for label in pipe.labels:
        for core, alike in cores.items():
            found = [each[start, end, label] for start, end in alike]
            assert len(set(found)) > 1
            assert written[(*core, label)] == pytest.approx(max(found), rel=1e-5)


def long_example(nlp: Language, words: int) -> Example:
    text = " ".join(["The Bank of New York fell ."] * (words // 7))
    spans = [
        (7 * i + start, 7 * i + end, label)
        for i in range(words // 7)
        for start, end, label in ((1, 5, "ORG"), (3, 5, "CITY"))
    ]
    return make_example(nlp, text, spans=spans, key="nerel")


def test_a_document_of_2000_tokens() -> None:
    """It is learnt and read to its end."""

    def examples(nlp: Language) -> List[Example]:
        return [long_example(nlp, 2002)]

    nlp = on_cnn(examples)
    train(nlp, examples(nlp), 15, sgd=adam(0.01))
    assert nlp.evaluate(examples(nlp))["spans_nerel_f"] == 1.0
    doc = nlp(Doc(nlp.vocab, words=[token.text for token in examples(nlp)[0].reference]))
    assert listed(doc.spans["nerel"])[-2:] == [(1996, 2000, "ORG"), (1998, 2000, "CITY")]


@pytest.mark.parametrize(
    "loss", [None, {"@losses": "mtnlp.FocalLoss.v1"}], ids=["default", "focal"]
)
@pytest.mark.parametrize("scorer", ["Marker", "Biaffine"])
def test_chunks_bound_the_memory(scorer: str, loss: Any) -> None:
    """In prediction nothing is larger than the hidden values of a chunk or the vectors of the
    tokens; in training there are the scores of all spans besides, never their hidden values, nor
    their features for a loss that does not read them."""
    size, hidden, tokens, classes = 64, 100, 2002, 3
    block = {"@layers": f"mtnlp.{scorer}Scorer.v1", "hidden": hidden}
    nlp = on_cnn(mixed_examples, model={"scorer": block, "chunk_size": size, "loss": loss})
    example = long_example(nlp, tokens)
    chunk = (size + 7) * 8 * (hidden + 1)
    with LargestTensor() as predicting:
        nlp(Doc(nlp.vocab, words=[token.text for token in example.reference]))
    assert predicting.numbers <= max(chunk, tokens * CNN["width"])  # type: ignore[operator]
    with LargestTensor() as training:
        step(nlp, [example])
    assert training.numbers <= max(chunk, tokens * 8 * classes)
    assert tokens * 8 * hidden > 20 * training.numbers


def test_a_batch_of_long_and_short_documents(backbone: Path) -> None:
    nlp = initialized(make_case(backbone, "span"))
    train(nlp, mixed_examples(nlp), 30)
    texts = ["", TEXT, TEXT * 30, "New York", " ", TEXT]
    torch.manual_seed(0)
    for text, doc in zip(texts, nlp.pipe(texts), strict=True):
        alone = nlp(text)
        assert listed(alone.spans["nerel"]) == listed(doc.spans["nerel"])
        np.testing.assert_allclose(
            group_scores(alone.spans["nerel"]), group_scores(doc.spans["nerel"]), atol=1e-5
        )
