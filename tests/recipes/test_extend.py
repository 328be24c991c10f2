"""A trained pipeline learns new labels from data annotated for these alone."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
from spacy.language import Language

import mtnlp.recipes.extend
from mtnlp.errors import MtnlpError
from mtnlp.recipes.extend import extend
from mtnlp.recipes.extend_options import ExtendOptions
from mtnlp.recipes.extend_training import freeze, make_reader
from mtnlp.recipes.options import ProjectOptions
from tests.data.corpora import flat, invoke
from tests.pipes.cases import (
    EXACT,
    encoder_weights,
    initialized,
    listed,
    mixed_examples,
    same_weights,
    train,
)
from tests.tiny import make_nlp

TEXTS = [
    "I saw a red fox near Rome .",
    "The grey wolf slept .",
    "Anna Keller flew to Paris .",
    "Paris welcomed Anna and Tom .",
]
# Of these, what is annotated: neither people nor places are.
FOXES: List[Dict[str, Any]] = [
    {"text": TEXTS[0], "spans": [{"start": 8, "end": 15, "label": "ANIM"}]},
    {"text": TEXTS[1], "spans": [{"start": 4, "end": 13, "label": "ANIM"}]},
    {"text": TEXTS[2], "spans": []},
    {"text": TEXTS[3], "spans": []},
]


@pytest.fixture(scope="module")
def model(backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline that has learnt a few texts by heart."""
    nlp = initialized(make_nlp(backbone, ["ner", "textcat", "sentence_vectors"], EXACT))
    train(nlp, mixed_examples(nlp), steps=30)
    folder = tmp_path_factory.mktemp("old") / "model"
    nlp.to_disk(folder)
    return folder


def write(path: Path, rows: List[Dict[str, Any]], times: int = 1) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows * times), encoding="utf8")
    return path


def ents(nlp: Language, text: str) -> List[Any]:
    return listed(nlp(text).ents)


def test_a_new_label_beside_the_old_ones(model: Path, tmp_path: Path) -> None:
    data, output = write(tmp_path / "foxes.jsonl", FOXES, 10), tmp_path / "new" / "model"
    settings = ["--epochs", "12", "--learning-rate", "0.005", "--training.batcher.size", "60"]
    result = invoke("extend", str(model), str(data), "--output", str(output), *settings)
    assert result.exit_code == 0, result.output
    said = flat(result.output)
    assert "'ner' learns ANIM" in said and "ANIM: F1 1.000 on 4 documents held out" in said
    assert "'textcat' says in its old labels what it said before: 1.000" in said
    assert "'sentence_vectors' shares the trained encoder, and nobody taught it" in said
    old, new = spacy.load(model), spacy.load(output)
    assert new.get_pipe("ner").labels == ("LOC", "PER", "ANIM")
    assert ents(new, TEXTS[1]) == [(1, 3, "ANIM")]
    # Nobody annotated them.
    assert ents(new, TEXTS[2]) == ents(old, TEXTS[2]) == [(0, 2, "PER"), (4, 5, "LOC")]
    for text in TEXTS:
        assert new(text).cats == pytest.approx(old(text).cats, abs=0.15)
    assert not same_weights(encoder_weights(old), encoder_weights(new))
    # It is an ordinary pipeline again: no file of the extension is left or asked for.
    assert [path.name for path in output.parent.iterdir()] == ["model"]
    assert new.config["training"] == old.config["training"]
    pipe: Any = new.get_pipe("ner")
    assert pipe.cfg["teacher_weight"] == 0.5
    assert new.meta["extended"] == [
        {
            "component": "ner",
            "labels": ["ANIM"],
            "data": ["foxes.jsonl"],
            "frozen_encoder": False,
        }
    ]
    assert new.meta["performance"]["ents_per_type"].keys() == {"ANIM"}


