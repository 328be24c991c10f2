"""What a run can be asked for."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Dict, Optional

from .entries import Fields

BATCH_SIZE = 64
SHARD_SIZE = 5000
# Batches of a chunk: its documents are sorted by length, and share a memory zone.
CHUNK_BATCHES = 16
# Characters of a chunk, so that long documents do not fill the memory.
CHUNK_CHARACTERS = 4_000_000


# Nobody named any.
NO_FIELDS = Fields()


class EngineName(StrEnum):
    """Ways of running; each is a module of `engines/`."""

    local = "local"
    ray = "ray"


@dataclass(frozen=True)
class AnnotateOptions:
    """A run.

    to: the output's format, a name of `shards.FORMATS`.
    kind: of the input, a name of `sources.KINDS`; None recognises it.
    fields: which fields of the input are read.
    text, vector: whether the output has the text, and the document's vector where the pipeline
        makes one.
    shard_size: records of the input per shard.
    batch_size: documents that the pipeline gets at once.
    engine: a name of `EngineName`.
    workers: processes; None is as many as the engine sees fit.
    gpu_id: on this machine; -1 is the CPU. gpus_per_worker: of a cluster; 0 is the CPU.
    overwrite: whether to begin anew where OUTPUT has results.
    """

    to: str = "parquet"
    kind: Optional[str] = None
    fields: Fields = NO_FIELDS
    text: bool = True
    vector: bool = True
    shard_size: int = SHARD_SIZE
    batch_size: int = BATCH_SIZE
    engine: str = "local"
    workers: Optional[int] = None
    gpu_id: int = -1
    gpus_per_worker: float = 0.0
    overwrite: bool = False

    def describe(self) -> Dict[str, Any]:
        """What a manifest keeps: all that the content of a shard depends on. The size of batches,
        the engine and its workers change no answer, so a run may go on with others."""
        return {
            "to": self.to,
            "text_field": self.fields.text,
            "id_field": self.fields.id,
            "carry": list(self.fields.carried),
            "delimiter": self.fields.delimiter,
            "text": self.text,
            "vector": self.vector,
            "shard_size": self.shard_size,
        }
