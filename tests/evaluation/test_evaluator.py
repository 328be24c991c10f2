import json
from pathlib import Path
from typing import Any, Callable, ClassVar, Dict, List, Optional, Tuple

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example

from mtnlp.annotation.layers import CategoriesLayer, entity_layer
from mtnlp.errors import MtnlpError
from mtnlp.evaluation.evaluator import Settings, evaluate, evaluate_corpus, name_of
from mtnlp.reports.evaluation import evaluation_tables
from mtnlp.scorers.categories import score_categories
from mtnlp.scorers.entities import score_entities
from mtnlp.scorers.vectors import score_vectors
from tests.data.corpora import invoke
from tests.tiny import PIPES, make_examples, make_nlp

Gold = List[Tuple[int, int, str]]
NAMES = {"Anna": "PER", "Rome": "LOC", "U.S.": "LOC", "Bob": "PER"}
SETTINGS = Settings(chunk_size=2, samples=50)


class Names:
    """Finds known words; every token costs a loss of 0.5."""

    def __init__(self, spans_key: Optional[str]) -> None:
        self.cfg = {"spans_key": spans_key, "labels": ["PER", "LOC"]}
        self.layer = entity_layer(spans_key)

    def __call__(self, doc: Doc) -> Doc:
        spans = [Span(doc, t.i, t.i + 1, NAMES[t.text]) for t in doc if t.text in NAMES]
        key = self.cfg["spans_key"]
        if key is None:
            doc.set_ents(spans, default="outside")
        else:
            doc.spans[key] = [*spans, doc[0:2]] if key == "nested" else spans
        return doc

    def loss_on(self, examples: List[Example]) -> Tuple[float, int]:
        annotated = [eg for eg in examples if eg.reference.has_annotation("ENT_IOB")]
        tokens = sum(len(eg.predicted) for eg in annotated)
        return 0.5 * tokens, tokens


class Moods:
    """Good where a text says so; and two events, A always likely."""

    cfg: ClassVar[Dict[str, Any]] = {
        "threshold": 0.6,
        "tasks": {
            "mood": {"labels": ["good", "bad"], "exclusive": True},
            "event": {"labels": ["A", "B"], "exclusive": False},
        },
    }
    layer: ClassVar[CategoriesLayer] = CategoriesLayer(cfg["tasks"])

    def __call__(self, doc: Doc) -> Doc:
        good = float("good" in doc.text)
        doc.cats = {"mood/good": good, "mood/bad": 1 - good, "event/A": 0.9, "event/B": 0.55}
        return doc


@Language.factory("evaluator_test_names", default_config={"spans_key": None})
def make_names(nlp: Language, name: str, spans_key: Optional[str]) -> Names:
    return Names(spans_key)


@Language.factory("evaluator_test_moods")
def make_moods(nlp: Language, name: str) -> Moods:
    return Moods()


def make_pipeline() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("evaluator_test_names", name="ner")
    nlp.add_pipe("evaluator_test_names", name="deep", config={"spans_key": "nested"})
    nlp.add_pipe("evaluator_test_moods", name="moods")
    return nlp


@pytest.fixture
def nlp() -> Language:
    return make_pipeline()


def tokens(nlp: Language, words: str, gold: Optional[Gold], key: Optional[str] = None) -> Doc:
    doc = Doc(nlp.vocab, words=words.split())
    spans = [Span(doc, *span) for span in gold or []]
    if key is not None:
        doc.spans[key] = spans
    elif gold is not None:
        doc.set_ents(spans, default="outside")
    return doc


def text(nlp: Language, string: str, cats: Dict[str, float]) -> Doc:
    doc = nlp.make_doc(string)
    doc.cats = cats
    return doc


def mood(good: float) -> Dict[str, float]:
    return {"mood/good": good, "mood/bad": 1 - good}


@pytest.fixture
def docs(nlp: Language) -> List[Doc]:
    return [
        tokens(nlp, "Anna Bell is in Rome .", [(0, 2, "PER"), (4, 5, "LOC")]),
        tokens(nlp, "Rome , Rome (Rome)", [(0, 1, "LOC"), (2, 3, "LOC")]),
        tokens(nlp, "Nobody is here", []),
        tokens(nlp, "Anna Bell", [(0, 1, "PER"), (0, 2, "PER")], "nested"),
        text(nlp, "A good day for Bob.", mood(1)),
        text(nlp, "A bad day.", mood(0)),
        text(nlp, "A dull day.", mood(1)),
        text(nlp, "It rained.", {"event/A": 1.0, "event/B": 1.0}),
    ]


