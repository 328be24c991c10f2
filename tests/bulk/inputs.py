"""The same records as a file of every kind, and the results of every format as rows."""

import csv
import json
from pathlib import Path
from typing import Any, Callable, Dict, List

import pyarrow
import pyarrow.parquet
import spacy
from spacy.tokens import DocBin

import mtnlp
from mtnlp.bulk.entries import Document
from mtnlp.bulk.rows import to_row
from tests.bulk.conftest import to_docs

Rows = List[Dict[str, Any]]


def write_jsonl(path: Path, records: Rows) -> Path:
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf8")
    return path


def write_table(path: Path, records: Rows) -> Path:
    delimiter = "\t" if path.suffix == ".tsv" else ","
    with path.open("w", encoding="utf8", newline="") as stream:
        writer = csv.DictWriter(stream, list(records[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(records)
    return path


def write_parquet(path: Path, records: Rows) -> Path:
    table = pyarrow.Table.from_pylist(records)
    pyarrow.parquet.write_table(table, path, row_group_size=4)
    return path


def write_docbin(path: Path, records: Rows) -> Path:
    DocBin(docs=to_docs(records), store_user_data=True).to_disk(path)
    return path


# How a file of each suffix is written.
WRITERS: Dict[str, Callable[[Path, Rows], Path]] = {
    "jsonl": write_jsonl,
    "csv": write_table,
    "parquet": write_parquet,
    "spacy": write_docbin,
}


def read_output(folder: Path) -> Rows:
    """The documents of an output, in order, whatever its format."""
    found: Rows = []
    for path in sorted((folder / "documents").iterdir()):
        assert not path.name.startswith("."), path
        if path.suffix == ".parquet":
            for row in pyarrow.parquet.read_table(path).to_pylist():
                found.append({**row, "cats": dict(row["cats"])})
        elif path.suffix == ".jsonl":
            found += [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()]
        else:
            found += read_docbin(path)
    return found


def read_docbin(path: Path) -> Rows:
    found: Rows = []
    for doc in DocBin().from_disk(path).get_docs(spacy.blank("en").vocab):
        has_vector = ("._.", "sentence_vector", None, None) in doc.user_data
        if has_vector:
            mtnlp.restore_vectors(doc)
        own = {key: value for key, value in doc.user_data.items() if isinstance(key, str)}
        document = Document(own.pop("id"), "", "", None, own)
        found.append(to_row(doc, document, text=True, vector=has_vector))
    return found


def read_errors(folder: Path) -> Rows:
    """What was set aside, in order."""
    return [
        json.loads(line)
        for path in sorted((folder / "errors").iterdir())
        for line in path.read_text(encoding="utf8").splitlines()
    ]
