"""How a pipe is saved and loaded: settings, vocabulary, model.

Settings go through Python's json: spaCy's writes ten decimals and reads some numbers wrong in their
last bit, and a fitted threshold that is loaded would not be the one that was measured.
"""

import json
from pathlib import Path
from typing import Any, Callable, ClassVar, Dict, Iterable, Self, Union

from spacy import util
from spacy.pipeline.trainable_pipe import TrainablePipe


class SavedPipe(TrainablePipe):
    """A trainable pipe whose `cfg` comes back exactly, and says what the model is built from."""

    cfg: Dict[str, Any]

    # What keys of `cfg` were called in pipelines saved before, and are called now.
    earlier_names: ClassVar[Dict[str, str]] = {"units": "loss_normalization"}

    def build(self) -> None:
        """Build the model from `cfg`, before its weights are read."""
        raise NotImplementedError

    def restore(self, cfg: Dict[str, Any]) -> None:
        """Take over a saved `cfg` and build the head it describes."""
        self.cfg.update(cfg)
        self.take_over_earlier_names()
        if self.cfg["width"] is not None:
            self.build()

    def take_over_earlier_names(self) -> None:
        """Move what `cfg` holds under an earlier name to the name of today. Only a saved `cfg` or
        somebody who sets it by hand has one, so it counts more than what is there."""
        for earlier, name in self.earlier_names.items():
            if earlier in self.cfg:
                self.cfg[name] = self.cfg.pop(earlier)

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """All of the pipe as a bytestring. Numbers in `cfg` come back exactly."""
        getters: Dict[str, Callable[[], Any]] = {
            "cfg": lambda: json.dumps(self.cfg),
            "vocab": lambda: self.vocab.to_bytes(exclude=exclude),
            "model": lambda: self.model.to_bytes(),
        }
        return util.to_bytes(getters, exclude)

    def to_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> None:
        """Write the pipe to a folder. Numbers in `cfg` come back exactly."""
        writers: Dict[str, Callable[[Path], Any]] = {
            "cfg": lambda p: Path(p).write_text(json.dumps(self.cfg, indent=2), encoding="utf8"),
            "vocab": lambda p: self.vocab.to_disk(p, exclude=exclude),
            "model": lambda p: self.model.to_disk(p),
        }
        util.to_disk(Path(path), writers, exclude)

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> Self:
        """Load from a bytestring of `to_bytes`."""
        setters = {
            "cfg": lambda b: self.restore(json.loads(b)),
            "vocab": lambda b: self.vocab.from_bytes(b, exclude=exclude),
            "model": lambda b: self.model.from_bytes(b),
        }
        util.from_bytes(bytes_data, setters, exclude)
        return self

    def from_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> Self:
        """Load from a folder of `to_disk`."""
        setters: Dict[str, Callable[[Path], Any]] = {
            "vocab": lambda p: self.vocab.from_disk(p, exclude=exclude),
            "cfg": lambda p: self.restore(json.loads(Path(p).read_text(encoding="utf8"))),
            "model": lambda p: self.model.from_bytes(Path(p).read_bytes()),
        }
        util.from_disk(path, setters, exclude)
        return self
