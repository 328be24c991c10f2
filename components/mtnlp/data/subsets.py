"""Parts of a training corpus, each of which holds the smaller ones."""

import random
from pathlib import Path
from typing import Callable, List

import spacy
from spacy.tokens import Doc, DocBin

from ..files import fresh_file
from .docbin import ATTRS
from .reading import open_docbin


def write_part(
    file: Path, target: Path, share: float, seed: int, look: Callable[[Doc], None]
) -> int:
    """Write some documents of a DocBin into another one, in their order.

    What is kept of a document is what `mtnlp convert` writes of it. The documents are drawn by
    chance; those of a smaller share are among those of a larger one.

    share: of the documents, above 0 to 1; at least one is written. look: gets each of them.
    Returns: how many there are. Raises: DataError for a broken file.
    """
    docbin = open_docbin(file)
    chosen = draw(len(docbin), share, seed)
    part = DocBin(attrs=list(ATTRS))
    taken = set(chosen)
    for number, doc in enumerate(docbin.get_docs(spacy.blank("xx").vocab)):
        if number in taken:
            look(doc)
            part.add(doc)
    with fresh_file(target) as temporary:
        temporary.write_bytes(part.to_bytes())
    return len(chosen)


def draw(total: int, share: float, seed: int) -> List[int]:
    """Some of the numbers from 0 to `total`, by chance; a smaller share is within a larger one."""
    order = list(range(total))
    random.Random(seed).shuffle(order)
    return sorted(order[: max(1, round(share * total))])
