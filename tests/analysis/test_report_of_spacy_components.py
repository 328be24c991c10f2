"""The report of a pipeline that has none of our components."""

from itertools import product
from pathlib import Path
from typing import Any, Dict, Iterator, Tuple

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example

from mtnlp.analysis.options import Settings
from mtnlp.analysis.report import analyse
from mtnlp.evaluation.confusions import find_tasks
from mtnlp.evaluation.evaluator import evaluate

TEXTS = [
    ("Anna wrote a good book", "GOOD", {"sad": 0.0, "long": 1.0}, [(0, 1, "PER")]),
    ("Berlin is a bad place", "BAD", {"sad": 1.0, "long": 0.0}, [(0, 1, "LOC")]),
    ("A good day in Rome", "GOOD", {"sad": 0.0, "long": 0.0}, [(4, 5, "LOC")]),
    ("Bad news from Otto", "BAD", {"sad": 0.0, "long": 1.0}, [(3, 4, "PER")]),
]


def references(vocab: Any) -> Iterator[Doc]:
    """Each text twice, with the labels of one classifier each: `textcat` wants no others."""
    for (text, label, labels, spans), is_first in product(TEXTS, (True, False)):
        doc = Doc(vocab, words=text.split())
        one = {"GOOD": float(label == "GOOD"), "BAD": float(label == "BAD")}
        doc.cats = one if is_first else labels
        doc.set_ents([Span(doc, *span) for span in spans], default="outside")
        doc.spans["sc"] = [Span(doc, *span) for span in spans]
        yield doc


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Tuple[Path, Path]:
    """A pipeline of spaCy's own components, and its corpus."""
    folder = tmp_path_factory.mktemp("stock")
    nlp = spacy.blank("en")
    for name in ("ner", "spancat", "textcat", "textcat_multilabel"):
        nlp.add_pipe(name)
    # By default each takes all labels of the data.
    nlp.config["initialize"]["components"] = {
        "textcat": {"labels": ["GOOD", "BAD"]},
        "textcat_multilabel": {"labels": ["sad", "long"]},
    }
    examples = [Example(nlp.make_doc(doc.text), doc) for doc in references(nlp.vocab)]
    nlp.initialize(lambda: examples)
    for _ in range(5):
        nlp.update(examples)
    nlp.to_disk(folder / "model")
    for split in ("train", "test"):
        (folder / "corpus" / split).mkdir(parents=True)
        DocBin(docs=references(nlp.vocab)).to_disk(folder / "corpus" / split / "own.spacy")
    return folder / "model", folder / "corpus"


@pytest.fixture(scope="module")
def scores(trained: Tuple[Path, Path]) -> Dict[str, Dict[str, Any]]:
    """What spaCy says of each component alone: together one writes over the other's scores."""
    nlp = spacy.load(trained[0])
    examples = [
        Example(nlp(Doc(nlp.vocab, words=[token.text for token in doc])), doc)
        for doc in references(nlp.vocab)
    ]
    # spaCy counts a document that nobody annotated as wrong; it counts for nothing here.
    own = {"textcat": examples[::2], "textcat_multilabel": examples[1::2]}
    return {name: nlp.get_pipe(name).score(own.get(name, examples)) for name in nlp.pipe_names}


def test_numbers_are_those_of_spacy(
    trained: Tuple[Path, Path], scores: Dict[str, Dict[str, Any]]
) -> None:
    numbers = analyse(*trained, settings=Settings(samples=20))
    assert [task["name"] for task in numbers["tasks"]] == [
        "ner",
        "spancat",
        "textcat",
        "textcat_multilabel",
    ]
    assert numbers["entities"]["ner"]["micro"]["f"] == pytest.approx(scores["ner"]["ents_f"])
    found = numbers["entities"]["spancat"]["micro"]["f"]
    assert found == pytest.approx(scores["spancat"]["spans_sc_f"])
    one = numbers["classification"]["textcat"]
    assert one["exclusive"] and one["documents"] == 4
    assert one["macro"]["f"] == pytest.approx(scores["textcat"]["cats_macro_f"])
    several = numbers["classification"]["textcat_multilabel"]
    assert not several["exclusive"]
    assert {row["label"] for row in several["per_label"]} == {"sad", "long"}
    assert several["micro"]["f"] == pytest.approx(scores["textcat_multilabel"]["cats_micro_f"])
    # Its own labels alone are guessed, although train has others, too.
    baselines = {task["name"]: task["baseline_says"] for task in numbers["tasks"]}
    assert baselines["textcat"] == "always BAD"


def test_evaluate_has_them_too(
    trained: Tuple[Path, Path], scores: Dict[str, Dict[str, Any]]
) -> None:
    nlp = spacy.load(trained[0])
    found = evaluate(nlp, references(nlp.vocab))["pipes"]
    assert found["textcat"]["tasks"]["labels"]["macro"]["f"] == pytest.approx(
        scores["textcat"]["cats_macro_f"]
    )
    assert found["textcat_multilabel"]["tasks"]["labels"]["documents"] == 4


def test_labels_with_a_slash_are_tasks() -> None:
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("textcat")
    for label in ("mood/good", "mood/bad"):
        pipe.add_label(label)
    assert list(find_tasks(nlp)) == ["textcat: mood"]
    pipe.add_label("topic/sport")
    tasks = find_tasks(nlp)
    assert list(tasks) == ["textcat: mood", "textcat: topic"]
    assert not any(task.source.exclusive for task in tasks.values())
