"""The exports of annotation tools that the tests read, and Records of files written on the spot."""

import json
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

from mtnlp.types import Record
from tests.data.corpora import ROOT, write

EXPORTS = ROOT / "tests" / "fixtures" / "exports"


def write_lines(path: Path, rows: Sequence[Any]) -> Path:
    """A value per line."""
    return write(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def quoted(record: Record) -> List[Tuple[str, str]]:
    """The entities of a Record, as what they cover and their labels."""
    text = record.text or ""
    return [(text[start:end], label) for start, end, label in record.entities or ()]


def by_annotator(records: Sequence[Record]) -> Dict[Tuple[str, str], Record]:
    """The Records by text and annotator; each pair occurs once."""
    found = {(record.text or "", record.meta["annotator"]): record for record in records}
    assert len(found) == len(records)
    return found
