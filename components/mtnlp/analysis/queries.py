"""Vectors of texts that a user gives: queries, and sentences to compare."""

import re
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc, Span

from ..errors import DataError, Errors, MtnlpError
from .neighbours import similarities
from .points import Entities, PointSource
from .vectors import DIGITS, Query, vector_of

# More would be no picture.
MOST_SENTENCES = 60
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_FORM = "a text that the pipeline has a vector for"


def encode_queries(nlp: Language, texts: Sequence[str], source: PointSource) -> List[Query]:
    """The vectors of queries.

    Among entities, a query is the words in [brackets], or else the first entity that the pipeline
    finds in it, or else all of it; among documents and sentences it is all of it.

    Raises: MtnlpError E144 for a query without a vector.
    """
    queries = []
    for text in texts:
        bare, mark = _unbracket(text) if isinstance(source, Entities) else (text, None)
        doc = nlp(bare)
        span = _meant(doc, mark, source) if isinstance(source, Entities) else None
        vector = vector_of(span or doc)
        if vector is None:
            raise MtnlpError(Errors.E144.format(option="--query", value=text, form=_FORM))
        where = (span.start_char, span.end_char) if span else None
        queries.append(Query(bare, where, vector))
    return queries


def read_sentences(path: Path) -> List[str]:
    """The lines of a file that hold anything. Raises: DataError E718 for too few or too many."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(Errors.E100.format(reason=error), path) from None
    sentences = [line.strip() for line in lines if line.strip()]
    if not 2 <= len(sentences) <= MOST_SENTENCES:
        raise DataError(Errors.E718.format(count=len(sentences), most=MOST_SENTENCES), path)
    return sentences


def sentence_numbers(nlp: Language, sentences: Sequence[str]) -> Dict[str, Any]:
    """{"texts", "cosine": `[n, n]`}. Raises: MtnlpError E144 for one without a vector."""
    vectors = [vector_of(doc) for doc in nlp.pipe(sentences)]
    known = [vector for vector in vectors if vector is not None]
    if len(known) < len(vectors):
        lacking = sentences[vectors.index(None)]
        raise MtnlpError(Errors.E144.format(option="--sentences", value=lacking, form=_FORM))
    cosines = similarities(np.stack(known)).round(DIGITS).tolist()
    return {"texts": list(sentences), "cosine": cosines}


def _unbracket(text: str) -> Tuple[str, Optional[Tuple[int, int]]]:
    """The text without its first pair of brackets, and where the words within it stand."""
    found = _BRACKETS.search(text)
    if found is None or not found[1].strip():
        return text, None
    bare = text[: found.start()] + found[1] + text[found.end() :]
    return bare, (found.start(), found.start() + len(found[1]))


def _meant(doc: Doc, mark: Optional[Tuple[int, int]], source: Entities) -> Optional[Span]:
    if mark is not None:
        return doc.char_span(*mark, alignment_mode="expand")
    return next(iter(source.layer.spans(doc)), None)
