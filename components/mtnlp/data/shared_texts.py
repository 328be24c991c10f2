"""Texts that one corpus is trained on and another one is scored on."""

from itertools import permutations
from pathlib import Path
from typing import Dict, List, Sequence, Set

import spacy

from ..errors import Errors
from .checks.texts import text_digest
from .options import SPLITS
from .reading import open_docbin

TRAIN = SPLITS[0]


def shared_texts(folder: Path, names: Sequence[str]) -> List[str]:
    """A warning for each pair of corpora of which one's dev or test texts are in the other's train.
    Each corpus was split by itself. Texts are the same where they differ in case and spacing alone.

    folder: that of `train/`, `dev/` and `test/`. names: `SPLIT/NAME.spacy`; a split may be missing.
    """
    digests: Dict[str, Dict[str, Set[bytes]]] = {
        name: {
            split: text_digests(path)
            for split in SPLITS
            if (path := folder / split / f"{name}.spacy").exists()
        }
        for name in names
    }
    warnings = []
    for name, other in permutations(names, 2):
        learnt = digests[other].get(TRAIN, set())
        for split in SPLITS[1:]:
            texts = digests[name].get(split, set())
            if shared := len(texts & learnt):
                warnings.append(
                    Errors.W182.format(
                        count=shared, total=len(texts), split=split, name=name, other=other
                    )
                )
    return warnings


def text_digests(path: Path) -> Set[bytes]:
    """What stands for each text of a DocBin. Raises: DataError for a broken file."""
    docs = open_docbin(path).get_docs(spacy.blank("xx").vocab)
    return {text_digest(" ".join(doc.text.split())) for doc in docs}
