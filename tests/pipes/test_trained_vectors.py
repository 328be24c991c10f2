"""`sentence_vectors` with objectives, in a pipeline."""

import copy
import logging
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest
import spacy
import torch
from spacy.language import Language
from spacy.training import Example
from thinc.api import fix_random_seed

import mtnlp
from mtnlp.errors import MtnlpError
from mtnlp.gold.opinions import set_opinions
from tests.pipes.cases import (
    EXACT,
    EXACT_ENCODER,
    adam,
    assert_close,
    encoder_weights,
    gradients,
    head_weights,
    mixed_examples,
    only,
    same_weights,
    step,
    train,
)
from tests.pipes.test_pair_vectors import SIDES, pair_example
from tests.tiny import make_example, make_nlp

ANCHOR = {"anchor": {"@misc": "mtnlp.AnchorObjective.v1"}}
REGRESSION = {"pairs": {"@misc": "mtnlp.PairRegression.v1"}}
RANKING = {"ranking": {"@misc": "mtnlp.CoSENT.v1"}}
TOPIC = {"topic": {"@misc": "mtnlp.ContrastiveObjective.v1", "task": "topic"}}
NAME = "sentence_vectors"
GOLD = (0.9, 0.1, 0.4)


def make(backbone: Path, objectives: Dict[str, Any], *others: str, **settings: Any) -> Language:
    config = {**EXACT, "transformer": EXACT_ENCODER, NAME: {"objectives": objectives, **settings}}
    return make_nlp(backbone, [*others, NAME], config)


def pairs(nlp: Language) -> List[Example]:
    return [pair_example(nlp, *pair, gold) for pair, gold in zip(SIDES, GOLD, strict=True)]


def topics(nlp: Language) -> List[Example]:
    texts = {"The team won .": "SPORT", "Shares fell .": "MONEY", "A match began .": "SPORT"}
    return [make_example(nlp, text, cats={f"topic/{key}": 1.0}) for text, key in texts.items()]


def with_opinions(examples: List[Example], teacher: Language) -> List[Example]:
    """The same references with a teacher's vectors on them."""
    pipe: Any = teacher.get_pipe(NAME)
    found = pipe.opinions(teacher.pipe([example.text for example in examples]))
    for example, opinion in zip(examples, found, strict=True):
        set_opinions(example.reference, {NAME: [] if opinion is None else [opinion]})
    return examples


def test_gradients_are_those_of_two_sentences(backbone: Path) -> None:
    """Of the projection and of the encoder, against torch on the sentences themselves."""
    nlp = make(backbone, REGRESSION, model={"width": 16})
    nlp.initialize(lambda: pairs(nlp))
    pipe: Any = nlp.get_pipe(NAME)
    wrapper: Any = nlp.get_pipe("transformer").model
    encoder, tokenizer = copy.deepcopy(wrapper.transformer), wrapper.tokenizer
    projection = copy.deepcopy(pipe.module.projection)
    assert pipe.cfg["loss_normalization"] == 3.0
    losses: Dict[str, float] = {}
    nlp.update(pairs(nlp), sgd=False, losses=losses)

    total = torch.zeros(())
    for sides, gold in zip(SIDES, GOLD, strict=True):
        vectors = []
        for text in sides:
            # The longest one has several windows: their wordpieces are pooled together.
            (data,) = wrapper.predict([nlp.make_doc(text)]).doc_data
            ids = torch.from_numpy(data.wordpieces.input_ids[0])
            windows = ids.split(list(data.wordpieces.lengths))
            states = [encoder(input_ids=window[None]).last_hidden_state[0] for window in windows]
            vectors.append(projection(torch.cat(states).mean(0)))
        total = total + (vectors[0] @ vectors[1] - gold) ** 2
    (total / 3).backward()
    assert losses[NAME] == pytest.approx(float(total.detach()) / 3, rel=1e-4)
    assert_close(gradients(pipe.module.projection), gradients(projection), 1e-5)
    assert_close(gradients(wrapper.transformer), gradients(encoder), 1e-4)
    assert tokenizer is wrapper.tokenizer


def test_sub_batches_add_up(backbone: Path) -> None:
    """Of objectives that look at a unit by itself."""
    found, teacher = [], nlp_of(backbone)
    for cut in (3, 1):
        nlp = make(backbone, {**REGRESSION, **ANCHOR}, dims=[8])
        examples = with_opinions(pairs(nlp), teacher)
        nlp.initialize(lambda examples=examples: examples)
        losses: Dict[str, float] = {}
        for batch in (examples[:cut], examples[cut:]):
            if batch:
                nlp.update(batch, sgd=False, losses=losses)
        encoder: Any = nlp.get_pipe("transformer").model
        found.append((losses[NAME], gradients(encoder.transformer)))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    assert_close(found[0][1], found[1][1], 1e-5)


def nlp_of(backbone: Path) -> Language:
    teacher = make(backbone, {})
    teacher.initialize()
    return teacher


