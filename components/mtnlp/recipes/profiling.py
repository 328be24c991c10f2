"""Reads a corpus, and an encoder's config and tokenizer, and says what they are."""

from collections import Counter
from math import ceil
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence

import spacy
from spacy.pipeline import Sentencizer
from spacy.tokens import Doc

from ..annotation.categories import annotated_keys, annotated_tasks, is_positive, split_key
from ..annotation.layers import EntsLayer
from ..annotation.pairs import is_pair, may_be_entities
from ..data.docbin_stream import count_docs, read_docs
from ..data.options import Progress, quiet
from ..data.span_statistics import SpanCounts
from ..data.statistics import WordpieceCounter, corpora
from ..errors import Errors, MtnlpError
from ..models.wordpieces import find_limit
from .profile import CorpusProfile, EncoderProfile, LayerProfile, TaskProfile

# The documents whose wordpieces, sentences and capitals are counted; of a larger corpus every n-th.
# The 95% quantile of 2,000 documents lies between the 94th and the 96th per cent of them all.
SAMPLE = 2000
CHUNK = 64
QUANTILES = (0.5, 0.9, 0.95, 1.0)
# Of the words, how many must have a capital, and how many must not, for a text to be cased. Lower-
# cased corpora keep a stray "I"; English news has capitals in 15 to 20% of its words.
CASED = 0.01
# Mixed case in three scripts: an encoder that knows one of them shows what it does with capitals.
MIXED_CASE = "The Quick BROWN Fox In Paris, Быстрая ЛИСА Москва, Γρήγορη ΑΛΕΠΟΥ"


def profile_corpus(
    folder: Path,
    name: str,
    counter: WordpieceCounter,
    language: str = "en",
    progress: Progress = quiet,
) -> CorpusProfile:
    """What `folder/{train,dev,test}/{name}.spacy` hold; train is read once, the others are counted.

    counter: of the encoder's wordpieces. Those of a large corpus are counted in a sample and
        extrapolated. language: of the corpus' tokenizer, which its files do not say.
    Raises: MtnlpError (E150) where there is no such corpus, E481 where it has no training documents
        or they leave nothing to learn, E784 where they are pairs of texts, DataError for a broken
        file.
    """
    files = corpora(folder, [name])[name]
    documents = {split: count_docs(file) for split, file in files.items()}
    if not documents.get("train"):
        raise MtnlpError(Errors.E481.format(name=name, what="has no training documents"))
    counts = TrainCounts(documents["train"], counter)
    docs = read_docs(files["train"], spacy.blank("xx").vocab)
    for doc in progress(docs, f"look at {name}", documents["train"]):
        counts.add(doc)
    counts.count_pieces()
    layers, tasks = counts.layer_profiles(), counts.task_profiles()
    if counts.pairs and not layers and not tasks:
        raise MtnlpError(Errors.E784.format(name=name))
    if not layers and not tasks:
        raise MtnlpError(Errors.E481.format(name=name, what="is not annotated"))
    if not layers and all(task.exclusive and len(task.labels) == 1 for task in tasks):
        what = f"has one label alone, {next(iter(tasks[0].labels))}, which each text has"
        raise MtnlpError(Errors.E481.format(name=name, what=what))
    words = sum(counts.words.elements())
    per_word = counts.sampled_pieces / max(1, counts.sampled_words)
    return CorpusProfile(
        name=name,
        documents=documents,
        language=language,
        words=words,
        words_per_document=quantiles(counts.words),
        pieces=round(per_word * words),
        pieces_per_document=quantiles(counts.pieces),
        pieces_per_word=per_word,
        layers=layers,
        tasks=tasks,
        is_cased=counts.is_cased,
        several_sentences=counts.several_sentences / counts.sampled,
    )


