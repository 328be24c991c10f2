"""Early stopping on the dev loss, by spaCy's own loop."""

import io
from pathlib import Path
from typing import Any, List

import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from thinc.api import Config

from tests.pipes.cases import only
from tests.training.loop_cases import SPY, make_config

WEIGHTS = {
    "textcat_loss": -1.0,
    "cats_score": 0.0,
    "cats_f_per_type": None,
    "ents_f": 0.0,
    "ents_p": 0.0,
    "ents_r": 0.0,
    "ents_per_type": None,
}


def write_swapped(nlp: Language, path: Path) -> None:
    """The corpus of the task `sentiment` with wrong labels: the better the right ones are learnt,
    the higher the loss."""
    docs: List[Doc] = [example.reference for example in only(nlp, "textcat")]
    docs = [doc for doc in docs if any(key.startswith("sentiment/") for key in doc.cats)]
    for doc in docs:
        doc.cats = {key: 1.0 - value for key, value in doc.cats.items()}
    DocBin(docs=docs).to_disk(path)


def overfitting(backbone: Path, folder: Path, **training: Any) -> Config:
    config = make_config(backbone, folder, max_epochs=0, **training)
    write_swapped(spacy.blank("en"), folder / "dev.spacy")
    config["corpora"]["dev"]["corpora"]["all"].update(path=str(folder / "dev.spacy"), weight=1.0)
    config["components"]["textcat"]["score_loss"] = True
    config["training"]["optimizer"]["learn_rate"] = 0.003
    return config


def test_stops_when_the_dev_loss_rises(backbone: Path, tmp_path: Path) -> None:
    settings = {"max_steps": 80, "patience": 8, "eval_frequency": 2, "score_weights": WEIGHTS}
    config = overfitting(backbone, tmp_path, **settings)
    SPY.kill_at = None
    (tmp_path / "out").mkdir()
    nlp = init_nlp(config)
    # A weight below zero is not normalised away: the loss alone decides, the lower the better.
    weights = nlp.config["training"]["score_weights"]
    assert weights["textcat_loss"] == -1.0 and weights["cats_score"] == 0.0
    train(nlp, tmp_path / "out", stdout=io.StringIO(), stderr=io.StringIO())
    evaluated = [info for info in SPY.seen if info is not None]
    losses = [info["other_scores"]["textcat_loss"] for info in evaluated]
    assert [info["score"] for info in evaluated] == [-loss for loss in losses]
    best = losses.index(min(losses))
    last = evaluated[-1]["step"]
    assert last == evaluated[best]["step"] + 8 < 80
    assert losses[-1] > losses[best]
    found = spacy.load(tmp_path / "out" / "model-best")
    docs = DocBin().from_disk(tmp_path / "dev.spacy").get_docs(found.vocab)
    examples = [spacy.training.Example(found.make_doc(doc.text), doc) for doc in docs]
    assert abs(found.evaluate(examples)["textcat_loss"] - min(losses)) < 1e-4
