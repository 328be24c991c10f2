"""spaCy's own pipes beside ours on one encoder; the weight of each pipe's gradient in it."""

from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.training import Example
from thinc.api import fix_random_seed

from tests.pipes.cases import (
    EXACT,
    assert_close,
    assert_same_answers,
    gradients,
    initialized,
    mixed_examples,
    step,
    train,
)
from tests.tiny import make_example, make_nlp

TAGS = {"Anna": "NNP", "Keller": "NNP", "flew": "VBD", "to": "TO", "Paris": "NNP", ".": "."}


def tagger_config(grad_factor: float) -> Dict[str, Any]:
    return {
        "model": {
            "tok2vec": {
                "@architectures": "spacy-transformers.TransformerListener.v1",
                "grad_factor": grad_factor,
                "upstream": "*",
                "pooling": {"@layers": "reduce_mean.v1"},
            }
        }
    }


def with_tagger(backbone: Path, grad_factor: float = 1.0, last: bool = False) -> Language:
    pipes = ["ner", "textcat"]
    pipes.insert(2 if last else 0, "tagger")
    return make_nlp(backbone, pipes, {**EXACT, "tagger": tagger_config(grad_factor)})


def tagged(nlp: Language) -> Example:
    example = make_example(nlp, "Anna Keller flew to Paris .")
    for token in example.reference:
        token.tag_ = TAGS[token.text]
    return example


def everything(nlp: Language) -> List[Example]:
    return [*mixed_examples(nlp), tagged(nlp)]


def start(nlp: Language) -> Language:
    """The tagger's weights begin at zero, and the encoder's gradient with them: one step of the
    heads alone."""
    fix_random_seed(0)
    nlp.initialize(lambda: everything(nlp))
    step(nlp, everything(nlp), exclude=["transformer"], annotates=["transformer"])
    return nlp


def encoder_gradients(nlp: Language, examples: List[Example]) -> Dict[str, np.ndarray]:
    transformer: Any = nlp.get_pipe("transformer")
    transformer.model.transformer.zero_grad(set_to_none=True)
    nlp.update(examples, sgd=False)  # type: ignore[arg-type]
    return gradients(transformer.model.transformer)


@pytest.mark.parametrize("last", [False, True])
def test_tagger_learns_beside_ours(last: bool, backbone: Path, tmp_path: Path) -> None:
    nlp = start(with_tagger(backbone, last=last))
    train(nlp, everything(nlp))
    doc = nlp("Anna Keller flew to Paris .")
    assert [token.tag_ for token in doc] == list(TAGS.values())
    assert [ent.label_ for ent in doc.ents] == ["PER", "LOC"]
    scores = nlp.evaluate(everything(nlp))
    assert scores["tag_acc"] == scores["ents_f"] == scores["cats_sentiment_acc"] == 1.0
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert_same_answers(doc, loaded(doc.text))
    assert [token.tag_ for token in loaded(doc.text)] == list(TAGS.values())


@pytest.mark.parametrize("last", [False, True])
def test_each_alone_has_a_gradient_for_the_encoder(last: bool, backbone: Path) -> None:
    nlp = start(with_tagger(backbone, last=last))
    for batch in ([tagged(nlp)], mixed_examples(nlp)[:2], mixed_examples(nlp)[5:7]):
        assert any(gradient.any() for gradient in encoder_gradients(nlp, batch).values())


@pytest.mark.parametrize("last", [False, True])
def test_grad_factor_of_the_tagger(last: bool, backbone: Path) -> None:
    """λ = 0 leaves the encoder to the others; λ scales what the tagger gives it."""
    found = {}
    for factor in (0.0, 0.25, 1.0):
        nlp = start(with_tagger(backbone, factor, last))
        found[factor] = encoder_gradients(nlp, [tagged(nlp)])
    assert not any(gradient.any() for gradient in found[0.0].values())
    assert any(gradient.any() for gradient in found[1.0].values())
    assert_close({k: 4 * v for k, v in found[0.25].items()}, found[1.0], 1e-5)


@pytest.mark.parametrize("name", ["ner", "fine_ner", "nested_ner", "textcat", "events"])
@pytest.mark.parametrize("last", [False, True])
def test_grad_factor_of_ours(name: str, last: bool, backbone: Path) -> None:
    found, heads = {}, {}
    for factor in (0.0, 0.5, 1.0):
        settings = EXACT.get(name, {})
        model = {**settings.get("model", {}), "tok2vec": {"grad_factor": factor}}
        pipes = ["sentence_vectors", name] if last else [name, "sentence_vectors"]
        nlp = initialized(make_nlp(backbone, pipes, {**EXACT, name: {**settings, "model": model}}))
        found[factor] = encoder_gradients(nlp, mixed_examples(nlp))
        pipe: Any = nlp.get_pipe(name)
        heads[factor] = gradients(pipe.module)
    assert not any(gradient.any() for gradient in found[0.0].values())
    assert any(gradient.any() for gradient in found[1.0].values())
    assert_close({k: 2 * v for k, v in found[0.5].items()}, found[1.0], 1e-5)
    # λ is the encoder's affair: the head learns at full rate.
    assert_close(heads[0.0], heads[1.0], 1e-6)


def test_gradients_of_all_pipes_add_up(backbone: Path) -> None:
    parts: List[Dict[str, np.ndarray]] = []
    total: Optional[Dict[str, np.ndarray]] = None
    for active in ("ner", "textcat", None):
        configs = dict(EXACT)
        for name in ("ner", "textcat"):
            factor = 1.0 if active in (None, name) else 0.0
            settings = EXACT[name]
            model = {**settings["model"], "tok2vec": {"grad_factor": factor}}
            configs[name] = {**settings, "model": model}
        nlp = initialized(make_nlp(backbone, ["ner", "textcat"], configs))
        found = encoder_gradients(nlp, mixed_examples(nlp))
        if active is None:
            total = found
        else:
            parts.append(found)
    assert total is not None
    assert_close({key: parts[0][key] + parts[1][key] for key in total}, total, 1e-5)


def test_replacing_the_listener_of_the_tagger(backbone: Path, tmp_path: Path) -> None:
    nlp = start(with_tagger(backbone))
    train(nlp, everything(nlp), 10)
    doc = nlp("Anna Keller flew to Paris .")
    nlp.replace_listeners("transformer", "tagger", ["model.tok2vec"])
    nlp.to_disk(tmp_path)
    for made in (nlp, spacy.load(tmp_path)):
        again = made(doc.text)
        assert [token.tag_ for token in again] == [token.tag_ for token in doc]
        assert_same_answers(doc, again)
