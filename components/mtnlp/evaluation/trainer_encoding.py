"""CoNLL sentences as a token classifier's wordpieces and labels, and its logits as tags again."""

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Sequence

import numpy as np
from numpy.typing import NDArray
from transformers import AutoConfig, AutoTokenizer, PreTrainedTokenizerBase

from mtnlp.data.formats.bad_input import BadInput
from mtnlp.data.formats.conll import read_conll
from mtnlp.data.labels import CONLL_LABELS
from mtnlp.evaluation.tagging import OUTSIDE, bio_tags
from mtnlp.types import Record

TAGS = [OUTSIDE, *(f"{prefix}-{label}" for label in CONLL_LABELS for prefix in "BI")]
IGNORED = -100
# Byte-level BPE tokenizers take words one by one only if each stands after a space.
NEED_PREFIX_SPACE = {"bloom", "deberta", "gpt2", "roberta"}


@dataclass
class Split:
    """A part of the corpus, ready for the Trainer.

    gold: BIO2 tags, one a word.
    features: the model's inputs and `labels`, one dict a sentence.
    pieces: per word, the place of its first wordpiece in `input_ids`; None where it has none.
    """

    gold: List[List[str]]
    features: List[Dict[str, List[int]]]
    pieces: List[List[Optional[int]]]

    @property
    def words(self) -> int:
        return sum(len(tags) for tags in self.gold)

    @property
    def truncated_words(self) -> int:
        """Words left without a wordpiece: trained on never, predicted as outside."""
        return sum(place is None for places in self.pieces for place in places)

    def sizes(self) -> Dict[str, int]:
        return {
            "sentences": len(self.gold),
            "words": self.words,
            "truncated_words": self.truncated_words,
        }


def load_tokenizer(backbone: str) -> PreTrainedTokenizerBase:
    """The fast tokenizer of a backbone, set up for text already split into words."""
    prefix = AutoConfig.from_pretrained(backbone).model_type in NEED_PREFIX_SPACE
    options = {"add_prefix_space": True} if prefix else {}
    return AutoTokenizer.from_pretrained(backbone, use_fast=True, **options)


def read_sentences(path: Path) -> List[Record]:
    """The sentences of a CoNLL-2003 file.

    RAISES DataError at the first malformed line.
    """
    return list(read_conll(path, BadInput()))


def encode(records: Sequence[Record], tokenizer: PreTrainedTokenizerBase, max_length: int) -> Split:
    """Wordpieces and labels: a word's tag on its first wordpiece, -100 everywhere else."""
    split = Split([], [], [])
    ids = {tag: index for index, tag in enumerate(TAGS)}
    for record in records:
        words = record.tokens or []
        gold = [tag or OUTSIDE for tag in bio_tags(len(words), record.entities or [])]
        encoding = tokenizer(
            words, is_split_into_words=True, truncation=True, max_length=max_length
        )
        owners = encoding.word_ids()
        pieces: List[Optional[int]] = [None] * len(words)
        labels = [IGNORED] * len(owners)
        for place, word in enumerate(owners):
            if word is not None and pieces[word] is None:
                pieces[word] = place
                labels[place] = ids[gold[word]]
        split.gold.append(gold)
        split.features.append({**encoding, "labels": labels})
        split.pieces.append(pieces)
    return split


def read_tags(split: Split, logits: NDArray[np.float32]) -> List[List[str]]:
    """The best tag of each word's first wordpiece; O for a word without one.

    logits: `[sentences, seq, tags]`.
    """
    best = logits.argmax(axis=-1)
    return [
        [OUTSIDE if place is None else TAGS[row[place]] for place in places]
        for row, places in zip(best, split.pieces, strict=True)
    ]
