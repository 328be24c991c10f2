"""An existing config, fitted to corpora: by the rule's numbers, and without what cannot be read."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Dict

import pytest
from spacy.training.initialize import init_nlp
from spacy.util import load_config
from thinc.api import Config

from mtnlp.data.convert import convert
from mtnlp.data.corpus_settings import CorpusSettings
from mtnlp.data.options import ConvertOptions
from mtnlp.errors import MtnlpError
from mtnlp.recipes import fit_config as module
from mtnlp.recipes.config_edits import evaluations
from mtnlp.recipes.fit_config import Fitted, can_read, fit_config, fit_hours, learnt, moved
from mtnlp.recipes.profile import CorpusProfile, LayerProfile, TaskProfile
from mtnlp.recipes.recipe import Recipe
from tests.tiny import SAMPLE

CONFIGS = SAMPLE.parents[1] / "configs"
NEREL = CorpusProfile(
    name="nerel",
    documents={"train": 700, "dev": 94},
    language="ru",
    words=100_000,
    words_per_document={0.5: 140, 0.9: 300},
    pieces=470_000,
    pieces_per_document={0.5: 650, 0.9: 1400, 1.0: 3000},
    pieces_per_word=4.7,
    layers=[LayerProfile("nerel", {"PERSON": 9}, 700), LayerProfile(None, {"PER": 3}, 700)],
    tasks=[TaskProfile("event", {"DIED": 4}, 700, False, "")],
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpora")
    for name in ("imdb", "conll", "nerel", "multinerd"):
        convert(ConvertOptions(name, sample=SAMPLE, out=folder, limit=(8, 3, 3)))
    return folder


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny encoder spells everything; here it reads all but NEREL."""
    cut = {"nerel": 4.7}
    monkeypatch.setattr(module, "pieces_per_word", lambda found: cut.get(found.name, 1.3))


@pytest.mark.usefixtures("unreadable")
def test_a_joint_config(corpus: Path, backbone: Path) -> None:
    """What the encoder cannot read goes, with the heads that learn from nothing else."""
    fitted = fit_config(CONFIGS / "en_mtnlp.cfg", corpus, str(backbone))
    (message,) = fitted.left_out
    assert "nerel is left out, and so are nested_ner, events" in message
    assert "(ru) into 4.7 pieces" in message
    config, recipe = fitted.config, fitted.recipe
    names = ["imdb", "conll", "multinerd"]
    assert list(fitted.profiles) == names
    for split in ("train", "dev"):
        assert list(config["corpora"][split]["corpora"]) == names
    assert config["corpora"]["dev"]["corpora"]["conll"]["path"] == "${paths.dev}/conll.spacy"
    assert set(config["components"]) == set(config["nlp"]["pipeline"])
    assert not {"nested_ner", "events"} & set(config["components"])
    weights = config["training"]["score_weights"]
    assert weights["spans_multinerd_f"] == 0.2 and weights["cats_sentiment_acc"] == 0.2
    assert not {key for key in weights if key.startswith(("spans_nerel", "cats_event"))}
    training, encoder = config["training"], config["components"]["transformer"]["model"]
    assert (encoder["window"], encoder["precision"]) == (recipe.window, recipe.precision)
    assert encoder["attention_dropout"] == recipe.attention_dropout
    assert (training["max_epochs"], training["max_steps"]) == (recipe.epochs, 0)
    assert training["batcher"]["size"] == recipe.batch
    assert training["batcher"]["single_task"] and training["batcher"]["min_docs"] > 0
    assert training["optimizer"]["learn_rate"]["initial_rate"] == recipe.rate
    drawn = {name: block["weight"] for name, block in config["corpora"]["train"]["corpora"].items()}
    assert drawn == recipe.weights and min(drawn.values()) == 1.0
    for name in ("transformer", "textcat"):  # the tiny encoder has 2 layers
        model = config["components"][name]["model"]
        (model if name == "transformer" else model["tok2vec"])["layers"] = [0, 2]
    nlp = init_nlp(config)
    assert nlp.pipe_names == config["nlp"]["pipeline"]


