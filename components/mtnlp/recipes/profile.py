"""What a corpus holds, as far as a recipe depends on it."""

from dataclasses import dataclass, field
from typing import Dict, List, Mapping, Optional

from ..annotation.layers import entity_layer


@dataclass(frozen=True)
class LayerProfile:
    """Entities of one layer.

    key: `doc.spans[key]`; None is `doc.ents`.
    labels: gold entities in train, by label.
    documents: annotated documents in train.
    nested, crossing, same: gold entities in train that lie within another one, that overlap one in
        part (pairs of them), or that have the boundaries of another one.
    widths: gold entities in train by their width in words.
    """

    key: Optional[str]
    labels: Mapping[str, int]
    documents: int
    nested: int = 0
    crossing: int = 0
    same: int = 0
    widths: Mapping[int, int] = field(default_factory=dict)

    def __str__(self) -> str:
        """As a user writes it: the layer's place in a Doc."""
        return str(entity_layer(self.key))

    @property
    def total(self) -> int:
        """Gold entities in train."""
        return sum(self.labels.values())

    @property
    def overlapping(self) -> int:
        """Gold entities in train that a flat tagger cannot hold beside the others."""
        return self.nested + self.crossing + self.same


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
    words: tokens of train. words_per_document: quantiles of train by share: half of the documents
        have at most `words_per_document[0.5]` tokens, all at most `words_per_document[1.0]`.
    pieces: wordpieces of train, special tokens included. pieces_per_document: quantiles as above.
        pieces_per_word: how finely the encoder cuts.
    layers, tasks: what is annotated.
    is_cased: whether train has capitals (a lower-cased corpus has no use for word shapes).
    several_sentences: the share of train's documents that have more than one sentence.
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
    several_sentences: float = 0.0

    @property
    def median_words(self) -> int:
        """Half of train's documents have at most as many tokens."""
        return self.words_per_document[0.5]

    @property
    def unit(self) -> str:
        """What a document of this corpus is: "document", or "sentence" where most are one."""
        return "document" if self.several_sentences > 0.5 else "sentence"


@dataclass(frozen=True)
class EncoderProfile:
    """The encoder.

    name: what a config names. layers, width: its size. limit: wordpieces a window may hold.
    parameters: its number of weights. is_cased: whether its tokenizer keeps capitals.
    attention_dropout: of its own config; None where it has none.
    """

    name: str
    layers: int
    width: int
    limit: int
    parameters: int
    is_cased: bool
    attention_dropout: Optional[float] = None


Profiles = Dict[str, CorpusProfile]
