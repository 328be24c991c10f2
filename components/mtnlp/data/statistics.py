"""What a converted corpus holds: sizes, labels, lengths, what is missing, and duplicates."""

from collections import Counter
from dataclasses import asdict
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence

import spacy
from spacy.pipeline import Sentencizer
from spacy.tokens import Doc
from spacy.util import minibatch

from ..annotation.categories import annotated_keys, annotated_tasks, is_positive, split_key
from ..annotation.layers import EntsLayer
from ..annotation.pairs import is_pair, may_be_entities, similarity_of
from ..errors import Errors, MtnlpError
from ..models.wordpieces import find_limit
from .checks.unit import SHOWN, Places, quote
from .doctor import Doctor, Finding
from .language import guess_language
from .options import SPLITS, Progress, quiet
from .reading import open_docbin
from .span_statistics import SpanCounts, describe, shares
from .suitable_encoders import suits

ENTS = "ents"
CHUNK = 256
# Documents of each corpus of which the language is told.
READ_FOR_LANGUAGE = 200


class WordpieceCounter:
    """Counts the wordpieces of texts as an encoder's tokenizer makes them, nothing cut off.

    backbone: a Hugging Face name or path. Only tokenizer and config are read.
    window: wordpieces a window holds, special tokens included; 0 for what the encoder allows.
    Raises: MtnlpError (E151) where they cannot be loaded.
    """

    def __init__(self, backbone: str, window: int = 0) -> None:
        # Slow to import, and not needed for statistics without wordpieces.
        from transformers import AutoConfig, AutoTokenizer

        try:
            self._tokenizer = AutoTokenizer.from_pretrained(backbone)
            config = AutoConfig.from_pretrained(backbone)
        except (OSError, ValueError) as error:
            raise MtnlpError(Errors.E151.format(name=backbone, reason=error)) from error
        limit = find_limit(self._tokenizer, SimpleNamespace(config=config))
        self.window = min(window, limit) if window > 0 else limit
        self.special = int(self._tokenizer.num_special_tokens_to_add())

    def count(self, texts: Sequence[str]) -> List[int]:
        """Wordpieces of each text, special tokens included."""
        encoded = self._tokenizer(
            list(texts), truncation=False, padding=False, return_attention_mask=False, verbose=False
        )
        return [len(ids) for ids in encoded["input_ids"]]