@pytest.mark.usefixtures("unreadable")
def test_nothing_that_can_be_read(corpus: Path, backbone: Path) -> None:
    with pytest.raises(MtnlpError, match=r"E446.*\(ru\) into 4.7 pieces"):
        fit_config(CONFIGS / "nerel.cfg", corpus, str(backbone))


def test_a_config_of_another_form(corpus: Path, backbone: Path) -> None:
    with pytest.raises(MtnlpError, match="E447"):
        fit_config(CONFIGS / "nerel_events.cfg", corpus, str(backbone))


def test_languages(corpus: Path, backbone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an encoder for both, all stays; the tokenizer is the config's."""
    monkeypatch.setattr(module, "pieces_per_word", lambda found: 1.7)
    fitted = fit_config(CONFIGS / "en_mtnlp.cfg", corpus, str(backbone))
    assert not fitted.left_out and fitted.profiles["nerel"].language == "ru"
    assert fitted.config["nlp"]["lang"] == "en"
    assert fitted.config["corpora"]["dev"]["path"] == "${paths.dev}"


@pytest.mark.parametrize("source, lang", [("sample", "en"), ("local", "ru"), ("hub", "ru")])
def test_the_language_of_a_source(source: str, lang: str) -> None:
    config = load_config(CONFIGS / "nerel.cfg")
    module.set_languages(config, source)
    assert config["nlp"]["lang"] == lang
    config = load_config(CONFIGS / "en_mtnlp.cfg")
    module.set_languages(config, source)
    assert config["nlp"]["lang"] == "en"
    config = load_config(CONFIGS / "goemotions.cfg")  # not a published data set of the table
    module.set_languages(config, source)
    assert config["nlp"]["lang"] == "en"


def test_what_heads_learn() -> None:
    """Only that counts for a recipe, with layers where the mix moves them."""

    class Layer:
        spans_key = "nerel"

    class Head:
        layer = Layer()

    heads: Dict[str, Any] = {"flat_ner": Head()}
    found = learnt(NEREL, heads)
    assert [layer.key for layer in found.layers] == ["nerel"] and not found.tasks
    entry = CorpusSettings("nerel", Path("x"), ents_to="nerel", spans={"nerel": "inner"})
    assert [layer.key for layer in moved(NEREL, entry).layers] == ["inner", "nerel"]


def test_what_can_be_read() -> None:
    """The two pieces that each document has beside its words do not count."""
    assert not can_read(NEREL)
    # 3 words of 2 pieces each, and 2: 2.67 with them, 2 without.
    assert can_read(replace(NEREL, words=2100, pieces=5600))


@pytest.mark.parametrize(
    "hours, epochs, steps, frequency",
    [(0.0, 10, 0, 40), (20.0, 10, 0, 40), (5.5, 5, 0, 20), (0.5, 1, 20, 5)],
)
def test_hours(hours: float, epochs: int, steps: int, frequency: int) -> None:
    """Ten hours in ten epochs: fewer epochs, then a part of one."""
    recipe = Recipe("ru", [], None, window=256, batch=600, rate=1e-4, epochs=10, steps=40)
    training = {"max_epochs": 10, "max_steps": 0, "eval_frequency": 40}
    fitted = Fitted(Config({"training": training}), recipe, {"nerel": NEREL}, [])
    seconds = fit_hours(fitted, 36_000.0, hours)
    assert fitted.config["training"] == {
        "max_epochs": epochs,
        "max_steps": steps,
        "eval_frequency": frequency,
    }
    assert seconds == pytest.approx({0.0: 36_000, 20.0: 36_000, 5.5: 18_000, 0.5: 1800}[hours])


def test_a_large_dev_is_evaluated_less_often() -> None:
    assert evaluations({"nerel": NEREL}, 3) == 10
    large = replace(NEREL, documents={"train": 700, "dev": 700})
    assert evaluations({"nerel": large}, 20) == 10
    assert evaluations({"nerel": large}, 5) == 3
    assert evaluations({"nerel": large}, 1) == 2
