"""Encoders that suit a language, for whoever chose one that does not."""

from typing import Dict, Optional, Tuple

from ..errors import Errors

# Wordpieces per word above which an encoder reads letters rather than words: it learned few words
# of the language, its windows hold less text, and each text takes longer. English MiniLM makes 4.7
# of a Russian word and 1.3 of an English one.
MANY_PIECES = 2.5

MULTILINGUAL: Tuple[str, ...] = (
    "intfloat/multilingual-e5-small",
    "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2",
    "FacebookAI/xlm-roberta-base",
)
# Of one language, as the Hugging Face hub names them; each has a fast tokenizer.
MONOLINGUAL: Dict[str, Tuple[str, ...]] = {
    "ar": ("aubmindlab/bert-base-arabertv02",),
    "de": ("deepset/gbert-base",),
    "en": ("sentence-transformers/all-MiniLM-L6-v2", "google-bert/bert-base-cased"),
    "es": ("dccuchile/bert-base-spanish-wwm-cased",),
    "fi": ("TurkuNLP/bert-base-finnish-cased-v1",),
    "fr": ("almanach/camembert-base",),
    "it": ("dbmdz/bert-base-italian-cased",),
    "ko": ("klue/bert-base",),
    "nl": ("GroNLP/bert-base-dutch-cased",),
    "pl": ("allegro/herbert-base-cased",),
    "pt": ("neuralmind/bert-base-portuguese-cased",),
    "ru": ("DeepPavlov/rubert-base-cased", "cointegrated/rubert-tiny2"),
    "sv": ("KB/bert-base-swedish-cased",),
    "tr": ("dbmdz/bert-base-turkish-cased",),
    "zh": ("google-bert/bert-base-chinese",),
}


def suits(pieces_per_word: float, language: Optional[str]) -> Optional[str]:
    """A warning (W180) where an encoder cuts words too finely, None where it suits.

    pieces_per_word: wordpieces per token of the texts, special tokens not counted.
    language: of the texts, as spaCy has it; None where it is not known.
    """
    if pieces_per_word <= MANY_PIECES:
        return None
    return Errors.W180.format(
        pieces=pieces_per_word,
        language=f"language '{language}'" if language else "language of these texts",
        encoders=", ".join((*MULTILINGUAL, *MONOLINGUAL.get(language or "", ()))),
    )