def test_entities_agree_with_the_scorer(
    nlp: Language, docs: List[Doc], check_metrics: Callable[..., None]
) -> None:
    ner = evaluate(nlp, docs, settings=SETTINGS)["pipes"]["ner"]
    predicted = [nlp(Doc(nlp.vocab, words=[t.text for t in doc])) for doc in docs]
    scores = score_entities(
        [Example(x, y) for x, y in zip(predicted, docs, strict=True)], spans_key=None
    )
    check_metrics(ner)
    assert (ner["documents"], ner["entities"], ner["tokens"]) == (3, 4, 13)
    assert ner["micro"]["f"] == pytest.approx(scores["ents_f"]) == pytest.approx(0.75)
    assert ner["f_interval"][0] <= 0.75 <= ner["f_interval"][1]
    for label, prf in scores["ents_per_type"].items():
        assert {key: ner["per_type"][label][key] for key in "prf"} == pytest.approx(prf)
    assert ner["token_accuracy"] == pytest.approx(12 / 13)
    assert ner["per_tag"]["I-PER"]["r"] == 0.0
    assert ner["loss"] == 0.5 and ner["loss_units"] == 13


def test_overlapping_layers_have_no_tags(nlp: Language, docs: List[Doc]) -> None:
    results = evaluate(nlp, docs, settings=SETTINGS)
    ner, deep = results["pipes"]["ner"], results["pipes"]["deep"]
    assert (deep["documents"], deep["entities"]) == (1, 2)
    assert deep["micro"]["r"] == 0.5 and "per_tag" not in deep
    # Of Anna and Anna Bell the longer stays, which was not found.
    assert deep["flattened_gold"]["entities"] == 1
    assert deep["flattened_gold"]["micro"] == {"p": 0.0, "r": 0.0, "f": 0.0}
    assert "flattened_gold" not in ner
    rows = evaluation_tables(results)[-1].rows
    assert [row[0] for row in rows if row[1] == "F1 against flattened gold"] == ["deep"]


def test_categories_agree_with_the_scorer(
    nlp: Language, docs: List[Doc], check_metrics: Callable[..., None]
) -> None:
    train_cats = [mood(0), mood(0), mood(1), {"event/A": 1.0, "event/B": 0.0}, {}]
    results = evaluate(nlp, docs, train_cats=train_cats, settings=SETTINGS)
    tasks = results["pipes"]["moods"]["tasks"]
    pairs = [Example(nlp(nlp.make_doc(doc.text)), doc) for doc in docs]
    scores = score_categories(pairs, **Moods.cfg)
    check_metrics(tasks["mood"])
    check_metrics(tasks["event"])
    assert tasks["mood"]["documents"] == 3
    assert tasks["mood"]["accuracy"] == pytest.approx(scores["cats_mood_acc"]) == 2 / 3
    assert tasks["mood"]["macro"]["f"] == pytest.approx(scores["cats_mood_macro_f"])
    low, high = tasks["mood"]["accuracy_interval"]
    assert 0 < low < 2 / 3 < high < 1
    assert tasks["event"]["micro"]["f"] == pytest.approx(scores["cats_event_micro_f"]) == 2 / 3
    assert tasks["event"]["micro"]["p"] == 1.0  # B stays under the threshold of 0.6
    assert tasks["mood"]["baseline"]["labels"] == ["bad"]
    assert tasks["mood"]["baseline"]["accuracy"] == pytest.approx(1 / 3)
    assert tasks["event"]["baseline"]["labels"] == ["A"]
    assert tasks["event"]["baseline"]["micro"]["f"] == pytest.approx(2 / 3)
    # B is in no training document; every mood is in many.
    assert tasks["event"]["rare"] == {"labels": ["B"], "macro": {"p": 0.0, "r": 0.0, "f": 0.0}}
    assert tasks["event"]["baseline"]["rare"]["macro"]["f"] == 0.0
    assert tasks["mood"]["rare"] is None and tasks["mood"]["baseline"]["rare"] is None
    all_rare = Settings(samples=50, rare_share=1.0)
    again = evaluate(nlp, docs, train_cats=train_cats, settings=all_rare)["pipes"]["moods"]["tasks"]
    assert again["mood"]["rare"] is None  # that would be the macro average of all


