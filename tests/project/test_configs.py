"""The configs in `configs/`: complete, and able to train on the sample."""

import inspect
import io
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

import pytest
import spacy
from spacy.language import DEFAULT_CONFIG
from spacy.tokens import Doc
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.training.loop import subdivide_batch, train
from spacy.util import load_config, registry
from spacy.vocab import Vocab
from thinc.api import Config

from mtnlp.data.convert import convert
from mtnlp.data.datasets import DATASETS
from mtnlp.data.options import ConvertOptions
from mtnlp.data.sources import language_of
from mtnlp.experiments.settings import filled_config
from mtnlp.recipes.fit_config import corpus_entries
from tests.pipes.cases import assert_same_answers
from tests.tiny import SAMPLE

CONFIGS = SAMPLE.parents[1] / "configs"
NAMES = sorted(path.stem for path in CONFIGS.glob("*.cfg"))
COMPARED = sorted(f"compare/{path.stem}" for path in CONFIGS.glob("compare/*.cfg"))


def two_steps(backbone: Path, folder: Path) -> Dict[str, Any]:
    """Overrides: a short training over corpora in a folder."""
    return {
        "paths.backbone": str(backbone),
        "paths.train": str(folder / "train"),
        "paths.dev": str(folder / "dev"),
        "training.max_epochs": 0,
        "training.max_steps": 2,
    }


@pytest.mark.parametrize("name", NAMES + COMPARED)
def test_no_config_says_what_is_the_default(name: str) -> None:
    """Of spaCy's sections, of components and of registered functions, only what differs."""
    config = load_config(CONFIGS / f"{name}.cfg", interpolate=True)
    nlp = spacy.blank("en")
    assert not repeated(config["nlp"], DEFAULT_CONFIG["nlp"])
    # `spacy train` wants to read these two before it fills in what is left out.
    wanted = {key: config["training"].pop(key) for key in ("seed", "gpu_allocator")}
    assert wanted == config["system"]
    assert not repeated(config["training"], DEFAULT_CONFIG["training"])
    for component in config["components"].values():
        defaults = nlp.get_factory_meta(component["factory"]).default_config
        assert not repeated(component, defaults), component["factory"]
    for block in blocks(config):
        for function in [(key[1:], value) for key, value in block.items() if key.startswith("@")]:
            arguments = inspect.signature(registry.get(*function)).parameters
            defaults = {key: argument.default for key, argument in arguments.items()}
            # The seed follows that of [system].
            assert repeated(block, defaults) in ([], ["seed"]), function


def repeated(block: Dict[str, Any], defaults: Dict[str, Any]) -> List[str]:
    """The keys whose value is the default."""
    return [key for key in block if key in defaults and block[key] == defaults[key]]


def blocks(block: Dict[str, Any]) -> Iterator[Dict[str, Any]]:
    """A config's block and all below it."""
    yield block
    for value in block.values():
        if isinstance(value, dict):
            yield from blocks(value)


@pytest.mark.parametrize("name", NAMES + COMPARED)
def test_the_language_is_that_of_the_corpora(name: str) -> None:
    """The tokenizer is the one that the converter used."""
    config = load_config(CONFIGS / f"{name}.cfg")
    files = [entry.path.stem for entry in corpus_entries(config, "corpora.train").values()]
    published = [file for file in files if file in DATASETS]
    assert published or name == "goemotions"
    by_source = {
        source: {language_of(ConvertOptions(file, source=source)) for file in published}
        for source in ("local", "sample")
    }
    lang = config["nlp"]["lang"]
    if len(by_source["local"]) > 1:  # no tokenizer is that of all: that of the sample
        assert by_source["sample"] == {lang}
    elif published:
        assert by_source["local"] == {lang}


@pytest.mark.parametrize("name", NAMES + COMPARED)
def test_score_weights_name_every_default(name: str) -> None:
    """spaCy adds the default weights of components that a config does not name."""
    config = load_config(CONFIGS / f"{name}.cfg")
    named = config["training"]["score_weights"]
    nlp = spacy.blank("en")
    for component_name, component in config["components"].items():
        factory = component["factory"]
        defaults = nlp.get_factory_meta(factory).default_score_weights
        assert set(defaults) <= set(named), component_name
    assert sum(weight or 0.0 for weight in named.values()) == pytest.approx(1.0)


def test_multinerd_settings() -> None:
    """What both systems are trained with, from the backbone or from a trained pipeline."""
    config = filled_config(CONFIGS / "multinerd.cfg").interpolate()
    training = config["training"]
    optimizer = training["optimizer"]
    assert config["system"]["seed"] == 42
    assert (training["max_epochs"], training["max_steps"]) == (1, 0)
    assert training["accumulate_gradient"] == 2
    batch = [Example(doc, doc) for doc in [Doc(Vocab(), words=["a"])] * training["batcher"]["size"]]
    assert [len(part) for part in subdivide_batch(batch, 2)] == [16, 16]
    assert optimizer["learn_rate"]["initial_rate"] == 5e-5
    assert [optimizer[key] for key in ("beta1", "beta2", "eps")] == [0.9, 0.999, 1e-8]
    schedule = config["initialize"]["before_init"]
    assert (schedule["@callbacks"], schedule["warmup"]) == ("mtnlp.FitSchedule.v1", 0.1)
    assert config["components"]["transformer"]["model"]["window"] == 256


@pytest.mark.parametrize("name", NAMES + COMPARED)
def test_no_component_has_a_variable_of_another(name: str) -> None:
    """It would be saved as a variable: without that component, or with another name for it, the
    pipeline could not be loaded."""
    config = load_config(CONFIGS / f"{name}.cfg", interpolate=False)
    assert "${components" not in Config(config).to_str(interpolate=False)