def test_a_new_task_on_a_frozen_encoder(model: Path, tmp_path: Path) -> None:
    rows = [{"text": text, "label": "glad" if i % 2 else "sad"} for i, text in enumerate(TEXTS)]
    options = ExtendOptions(
        component="textcat", freeze_encoder=True, epochs=1, data=ProjectOptions(task="mood")
    )
    made = extend(model, [write(tmp_path / "mood.jsonl", rows, 3)], tmp_path / "new", options)
    assert made.learnt.exclusive == {"mood": True}
    assert made.taught == ["textcat"] and made.drifting == []
    assert made.scores_per_label.keys() <= {"mood/glad", "mood/sad"}
    old, new = spacy.load(model), spacy.load(tmp_path / "new")
    assert same_weights(encoder_weights(old), encoder_weights(new))
    pipe: Any = new.get_pipe("textcat")
    assert pipe.tasks["mood"] == {"labels": ["glad", "sad"], "exclusive": True}
    assert new.config["components"]["textcat"]["tasks"]["mood"]["exclusive"] is True
    for text in TEXTS:
        assert ents(new, text) == ents(old, text)
        cats = new(text).cats
        assert cats["mood/glad"] + cats["mood/sad"] == pytest.approx(1.0, abs=1e-5)


def test_a_new_label_beside_others_that_may_hold(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody annotated the old labels: they are no negatives, and the old pipeline says them."""
    lessons: List[Any] = []

    def watched(nlp: Language, *args: Any) -> None:
        pipe: Any = nlp.get_pipe("textcat")
        lessons.append(pipe.get_lesson(list(make_reader(nlp, "train")(nlp))))
        return train_it(nlp, *args)

    train_it = mtnlp.recipes.extend.train
    monkeypatch.setattr(mtnlp.recipes.extend, "train", watched)
    rows = [{"text": text, "labels": ["FOX", "SPORT"] if "fox" in text else []} for text in TEXTS]
    options = ExtendOptions("textcat", True, epochs=1, data=ProjectOptions(task="topic"))
    made = extend(model, [write(tmp_path / "topics.jsonl", rows, 5)], tmp_path / "new", options)
    assert (made.learnt.labels, made.learnt.known) == (["topic/FOX"], ["topic/SPORT"])
    new = spacy.load(tmp_path / "new")
    assert list(new(TEXTS[0]).cats) == [*spacy.load(model)(TEXTS[0]).cats, "topic/FOX"]
    (lesson,) = lessons
    sentiments, money, sport, fox = lesson.target.mask.split([2, 1, 1, 1], dim=1)
    assert not sentiments.any() and not money.any() and fox.all()
    # Of what is known already, that it holds is learnt.
    assert lesson.target.target[:, 3].bool().equal(sport[:, 0]) and 0 < sport.sum() < len(sport)
    (soft,) = lesson.soft
    assert soft.mask[:, :4].all() and not soft.mask[:, 4].any()
    assert lesson.units == [len(fox), len(fox)]


def test_what_cannot_be(model: Path, tmp_path: Path) -> None:
    known = [{"text": TEXTS[2], "spans": [{"start": 0, "end": 11, "label": "PER"}]}]
    data, output = write(tmp_path / "known.jsonl", known, 4), tmp_path / "new"
    with pytest.raises(MtnlpError, match=r"E777.*PER"):
        extend(model, [data], output)
    with pytest.raises(MtnlpError, match=r"E780.*known, other"):
        extend(model, [data, write(tmp_path / "other.jsonl", known, 4)], output)
    with pytest.raises(MtnlpError, match=r"E144.*another pipeline"):
        extend(model, [data], model)
    with pytest.raises(MtnlpError, match="E503"):
        extend(tmp_path / "nothing", [data], output)
    assert not output.exists()


def test_components_that_are_not_trained(backbone: Path) -> None:
    nlp = make_nlp(backbone, ["ner", "sentence_vectors"])
    listener = {"@architectures": "mtnlp.TransformerListener.v1"}
    tagger = {"@architectures": "spacy.Tagger.v2", "tok2vec": listener}
    nlp.add_pipe("tagger", config={"model": tagger})
    encoder: Any = nlp.get_pipe("transformer")
    assert freeze(nlp, ["ner"], freeze_encoder=False) == (["tagger"], [])
    encoder.model.initialize()
    assert freeze(nlp, ["ner"], freeze_encoder=True) == (["sentence_vectors", "tagger"], [])
    assert encoder.model.frozen