def test_documents_without_gold_train_nothing(backbone: Path) -> None:
    """No weight moves, not by momentum or decay either; what is blank has no target."""
    nlp = make(backbone, {**REGRESSION, **TOPIC, **ANCHOR}, model={"width": 16})
    nlp.initialize(lambda: [*pairs(nlp), *topics(nlp)])
    pipe: Any = nlp.get_pipe(NAME)
    train(nlp, [*pairs(nlp), *topics(nlp)], 2)
    before = encoder_weights(nlp), head_weights(nlp, NAME)
    missing = [
        *only(nlp, "ner"),
        pair_example(nlp, "Anna flew", "to Paris"),
        make_example(nlp, "\n", cats={"topic/SPORT": 1.0}),
        make_example(nlp, "No sport", cats={"topic/SPORT": 0.0}),
    ]
    assert not pipe.get_target(missing).doc_indices
    nlp.update(missing, sgd=False)
    assert all(parameter.grad is None for parameter in pipe.module.parameters())
    assert step(nlp, missing)[NAME] == 0.0
    assert pipe.loss_on(missing) == (0.0, 0.0)
    # A single document of a label has nobody to be compared with.
    assert step(nlp, topics(nlp)[:1])[NAME] == 0.0
    after = encoder_weights(nlp), head_weights(nlp, NAME)
    assert all(same_weights(*both) for both in zip(before, after, strict=True))


def test_it_learns_pairs_by_heart_and_comes_back_from_disk(backbone: Path, tmp_path: Path) -> None:
    nlp = make(backbone, {**RANKING, **REGRESSION}, dims=[8], model={"width": 16})
    nlp.initialize(lambda: reversed_pairs(nlp))
    before = nlp.evaluate(reversed_pairs(nlp))["vectors_spearman"]
    pipe: Any = nlp.get_pipe(NAME)
    train(nlp, reversed_pairs(nlp), 25)
    scores = nlp.evaluate(reversed_pairs(nlp))
    assert before < 0.5 and scores["vectors_spearman"] == 1.0
    docs = list(nlp.pipe(text for pair in SIDES for text in pair))
    # The prefixes have learnt it as well.
    short = mtnlp.vectors(docs, dim=8)
    cosines = (short[0::2] * short[1::2]).sum(1)
    assert np.argsort(cosines).tolist() == np.argsort([1 - gold for gold in GOLD]).tolist()
    examples = list(map(predicted, docs_with(nlp)))
    loss, units = pipe.loss_on(examples)
    assert units == 6.0 and 0 < loss < 1

    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert loaded.config["components"][NAME]["objectives"]["pairs"]["weight"] == 1.0
    assert list(loaded.get_pipe(NAME).objectives) == ["ranking", "pairs"]  # type: ignore[attr-defined]
    assert loaded.get_pipe(NAME).cfg["dims"] == [8]  # type: ignore[attr-defined]
    again = mtnlp.vectors(loaded.pipe(doc.text for doc in docs))
    np.testing.assert_allclose(again, mtnlp.vectors(docs), atol=1e-5)
    step(loaded, reversed_pairs(loaded))


def reversed_pairs(nlp: Language) -> List[Example]:
    """With similarities that an untrained encoder has the wrong way round."""
    golds = [1 - gold for gold in GOLD]
    return [pair_example(nlp, *pair, gold) for pair, gold in zip(SIDES, golds, strict=True)]


def docs_with(nlp: Language) -> List[Any]:
    examples = reversed_pairs(nlp)
    return list(zip(nlp.pipe(eg.text for eg in examples), examples, strict=True))


def predicted(both: Any) -> Example:
    doc, example = both
    return Example(doc, example.reference)


def test_an_anchor_keeps_vectors_near_their_teacher(backbone: Path) -> None:
    """While another component trains the encoder; and without it they go away."""
    teacher = nlp_of(backbone)
    cosines = []
    for objectives in ({}, ANCHOR):
        nlp = make(backbone, objectives, "textcat")
        fix_random_seed(0)
        nlp.initialize(lambda nlp=nlp: with_opinions(only(nlp, "textcat"), teacher))
        examples = with_opinions(only(nlp, "textcat"), teacher)
        losses = train(nlp, examples, 8, sgd=adam(0.002))
        assert (losses[NAME] > 0) == bool(objectives)
        texts = [example.text for example in examples]
        one, other = mtnlp.vectors(nlp.pipe(texts)), mtnlp.vectors(teacher.pipe(texts))
        cosines.append(float((one * other).sum(1).mean()))
    assert cosines[1] > 0.9 and 1 - cosines[1] < (1 - cosines[0]) / 3


def test_documents_of_a_label_attract(backbone: Path) -> None:
    nlp = make(backbone, TOPIC)
    nlp.initialize(lambda: topics(nlp))
    train(nlp, topics(nlp), 15)
    sport, money, other = mtnlp.vectors(nlp.pipe(example.text for example in topics(nlp)))
    assert sport @ other > 0.9 and sport @ money < 0.5 and other @ money < 0.5


