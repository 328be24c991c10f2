"""`mtnlp recipe`: what is written, and what is said."""

from pathlib import Path
from typing import Any

import pytest
from spacy.util import load_config

from mtnlp.recipes import estimate, fit_config
from mtnlp.recipes.estimate import Estimate
from tests.data.corpora import flat, invoke
from tests.experiments.conftest import CONFIG, Mini

NEREL = CONFIG.parent / "nerel.cfg"


def test_as_it_is(tmp_path: Path) -> None:
    """`none` copies; the sample's settings stay, with the sample's language."""
    output = tmp_path / "made" / "nerel.cfg"
    given = ["--corpus", "there", "--backbone", "encoder", "--output", output]
    result = invoke("recipe", NEREL, *given, "--recipe", "none")
    assert result.exit_code == 0, result.output
    assert output.read_bytes() == NEREL.read_bytes()

    result = invoke("recipe", NEREL, *given, "--source", "sample")
    assert result.exit_code == 0, result.output
    found, before = load_config(output), load_config(NEREL)
    assert (found["nlp"].pop("lang"), before["nlp"].pop("lang")) == ("en", "ru")
    assert found.pop("paths") == {
        "backbone": "encoder",
        "train": str(Path("there", "train")),
        "dev": str(Path("there", "dev")),
    }
    del before["paths"]
    assert found == before


def test_fitted(tmp_path: Path, mini: Mini, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit_config, "MANY_PIECES", 10.0)  # the tiny encoder spells

    def estimated(path: Path, **options: Any) -> Estimate:
        assert load_config(path)["training"]["max_epochs"] > 1
        return Estimate(36_000.0, 100.0)

    monkeypatch.setattr(estimate, "estimate_training", estimated)
    output = tmp_path / "conll.cfg"
    given = ["--corpus", mini.corpus, "--backbone", mini.backbone, "--output", output]
    result = invoke("recipe", CONFIG, *given)
    assert result.exit_code == 0, result.output
    assert "The training will take about 10 h 0 min here" in flat(result.output)
    whole = load_config(output)["training"]["max_epochs"]
    result = invoke("recipe", CONFIG, *given, "--hours", "2.5")
    assert result.exit_code == 0, result.output
    assert "The whole training would take about 10 h 0 min: shortened" in flat(result.output)
    assert load_config(output)["training"]["max_epochs"] == whole // 4
    assert output.read_text(encoding="utf8").startswith(f"# Written by mtnlp recipe from {CONFIG};")
