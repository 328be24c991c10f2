"""Which text a Doc of a corpus is from: sentences of one article are not independent of each
other."""

from pathlib import Path
from typing import Optional

from spacy.tokens import Doc

from ..types import Record

# In `doc.user_data`. A DocBin keeps it with `store_user_data=True` alone.
DOCUMENT = "document"


def set_document(doc: Doc, record: Record) -> None:
    """Say which text a Record is from, where the Record knows: its `meta["group"]`, without the
    folders of a path in it, which differ from machine to machine."""
    if "group" not in record.meta:
        return
    group, path = str(record.meta["group"]), str(record.meta.get("path", ""))
    if path and group.startswith(path):
        group = Path(path).name + group[len(path) :]
    doc.user_data[DOCUMENT] = group


def document_of(doc: Doc) -> Optional[str]:
    """The text a Doc is from; None where nobody said."""
    found = doc.user_data.get(DOCUMENT)
    return None if found is None else str(found)
