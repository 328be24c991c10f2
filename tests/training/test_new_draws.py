"""spaCy's loop with `max_epochs = -1`: every epoch is drawn anew, streamed or not, and ends the
training after as many epochs as FitSchedule was told."""

from collections import defaultdict
from pathlib import Path
from typing import Any, Dict, List, Set

import pytest
import srsly
from spacy import registry
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.training.initialize import init_nlp, resolve_dot_names
from spacy.training.loop import create_train_batches, train_while_improving
from thinc.api import Config

from mtnlp.data.batchers import task_layers
from mtnlp.data.docbin import write_shards
from tests.pipes.cases import encoder_weights, same_weights
from tests.tiny import make_example, make_nlp

CONFIG = """
[initialize]

[initialize.before_init]
@callbacks = "mtnlp.FitSchedule.v1"
epochs = 3

[initialize.components]

[initialize.components.ner]

[initialize.components.ner.labels]
@readers = "spacy.read_labels.v1"
path = "{labels}/ner.json"
require = true

[initialize.components.textcat]

[initialize.components.textcat.labels]
@readers = "spacy.read_labels.v1"
path = "{labels}/textcat.json"
require = true

[training]
seed = 0
gpu_allocator = null
max_epochs = -1
patience = 0
eval_frequency = 100
accumulate_gradient = 2
train_corpus = "corpora.train"
dev_corpus = "corpora.dev"

[training.batcher]
@batchers = "mtnlp.WordpieceBatcher.v1"
size = 40
single_task = true

[training.optimizer]
@optimizers = "Adam.v1"

[training.optimizer.learn_rate]
@schedules = "warmup_linear.v1"
initial_rate = 0.005
warmup_steps = 0
total_steps = 1

[corpora]

[corpora.dev]
@readers = "mtnlp.MixedCorpus.v1"
shuffle = false

[corpora.dev.corpora]

[corpora.dev.corpora.reviews]
path = "{reviews}"

[corpora.train]
@readers = "mtnlp.MixedCorpus.v1"
sampling = "{sampling}"
stream = {stream}
buffer = 4

[corpora.train.corpora]

[corpora.train.corpora.news]
path = "{news}"
weight = 0.5

[corpora.train.corpora.reviews]
path = "{reviews}"
"""


@pytest.fixture
def config(backbone: Path, tmp_path: Path) -> Config:
    nlp = make_nlp(backbone, ["ner", "textcat"])
    positive = {"sentiment/positive": 1.0, "sentiment/negative": 0.0}
    news = [make_example(nlp, f"Anna saw {i} foxes .", ents=[(0, 1, "PER")]) for i in range(24)]
    reviews = [make_example(nlp, f"Film {i} was great .", cats=positive) for i in range(8)]
    write_shards((eg.reference for eg in news), tmp_path / "news", 6)
    write_shards((eg.reference for eg in reviews), tmp_path / "reviews", 3)
    srsly.write_json(tmp_path / "ner.json", ["LOC", "PER"])
    srsly.write_json(tmp_path / "textcat.json", ["sentiment/positive", "sentiment/negative"])
    text = CONFIG.format(
        labels=tmp_path.as_posix(),
        news=(tmp_path / "news").as_posix(),
        reviews=(tmp_path / "reviews").as_posix(),
        sampling="proportional",
        stream="false",
    )
    config = Config().from_str(text)
    own = Config().from_str(nlp.config.to_str())
    config["nlp"] = {"lang": "en", "pipeline": ["transformer", "ner", "textcat"]}
    config["components"] = own["components"]
    return config


def train(nlp: Language) -> Dict[int, List[List[Example]]]:
    """What `spacy train` does after `init_nlp`. Returns: the batches of each epoch."""
    settings = nlp.config.interpolate()
    (reader,) = resolve_dot_names(settings, ["corpora.train"])
    resolved: Dict[str, Any] = registry.resolve(settings["training"])
    batches = create_train_batches(nlp, reader, resolved["batcher"], resolved["max_epochs"])
    seen: Dict[int, List[List[Example]]] = defaultdict(list)
    for batch, info, _ in train_while_improving(
        nlp,
        resolved["optimizer"],
        batches,
        evaluate=lambda: (0.0, {}),
        dropout=0.1,
        eval_frequency=resolved["eval_frequency"],
        accumulate_gradient=resolved["accumulate_gradient"],
        patience=resolved["patience"],
        max_steps=resolved["max_steps"],
        exclude=[],
        annotating_components=[],
        before_update=None,
    ):
        seen[info["epoch"]].append(list(batch))
    return seen


def news_of(batches: List[List[Example]]) -> Set[str]:
    docs: List[Doc] = [eg.reference for batch in batches for eg in batch]
    return {doc.text for doc in docs if doc.has_annotation("ENT_IOB")}


@pytest.mark.parametrize("stream", [False, True])
def test_every_epoch_draws_other_documents(config: Config, stream: bool) -> None:
    config["corpora"]["train"]["stream"] = stream
    nlp = init_nlp(config)
    ner: Any = nlp.get_pipe("ner")
    # LOC is nowhere in the data: with -1, initialisation knows the labels from the config.
    assert ner.labels == ("LOC", "PER")
    before = encoder_weights(nlp)
    epochs = train(nlp)
    assert not same_weights(before, encoder_weights(nlp))
    assert sorted(epochs) == [0, 1, 2]
    news = [news_of(batches) for batches in epochs.values()]
    assert [len(texts) for texts in news] == [12, 12, 12]
    assert news[0] != news[1] != news[2]
    for batches in epochs.values():
        assert sum(map(len, batches)) == 20
        assert all(len({task_layers(eg) for eg in batch}) == 1 for batch in batches)
    if stream:
        # Halves of one round, without repetition.
        assert not news[0] & news[1]


def test_with_epochs_that_are_counted_the_first_draw_stays(config: Config) -> None:
    """What the recipe is for: here spaCy reads once and shuffles what it has."""
    config["training"]["max_epochs"] = 3
    config["training"]["max_steps"] = 0
    del config["initialize"]["before_init"]["epochs"]
    epochs = train(init_nlp(config))
    news = [news_of(batches) for batches in epochs.values()]
    assert len(news) == 3 and len(news[0]) == 12
    assert news[0] == news[1] == news[2]