def test_weights(backbone: Path) -> None:
    """Of an objective and of the component; learned ones have a task for each objective."""
    found = []
    for weight, task_weight in ((1.0, 1.0), (3.0, 0.5)):
        block = {"pairs": {**REGRESSION["pairs"], "weight": weight}}
        nlp = make(backbone, block, task_weight=task_weight, model={"width": 16})
        fix_random_seed(0)
        nlp.initialize(lambda nlp=nlp: pairs(nlp))
        nlp.update(pairs(nlp), sgd=False)
        pipe: Any = nlp.get_pipe(NAME)
        found.append(gradients(pipe.module))
        assert pipe.task_weights == {"pairs": weight * task_weight}
    assert_close({name: 1.5 * value for name, value in found[0].items()}, found[1], 1e-5)
    nlp = make(backbone, {**REGRESSION, **RANKING}, weighting="uncertainty")
    nlp.initialize(lambda: pairs(nlp))
    step(nlp, pairs(nlp))
    pipe = nlp.get_pipe(NAME)
    assert set(pipe.task_weights) == {"pairs", "ranking"} and pipe.task_weights["pairs"] != 1


def test_sourced_frozen_and_with_its_own_encoder(backbone: Path) -> None:
    nlp = make(backbone, REGRESSION, "textcat")
    examples = [*pairs(nlp), *topics(nlp), *mixed_examples(nlp)]
    nlp.initialize(lambda: examples)
    before = head_weights(nlp, NAME), encoder_weights(nlp)
    step(nlp, pairs(nlp), exclude=[NAME])
    assert same_weights(before[0], head_weights(nlp, NAME))
    expected = mtnlp.vectors([nlp(SIDES[0][0])])
    other = spacy.blank("en", vocab=nlp.vocab)
    other.add_pipe("transformer", source=nlp)
    other.add_pipe(NAME, source=nlp)
    np.testing.assert_allclose(mtnlp.vectors([other(SIDES[0][0])]), expected, atol=1e-6)
    other.replace_listeners("transformer", NAME, ["model.tok2vec"])
    np.testing.assert_allclose(mtnlp.vectors([other(SIDES[0][0])]), expected, atol=1e-6)
    pipe: Any = other.get_pipe(NAME)
    losses: Dict[str, float] = {}
    pipe.update(pairs(other), sgd=adam(0.01), losses=losses)
    assert losses[NAME] > 0
    assert not np.allclose(mtnlp.vectors([other(SIDES[0][0])]), expected, atol=1e-4)


def test_what_an_objective_lacks(backbone: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A warning for one without gold, and for a projection that nothing trains."""
    for examples, codes in ((pairs, ["W750"]), (topics, ["W750", "W314"])):
        caplog.clear()
        objectives = {**REGRESSION, **ANCHOR} if codes == ["W750"] else REGRESSION
        nlp = make(backbone, objectives, model={"width": 16})
        with caplog.at_level(logging.WARNING, logger="spacy.mtnlp"):
            nlp.initialize(lambda nlp=nlp, examples=examples: examples(nlp))
        told = [record.getMessage() for record in caplog.records]
        assert [message[1:5] for message in told if "W" in message[:3]] == codes
        unused = "'anchor'" if codes == ["W750"] else "'pairs'"
        assert unused in told[0]


def test_errors(backbone: Path) -> None:
    with pytest.raises(MtnlpError, match=r"E754.*'x'.*LoRA"):
        make(backbone, {"x": {"@misc": "mtnlp.LoRA.v1"}})
    with pytest.raises(MtnlpError, match=r"E330.*dims = 0"):
        make(backbone, {}, dims=[0])
    with pytest.raises(MtnlpError, match=r"E758.*\[8, 64\].*32 numbers"):
        make(backbone, {}, dims=[8, 64]).initialize()
    nlp = make(backbone, REGRESSION)
    together = make_example(nlp, "A fox ran . A fox slept .")
    reference = together.reference
    reference.spans["pair"] = [reference[:4], reference[4:]]
    reference.cats["similarity"] = 0.5
    with pytest.raises(MtnlpError, match=r"E756.*'A fox ran"):
        nlp.initialize(lambda: [together])


def test_an_encoder_that_reads_a_pair_as_one_text(backbone: Path) -> None:
    """That of spacy-transformers: prediction goes on, training says so."""
    nlp = spacy.blank("en")
    model = {"@architectures": "spacy-transformers.TransformerModel.v3", "name": str(backbone)}
    nlp.add_pipe("transformer", config={"model": model})
    nlp.add_pipe(NAME, config={"objectives": REGRESSION})
    nlp.initialize(lambda: pairs(nlp))
    doc = nlp(pairs(nlp)[0].text)
    np.testing.assert_allclose(doc.tensor.mean(0), doc.vector, atol=1e-5)
    with pytest.raises(MtnlpError, match=r"E759.*spacy-transformers|E759.*TransformerModel"):
        nlp.update(pairs(nlp), sgd=False)
