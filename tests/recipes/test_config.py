import io
import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_config
from thinc.api import Config

from mtnlp.data.statistics import WordpieceCounter
from mtnlp.recipes.config import MOST_LINES, WIDTH, write_config
from mtnlp.recipes.overrides import Overrides
from mtnlp.recipes.profile import LayerProfile
from mtnlp.recipes.profiling import profile_corpus, profile_encoder
from mtnlp.recipes.rule import choose_recipe
from tests.recipes.cases import CORPORA, ENCODER, layer, profile, task, write_corpus

# Each kind of data alone, and two corpora that know nothing of each other's annotation.
DATA = [*([kind] for kind in CORPORA), ["flat", "multilabel"], ["flat", "overlapping", "exclusive"]]


def make_config(folder: Path, backbone: Path, kinds: List[str], **overrides: Any) -> Path:
    """Corpora in `folder/corpus`, and a config for them; returns its path."""
    counter = WordpieceCounter(str(backbone))
    profiles = {}
    for kind in kinds:
        write_corpus(folder / "corpus", kind, CORPORA[kind]())
        profiles[kind] = profile_corpus(folder / "corpus", kind, counter)
    encoder = profile_encoder(str(backbone))
    recipe = choose_recipe(profiles, encoder, overrides=Overrides(**overrides))
    path = folder / "config.cfg"
    path.write_text(write_config(recipe, kinds, encoder), encoding="utf8")
    return path


