"""A pipeline without torch, from a mixed one, against the one it was made from."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence

import numpy as np
import pytest
import spacy
import srsly
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import import_file

import mtnlp
from mtnlp.errors import MtnlpError
from mtnlp.optimization import optimize as optimize_module
from mtnlp.optimization.candidates import Candidate
from mtnlp.optimization.converting import convert_encoders
from mtnlp.optimization.optimize import Options, candidates_of
from mtnlp.optimization.standalone.assemble import LIBRARIES, assemble
from mtnlp.optimization.standalone.build import build_standalone, make_plan
from mtnlp.optimization.standalone.comparing import check_answers, find_difference
from tests.conftest import Joint
from tests.pipes.cases import initialized, mixed_examples, train
from tests.tiny import make_nlp

TEXTS = [
    "Anna Keller flew to Paris.",
    "",
    " \n ",
    "\u200b",
    "What a great film. I saw a red fox near Rome.",
    "He died in Rome ,  \n and Anna Keller  was born in a small town in 1950 .",
    "The Bank of New York fell. " * 30,  # several windows
]


class Made(NamedTuple):
    """folder: of the pipeline without torch. light: it, loaded. torch: what it was made from."""

    folder: Path
    light: Language
    torch: Language


def make(
    nlp: Language, folder: Path, engine: str, precision: str = "fp32", exclude: Sequence[str] = ()
) -> Made:
    """Convert a copy of a pipeline, without some of its components."""
    for library in ("onnx", engine):
        pytest.importorskip(library)
    nlp.to_disk(folder / "torch")
    copy, made = spacy.load(folder / "torch", exclude=exclude), folder / "light"
    made.mkdir()
    docs = [copy.make_doc(text) for text in TEXTS if text.strip()]
    convert_encoders(copy, Candidate(engine, precision), 1, docs)
    build_standalone(copy, made)
    return Made(made, spacy.load(made), spacy.load(folder / "torch", exclude=exclude))


@pytest.fixture(scope="module", params=["onnxruntime", "openvino"])
def made(request: Any, joint: Joint, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Of the pipeline with all components; of each kind one by OpenVINO, which converts slowly."""
    exclude = ["fine_ner", "events"] if request.param == "openvino" else []
    folder = tmp_path_factory.mktemp(request.param)
    return make(joint.nlp, folder, request.param, exclude=exclude)