class SplitCounts:
    """Adds up one split of one corpus.

    wordpieces: counts wordpieces too, where given.
    """

    def __init__(self, wordpieces: Optional[WordpieceCounter] = None) -> None:
        self._counter = wordpieces
        self._sentencizer = Sentencizer()
        self.texts: Counter[bytes] = Counter()
        self._tokens: Counter[int] = Counter()
        self._wordpieces: Counter[int] = Counter()
        # Documents longer than a window: their numbers in the split, and how they begin.
        self.longer = Places()
        self._sentences = 0
        self._without_sentences = 0
        self._layers: Dict[str, SpanCounts] = {}
        self._tasks: Dict[str, Counter[str]] = {}
        self._task_documents: Counter[str] = Counter()
        self._tags: Counter[str] = Counter()
        self._tag_documents = 0
        self._pairs = self._similarities = 0

    def add(self, docs: Iterable[Doc]) -> None:
        """Take up documents. Those without sentence boundaries get them by punctuation."""
        for chunk in minibatch(docs, CHUNK):
            for doc in chunk:
                self._add_doc(doc)
            if self._counter is not None:
                self._add_wordpieces([doc.text for doc in chunk], self._counter)

    def _add_wordpieces(self, texts: Sequence[str], counter: WordpieceCounter) -> None:
        first = sum(self._wordpieces.values())
        for number, (text, length) in enumerate(zip(texts, counter.count(texts), strict=True)):
            self._wordpieces[length] += 1
            if length > counter.window:
                self.longer.add(f"{first + number} {quote(text)}")

    def _add_doc(self, doc: Doc) -> None:
        self.texts[blake2b(doc.text.strip().encode("utf8"), digest_size=16).digest()] += 1
        self._tokens[len(doc)] += 1
        self._add_layers(doc)
        self._add_categories(doc)
        if len(doc) and doc.has_annotation("TAG"):
            self._tag_documents += 1
            self._tags.update(token.tag_ for token in doc if token.tag)
        self._add_sentences(doc)

    def _add_sentences(self, doc: Doc) -> None:
        if not len(doc):
            return
        if not doc.has_annotation("SENT_START"):
            self._without_sentences += 1
            doc = self._sentencizer(doc)
        # The first token begins a sentence whatever is written on it.
        self._sentences += 1 + int((doc.to_array("SENT_START")[1:] == 1).sum())

    def _add_layers(self, doc: Doc) -> None:
        entities = EntsLayer()
        if entities.is_annotated(doc):
            spans = [(span.start, span.end, span.label_) for span in entities.spans(doc)]
            missing = int(entities.missing(doc).sum())
            self._layers.setdefault(ENTS, SpanCounts()).add(spans, len(doc), missing)
        self._pairs += is_pair(doc)
        self._similarities += similarity_of(doc) is not None
        layers = {key: group for key, group in doc.spans.items() if may_be_entities(group)}
        for key, group in layers.items():
            spans = [(span.start, span.end, span.label_) for span in group]
            self._layers.setdefault(f"spans/{key}", SpanCounts()).add(spans, len(doc))

    def _add_categories(self, doc: Doc) -> None:
        # Which tasks are exclusive the pipes' settings know.
        tasks = annotated_tasks(doc.cats)
        for task in tasks:
            counts = self._tasks.setdefault(task, Counter())
            for key in annotated_keys(doc.cats, task):
                counts[split_key(key)[1]] += int(is_positive(doc.cats[key]))
        self._task_documents.update(tasks)

    def to_dict(self) -> Dict[str, Any]:
        """The counts as plain numbers; see `corpus_statistics`."""
        documents = sum(self.texts.values())
        lengths = describe(self._tokens)
        del lengths["histogram"]  # as long as the corpus is varied, and of little use
        result: Dict[str, Any] = {
            "documents": documents,
            "sentences": self._sentences,
            "documents_without_sentences": self._without_sentences,
            "tokens": self._total_tokens(),
            "tokens_per_document": lengths,
            "duplicates": documents - len(self.texts),
            "entities": {key: self._layers[key].to_dict(documents) for key in sorted(self._layers)},
            "categories": {
                task: {
                    "documents": self._task_documents[task],
                    "missing": documents - self._task_documents[task],
                    "labels": shares(self._tasks[task], self._task_documents[task]),
                }
                for task in sorted(self._tasks)
            },
            "pairs": {
                "documents": self._pairs,
                "missing": documents - self._pairs,
                "with_similarity": self._similarities,
            },
            "part_of_speech": {
                "documents": self._tag_documents,
                "missing": documents - self._tag_documents,
                "labels": shares(self._tags, sum(self._tags.values())),
            },
        }
        if self._counter is not None:
            result["wordpieces"] = self._wordpiece_numbers(self._counter.window)
        return result

    def _total_tokens(self) -> int:
        return sum(length * number for length, number in self._tokens.items())

    def _wordpiece_numbers(self, window: int) -> Dict[str, Any]:
        described = describe(self._wordpieces)
        del described["histogram"]
        total = sum(length * number for length, number in self._wordpieces.items())
        longer = sum(number for length, number in self._wordpieces.items() if length > window)
        documents, tokens = sum(self._wordpieces.values()), self._total_tokens()
        return {
            "total": total,
            "per_token": total / tokens if tokens else 0.0,
            **described,
            "window": window,
            "longer_than_window": longer,
            "share_longer": longer / documents if documents else 0.0,
        }


