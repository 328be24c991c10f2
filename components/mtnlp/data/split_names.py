"""How people call the splits."""

import re
from typing import Mapping, Optional, Sequence

_WORDS: Mapping[str, Sequence[str]] = {
    "train": ("train", "training"),
    "dev": ("dev", "devel", "development", "val", "valid", "validation", "testa"),
    "test": ("test", "testing", "testb"),
}
SPLIT_OF: Mapping[str, str] = {word: split for split, words in _WORDS.items() for word in words}


def split_of(name: str) -> Optional[str]:
    """The one split whose word is in a name, or None."""
    words = re.findall("[a-z]+", name.lower())
    splits = {SPLIT_OF[word] for word in words if word in SPLIT_OF}
    return splits.pop() if len(splits) == 1 else None