def test_spacys_own_ner_trains_as_ours() -> None:
    """It differs in the head, and in the rate that only our heads know."""
    files = [CONFIGS / f"{name}.cfg" for name in ("conll", "compare/spacy_ner")]
    ours, theirs = (filled_config(file).interpolate() for file in files)
    for config in (ours, theirs):
        del config["training"]["optimizer"]["head_factor"]
        head = config["components"].pop("ner")
        assert head["factory"] == ("crf_ner" if config is ours else "ner")
    assert ours == theirs


@pytest.mark.parametrize("name", ["ner_textcat", "spacy_ner_textcat"])
def test_entities_and_sentiment_train_together(backbone: Path, tmp_path: Path, name: str) -> None:
    """Two steps over a tiny encoder: each learns from the documents that it has gold for."""
    for corpus in ("imdb", "conll"):
        convert(ConvertOptions(corpus, sample=SAMPLE, out=tmp_path, limit=(12, 6, 6)))
    overrides = two_steps(backbone, tmp_path)
    overrides["training.batcher.size"] = 10_000  # both corpora in a batch
    if name == "ner_textcat":
        overrides["components.transformer.model.layers"] = [0, 2]
        overrides["components.textcat.model.tok2vec.layers"] = [0, 2]
    nlp = init_nlp(load_config(CONFIGS / "compare" / f"{name}.cfg", overrides=overrides))
    (tmp_path / "model").mkdir()
    train(nlp, tmp_path / "model", stdout=io.StringIO(), stderr=io.StringIO())
    performance = spacy.load(tmp_path / "model" / "model-last").meta["performance"]
    assert performance["ner_loss"] > 0 and performance["textcat_loss"] > 0
    assert 0 <= performance["ents_f"] <= 1 and 0 <= performance["cats_score"] <= 1


def test_nested_and_flat_entities_train_alike() -> None:
    """What differs between the two configs of NEREL is the head, not what is around it."""
    files = [CONFIGS / f"{name}.cfg" for name in ("nerel", "nerel_flat")]
    nested, flat = (filled_config(file).interpolate() for file in files)
    for config in (nested, flat):
        del config["components"]["transformer"]["model"]["layers"]  # for the events
        del config["training"]["score_weights"]
    for section in ("paths", "system", "corpora", "training", "initialize"):
        assert flat[section] == nested[section], section
    assert flat["components"]["transformer"] == nested["components"]["transformer"]
    pipes = nested["components"]["nested_ner"], flat["components"]["flat_ner"]
    assert [pipe["spans_key"] for pipe in pipes] == ["nerel", "nerel"]


@pytest.mark.parametrize(
    "config, name, layers", [("nerel", "nested_ner", [0, 2]), ("nerel_flat", "flat_ner", None)]
)
def test_training_nerel_on_the_sample(
    backbone: Path, tmp_path: Path, config: str, name: str, layers: Optional[List[int]]
) -> None:
    """Two steps over a tiny encoder: nested entities are learnt and scored, flat ones likewise."""
    convert(ConvertOptions("nerel", sample=SAMPLE, out=tmp_path, limit=(12, 3, 3)))
    overrides = two_steps(backbone, tmp_path)
    overrides["components.transformer.model.window"] = 0
    if layers is not None:
        overrides["components.transformer.model.layers"] = layers
        overrides["components.events.model.tok2vec.layers"] = layers
    nlp = init_nlp(load_config(CONFIGS / f"{config}.cfg", overrides=overrides))
    pipe: Any = nlp.get_pipe(name)
    assert {"PERSON", "CITY", "PROFESSION"} <= set(pipe.labels)
    (tmp_path / "model").mkdir()
    train(nlp, tmp_path / "model", stdout=io.StringIO(), stderr=io.StringIO())
    trained = spacy.load(tmp_path / "model" / "model-last")
    performance = trained.meta["performance"]
    assert performance[f"{name}_loss"] > 0 and 0 <= performance["spans_nerel_f"] <= 1
    text = "Julia Novak was born in Vienna."
    doc = trained(text)
    assert len(doc.spans["nerel"].attrs["scores"]) == len(doc.spans["nerel"])
    # A pipeline's components do not hang on the transformer's name.
    other = spacy.load(tmp_path / "model" / "model-last", exclude=["transformer"])
    other.add_pipe("transformer", source=trained, name="encoder", first=True)
    trained.rename_pipe("transformer", "encoder")
    for changed in (trained, other):
        changed.to_disk(tmp_path / "changed")
        assert_same_answers(doc, spacy.load(tmp_path / "changed")(text))


def test_training_events_from_words_on_the_sample(tmp_path: Path) -> None:
    """No transformer: the words' own embeddings, with the label correlation on top."""
    convert(ConvertOptions("nerel", sample=SAMPLE, out=tmp_path, limit=(12, 3, 3)))
    paths = {f"paths.{part}": str(tmp_path / part) for part in ("train", "dev")}
    more = {"training.max_epochs": 2, "training.eval_frequency": 100000}
    nlp = init_nlp(load_config(CONFIGS / "nerel_events.cfg", overrides={**paths, **more}))
    (tmp_path / "model").mkdir()
    train(nlp, tmp_path / "model", stdout=io.StringIO(), stderr=io.StringIO())
    trained = spacy.load(tmp_path / "model" / "model-last")
    assert 0 <= trained.meta["performance"]["cats_event_macro_f"] <= 1
    pipe: Any = trained.get_pipe("events")
    assert set(trained("Julia Novak was born in Vienna.").cats) == set(pipe.labels)
