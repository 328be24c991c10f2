"""`mtnlp.MixedCorpus.v1` in a config and in spaCy's training loop."""

from typing import Dict, List

import pytest
from confection import ConfigValidationError
from spacy.training import Example
from spacy.training.loop import create_train_batches
from spacy.util import load_config_from_str, registry
from spacy.vocab import Vocab

from tests.data.mixed_cases import first_words, news, numbered, save, spans_of

CONFIG = """
[paths]
first = "{first}"

[corpora]

[corpora.train]
@readers = "mtnlp.MixedCorpus.v1"
seed = 3

[corpora.train.corpora]

[corpora.train.corpora.first]
path = ${{paths.first}}
weight = 2
limit = 0

[corpora.train.corpora.second]
path = "{second}"
weight = 1.0
limit = 4
ents_to = null
spans_to_ents = "fine"
spans = {{"nested": "nerel"}}

[training]
[training.batcher]
@batchers = "mtnlp.WordpieceBatcher.v1"
size = 40
"""


@pytest.fixture
def config(tmp_path):
    first = numbered(tmp_path / "first.spacy", "a", 10)
    vocab = Vocab()
    second = save(tmp_path / "second.spacy", [news(vocab) for _ in range(6)])
    text = CONFIG.format(first=first.as_posix(), second=second.as_posix())
    return load_config_from_str(text, interpolate=True)


def test_a_config_resolves_to_the_reader(nlp, config):
    examples = list(registry.resolve(config)["corpora"]["train"](nlp))
    assert len(examples) == 24
    mapped = [example.reference for example in examples if example.reference.spans]
    assert len(mapped) == 4
    assert {spans_of(doc.ents)[0] for doc in mapped} == {(2, 3, "CITY")}
    assert {tuple(doc.spans) for doc in mapped} == {("nerel",)}


@pytest.mark.parametrize("setting, value", [("seed", "x"), ("shuffle", 1), ("corpora", ["a"])])
def test_wrong_types_are_found_when_the_config_is_resolved(config, setting, value):
    config["corpora"]["train"][setting] = value
    with pytest.raises(ConfigValidationError, match=setting):
        registry.resolve(config)


@pytest.mark.parametrize("max_epochs", [2, -1])
def test_spacys_loop_reads_epochs(nlp, config, max_epochs):
    resolved = registry.resolve(config)
    reader, batcher = resolved["corpora"]["train"], resolved["training"]["batcher"]
    epochs: Dict[int, List[Example]] = {}
    for epoch, batch in create_train_batches(nlp, reader, batcher, max_epochs):
        if epoch == 2:
            break
        epochs.setdefault(epoch, []).extend(batch)
    assert {epoch: len(examples) for epoch, examples in epochs.items()} == {0: 24, 1: 24}
    assert first_words(epochs[0]) != first_words(epochs[1])
    # One call for the whole training, or one per epoch (the third had just begun).
    assert reader.epoch == (1 if max_epochs == 2 else 3)


def test_a_pipeline_trains_on_it(nlp, config, tmp_path):
    corpora = config["corpora"]["train"]["corpora"]
    corpora["first"]["weight"] = 0
    corpora["second"]["weight"] = 3
    reader = registry.resolve(config)["corpora"]["train"]
    nlp.add_pipe("ner")
    optimizer = nlp.initialize(lambda: reader(nlp))
    assert nlp.get_pipe("ner").labels == ("CITY",)
    losses = []
    for _ in range(8):
        step: Dict[str, float] = {}
        nlp.update(list(reader(nlp)), sgd=optimizer, losses=step)
        losses.append(step["ner"])
    assert losses[-1] < losses[0]
    assert set(nlp.evaluate(reader(nlp))) >= {"ents_f", "token_acc"}
