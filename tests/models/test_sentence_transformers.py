"""The untouched default encoder gives the vectors of sentence-transformers."""

import itertools
from pathlib import Path
from typing import List

import numpy as np
import pytest

from tests.tiny import SAMPLE, make_examples, make_nlp

ODD = [
    "Hello",
    ".",
    "It's 5 o'clock; don't be late — please!",
    "The naïve café-owner (aged 47) sold 1,000 croissants for €2.50 each.",
    "https://example.org/path?query=1 was visited by user@example.org",
    "ALL CAPITALS and some CamelCase words_with_underscores",
    "Two  spaces,\ta tab\nand a line break",
    "Мост открыли в мае.",
    "日本語のテキスト",
    "😀 emoji 🚀 here",
]


def varied_texts() -> List[str]:
    """40 texts: odd ones, single sentences, reviews and news, two of them together."""
    reviews = sorted(SAMPLE.glob("imdb/aclImdb/train/*/*.txt"))[:15]
    news = sorted(SAMPLE.glob("nerel/train/*.txt"))[:15]
    texts = [path.read_text(encoding="utf8").strip() for path in (*reviews, *news)]
    short = [text.split(". ")[0] for text in texts[::2]]
    long = [f"{a}\n\n{b}" for a, b in zip(texts[1:6], texts[20:25], strict=True)]
    return list(itertools.islice([*ODD, *short, *long, *texts[1::2]], 40))


@pytest.mark.slow
def test_vectors_equal_sentence_transformers(real_backbone: Path) -> None:
    library = pytest.importorskip("sentence_transformers")
    texts = varied_texts()
    assert len(texts) == 40
    model = library.SentenceTransformer(str(real_backbone), device="cpu")
    lengths = [len(ids) for ids in model.tokenizer(texts, truncation=False)["input_ids"]]
    assert 128 < max(lengths) <= model.max_seq_length == 256
    expected = model.encode(texts)
    nlp = make_nlp(real_backbone, ["sentence_vectors"])
    nlp.initialize(lambda: make_examples(nlp))
    for doc, vector in zip(nlp.pipe(texts), expected, strict=True):
        np.testing.assert_allclose(doc.vector, vector, atol=1e-4)
        assert doc.vector @ vector == pytest.approx(1.0, abs=1e-4)
