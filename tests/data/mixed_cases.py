"""What the tests of `mtnlp.MixedCorpus.v1` share."""

from pathlib import Path
from typing import Any, Iterable, List

from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from spacy.vocab import Vocab

from mtnlp.data.mixed_corpus import create_mixed_corpus_v1


def save(path: Path, docs: Iterable[Doc]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


def numbered(path: Path, prefix: str, count: int) -> Path:
    """Documents of the tokens prefix + number, "." and nothing annotated."""
    vocab = Vocab()
    return save(path, [Doc(vocab, words=[f"{prefix}{i}", "."]) for i in range(count)])


def first_words(examples: Iterable[Example]) -> List[str]:
    return [example.reference[0].text for example in examples]


def read_one(nlp: Language, doc: Doc, tmp_path: Path, **settings: Any) -> Example:
    path = save(tmp_path / "one.spacy", [doc])
    (example,) = create_mixed_corpus_v1({"one": {"path": path, **settings}})(nlp)
    return example


def news(vocab: Vocab) -> Doc:
    """Entities, two layers of spans, tags, cats."""
    doc = Doc(vocab, words=["Anna", "left", "Rome", "."], spaces=[True, True, False, False])
    doc.ents = [Span(doc, 0, 1, "PER"), Span(doc, 2, 3, "LOC")]
    doc.spans["fine"] = [Span(doc, 2, 3, "CITY")]
    doc.spans["nested"] = [Span(doc, 0, 3, "EVENT"), Span(doc, 0, 1, "PERSON")]
    doc.spans["nested"].attrs["scores"] = [0.5, 1.0]
    return doc


def spans_of(group: Iterable[Span]) -> List[tuple]:
    return [(span.start, span.end, span.label_) for span in group]