@pytest.fixture(scope="module")
def by_onnx(joint: Joint, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """As `made`, of one engine."""
    return make(joint.nlp, tmp_path_factory.mktemp("light"), "onnxruntime")


def assert_same(light: Language, torch: Language, texts: List[str] = TEXTS) -> None:
    for text in texts:
        assert find_difference(torch(text), light(text), 1e-4) is None, text


def test_answers_are_those_of_torch(made: Made) -> None:
    assert made.light.pipe_names == ["sentencizer", "standalone"]
    assert_same(made.light, made.torch)
    found = 0
    for one, other in zip(map(made.light, TEXTS), map(made.torch, TEXTS), strict=True):
        assert one._.tasks.keys() == other._.tasks.keys() and one._.events == other._.events
        for key in one.spans:
            for span, same in zip(one.spans[key], other.spans[key], strict=True):
                assert span._.confidence == pytest.approx(same._.confidence, abs=1e-4)
                found += 1
        for sentence, same in zip(one.sents, other.sents, strict=True):
            np.testing.assert_allclose(sentence.vector, same.vector, atol=1e-4)
        if one.has_vector:
            assert one.similarity(one) == pytest.approx(1.0)
    assert found > 10


def test_batches_and_bytes(made: Made) -> None:
    piped = list(made.light.pipe(TEXTS * 2, batch_size=3))
    for text, doc in zip(TEXTS * 2, piped, strict=True):
        assert find_difference(made.torch(text), doc, 1e-4) is None, text
    other = spacy.load(made.folder)
    pipe: Any = other.get_pipe("standalone")
    pipe.from_bytes(made.light.get_pipe("standalone").to_bytes())  # type: ignore[attr-defined]
    assert_same(other, made.torch)
    other.from_bytes(made.light.to_bytes())
    assert_same(other, made.torch, TEXTS[:1])


def test_several_processes(by_onnx: Made) -> None:
    # An empty Doc has no vector once it has crossed processes: spaCy drops the hooks.
    texts = [text for text in TEXTS if text]
    docs = list(by_onnx.light.pipe(texts, n_process=2, batch_size=3))
    for text, doc in zip(texts, docs, strict=True):
        assert find_difference(by_onnx.torch(text), doc, 1e-4) is None, text


def test_int8_answers_as_its_network_does(joint: Joint, tmp_path: Path) -> None:
    made = make(joint.nlp, tmp_path, "onnxruntime", "int8")
    copy = spacy.load(tmp_path / "torch")
    docs = [copy.make_doc("Anna flew")]
    convert_encoders(copy, Candidate("onnxruntime", "int8"), 1, docs)
    assert_same(made.light, copy, TEXTS[:4])


# What the file must do without. spaCy and thinc themselves import torch where there is one.
BLOCKED = """
import sys

class Blocked:
    names = {"torch", "transformers", "spacy_transformers", "mtnlp", "onnx"}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ImportError(f"{name} is not there")

sys.meta_path.insert(0, Blocked())
# spaCy imports what the packages of an environment offer, those that are installed here, too.
from importlib import metadata

metadata.entry_points = lambda **chosen: metadata.EntryPoints(
    entry
    for package in metadata.distributions()
    for entry in package.entry_points
    if entry.value.partition(".")[0] not in Blocked.names
).select(**chosen)
import spacy, srsly
from spacy.util import import_file

folder, texts = sys.argv[1], srsly.json_loads(sys.argv[2])
import_file("runtime", folder + "/runtime.py")
nlp = spacy.load(folder)
rows = []
for doc in nlp.pipe(texts):
    rows.append({
        "ents": [[e.start, e.end, e.label_] for e in doc.ents],
        "spans": {
            key: [[e.start, e.end, e.label_, e._.confidence] for e in group]
            for key, group in doc.spans.items()
        },
        "cats": doc.cats,
        "tasks": doc._.tasks,
        "events": doc._.events,
        "vector": doc.vector.tolist(),
    })
assert not Blocked.names & set(sys.modules)
print(srsly.json_dumps(rows))
"""


def test_it_runs_where_there_is_no_torch(by_onnx: Made, tmp_path: Path) -> None:
    texts = TEXTS[:5]
    script = tmp_path / "script.py"
    script.write_text(BLOCKED, encoding="utf8")
    command = [sys.executable, str(script), str(by_onnx.folder), srsly.json_dumps(texts)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows: List[Dict[str, Any]] = srsly.json_loads(done.stdout.splitlines()[-1])  # type: ignore
    for text, row in zip(texts, rows, strict=True):
        doc = by_onnx.torch(text)
        assert row["ents"] == [[e.start, e.end, e.label_] for e in doc.ents]
        assert row["events"] == doc._.events and row["tasks"].keys() == doc._.tasks.keys()
        assert row["cats"] == pytest.approx(doc.cats, abs=1e-4)
        np.testing.assert_allclose(row["vector"], doc.vector, atol=1e-4)
        for key, group in doc.spans.items():
            assert [tuple(span[:3]) for span in row["spans"][key]] == [
                (e.start, e.end, e.label_) for e in group
            ]
            scores = [span[3] for span in row["spans"][key]]
            np.testing.assert_allclose(scores, group.attrs["scores"], atol=1e-4)


def test_the_file_is_in_step(by_onnx: Made) -> None:
    """It is made of the package's own definitions, and imports nothing of it."""
    text = assemble()
    assert (by_onnx.folder / "runtime.py").read_text(encoding="utf8") == text == assemble()
    root = Path(mtnlp.__file__).parent
    for module, start in (
        ("models/windows.py", "def align("),
        ("pipes/scored_spans.py", "class ScoredSpans("),
        ("models/wordpieces.py", "class Windower"),
        ("structured/array_chain.py", "def scaled_marginals("),
    ):
        source = (root / module).read_text(encoding="utf8")
        definition = source[source.index(start) :].split("\n\n\n")[0].rstrip()
        assert definition in text
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(text))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or "."]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported - set(sys.stdlib_module_names) == LIBRARIES


def test_files_of_several_packages_in_one_process(by_onnx: Made, tmp_path: Path) -> None:
    text = (by_onnx.folder / "runtime.py").read_text(encoding="utf8")
    for name in ("one", "other"):
        path = tmp_path / f"{name}.py"
        path.write_text(text, encoding="utf8")
        assert import_file(name, path).FACTORY.startswith("mtnlp_standalone_")


def test_settings_can_be_changed(by_onnx: Made) -> None:
    nlp = spacy.load(by_onnx.folder)
    pipe: Any = nlp.get_pipe("standalone")
    pipe.heads["ner"].cfg["threshold"] = 1.0
    assert not nlp(TEXTS[0]).ents and by_onnx.light(TEXTS[0]).ents


HEADS = {
    "ner": {
        "model": {"decoder": "softmax", "scheme": "biluo", "hidden": 16},
        "overwrite_ents": False,
    },
    "fine_ner": {
        "model": {"scheme": "biluo", "hidden": 16, "shapes": True},
        "overwrite_ents": False,
    },
    "nested_ner": {
        "decoder": "flat",
        "threshold": 0.1,
        "overwrite_ents": False,
        "model": {"exclusive": False, "scorer": {"@layers": "mtnlp.MarkerScorer.v1", "hidden": 8}},
    },
    "textcat": {
        "tasks": {"sentiment": {"exclusive": True}},
        "model": {
            "hidden": 16,
            "tok2vec": {
                "@architectures": "mtnlp.TransformerPooler.v1",
                "pooling": "attention",
                "layers": [1],
            },
        },
    },
    "events": {
        "threshold": 0.2,
        "model": {
            "label_heads": "separate",
            "hidden": 4,
            "label_correlation": True,
            "tok2vec": {
                "@architectures": "mtnlp.TokenPooler.v1",
                "pooling": "mean_max",
                "tok2vec": {"@architectures": "mtnlp.TransformerListener.v1"},
            },
        },
    },
    "sentence_vectors": {
        "model": {
            "width": 6,
            "tok2vec": {"@architectures": "mtnlp.TransformerPooler.v1", "pooling": "cls"},
        },
    },
    "transformer": {"layers": [1], "window": 20},
}


