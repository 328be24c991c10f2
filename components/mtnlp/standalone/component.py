"""The component that stands for an encoder and all that listens to it."""

from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Union

import srsly
from spacy import util
from spacy.language import Language
from spacy.pipeline.pipe import Pipe
from spacy.tokens import Doc

from .document_heads import ClassifierHead, VectorHead
from .encoding import DocEncoder
from .heads import SpanHead, TaggerHead
from .networks import LoadedNetwork

HEADS: Dict[str, Callable[..., Any]] = {
    "tagger": TaggerHead,
    "spans": SpanHead,
    "classifier": ClassifierHead,
    "vectors": VectorHead,
}


class StandalonePipe(Pipe):
    """One pass of the encoder and all heads, without torch.

    threads: of the networks, 0 for as many as their library takes by itself.

    `heads`: by the name of the component each was; their `cfg` can be changed.
    """

    def __init__(self, name: str, threads: int = 0):
        self.name = name
        self.threads = threads
        self.settings: Dict[str, Any] = {}
        self.tokenizer = ""
        self.networks: List[LoadedNetwork] = []
        self.heads: Dict[str, Any] = {}

    def set_parts(
        self, settings: Dict[str, Any], tokenizer: str, networks: List[bytes], arrays: List[Any]
    ) -> None:
        """Take a converted pipeline.

        settings: `engine`, `precision`, `encoder` as in `DocEncoder`, and `heads`: `kind` of
        `HEADS` and `cfg`. tokenizer: a tokenizer.json. networks: the encoder's, then of each head,
        empty where it has none. arrays: of each head, by name.
        """
        self.settings, self.tokenizer = settings, tokenizer
        engine = settings["engine"]
        self.networks = [
            LoadedNetwork(engine, settings["precision"] if i == 0 else "fp32", part, self.threads)
            for i, part in enumerate(networks)
        ]
        self.encoder = DocEncoder(settings["encoder"], tokenizer, self.networks[0])
        heads = zip(settings["heads"], arrays, self.networks[1:], strict=True)
        self.heads = {
            head["cfg"]["name"]: HEADS[head["kind"]](head["cfg"], own, network)
            for head, own, network in heads
        }
        # Here and not at the first call: some engines cannot begin in a fork.
        for network in self.networks:
            if network.network:
                network.open()

    def __call__(self, doc: Doc) -> Doc:
        """Annotate a Doc in place."""
        self.annotate([doc])
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Annotate a stream, batch by batch."""
        for docs in util.minibatch(stream, size=batch_size):
            docs = list(docs)
            try:
                self.annotate(docs)
                yield from docs
            except Exception as error:  # spaCy's contract: the pipeline's handler decides
                self.get_error_handler()(self.name, self, docs, error)

    def annotate(self, docs: List[Doc]) -> None:
        """Annotate a batch in place."""
        encoded = self.encoder(docs)
        for head in self.heads.values():
            head.annotate(encoded)

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """All of it."""
        return srsly.msgpack_dumps(self._parts())

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "StandalonePipe":
        """Take what `to_bytes` gave."""
        self.set_parts(**srsly.msgpack_loads(bytes_data))
        return self

    def to_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> None:
        """Write a folder."""
        folder, parts = Path(path), self._parts()
        folder.mkdir(parents=True, exist_ok=True)
        srsly.write_json(folder / "settings.json", parts["settings"])
        (folder / "tokenizer.json").write_text(self.tokenizer, encoding="utf8")
        srsly.write_msgpack(folder / "networks", parts["networks"])
        srsly.write_msgpack(folder / "arrays", parts["arrays"])

    def from_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> "StandalonePipe":
        """Read a folder. Raises: MtnlpError E660 where the engine's library is missing."""
        folder = Path(path)
        self.set_parts(
            settings=dict(srsly.read_json(folder / "settings.json")),
            tokenizer=(folder / "tokenizer.json").read_text(encoding="utf8"),
            networks=srsly.read_msgpack(folder / "networks"),
            arrays=srsly.read_msgpack(folder / "arrays"),
        )
        return self

    def _parts(self) -> Dict[str, Any]:
        """The arguments of `set_parts`, as they are now."""
        return {
            "settings": self.settings,
            "tokenizer": self.tokenizer,
            "networks": [network.network for network in self.networks],
            "arrays": [head.arrays for head in self.heads.values()],
        }


def make_standalone(nlp: Language, name: str, threads: int) -> StandalonePipe:
    """An empty component; it is filled from disk or bytes. threads: of the networks, 0 for as many
    as their library takes by itself."""
    return StandalonePipe(name, threads)
