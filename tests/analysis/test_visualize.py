"""Maps of a trained pipeline, and its verb."""

import sys
from pathlib import Path
from typing import Any, List, Sequence

import pytest
import spacy
from spacy.tokens import Doc, DocBin

from mtnlp.analysis.maps import ReportMaps
from mtnlp.analysis.queries import read_sentences
from mtnlp.analysis.sources import choose_source, predicted_sources
from mtnlp.analysis.visualize import MapOptions, shuffled_docs, visualize
from mtnlp.errors import DataError, MtnlpError
from mtnlp.evaluation.evaluator import predict
from tests.conftest import Joint
from tests.data.corpora import flat, invoke


@pytest.fixture(scope="module")
def model(joint: Joint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("maps") / "model"
    joint.nlp.to_disk(folder)
    return folder


@pytest.fixture(scope="module")
def corpus(joint: Joint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All examples, and again those of `doc.ents`: two files."""
    folder = tmp_path_factory.mktemp("maps_corpus") / "test"
    folder.mkdir()
    docs = [example.reference for example in joint.examples]
    DocBin(docs=docs, store_user_data=True).to_disk(folder / "all.spacy")
    DocBin(docs=[doc for doc in docs if doc.ents]).to_disk(folder / "ents.spacy")
    return folder.parent


def test_names_of_what_can_be_drawn(joint: Joint) -> None:
    found = predicted_sources(joint.nlp)
    assert {name: source.what for name, source in found.items()} == {
        "ner": "entities",
        "fine_ner": "entities",
        "nested_ner": "entities",
        "textcat: sentiment": "documents",
        "events: event": "documents",
    }
    references = [example.reference for example in joint.examples]
    assert choose_source(joint.nlp, "entities", None, references).name == "ner"
    assert choose_source(joint.nlp, "entities", "nested_ner", references).name == "nested_ner"
    # Ten documents have a layer of no component: what the pipeline decides comes first.
    other = [Doc(joint.nlp.vocab, words=["Anna"]) for _ in range(10)]
    for doc in other:
        doc.spans["sc"] = [doc.char_span(0, 4, label="PER")]
    assert choose_source(joint.nlp, "entities", None, [*references, *other]).name == "ner"
    assert choose_source(joint.nlp, "entities", None, other).name == "sc"
    for name in ("sentiment", "textcat: sentiment"):
        found_by_name = choose_source(joint.nlp, "sentences", name, references)
        assert found_by_name.what == "sentences" and found_by_name.name == "textcat: sentiment"
    with pytest.raises(MtnlpError, match=r"E719.*'ner', 'fine_ner', 'nested_ner'\."):
        choose_source(joint.nlp, "entities", "sentiment", references)


def test_gold_that_the_pipeline_does_not_decide() -> None:
    nlp = spacy.blank("en")
    docs = [Doc(nlp.vocab, words=["Anna", "slept"]) for _ in range(2)]
    docs[0].cats = {"topic/SPORT": 1.0}
    docs[1].spans["sc"] = [docs[1][:1]]
    documents = choose_source(nlp, "documents", None, docs)
    assert documents.name == "topic" and not documents.is_predicted
    assert choose_source(nlp, "documents", None, docs[1:]).name is None
    # A span without a label colours nothing.
    assert choose_source(nlp, "entities", None, docs).name is None
    docs[1].spans["sc"] = [docs[1].char_span(0, 4, label="PER")]
    assert choose_source(nlp, "entities", None, docs).name == "sc"


@pytest.mark.parametrize("of", ["documents", "sentences", "entities"])
def test_maps(model: Path, corpus: Path, of: str) -> None:
    options = MapOptions(of=of, limit=5, queries=["Anna saw [Paris] .", "Tom"])
    numbers = visualize(model, corpus, options)
    (one,) = numbers["maps"]
    # Two documents alone are annotated for the task.
    assert one["of"] == of and len(one["points"]["x"]) == (5 if of == "entities" else 2)
    assert [Path(file).name for file in numbers["files"]] == ["all.spacy", "ents.spacy"]
    assert numbers["sentences"] is None
    assert all(error is not None for error in one["points"]["error"])
    asked = one["queries"][0]
    assert asked["text"] == ("Anna saw Paris ." if of == "entities" else "Anna saw [Paris] .")
    assert asked["mark"] == ([9, 14] if of == "entities" else None)
    again = visualize(model, corpus, options)["maps"][0]
    assert again["points"]["text"] == one["points"]["text"]
    assert again["points"]["x"] == pytest.approx(one["points"]["x"], abs=1e-3)


def test_documents_come_in_random_order_from_all_files(joint: Joint, corpus: Path) -> None:
    docbins = [DocBin().from_disk(path) for path in sorted((corpus / "test").glob("*.spacy"))]
    vocab = spacy.blank("en").vocab
    orders = [[doc.text for doc in shuffled_docs(docbins, vocab, seed)] for seed in (0, 0, 1)]
    whole = [doc.text for docbin in docbins for doc in docbin.get_docs(vocab)]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2]) == sorted(whole)
    made = {doc.text: doc for doc in shuffled_docs(docbins[:1], vocab, 0)}
    for example in joint.examples:
        doc = made[example.reference.text]
        assert doc.cats == example.reference.cats
        assert [
            (span.text, span.label_) for key in example.reference.spans for span in doc.spans[key]
        ] == [
            (span.text, span.label_) for spans in example.reference.spans.values() for span in spans
        ]


def test_drawing_documents_writes_no_file_to_bytes(
    joint: Joint, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each document would cost as much as its file is large."""
    docbin = DocBin().from_disk(corpus / "test" / "all.spacy")

    def refuse(self: DocBin) -> bytes:
        raise AssertionError("the whole file is written")

    monkeypatch.setattr(DocBin, "to_bytes", refuse)
    assert len(list(shuffled_docs([docbin], joint.nlp.vocab, 0))) == len(docbin)


def test_maps_of_a_report(joint: Joint) -> None:
    maps = ReportMaps(joint.nlp, limit=4)
    assert maps.result() is None
    references = [example.reference for example in joint.examples]
    for _ in range(2):
        maps.add(predict(joint.nlp, references))
    found = maps.result()
    assert found is not None
    assert {one["of"] for one in found["maps"]} == {"entities", "documents"}
    assert all(3 <= len(one["points"]["x"]) <= 4 for one in found["maps"])


def test_sentences_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("\ufeffA dull film.\n\n  A boring movie. \n", encoding="utf8")
    assert read_sentences(path) == ["A dull film.", "A boring movie."]
    path.write_text("One.\n", encoding="utf8")
    with pytest.raises(DataError, match=r"lines.txt: \[E718\] 1 lines"):
        read_sentences(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="E100"):
        read_sentences(path)


def run(*arguments: Any) -> Any:
    return invoke("visualize", *map(str, arguments))


def test_the_verb(model: Path, corpus: Path, tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    lines = tmp_path / "lines.txt"
    lines.write_text("A dull film.\nA boring movie.\nThe sea.\n", encoding="utf8")
    output = tmp_path / "out" / "map.html"
    arguments: List[Any] = [model, corpus, "-o", output, "--of", "entities", "--limit", 20]
    result = run(*arguments, "--query", "the king of [Rome]", "--sentences", lines, "--png")
    assert result.exit_code == 0, result.output
    shown = flat(result.output)
    assert "Nearest to: the king of Rome" in shown and "neighbours with it" in shown
    page = output.read_text(encoding="utf8")
    assert "Similarity of sentences" in page and "the king of Rome" in page
    for name in ("map.png", "map_sentences.png"):
        assert (output.parent / name).read_bytes().startswith(b"\x89PNG")


def test_a_page_without_charts_needs_no_chart_library(
    model: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    output = tmp_path / "map.html"
    assert run(model, corpus, "-o", output, "--limit", 5).exit_code == 0
    refused = run(model, corpus, "-o", tmp_path / "other.html", "--limit", 5, "--png")
    assert refused.exit_code == 1 and "mtnlp[reports]" in refused.output


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--task", "unknown"], "E719"),
        (["--query", " "], "E144"),
        (["--of", "entities", "--task", "ner", "--query", " "], "E144"),
    ],
)
def test_errors(
    model: Path, corpus: Path, tmp_path: Path, arguments: Sequence[str], code: str
) -> None:
    result = run(model, corpus, "-o", tmp_path / "map.html", "--limit", 5, *arguments)
    assert result.exit_code == 1 and code in result.output
    assert not (tmp_path / "map.html").exists()


def test_a_pipeline_without_vectors(corpus: Path, tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.to_disk(tmp_path / "blank")
    result = run(tmp_path / "blank", corpus, "-o", tmp_path / "map.html")
    assert result.exit_code == 1 and "E715" in result.output