class TrainCounts:
    """Adds up the training documents of a corpus.

    documents: how many will come.
    """

    def __init__(self, documents: int, counter: WordpieceCounter) -> None:
        self.counter = counter
        self.sentencizer = Sentencizer()
        self.stride = ceil(documents / SAMPLE)
        self.seen = 0
        self.pairs = 0
        self.words: Counter[int] = Counter()
        self.layers: Dict[Optional[str], SpanCounts] = {}
        self.tasks: Dict[str, Counter[str]] = {}
        # By task: how many labels hold of a document.
        self.held: Dict[str, Counter[int]] = {}
        # Of every `stride`-th document.
        self.sampled = 0
        self.sampled_words = 0
        self.several_sentences = 0
        self.capitalised = 0
        self.surface_words = 0
        self.pieces: Counter[int] = Counter()
        self.waiting: List[str] = []

    def add(self, doc: Doc) -> None:
        """Take up a document."""
        self.words[len(doc)] += 1
        self.pairs += int(is_pair(doc))
        self._add_layers(doc)
        self._add_categories(doc)
        if self.seen % self.stride == 0:
            self._add_to_sample(doc)
        self.seen += 1

    def _add_layers(self, doc: Doc) -> None:
        entities = EntsLayer()
        if entities.is_annotated(doc):
            self._add_spans(None, entities.spans(doc), len(doc))
        for key, group in doc.spans.items():
            if may_be_entities(group):
                self._add_spans(key, list(group), len(doc))

    def _add_spans(self, key: Optional[str], spans: Sequence, words: int) -> None:
        rows = [(span.start, span.end, span.label_) for span in spans]
        self.layers.setdefault(key, SpanCounts()).add(rows, words)

    def _add_categories(self, doc: Doc) -> None:
        for task in annotated_tasks(doc.cats):
            labels = self.tasks.setdefault(task, Counter())
            held = 0
            for key in annotated_keys(doc.cats, task):
                holds = is_positive(doc.cats[key])
                labels[split_key(key)[1]] += int(holds)
                held += int(holds)
            self.held.setdefault(task, Counter())[held] += 1

    def _add_to_sample(self, doc: Doc) -> None:
        self.sampled += 1
        self.sampled_words += len(doc)
        text = doc.text
        surface = text.split()
        self.surface_words += len(surface)
        self.capitalised += sum(word != word.lower() for word in surface)
        if not doc.has_annotation("SENT_START"):
            doc = self.sentencizer(doc)
        self.several_sentences += int((doc.to_array("SENT_START")[1:] == 1).any())
        self.waiting.append(text)
        if len(self.waiting) == CHUNK:
            self.count_pieces()

    def count_pieces(self) -> None:
        """Count the wordpieces of the texts that wait for it."""
        if self.waiting:
            self.pieces.update(self.counter.count(self.waiting))
            self.waiting = []

    @property
    def sampled_pieces(self) -> int:
        """Wordpieces of the sample, special tokens included."""
        return sum(self.pieces.elements())

    @property
    def is_cased(self) -> bool:
        """Whether capitals tell words apart: some words have them, and some have not."""
        return CASED <= self.capitalised / max(1, self.surface_words) <= 1 - CASED

    def layer_profiles(self) -> List[LayerProfile]:
        """Of the layers that are annotated, `doc.ents` first."""
        keys = sorted(self.layers, key=lambda key: (key is not None, key))
        return [_layer_profile(key, self.layers[key]) for key in keys]

    def task_profiles(self) -> List[TaskProfile]:
        """Of the tasks that are annotated, by name."""
        return [
            _task_profile(task, self.tasks[task], self.held[task]) for task in sorted(self.tasks)
        ]


def _layer_profile(key: Optional[str], counts: SpanCounts) -> LayerProfile:
    return LayerProfile(
        key=key,
        labels=by_count(counts.labels),
        documents=counts.documents,
        nested=counts.nested,
        crossing=counts.crossing,
        same=counts.same,
        widths=dict(sorted(counts.lengths.items())),
    )


def _task_profile(task: str, labels: Mapping[str, int], held: Mapping[int, int]) -> TaskProfile:
    """held: documents by how many labels hold of them."""
    documents = sum(held.values())
    none = held.get(0, 0)
    several = documents - none - held.get(1, 0)
    if documents == held.get(1, 0):
        evidence = f"each of {documents:,} documents has exactly one label"
    else:
        found = [f"{several:,} have several labels"] * bool(several) + [
            f"{none:,} have none"
        ] * bool(none)
        evidence = f"of {documents:,} documents " + " and ".join(found)
    return TaskProfile(task, by_count(labels), documents, not none + several, evidence)


def by_count(counts: Mapping[str, int]) -> Dict[str, int]:
    """The most frequent first, equal ones by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def quantiles(counts: Mapping[int, int]) -> Dict[float, int]:
    """QUANTILES of a histogram: the least value that so large a share does not exceed."""
    total = sum(counts.values())
    found: Dict[float, int] = {}
    below = 0
    for value in sorted(counts):
        below += counts[value]
        for share in QUANTILES:
            if share not in found and below >= share * total:
                found[share] = value
    return found


def profile_encoder(path: str) -> EncoderProfile:
    """What an encoder is, by its config and tokenizer; its weights are not read.

    path: its folder or Hugging Face name. Raises: MtnlpError (E151) where it cannot be loaded.
    """
    # Slow to import.
    import torch
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    from ..models.attention_dropout import own_dropout

    try:
        tokenizer = AutoTokenizer.from_pretrained(path)
        config = AutoConfig.from_pretrained(path)
    except (OSError, ValueError) as error:
        raise MtnlpError(Errors.E151.format(name=path, reason=error)) from error
    # Weights without storage: enough to count them, and to ask for the positions.
    with torch.device("meta"):
        model = AutoModel.from_config(config)
    pieces = tokenizer([MIXED_CASE, MIXED_CASE.lower()])["input_ids"]
    return EncoderProfile(
        name=path,
        layers=config.num_hidden_layers,
        width=config.hidden_size,
        limit=find_limit(tokenizer, model),
        parameters=sum(weights.numel() for weights in model.parameters()),
        is_cased=pieces[0] != pieces[1],
        attention_dropout=own_dropout(config),
    )
