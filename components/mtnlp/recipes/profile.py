"""What a corpus holds, as far as a recipe depends on it."""

from dataclasses import dataclass, field
from typing import Dict, List, Mapping, Optional


@dataclass(frozen=True)
class LayerProfile:
    """Entities of one layer.

    key: `doc.spans[key]`; None is `doc.ents`.
    labels: gold entities in train, by label.
    documents: annotated documents in train.
    nested, crossing: gold entities in train that lie within another one, or overlap one in part.
    widths: gold entities in train by their width in words.
    """

    key: Optional[str]
    labels: Mapping[str, int]
    documents: int
    nested: int = 0
    crossing: int = 0
    widths: Mapping[int, int] = field(default_factory=dict)

    @property
    def overlaps(self) -> bool:
        """Whether a flat tagger cannot hold all of them."""
        return self.nested + self.crossing > 0


@dataclass(frozen=True)
class TaskProfile:
    """One classification task.

    labels: documents in train for which each label holds.
    documents: annotated documents in train.
    exclusive: whether exactly one label holds of each document. evidence: why we think so, such
        as "each of 4,478 documents has exactly one label".
    """

    name: str
    labels: Mapping[str, int]
    documents: int
    exclusive: bool
    evidence: str


@dataclass(frozen=True)
class CorpusProfile:
    """One corpus: `corpus/{train,dev,test}/NAME.spacy`.

    documents: by split.
    language: of its tokenizer, such as "en".
    words: tokens of train. words_per_document: quantiles of train by share, {0.5: 14, 0.9: 30}.
    pieces: wordpieces of train, special tokens included. pieces_per_document: as
        `words_per_document`, and 1.0 for the longest. pieces_per_word: how finely the encoder cuts.
    layers, tasks: what is annotated.
    is_cased: whether train has capitals (a lower-cased corpus has no use for word shapes).
    """

    name: str
    documents: Mapping[str, int]
    language: str
    words: int
    words_per_document: Mapping[float, int]
    pieces: int
    pieces_per_document: Mapping[float, int]
    pieces_per_word: float
    layers: List[LayerProfile] = field(default_factory=list)
    tasks: List[TaskProfile] = field(default_factory=list)
    is_cased: bool = True


@dataclass(frozen=True)
class EncoderProfile:
    """The encoder.

    name: what a config names. layers, width: its size. limit: wordpieces a window may hold.
    parameters: its number of weights. is_cased: whether its tokenizer keeps capitals.
    """

    name: str
    layers: int
    width: int
    limit: int
    parameters: int
    is_cased: bool


Profiles = Dict[str, CorpusProfile]
