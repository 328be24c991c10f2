"""`mtnlp optimize`, from a saved pipeline to a fast one."""

from importlib.metadata import version
from pathlib import Path
from typing import Any, Iterator, List

import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import DocBin
from spacy.training import Example
from spacy.util import import_file

from mtnlp.errors import MtnlpError
from mtnlp.experiments.child import report_errors
from mtnlp.models import precision as precision_module
from mtnlp.models import runner as runner_module
from mtnlp.models.engine import find_engine
from mtnlp.optimization import candidates as candidates_module
from mtnlp.optimization import measuring
from mtnlp.optimization import optimize as optimize_module
from mtnlp.optimization.candidates import BASELINE, Candidate, find_candidates
from mtnlp.optimization.converting import convert_encoders, own_encoders, requirements
from mtnlp.optimization.measuring import measure
from mtnlp.optimization.optimize import Options, choose_docs, optimize
from mtnlp.optimization.standalone.comparing import find_difference
from tests.conftest import Joint
from tests.data.corpora import invoke

ORT = Candidate("onnxruntime", "fp32")
MODEL = "components.transformer.model"


@pytest.fixture(scope="module")
def work(joint: Joint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pipeline of all components as "model", its examples as "docs.spacy"."""
    pytest.importorskip("onnx")
    folder = tmp_path_factory.mktemp("optimize")
    joint.nlp.to_disk(folder / "model")
    docs = [example.reference for example in joint.examples]
    DocBin(docs=docs, store_user_data=True).to_disk(folder / "docs.spacy")
    return folder


def only(monkeypatch: pytest.MonkeyPatch, *found: Candidate) -> None:
    """Try nothing else: each takes seconds."""
    monkeypatch.setattr(optimize_module, "find_candidates", lambda engine: (list(found), {}))


def run_here(folder: Path, log: Any, module: str) -> int:
    """Measure in this process: a new one takes seconds to start."""
    return report_errors(measuring.work, folder)


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "run_process", run_here)


@pytest.fixture
def same_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def as_fast(monkeypatch: pytest.MonkeyPatch, speed: float) -> None:
    """Speeds of a tiny encoder are chance."""
    monkeypatch.setattr("mtnlp.optimization.choosing.speed_ratio", lambda *_: speed)


def test_from_a_pipeline_to_a_fast_one(
    work: Path, same_threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is chosen is measured in a process of its own, as all is outside of tests."""
    only(monkeypatch, ORT)
    as_fast(monkeypatch, 2.0)
    ways = iter([run_here, measuring.run_process])
    monkeypatch.setattr(measuring, "run_process", lambda *a, **named: next(ways)(*a, **named))
    seen: List[Any] = []
    result = optimize(
        *(work / "model", work / "fast", work / "docs.spacy", Options(threads=1)),
        show=lambda *state: seen.append(state),
    )
    assert result.chosen == ORT and [name for _, _, name in seen] == [str(BASELINE), str(ORT)]
    assert all(abs(change) < 1e-3 for change in result.verdicts[ORT].changes.values())
    assert {"ner", "fine_ner", "nested_ner", "vectors"} <= result.verdicts[ORT].changes.keys()
    nlp, before = spacy.load(work / "fast"), spacy.load(work / "model")
    encoder: Any = nlp.get_pipe("transformer").model
    assert encoder.engine_info[:3] == ("onnxruntime", "fp32", 1)
    for text in ("Anna Keller flew to Paris.", ""):
        one, other = nlp(text), before(text)
        assert [e.text for e in one.ents] == [e.text for e in other.ents]
        assert one.cats == pytest.approx(other.cats, abs=1e-4)
        np.testing.assert_allclose(one.vector, other.vector, atol=1e-4)
    # What a package of it needs, and what was measured.
    assert any(line.startswith("onnxruntime>=") for line in nlp.meta["requirements"])
    found = nlp.meta["optimization"]
    assert (found["engine"], found["precision"], found["refitted"]) == ("onnxruntime", "fp32", [])
    assert [row["engine"] for row in found["measured"]] == ["torch", "onnxruntime"]
    assert not list(work.glob(".*"))


def test_what_had_been_fitted_is_fitted_again(
    work: Path, tmp_path: Path, in_process: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, ORT)
    as_fast(monkeypatch, 2.0)
    nlp = spacy.load(work / "model")
    ner: Any = nlp.get_pipe("ner")
    ner.cfg["temperature"] = 3.0
    nlp.to_disk(tmp_path / "model")
    result = optimize(tmp_path / "model", tmp_path / "fast", work / "docs.spacy", Options())
    assert result.refitted == ["ner"]
    fast = spacy.load(tmp_path / "fast")
    temperature = fast.get_pipe("ner").cfg["temperature"]  # type: ignore[attr-defined]
    assert temperature not in (1.0, 3.0)
    assert fast.get_pipe("fine_ner").cfg["temperature"] == 1.0  # type: ignore[attr-defined]
    assert fast.meta["optimization"]["refitted"] == ["ner"]
    assert fast.get_pipe("transformer").model.engine_info.engine == "onnxruntime"  # type: ignore


def test_nothing_is_saved_where_nothing_is_faster(
    work: Path, tmp_path: Path, in_process: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, ORT)
    as_fast(monkeypatch, 0.5)
    arguments = [work / "model", tmp_path / "fast", "--corpus", work / "docs.spacy"]
    done = invoke("optimize", *arguments, "--report", tmp_path / "tables.md")
    assert done.exit_code == 1 and "E650" in done.output
    assert "not faster than torch fp32" in (tmp_path / "tables.md").read_text(encoding="utf8")
    assert [path.name for path in tmp_path.iterdir()] == ["tables.md"]


def test_without_torch(
    work: Path, tmp_path: Path, in_process: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, ORT, Candidate("torch", "int8"))
    as_fast(monkeypatch, 0.5)
    done = invoke(
        *("optimize", work / "model", tmp_path / "light", "--corpus", work / "docs.spacy"),
        "--standalone",
    )
    assert done.exit_code == 0, done.output
    assert f"--code {tmp_path / 'light' / 'runtime.py'}" in " ".join(done.output.split())
    import_file("runtime", tmp_path / "light" / "runtime.py")
    nlp, before = spacy.load(tmp_path / "light"), spacy.load(work / "model")
    text = "Anna Keller flew to Paris."
    assert find_difference(before(text), nlp(text)) is None
    assert nlp.meta["optimization"]["engine"] == "onnxruntime"
    assert [line.partition(">")[0] for line in nlp.meta["requirements"]] == [
        *("onnxruntime", "tokenizers")
    ]


def test_what_cannot_be_converted_is_left_out(
    work: Path, tmp_path: Path, in_process: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, ORT)

    def fail(*_: Any) -> bytes:
        raise RuntimeError("unknown operation")

    found = find_engine("onnxruntime")
    monkeypatch.setattr(type(found), "convert", fail)
    result = optimize(work / "model", tmp_path / "fast", work / "docs.spacy", Options())
    assert result.chosen is None and not (tmp_path / "fast").exists()
    assert "E295" in result.left_out[ORT] and "unknown operation" in result.left_out[ORT]


def test_a_pipeline_that_fails_is_said_with_its_reason(work: Path, tmp_path: Path) -> None:
    with pytest.raises(MtnlpError, match=r"E651.*'nothing'.*E050"):
        measure(tmp_path / "nothing", work / "docs.spacy", tmp_path / "measured", 1)


def test_pairs_give_a_correlation(joint: Joint) -> None:
    docs = []
    for similarity in (0.1, 0.5, 0.9):
        doc = joint.nlp.make_doc(f"A fox slept {similarity} . Anna flew to Paris .")
        doc.spans["pair"] = [doc[0:5], doc[5:10]]
        doc.cats["similarity"] = similarity
        docs.append(doc)
    found = measuring.correlation_of(joint.nlp, docs)
    scored = joint.nlp.evaluate([Example(joint.nlp.make_doc(doc.text), doc) for doc in docs])
    assert found == pytest.approx(scored["vectors_spearman"])
    assert measuring.correlation_of(joint.nlp, [joint.nlp.make_doc("Alone")]) is None


def test_what_is_no_pipeline_of_ours(work: Path, tmp_path: Path) -> None:
    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(MtnlpError, match="E652"):
        optimize(tmp_path / "blank", tmp_path / "fast", work / "docs.spacy", Options())
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "thesis.txt").write_text("…", encoding="utf8")
    with pytest.raises(MtnlpError, match="E144"):
        optimize(work / "model", tmp_path / "papers", work / "docs.spacy", Options())


