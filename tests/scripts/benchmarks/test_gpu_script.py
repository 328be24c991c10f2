"""gpu.sh without a GPU: it says what is missing, and runs nothing."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
import transformers

from scripts.benchmarks import random_backbone

SCRIPT = Path(__file__).parents[3] / "scripts" / "benchmarks" / "gpu.sh"


def start(*arguments: str, **environment: str) -> Any:
    return subprocess.run(
        [str(SCRIPT), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_help() -> None:
    found = start("--help")
    assert found.returncode == 0 and "MTNLP_GPU_DRY" in found.stdout
    assert start("--nope").returncode == 2


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n', encoding="utf8")
    bare.chmod(0o755)
    found = start(PYTHON=str(bare), MTNLP_GPU_DRY="")
    assert found.returncode == 1
    assert "Missing: torch, thinc, spacy" in found.stderr and "cupy" in found.stderr
    assert "words/s" not in found.stdout


def test_a_random_encoder_of_the_default_size(tmp_path: Path, monkeypatch: Any) -> None:
    sample = tmp_path / "sample"
    sample.mkdir()
    (sample / "a.txt").write_text("Paris is a city. Paris!", encoding="utf8")
    monkeypatch.setattr(random_backbone, "SIZES", {**random_backbone.SIZES, "hidden_size": 12})
    random_backbone.main(tmp_path / "made", sample)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "made")
    assert tokenizer.tokenize("Paris city, x") == ["paris", "city", "[UNK]", "[UNK]"]
    assert tokenizer.tokenize("icy") == ["i", "##c", "##y"]
    model = transformers.AutoModel.from_pretrained(tmp_path / "made")
    ids = torch.tensor([tokenizer("Paris")["input_ids"]])
    assert model(ids).last_hidden_state.shape == (1, 3, 12)