@pytest.mark.parametrize("kinds", DATA, ids="+".join)
def test_a_config_trains_and_its_pipeline_answers(
    kinds: List[str], tmp_path: Path, backbone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = make_config(tmp_path, backbone, kinds)
    config = load_config(path, overrides={"training.max_steps": 2}, interpolate=False)
    nlp = init_nlp(config)
    (tmp_path / "model").mkdir()
    train(nlp, tmp_path / "model", stdout=io.StringIO(), stderr=io.StringIO())
    loaded = spacy.load(tmp_path / "model" / "model-last")
    examples = list(spacy_corpus(tmp_path, kinds)(loaded))
    scores = loaded.evaluate(examples)
    weights = {key for key, value in loaded.config["training"]["score_weights"].items() if value}
    # What the best weights are chosen by is there, and nothing of what is annotated is forgotten.
    assert weights <= scores.keys()
    wanted = {"flat": "ents_f", "overlapping": "spans_nerel_f", "slots_and_intent": "ents_f"}
    assert {wanted.get(kind, "cats_score") for kind in kinds} <= weights


def test_no_dropout_on_attention(backbone: Path) -> None:
    encoder = replace(profile_encoder(str(backbone)), limit=512)
    assert encoder.attention_dropout == 0.1
    corpus = profile(words=300, layers=[layer()])
    for found, expected in ((encoder, 0.0), (ENCODER, None)):
        text = write_config(choose_recipe({"a": corpus}, found), ["a"], found)
        model = Config().from_str(text, interpolate=False)["components"]["transformer"]["model"]
        assert model.get("attention_dropout") == expected


def spacy_corpus(folder: Path, kinds: List[str]) -> Any:
    reader = spacy.registry.readers.get("spacy.Corpus.v1")
    return reader(path=folder / "corpus" / "dev", gold_preproc=False, max_length=0, limit=0)


def test_the_rate_rises_to_that_of_the_recipe(tmp_path: Path, backbone: Path) -> None:
    path = make_config(tmp_path, backbone, ["flat"], rate=3e-4, warmup=0.5)
    overrides = {"training.max_steps": 9, "paths.corpus": str(tmp_path / "corpus")}
    nlp = init_nlp(load_config(path, overrides=overrides, interpolate=False))
    rate = nlp.config["training"]["optimizer"]["learn_rate"]
    assert rate["@schedules"] == "warmup_linear.v1"
    assert (rate["initial_rate"], rate["warmup_steps"], rate["total_steps"]) == (3e-4, 5, 10)


def test_spacys_commands_take_the_filled_config(
    tmp_path: Path, backbone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    path = make_config(tmp_path, backbone, ["slots_and_intent", "overlapping"])
    full = tmp_path / "full.cfg"
    import_module("spacy.cli.init_config").fill_config(full, path, silent=True)
    import_module("spacy.cli.debug_config").debug_config(full)
    assert "Config is valid" in capsys.readouterr().out
    # Few documents: spaCy says so, and that is all it finds.
    with pytest.raises(SystemExit):
        import_module("spacy.cli.debug_data").debug_data(full, silent=False)
    found = capsys.readouterr().out
    assert "training docs" in found
    assert "2 checks passed" in found
    assert "1 error" in found


@pytest.mark.parametrize("kinds", DATA, ids="+".join)
def test_the_same_recipe_has_the_same_text(
    kinds: List[str], tmp_path: Path, backbone: Path
) -> None:
    first = make_config(tmp_path / "a", backbone, kinds).read_text(encoding="utf8")
    assert first == make_config(tmp_path / "b", backbone, kinds).read_text(encoding="utf8")


def text_of(names: Any, **settings: Any) -> str:
    """The config of made-up corpora."""
    return write_config(choose_recipe(names, ENCODER, **settings), list(names), ENCODER)


def parsed(text: str) -> Dict[str, Any]:
    return Config().from_str(text, interpolate=True)


def test_sixty_lines_are_enough() -> None:
    layers: List[LayerProfile] = [layer(), layer("nerel", nested=900, labels={"A": 900})]
    corpora = {
        name: profile(name, words=100, documents=number, layers=layers, tasks=[task()])
        for name, number in (("first", 4000), ("second", 400), ("third", 40))
    }
    overrides = Overrides(warmup=0.2, dropout=0.3)
    text = text_of(corpora, device="gpu", overrides=overrides)
    assert text.count("\n") <= MOST_LINES
    assert all(len(line) <= WIDTH for line in text.splitlines())
    assert text.index("\n[") <= len("\n".join(text.splitlines()[:5]))
    config = parsed(text)
    assert config["training"]["gpu_allocator"] == "pytorch"
    train_corpora = config["corpora"]["train"]["corpora"]
    assert [corpus.get("weight") for corpus in train_corpora.values()] == [None, 3.2, 4.0]
    assert config["components"]["nerel_ner"]["model"]["scorer"]
    assert config["initialize"]["before_init"]["warmup"] == 0.2
    for name in ("ner", "nerel_ner", "textcat"):
        assert config["components"][name]["model"]["dropout"] == 0.3
    assert "\n\n[nlp]" in text_of({"a": profile("a", layers=[layer()])})


def test_span_ner_of_doc_ents_is_flat() -> None:
    corpora = {"a": profile("a", layers=[layer()])}
    config = parsed(text_of(corpora, overrides=Overrides(factory="span_ner")))
    part = config["components"]["ner"]
    assert (part["factory"], part["spans_key"], part["decoder"]) == ("span_ner", None, "flat")
    weights = config["training"]["score_weights"]
    assert weights["ents_f"] == 1.0
    assert weights["spans_sc_f"] is None


def test_names_with_blanks_and_commas_survive_line_breaks() -> None:
    names = [f"task {number}, a long one" for number in range(8)]
    corpora = {"a": profile("a", tasks=[task(name) for name in names])}
    config = parsed(text_of(corpora))
    assert list(config["components"]["textcat"]["tasks"]) == names


def test_defaults_are_left_out() -> None:
    text = text_of({"a": profile("a", layers=[layer()], is_cased=False)})
    assert "model =" not in text
    assert "precision" not in text_of(
        {"a": profile("a", layers=[layer()])}, overrides=Overrides(precision="fp32")
    )
    assert "score_weights" not in text
    assert "weight" not in text


# What a line of a config sets, or an item of the JSON in it.
KEY = re.compile(r'^([@\w]+) = |"([@\w]+)": ', re.MULTILINE)


def test_the_docs_explain_every_line() -> None:
    layers = [layer(), layer("nerel", nested=900, labels={"A": 900}, widths={12: 900})]
    news = profile("news", words=100, layers=layers, tasks=[task("topic")])
    corpora = {
        "news": news,
        "small": profile("small", documents=10, words=100, layers=layers),
        "reviews": profile("reviews", words=100, tasks=[task("topic")]),
    }
    given = Overrides(warmup=0.2, dropout=0.3, attention_dropout=0.0)
    texts = [
        text_of(corpora, overrides=given, device="gpu"),
        text_of({"news": news}, overrides=Overrides(factory="span_ner")),
    ]
    found = {name or item for text in texts for name, item in KEY.findall(text)}
    # Names of corpora, tasks and scores are the data's own.
    found -= {"news", "small", "reviews", "topic"} | {
        key for key in found if re.match("ents_|spans_.+_", key)
    }
    page = (Path(__file__).parents[2] / "docs" / "init.md").read_text(encoding="utf8")
    rows = [row for row in page.partition("### Every line")[2].splitlines() if row[:1] == "|"]
    explained = {key for row in rows for key in re.findall(r"`([^`]+)`", row.split("|")[1])}
    assert found - explained == {"exclusive"}
    assert {key for key in explained if key[0] != "["} - found == {"layers"} - found
    assert "`exclusive`" in page