def test_not_twice(work: Path) -> None:
    nlp = spacy.load(work / "model")
    convert_encoders(nlp, ORT, 1, [nlp.make_doc("Anna flew")])
    with pytest.raises(MtnlpError, match=r"E653.*onnxruntime, fp32, 1 thread"):
        own_encoders(nlp)
    # Back to torch: what the config says is what runs.
    convert_encoders(nlp, BASELINE, 0, [])
    assert own_encoders(nlp) == ["transformer"]
    assert nlp.config["components"]["transformer"]["model"]["engine"] == "torch"


def test_a_package_requires_the_library_of_its_engine_alone() -> None:
    given = ["onnxruntime>=1.0", "sacremoses>=0.1", "openvino-telemetry>=1"]
    others = ["sacremoses>=0.1", "openvino-telemetry>=1"]
    assert requirements(given, "torch") == others
    found = requirements(given, "onnxruntime")
    assert found == [*others, f"onnxruntime>={version('onnxruntime')}"]


def test_candidates_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (candidates_module, runner_module, precision_module):
        monkeypatch.setattr(module, "has_bf16", lambda device: False)
    monkeypatch.setattr(
        candidates_module, "find_spec", lambda name: None if name == "nncf" else object()
    )
    found, left_out = find_candidates()
    assert found == [
        *(Candidate("torch", "int8"), ORT),
        *(Candidate("onnxruntime", "int8"), Candidate("onnxruntime", "int8_static")),
    ]
    assert left_out[Candidate("torch", "bf16")] == "this processor has no instructions for bf16"
    assert "pip install 'mtnlp[openvino]'" in left_out[Candidate("openvino", "int8")]
    with pytest.raises(MtnlpError, match=r"E292.*nncf"):
        find_candidates("openvino")
    with pytest.raises(MtnlpError, match="E290"):
        find_candidates("abacus")


def test_documents_of_all_corpora() -> None:
    assert choose_docs(list(range(10)), 3) == [0, 3, 6]  # type: ignore[arg-type,list-item]
    assert choose_docs(list(range(3)), 0) == [0, 1, 2]  # type: ignore[arg-type,list-item]