def test_no_training_documents_no_baseline(nlp: Language, docs: List[Doc]) -> None:
    tasks = evaluate(nlp, docs, settings=SETTINGS)["pipes"]["moods"]["tasks"]
    assert tasks["mood"]["baseline"] is None
    tasks = evaluate(nlp, docs, train_cats=[], settings=SETTINGS)["pipes"]["moods"]["tasks"]
    assert tasks["mood"]["baseline"] is None


def test_raw_text_is_compared_by_characters(nlp: Language, docs: List[Doc]) -> None:
    pipes = evaluate(nlp, docs, settings=SETTINGS)["pipes"]
    # "Rome, Rome (Rome)": the tokenizer splits off the third one, which is not gold.
    raw = pipes["ner"]["raw_text"]
    assert (raw["documents"], raw["entities"]) == (3, 4)
    assert raw["micro"]["r"] == 0.75 and raw["micro"]["p"] == pytest.approx(3 / 5)
    assert pipes["deep"]["raw_text"]["documents"] == 1
    without = evaluate(nlp, docs, settings=Settings(samples=50, raw_text=False))
    assert "raw_text" not in without["pipes"]["ner"]


def test_partly_annotated_tokens(nlp: Language) -> None:
    doc = tokens(nlp, "Anna met Bob in Rome", [])
    doc.set_ents([Span(doc, 0, 1, "PER")], missing=[doc[2:3]], default="outside")
    ner = evaluate(nlp, [doc], settings=SETTINGS)["pipes"]["ner"]
    assert ner["tokens"] == 4 and ner["token_accuracy"] == 0.75
    assert ner["micro"] == {"p": 0.5, "r": 1.0, "f": pytest.approx(2 / 3)}
    assert "raw_text" not in ner


def test_nothing_annotated_and_nothing_at_all(nlp: Language) -> None:
    for docs in ([text(nlp, "Anna", {})], []):
        pipes = evaluate(nlp, docs, settings=SETTINGS)["pipes"]
        assert pipes["ner"]["documents"] == 0 and pipes["ner"]["micro"]["f"] == 0.0
        assert pipes["ner"]["f_interval"] == [0.0, 1.0] and "loss" not in pipes["ner"]
        assert pipes["moods"]["tasks"]["mood"]["accuracy_interval"] == [0.0, 1.0]
        assert "vectors" not in pipes


def test_vectors() -> None:
    nlp = spacy.blank("en")

    @Language.component("evaluator_test_vectors")
    def vectors(doc: Doc) -> Doc:
        doc.user_span_hooks["vector"] = lambda span: nlp.vocab.get_vector(span[0].text)
        return doc

    nlp.vocab.reset_vectors(width=2)
    for word, vector in {"a": (1, 0), "b": (1, 0.2), "c": (0, 1), "d": (-1, 0)}.items():
        nlp.vocab.set_vector(word, np.array(vector, dtype="f"))
    nlp.add_pipe("evaluator_test_vectors")
    docs = []
    for words, similarity in (("a b", 0.9), ("a c", 0.5), ("a d", 0.1)):
        doc = nlp.make_doc(words)
        doc.spans["pair"] = [doc[0:1], doc[1:2]]
        doc.cats["similarity"] = similarity
        docs.append(doc)
    numbers = evaluate(nlp, docs, settings=SETTINGS)["pipes"]["vectors"]
    examples = [Example(nlp(doc.text), doc) for doc in docs]
    assert numbers["pairs"] == 3
    assert numbers["spearman"] == score_vectors(examples)["vectors_spearman"] == 1.0


