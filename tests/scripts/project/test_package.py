"""Wheels: flat, complete, requiring mtnlp, with papers that fit the corpora."""

import json
import zipfile
from pathlib import Path
from typing import Dict, List

import pytest
import spacy
from spacy.cli.package import get_third_party_dependencies
from thinc.api import Config

import mtnlp
from mtnlp.errors import MtnlpError
from scripts.project.package import package
from scripts.project.wheels import build_package_wheel, requirements

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny trained pipeline that needs mtnlp: spaCy's ner with our scorer."""
    nlp = spacy.blank("en")
    ner = nlp.add_pipe("ner", config={"scorer": {"@scorers": "mtnlp.EntityScorer.v1"}})
    ner.add_label("PER")
    nlp.initialize()
    folder = tmp_path_factory.mktemp("training") / "model-best"
    nlp.to_disk(folder)
    return folder


@pytest.fixture(scope="module")
def wheels(pipeline: Path, tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Path]:
    """Both wheels, by the name of their package."""
    output = tmp_path_factory.mktemp("packages")
    metrics = output.parent / "test.json"
    metrics.write_text(json.dumps({"ents_f": 0.5}), encoding="utf8")
    built = build(pipeline, output, corpora=["conll"], source="local", metrics=metrics)
    assert sorted(built) == sorted(output.iterdir())  # flat, and nothing else is left there
    return {wheel.name.split("-")[0]: wheel for wheel in built}


def build(pipeline: Path, output: Path, **options: object) -> List[Path]:
    settings = {"name": "mtnlp", "version": "1.2.3", "root": ROOT, "backbone": "none", **options}
    return package(pipeline, output, **settings)  # type: ignore[arg-type]


def test_model_wheel_requires_mtnlp(wheels: Dict[str, Path]) -> None:
    assert wheels["en_mtnlp"].name.startswith("en_mtnlp-1.2.3")
    (needed,) = (r for r in requirements(wheels["en_mtnlp"]) if r.startswith("mtnlp"))
    assert ">=0.1.0" in needed and "<0.2.0" in needed


def test_our_architectures_bring_the_requirement_too() -> None:
    config = Config().from_str(
        """
        [nlp]
        lang = "en"
        [components]
        [components.x]
        factory = "ner"
        [components.x.model]
        @architectures = "mtnlp.TokenClassifier.v1"
        """
    )
    assert any(r.startswith("mtnlp>=") for r in get_third_party_dependencies(config))


def test_papers_travel_with_the_model(wheels: Dict[str, Path]) -> None:
    with zipfile.ZipFile(wheels["en_mtnlp"]) as archive:
        meta = json.loads(archive.read("en_mtnlp/meta.json"))
        names = archive.namelist()
        licence = archive.read("en_mtnlp/en_mtnlp-1.2.3/LICENSE").decode("utf8")
    assert "en_mtnlp/en_mtnlp-1.2.3/LICENSES_SOURCES" in names
    assert meta["author"] and meta["description"]
    assert "Reuters" in meta["license"] and "Reuters" in licence
    assert meta["sources"][0]["name"] == "CoNLL-2003, English"
    assert meta["labels"]["ner"] == ["PER"]
    assert meta["performance"]["tasks"] == {"ents": {"f": 0.5}}


def test_package_wheel_holds_the_sources_and_entry_points(wheels: Dict[str, Path]) -> None:
    with zipfile.ZipFile(wheels["mtnlp"]) as archive:
        names = archive.namelist()
    assert "mtnlp/cli/app.py" in names and "mtnlp/py.typed" in names
    assert any(name.endswith("entry_points.txt") for name in names)
    sources = {str(p.relative_to(ROOT / "components")) for p in (ROOT / "components").rglob("*.py")}
    assert sources <= set(names)


def test_building_leaves_the_tree_alone(tmp_path: Path) -> None:
    wheel = build_package_wheel(ROOT, tmp_path)
    assert wheel.name.startswith(f"mtnlp-{mtnlp.__version__}")
    assert not (ROOT / "build").exists()


def test_untrained_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(MtnlpError, match=r"E410.*Train one first"):
        build(tmp_path / "absent", tmp_path, corpora=["imdb"], source="sample")


def test_broken_build_shows_its_output(tmp_path: Path) -> None:
    (tmp_path / "components").mkdir()
    for name in ("README.md", "LICENSE", "pyproject.toml"):
        (tmp_path / name).touch()
    (tmp_path / "setup.cfg").write_text("no section here\n", encoding="utf8")
    with pytest.raises(MtnlpError, match=r"(?s)E412.*mtnlp\[package\]"):
        build_package_wheel(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
