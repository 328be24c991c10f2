"""Files of opinions for tests: made of random ones, or of ones that tell their document."""

from pathlib import Path
from typing import Callable, List, Optional, Sequence

import numpy as np
from spacy.tokens import Doc
from spacy.vocab import Vocab

from mtnlp.data.docbin_stream import read_docs
from mtnlp.data.opinion_file import Head, Teacher
from mtnlp.data.taught import word_fingerprint
from mtnlp.files import fresh_file, scratch_folder
from mtnlp.gold.opinions import (
    CategoryOpinion,
    Opinion,
    SpanOpinion,
    TagOpinion,
    VectorOpinion,
)
from mtnlp.teaching.opinion_writer import OpinionWriter

TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
TEACHERS = [Teacher("en_teacher", "1.2.3", "nowhere", "abc")]
# What is to be stored of a document: one opinion for each head.
Believe = Callable[[int, Doc], Optional[Sequence[Optional[Opinion]]]]


def head(component: str, source: str = "", labels: Sequence[str] = ("PER", "LOC")) -> Head:
    return Head(component, 0, source or component, tuple(labels), "")


def write_opinions(
    corpus: Path,
    target: Path,
    heads: Sequence[Head],
    believe: Believe,
    teachers: Sequence[Teacher] = TEACHERS,
) -> Path:
    """A file of opinions on a corpus file, as `mtnlp teach` writes it."""
    with (
        fresh_file(target) as draft,
        scratch_folder(target) as scratch,
        OpinionWriter(scratch, teachers, heads) as writer,
    ):
        for index, doc in enumerate(read_docs(corpus, Vocab())):
            writer.add(word_fingerprint(doc), len(doc), believe(index, doc))
        writer.write(draft)
    return target


def telling(index: int, doc: Doc) -> List[Opinion]:
    """An opinion that tells whose it is: the number in the document's first word."""
    number = float("".join(filter(str.isdigit, doc[0].text)) or -1)
    return [CategoryOpinion(("topic/A", "topic/B"), np.array([number, 0.0], dtype="f"), ("topic",))]


def told(opinions: Sequence[Opinion]) -> float:
    """The number that an opinion of `telling` tells."""
    (opinion,) = opinions
    assert isinstance(opinion, CategoryOpinion)
    return float(opinion.logits[0])


def random_tags(generator: np.random.Generator, tokens: int) -> TagOpinion:
    """One to four tags for each token."""
    starts, index, probabilities = [0], [], []
    for _ in range(tokens):
        chosen = generator.permutation(len(TAGS))[: generator.integers(1, 5)]
        parts = generator.random(len(chosen)) ** 8 + 1e-9
        index.extend(chosen.tolist())
        probabilities.extend((parts / parts.sum()).tolist())
        starts.append(len(index))
    return TagOpinion(
        TAGS, np.array(starts), np.array(index, dtype=np.int64), np.array(probabilities, dtype="f")
    )


def random_spans(generator: np.random.Generator, tokens: int) -> SpanOpinion:
    """From none to six spans."""
    count = int(generator.integers(0, 7))
    start = generator.integers(0, tokens, count)
    end = start + 1 + generator.integers(0, tokens, count) % (tokens - start)
    spans = np.stack([start, end, generator.integers(0, 2, count)], axis=1)
    return SpanOpinion(("PER", "LOC"), spans, generator.random(count).astype("f"), 8)


def random_logits(generator: np.random.Generator, tokens: int) -> CategoryOpinion:
    keys = ("topic/A", "topic/B", "mood/GLAD")
    return CategoryOpinion(keys, (generator.normal(size=3) * 20).astype("f"), ("topic",))


def random_vector(generator: np.random.Generator, tokens: int) -> VectorOpinion:
    return VectorOpinion(generator.normal(size=16).astype("f"))