def test_a_corpus_on_disk(nlp: Language, docs: List[Doc], tmp_path: Path) -> None:
    for split, chosen in (("train", docs[4:]), ("test", docs)):
        (tmp_path / split).mkdir()
        DocBin(docs=chosen).to_disk(tmp_path / split / "all.spacy")
    nlp.meta["name"], nlp.meta["version"] = "names", "1.2.3"
    nlp.to_disk(tmp_path / "model")
    seen: List[Tuple[str, Optional[int]]] = []
    ended: List[str] = []

    def progress(items: Any, what: str, length: Optional[int] = None) -> Any:
        seen.append((what, length))
        yield from items
        ended.append(what)

    results = evaluate_corpus(
        tmp_path / "model", tmp_path, "test", settings=SETTINGS, progress=progress
    )
    assert seen == [("test", len(docs))] and ended == ["test"]
    assert (results["model"], results["corpora"]) == ("en_names 1.2.3", ["all"])
    assert results["documents"] == len(docs)
    assert list(results["pipes"]) == ["ner", "deep", "moods"]
    assert results["pipes"]["moods"]["tasks"]["mood"]["baseline"]["labels"] == ["good"]
    assert json.loads(json.dumps(results)) == results
    assert len(evaluation_tables(results)) == 6
    with pytest.raises(MtnlpError, match=r"E150.*other\.spacy"):
        evaluate_corpus(tmp_path / "model", tmp_path, "test", ["other"])
    with pytest.raises(MtnlpError, match="E503"):
        evaluate_corpus(tmp_path / "nothing", tmp_path, "test")
    with pytest.raises(MtnlpError, match=r"E144.*--gpu-id '999'"):
        evaluate_corpus(tmp_path / "model", tmp_path, "test", gpu_id=999)
    for option in ("--samples", "--chunk-size"):
        result = invoke("evaluate", "--model", tmp_path / "model", option, 0)
        assert result.exit_code == 2 and option in result.output


def test_real_pipes_with_a_cleaner_behind_them(
    backbones: Dict[str, Path], check_metrics: Callable[..., None]
) -> None:
    nlp = make_nlp(backbones["bert"], [*PIPES, "doc_cleaner"])
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    docs = [example.reference for example in examples]
    results = evaluate(nlp, docs, settings=SETTINGS)
    assert "doc_cleaner" in nlp.pipe_names
    pipes = results["pipes"]
    assert list(pipes) == ["ner", "fine_ner", "nested_ner", "textcat", "events"]
    check_metrics(pipes["ner"])
    check_metrics(pipes["events"]["tasks"]["event"])
    # Of the three documents annotated in doc.ents, one token is missing.
    assert pipes["ner"]["loss_units"] == pipes["ner"]["tokens"] == 6 + 4 + 6 - 1
    assert pipes["textcat"]["loss_units"] == 2
    with nlp.select_pipes(disable=["doc_cleaner"]):
        scored = [
            Example(x, y.reference)
            for x, y in zip(nlp.pipe(texts(nlp, docs)), examples, strict=True)
        ]
        loss, units = nlp.get_pipe("ner").loss_on(scored)  # type: ignore[attr-defined]
    assert pipes["ner"]["loss"] == pytest.approx(loss / units, rel=1e-4)
    scores = nlp.evaluate(
        [Example(doc, doc2) for doc, doc2 in zip(texts(nlp, docs), docs, strict=True)]
    )
    assert pipes["ner"]["micro"]["f"] == pytest.approx(scores["ents_f"])
    assert pipes["fine_ner"]["micro"]["f"] == pytest.approx(scores["spans_multinerd_f"])
    assert pipes["nested_ner"]["micro"]["f"] == pytest.approx(scores["spans_nerel_f"])
    assert pipes["nested_ner"]["loss_units"] == 7 + 6
    tasks = pipes["textcat"]["tasks"]
    assert tasks["sentiment"]["accuracy"] == pytest.approx(scores["cats_sentiment_acc"])
    event = pipes["events"]["tasks"]["event"]
    assert event["micro"]["f"] == pytest.approx(scores["cats_event_micro_f"])
    mean = (scores["cats_sentiment_acc"] + scores["cats_event_micro_f"]) / 2
    assert scores["cats_score"] == pytest.approx(mean)


def texts(nlp: Language, docs: List[Doc]) -> List[Doc]:
    return [Doc(nlp.vocab, words=[token.text for token in doc]) for doc in docs]


def test_a_pipeline_is_called_by_its_folder_until_it_is_packaged() -> None:
    nlp = spacy.blank("en")
    assert name_of(nlp, Path("training/best")) == "training/best"
    nlp.meta["name"] = "shop"
    assert name_of(nlp, Path("training/best")) == "en_shop 0.0.0"
