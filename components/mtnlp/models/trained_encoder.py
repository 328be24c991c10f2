"""The encoder of a trained pipeline, as files that `from_pretrained` reads."""

import json
import tempfile
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

import srsly
import torch
from safetensors.torch import save_file
from thinc.api import Config

from ..errors import Errors, MtnlpError
from .runner import describe

FACTORY = "transformer"


@contextmanager
def encoder_source(name: str) -> Iterator[str]:
    """What `from_pretrained` reads an encoder from: the name itself or, for a trained pipeline or
    the transformer of one, a folder with its encoder, which is there as long as this is open.

    name: an encoder's name or folder, that of a pipeline, or of its transformer component.
    Raises: MtnlpError E773 for a pipeline with no transformer or with several, E774 for one whose
    weights another engine has.
    """
    component = find_component(Path(name))
    if component is None:
        yield name
        return
    with tempfile.TemporaryDirectory() as folder:
        write_encoder(component / "model", Path(folder))
        yield folder


def find_component(path: Path) -> Optional[Path]:
    """The folder of the transformer where the path is that of a pipeline or of the transformer
    itself; None for any other. Raises: MtnlpError E773."""
    if (path / "model").is_file() and not (path / "config.json").is_file():
        return path
    if not (path / "config.cfg").is_file() or not (path / "meta.json").is_file():
        return None
    components = Config().from_disk(path / "config.cfg", interpolate=False)["components"]
    # A component of a pipeline that was excluded when it was saved has no folder.
    names = [
        name
        for name, block in components.items()
        if block.get("factory") == FACTORY and (path / name / "model").is_file()
    ]
    if len(names) != 1:
        raise MtnlpError(Errors.E773.format(path=path, names=", ".join(names) or "none"))
    return path / names[0]


def write_encoder(model: Path, folder: Path) -> None:
    """Write the encoder of a saved transformer as config.json, model.safetensors and its
    tokenizer's files. model: the component's file of that name. Raises: MtnlpError E774."""
    shims: List[List[bytes]] = srsly.msgpack_loads(model.read_bytes())["shims"]
    # There is one: the encoder's.
    saved: Dict[str, Any] = srsly.msgpack_loads(next(each[0] for each in shims if each))
    if saved.get("network") is not None:
        raise MtnlpError(
            Errors.E774.format(path=model.parent, engine=describe(saved["network"]))
        )
    state = torch.load(BytesIO(saved["state"]), map_location="cpu", weights_only=True)
    # Weights that share their memory cannot be written so.
    weights = {name: tensor.contiguous().clone() for name, tensor in state.items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    for name, content in saved["tokenizer"].items():
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
    (folder / "config.json").write_text(json.dumps(saved["config"]), encoding="utf8")