def corpus_statistics(
    corpus: Path,
    names: Optional[Sequence[str]] = None,
    *,
    wordpieces: Optional[WordpieceCounter] = None,
    progress: Progress = quiet,
) -> Dict[str, Any]:
    """Counts over `corpus/{train,dev,test}/{name}.spacy`.

    names: the corpora; all there are by default. Each needs only some of the splits.
    Returns: {name: {"splits": {split: numbers}, "duplicates_across": {"train/test": n},
        "language", "findings"}}. `duplicates_across` counts the documents of the second split
        whose text is also in the first, `language` is what the texts seem to be in (None where
        that is unsure), `findings` are the `Finding`s of the data doctor as mappings. A split's
        numbers hold documents, sentences, tokens, duplicates (documents whose text stood in the
        split before), `entities` by layer (`ents` or `spans/KEY`; see `SpanCounts`),
        `categories` by task, `part_of_speech`, each with the number of documents that miss the
        annotation, `pairs` of texts, how many and how many with a similarity, and `wordpieces` if
        they are counted, special tokens included.
    Raises: MtnlpError (E150) where there is no corpus, DataError for a broken file.
    """
    return file_statistics(corpora(corpus, names), wordpieces=wordpieces, progress=progress)


def file_statistics(
    files: Mapping[str, Mapping[str, Path]],
    *,
    wordpieces: Optional[WordpieceCounter] = None,
    progress: Progress = quiet,
) -> Dict[str, Any]:
    """What `corpus_statistics` returns, of files wherever they are. One is in memory at a time.

    files: {name: {split: path}}. Raises: DataError for a broken file.
    """
    vocab = spacy.blank("xx").vocab
    result: Dict[str, Any] = {}
    for name, splits in files.items():
        language = guess_language(
            doc.text
            for file in splits.values()
            for doc in islice(open_docbin(file).get_docs(vocab), READ_FOR_LANGUAGE)
        )
        doctor = Doctor(language or "en")
        counted: Dict[str, SplitCounts] = {}
        for split, file in splits.items():
            counted[split] = SplitCounts(wordpieces)
            docbin = open_docbin(file)
            docs = doctor.watch(docbin.get_docs(vocab), split)
            counted[split].add(progress(docs, f"{name} {split}", len(docbin)))
            del docbin, docs  # before the next one is read
        findings = doctor.findings()
        if wordpieces is not None:
            findings += _wordpiece_findings(counted, wordpieces, language)
        result[name] = {
            "splits": {split: counts.to_dict() for split, counts in counted.items()},
            "duplicates_across": _duplicates_across(counted),
            "language": language,
            "findings": [asdict(finding) for finding in findings],
        }
    return result


def _wordpiece_findings(
    counted: Mapping[str, SplitCounts], counter: WordpieceCounter, language: Optional[str]
) -> Iterator[Finding]:
    """Whether the encoder suits the texts, and the documents longer than its window."""
    numbers = [counts.to_dict() for counts in counted.values()]
    special = counter.special * sum(row["documents"] for row in numbers)
    pieces = sum(row["wordpieces"]["total"] for row in numbers) - special
    warning = suits(pieces / max(1, sum(row["tokens"] for row in numbers)), language)
    if warning is not None:
        yield Finding("wordpieces_per_word", warning, None)
    places = [
        f"{split} {place}" for split, counts in counted.items() for place in counts.longer.first
    ]
    count = sum(counts.longer.count for counts in counted.values())
    if count:
        message = f"Documents longer than a window of {counter.window} wordpieces, read in several"
        yield Finding("long_texts", message, count, places[:SHOWN], is_fault=False)


def corpora(folder: Path, names: Optional[Sequence[str]] = None) -> Dict[str, Dict[str, Path]]:
    """The files of each corpus by split: {name: {split: path}}.

    Raises: MtnlpError (E150) where a named corpus, or any at all, is in no split.
    """
    found: Dict[str, Dict[str, Path]] = {}
    for split in SPLITS:
        for path in sorted((folder / split).glob("*.spacy")):
            found.setdefault(path.stem, {})[split] = path
    wanted = list(names) if names else sorted(found)
    missing = [f"{name}.spacy" for name in wanted if name not in found]
    if missing or not wanted:
        described = ", ".join(missing) or "no .spacy file at all"
        raise MtnlpError(Errors.E150.format(folder=folder, missing=described))
    return {name: found[name] for name in wanted}


def _duplicates_across(counted: Dict[str, SplitCounts]) -> Dict[str, int]:
    splits = list(counted)
    return {
        f"{first}/{second}": sum(
            counted[second].texts[digest]
            for digest in counted[first].texts.keys() & counted[second].texts.keys()
        )
        for i, first in enumerate(splits)
        for second in splits[i + 1 :]
    }
