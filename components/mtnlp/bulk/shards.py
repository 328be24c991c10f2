"""The formats of a shard: how a Doc becomes a part of it, and how parts are written."""

import json
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Protocol, Sequence

from spacy.tokens import Doc, DocBin

from ..models.doc_data import TRF_DATA
from ..pipes.vector_hooks import KEY as SENTENCE_VECTOR
from .entries import Document, dump
from .readers.parquet import import_pyarrow
from .rows import to_row

# Where spacy-transformers keeps hidden states, which no file can hold.


class Columns(NamedTuple):
    """What a row has. carried: names of fields of the input."""

    text: bool
    vector: bool
    carried: Sequence[str] = ()


class ShardWriter(Protocol):
    """Writes one shard. What `encode` returns needs neither the Doc nor its vocabulary any more:
    both may be gone when it is written."""

    def encode(self, doc: Doc, document: Document) -> Any:
        """A document as a part of the shard."""

    def write(self, parts: List[Any]) -> None:
        """Parts, in the order of the input."""

    def close(self) -> None:
        """Completes the file."""


class JsonlShard:
    """One JSON object per document."""

    def __init__(self, path: Path, columns: Columns):
        self.columns = columns
        self.stream = path.open("w", encoding="utf8")

    def encode(self, doc: Doc, document: Document) -> str:
        row = to_row(doc, document, text=self.columns.text, vector=self.columns.vector)
        return dump(row)

    def write(self, parts: List[str]) -> None:
        self.stream.writelines(f"{part}\n" for part in parts)

    def close(self) -> None:
        self.stream.close()


class ParquetShard:
    """One row per document. The schema follows from the columns alone, so that all shards have the
    same one: a field that is carried over is a column of strings, what is no text in it as JSON."""

    def __init__(self, path: Path, columns: Columns):
        self.columns = columns
        self.schema = parquet_schema(columns)
        self.writer = import_pyarrow().parquet.ParquetWriter(path, self.schema)

    def encode(self, doc: Doc, document: Document) -> Dict[str, Any]:
        row = to_row(doc, document, text=self.columns.text, vector=self.columns.vector)
        row["cats"] = list(row["cats"].items())
        for name in self.columns.carried:
            value = row[name]
            row[name] = value if value is None or isinstance(value, str) else dump(value)
        return row

    def write(self, parts: List[Dict[str, Any]]) -> None:
        table = import_pyarrow().Table.from_pylist(parts, self.schema)
        self.writer.write_table(table)

    def close(self) -> None:
        self.writer.close()


def parquet_schema(columns: Columns) -> Any:
    """The pyarrow schema of a shard. Offsets are characters, from 0, `end` behind the last one."""
    arrow = import_pyarrow()
    entity = arrow.struct([
        arrow.field("layer", arrow.string(), nullable=False),
        arrow.field("start", arrow.int32(), nullable=False),
        arrow.field("end", arrow.int32(), nullable=False),
        arrow.field("label", arrow.string(), nullable=False),
        arrow.field("score", arrow.float64()),
    ])  # fmt: skip
    fields = [arrow.field("id", arrow.string(), nullable=False)]
    if columns.text:
        fields.append(arrow.field("text", arrow.string(), nullable=False))
    fields.append(arrow.field("entities", arrow.list_(entity), nullable=False))
    fields.append(arrow.field("cats", arrow.map_(arrow.string(), arrow.float64()), nullable=False))
    if columns.vector:
        fields.append(arrow.field("vector", arrow.list_(arrow.float32()), nullable=False))
    fields.extend(arrow.field(name, arrow.string()) for name in columns.carried)
    return arrow.schema(fields)


class DocBinShard:
    """spaCy's DocBin with user data: `doc.user_data["id"]`, and what is carried over under its
    name. Hidden states of the encoder are left out."""

    def __init__(self, path: Path, columns: Columns):
        self.path = path
        self.columns = columns
        self.docbin = DocBin(store_user_data=True)

    def encode(self, doc: Doc, document: Document) -> DocBin:
        doc.user_data.pop(TRF_DATA, None)
        if not self.columns.vector:
            doc.user_data.pop(SENTENCE_VECTOR, None)
        plain = json.loads(dump(dict(document.carried)))
        doc.user_data.update({**plain, "id": document.id})
        return DocBin(store_user_data=True, docs=[doc])

    def write(self, parts: List[DocBin]) -> None:
        for part in parts:
            self.docbin.merge(part)

    def close(self) -> None:
        self.docbin.to_disk(self.path)


class Format(NamedTuple):
    """suffix: of the shards. open: begins one under a path."""

    suffix: str
    open: Callable[[Path, Columns], ShardWriter]


FORMATS: Dict[str, Format] = {
    "parquet": Format(".parquet", ParquetShard),
    "docbin": Format(".spacy", DocBinShard),
    "jsonl": Format(".jsonl", JsonlShard),
}
