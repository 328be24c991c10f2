"""The cells of a joint-training report: what each head alone keeps of the joint config."""

from pathlib import Path
from typing import Any, Dict, List

import pytest
from spacy.training.initialize import resolve_dot_names
from spacy.util import load_config
from thinc.api import Config

from mtnlp.data.convert import convert
from mtnlp.data.options import ConvertOptions
from mtnlp.errors import MtnlpError
from mtnlp.experiments import joint_plan
from mtnlp.experiments.grid import override_settings
from mtnlp.experiments.joint_plan import JointPlan, make_plan, read_test
from mtnlp.experiments.settings import check_config, make_config
from tests.tiny import SAMPLE

CONFIG = SAMPLE.parents[1] / "configs" / "imdb_conll_multinerd.cfg"
HEADS = ["ner", "fine_ner", "textcat"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpora")
    for name in ("imdb", "conll", "multinerd"):
        convert(ConvertOptions(name, sample=SAMPLE, out=folder, limit=(8, 4, 4)))
    return folder


def overrides(backbone: Path, corpus: Path, **more: Any) -> Dict[str, Any]:
    paths = {f"paths.{part}": str(corpus / part) for part in ("train", "dev", "test")}
    return {"paths.backbone": str(backbone), **paths, **more}


def plan(backbone: Path, corpus: Path, folder: Path, config: Path = CONFIG, **kw: Any) -> JointPlan:
    more = kw.pop("overrides", {})
    settings = override_settings(overrides(backbone, corpus, **more))
    return make_plan(config, folder, settings=settings, **{"seeds": [3, 4], **kw})


def texts(config: Config, nlp: Any, corpus: str) -> List[str]:
    (reader,) = resolve_dot_names(config.interpolate(), [corpus])
    return sorted(example.reference.text for example in reader(nlp))


def test_each_head_alone(backbone: Path, corpus: Path, tmp_path: Path) -> None:
    found = plan(backbone, corpus, tmp_path, limit=5, overrides={"training.dropout": 0.2})
    assert found.heads == HEADS and found.weightings == ["static", "uncertainty"]
    systems = [*HEADS, "joint-static", "joint-uncertainty"]
    assert [cell.values for cell in found.grid.cells] == [{"system": name} for name in systems]
    configs = {cell.values["system"]: make_config(cell, 4) for cell in found.grid.cells}
    together = {}
    for name, part in zip(HEADS, ["conll", "multinerd", "imdb"], strict=True):
        single, both = configs[name], configs["joint-static"]
        pipeline = ["sentencizer", "transformer", name, "trf_data_cleaner"]
        assert single["nlp"]["pipeline"] == list(single["components"]) == pipeline
        assert "test" not in single["paths"]
        for key in ("max_epochs", "batcher", "optimizer", "dropout", "seed"):
            assert single["training"][key] == both["training"][key]
        assert single["training"]["seed"] == 4
        # The examples are those of the joint run.
        assert list(single["corpora"]["train"]["corpora"]) == [part]
        assert list(single["corpora"]["dev"]["corpora"]) == [part]
        together[name] = texts(single, found.nlp, "corpora.train")
        assert len(together[name]) == 5
    expected = sorted(text for own in together.values() for text in own)
    assert texts(configs["joint-static"], found.nlp, "corpora.train") == expected
    for weighting in ("static", "uncertainty"):
        components = configs[f"joint-{weighting}"]["components"]
        assert [components[name]["weighting"] for name in HEADS] == [weighting] * 3
    assert configs["ner"]["components"]["ner"]["weighting"] == "static"


def test_every_cell_can_be_built(backbone: Path, corpus: Path, tmp_path: Path) -> None:
    """Also those of weightings that the heads have; and test is read as dev is, without a limit."""
    found = plan(backbone, corpus, tmp_path, limit=2)
    for cell in found.grid.cells:
        nlp = check_config(cell, make_config(cell, 0))
        assert nlp.pipe_names == make_config(cell, 0)["nlp"]["pipeline"]
        expected = "uncertainty" if cell.values["system"] == "joint-uncertainty" else "static"
        heads = [name for name in HEADS if name in nlp.pipe_names]
        assert [nlp.get_pipe(name).cfg["weighting"] for name in heads] == [expected] * len(heads)
    documents = read_test(found.nlp.config, found.nlp)
    assert len(documents) == 12
    assert sum(doc.has_annotation("ENT_IOB") for doc in documents) == 4


def test_a_weighting_that_some_heads_know(
    backbone: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that lack the setting are left as they are."""
    # A setting of taggers alone stands for the weighting.
    monkeypatch.setattr(joint_plan, "WEIGHTING", "overwrite_ents")
    found = plan(backbone, corpus, tmp_path)
    assert found.weightings == ["static", "uncertainty"]
    for cell in found.grid.cells:
        system = cell.values["system"]
        components = load_config(cell.config)["components"]
        expected = "uncertainty" if system == "joint-uncertainty" else "static"
        for name in found.heads_of(system):
            weighting = None if name == "textcat" else expected
            assert components[name].get("overwrite_ents") == weighting, (system, name)


def test_a_weighting_that_no_head_knows(
    backbone: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joint_plan, "WEIGHTING", "no_such_setting")
    found = plan(backbone, corpus, tmp_path)
    assert found.weightings == ["static"]
    assert "no_such_setting" not in make_config(found.grid.cells[-1], 0).to_str()
    # A report with nothing to compare would let every guard pass.
    with pytest.raises(MtnlpError, match=r"E477.*uncertainty"):
        plan(backbone, corpus, tmp_path, weightings=["uncertainty"])


def changed(folder: Path, change: Any) -> Path:
    config = load_config(CONFIG)
    change(config)
    config.to_disk(folder / "changed.cfg")
    return folder / "changed.cfg"


def leave_one_head(config: Config) -> None:
    config["nlp"]["pipeline"] = ["transformer", "ner"]
    config["components"] = {name: config["components"][name] for name in ("transformer", "ner")}


def read_a_folder(config: Config) -> None:
    config["corpora"]["train"] = {"@readers": "spacy.Corpus.v1", "path": "${paths.train}"}


def forget_a_corpus(config: Config) -> None:
    del config["corpora"]["train"]["corpora"]["imdb"]


def draw_uniformly(config: Config) -> None:
    config["corpora"]["train"]["sampling"] = "uniform"


def draw_a_part(config: Config) -> None:
    config["corpora"]["train"]["corpora"]["conll"]["weight"] = 1.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (leave_one_head, "E473.*1 trainable head"),
        (read_a_folder, "E473.*no named corpora"),
        (forget_a_corpus, "E475.*training document.*textcat"),
        (draw_uniformly, "E478.*sampling = uniform"),
        (draw_a_part, r"E478.*weight = 1\.5 for conll"),
    ],
)
def test_what_is_no_joint_config(
    change: Any, message: str, backbone: Path, corpus: Path, tmp_path: Path
) -> None:
    with pytest.raises(MtnlpError, match=message):
        plan(backbone, corpus, tmp_path, changed(tmp_path, change))


@pytest.mark.parametrize("epochs, steps", [(0, 10), (1, 10)])
def test_steps_would_be_another_number_of_epochs(
    epochs: int, steps: int, backbone: Path, corpus: Path, tmp_path: Path
) -> None:
    more = {"training.max_epochs": epochs, "training.max_steps": steps}
    with pytest.raises(MtnlpError, match="E474"):
        plan(backbone, corpus, tmp_path, overrides=more)
