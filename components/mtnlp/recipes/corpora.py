"""Which of the files and folders that somebody names belong to one corpus."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from ..data.inputs import Inputs, corpus_name, find_inputs
from ..errors import Errors, MtnlpError


@dataclass(frozen=True)
class Source:
    """One corpus of somebody's own: its name, and what and where its files are."""

    name: str
    inputs: Inputs


def find_sources(paths: Sequence[Path], format: Optional[str] = None) -> List[Source]:
    """The corpora among files and folders.

    Paths in one folder whose names differ in the split alone (`a_train.csv`, `a_test.csv`) are one
    corpus, called after what they share or, where they share nothing, after the folder. Every other
    file, and every folder, is a corpus of its own.

    format: of all of them; None recognises each by its content.
    Raises: MtnlpError E486 for a path given twice, and what `find_inputs` raises.
    """
    groups: Dict[Tuple[Path, str], List[Path]] = {}
    for path in paths:
        rows = groups.setdefault((path.resolve().parent, corpus_name(path)), [])
        if path.resolve() in [row.resolve() for row in rows]:
            raise MtnlpError(Errors.E486.format(path=path))
        rows.append(path)
    sources: List[Source] = []
    for (_, name), rows in groups.items():
        plain = plain_name(name) or "corpus"
        taken = {source.name for source in sources}
        numbered = (f"{plain}_{number}" for number in range(2, len(groups) + 1))
        name = plain if plain not in taken else next(n for n in numbered if n not in taken)
        sources.append(Source(name, find_inputs(rows, format)))
    return sources


def plain_name(text: str) -> str:
    """A text as lower-case letters, digits and underscores: a file's name and a section's. May be
    empty."""
    return re.sub(r"[\W_]+", "_", text.lower()).strip("_")