def test_other_settings(backbone: Path, tmp_path: Path) -> None:
    """Every decoder, scheme, pooling and kind of head that `made` has not."""
    nlp = make_nlp(backbone, configs=HEADS)  # type: ignore[arg-type]
    examples = [eg for eg in mixed_examples(nlp) if "topic/SPORT" not in eg.reference.cats]
    train(initialized(nlp), examples, 5)
    for name, value in (("ner", 1.5), ("fine_ner", 0.7), ("nested_ner", 2.0)):
        nlp.get_pipe(name).cfg["temperature"] = value  # type: ignore[attr-defined]
    nlp.get_pipe("textcat").cfg["temperatures"] = {"sentiment": 3.0}  # type: ignore[attr-defined]
    made = make(nlp, tmp_path, "onnxruntime")
    assert_same(made.light, made.torch)
    # Entities that are there already stay, and are a condition of the others.
    docs = []
    for pipeline in (made.light, made.torch):
        doc: Doc = pipeline.make_doc(TEXTS[4])
        doc.set_ents([Span(doc, 0, 1, "PER"), Span(doc, 2, 4, "WORK")], default="missing")
        doc.spans["multinerd"] = [Span(doc, 5, 7, "ANIM")]
        doc.spans["nerel"] = [Span(doc, 1, 3, "CITY")]
        docs.append(pipeline(doc))
    assert find_difference(docs[1], docs[0], 1e-4) is None
    assert {"PER", "WORK"} <= {span.label_ for span in docs[0].ents}
    given = [doc.spans["multinerd"].attrs["given"].tolist() for doc in docs]
    assert given[0] == given[1] and True in given[0]


@pytest.mark.parametrize("family", ["roberta", "xlm-r"])
def test_other_tokenizers(family: str, backbones: Any, tmp_path: Path) -> None:
    """White space as wordpieces, pieces that share characters, other special tokens."""
    nlp = make_nlp(backbones[family], ["ner", "sentence_vectors"])
    train(initialized(nlp), [eg for eg in mixed_examples(nlp) if eg.reference.ents], 2)
    made = make(nlp, tmp_path, "onnxruntime")
    assert_same(made.light, made.torch, [*TEXTS, "Москва\u3000– город №1 🙂 ﬁ"])


def test_what_cannot_be(joint: Joint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    joint.nlp.to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    with pytest.raises(MtnlpError, match=r"E663.*torch"):
        build_standalone(nlp, tmp_path)
    nlp.add_pipe("merge_entities", after="ner")
    with pytest.raises(MtnlpError, match=r"E662.*'merge_entities'.*ner to fine_ner"):
        make_plan(nlp)
    nlp.remove_pipe("merge_entities")
    nlp.get_pipe("fine_ner").model.get_ref("tok2vec").layers[0].layers[1].name = "other"  # type: ignore
    with pytest.raises(MtnlpError, match=r"E661.*'fine_ner'.*not the shared encoder alone"):
        make_plan(nlp)
    nlp.remove_pipe("fine_ner")
    plan = make_plan(nlp)
    assert [head.kind for head in plan.heads] == ["tagger", "spans", *["classifier"] * 2, "vectors"]
    encoder: Any = nlp.get_pipe("transformer").model
    monkeypatch.setattr(type(encoder.tokenizer), "is_fast", False)
    with pytest.raises(MtnlpError, match=r"E661.*'transformer'"):
        make_plan(nlp)
    nlp.remove_pipe("transformer")
    with pytest.raises(MtnlpError, match=r"E665"):
        make_plan(nlp)


def test_candidates_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    every = [Candidate("torch", "int8"), Candidate("onnxruntime", "fp32")]
    monkeypatch.setattr(optimize_module, "find_candidates", lambda engine: (every, {}))
    assert candidates_of(Options(standalone=True))[0] == every[1:]
    monkeypatch.setattr(optimize_module, "find_candidates", lambda engine: (every[:1], {}))
    with pytest.raises(MtnlpError, match=r"E663"):
        candidates_of(Options(engine="torch", standalone=True))


def test_other_answers_are_an_error(by_onnx: Made) -> None:
    nlp = spacy.load(by_onnx.folder)
    docs = [nlp.make_doc(text) for text in TEXTS]
    check_answers(by_onnx.torch, nlp, docs)
    pipe: Any = nlp.get_pipe("standalone")
    pipe.heads["ner"].cfg["threshold"] = 1.0
    with pytest.raises(MtnlpError, match=r"E664.*Anna Keller.*entities"):
        check_answers(by_onnx.torch, nlp, docs)
