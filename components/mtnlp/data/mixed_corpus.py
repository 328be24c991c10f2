"""Several DocBin corpora read as one: the reader behind joint training.

```
[corpora.train]
@readers = "mtnlp.MixedCorpus.v1"
seed = 0

[corpora.train.corpora.conll]
path = "corpus/train/conll.spacy"

[corpora.train.corpora.wikineural]
path = "corpus/train/wikineural.spacy"
weight = 0.5
limit = 3000
ents_to = "multinerd"
```
"""

import math
import random
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Set, Tuple, Type

from spacy.language import Language
from spacy.tokens import Doc, DocBin, SpanGroup
from spacy.training import Example
from spacy.training.corpus import FILE_TYPE, walk_corpus
from spacy.vocab import Vocab

from mtnlp.errors import DataError, Errors, MtnlpError


def create_mixed_corpus_v1(
    corpora: Dict[str, Dict[str, Any]],
    seed: int = 0,
    shuffle: bool = True,
    gold_tokens: bool = True,
) -> Callable[[Language], Iterable[Example]]:
    """Creates the reader `mtnlp.MixedCorpus.v1`. See `MixedCorpus` and, for the settings of one
    corpus, `CorpusPart`.

    Raises: MtnlpError for unknown or impossible settings. Files are opened at the first call.
    """
    parts = [CorpusPart.from_config(name, settings) for name, settings in corpora.items()]
    return MixedCorpus(parts, seed=seed, shuffle=shuffle, gold_tokens=gold_tokens)


@dataclass(frozen=True)
class CorpusPart:
    """The settings of one corpus in the mix.

    name: the name of its config block.
    path: a .spacy file, or a folder whose .spacy files are all read.
    weight: how often its documents are seen in an epoch. 2.0 is twice; 0.5 a random half, drawn
        anew each epoch; 0 leaves the corpus out, and its file need not exist.
    limit: use only so many documents, 0 all. They are the first ones after a shuffle by `seed`:
        a fair sample, the same in every epoch, and a smaller limit's documents are among a
        larger one's.
    ents_to: a spans key. The entities move from `doc.ents` to `doc.spans[ents_to]`, and
        `doc.ents` is then not annotated.
    spans_to_ents: a spans key. That layer, which must be flat, moves to `doc.ents` and replaces
        what was there; where a document lacks the layer, `doc.ents` is not annotated.
    spans: spans keys to rename, old to new.

    The three mappings happen at once, each from what the file holds, so `ents_to = "a"` with
    `spans_to_ents = "b"` or `spans = {"a": "b", "b": "a"}` swap. A layer that a document lacks
    stays missing; one that every document lacks is an error.
    """

    name: str
    path: Path
    weight: float = 1.0
    limit: int = 0
    ents_to: Optional[str] = None
    spans_to_ents: Optional[str] = None
    spans: Dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_config(cls, name: str, settings: Dict[str, Any]) -> "CorpusPart":
        """Checks one config block. Raises: MtnlpError naming the setting."""

        def check(option: str, right: bool, form: str) -> None:
            if not right:
                value = settings.get(option)
                raise MtnlpError(
                    Errors.E192.format(name=name, option=option, value=value, form=form)
                )

        known = [entry.name for entry in fields(cls) if entry.name != "name"]
        for option in settings:
            check(option, option in known, "one of the settings " + ", ".join(known))
        path = settings.get("path")
        check("path", isinstance(path, (str, Path)) and bool(str(path)), "a .spacy file or folder")
        part = cls(name, **{**settings, "path": Path(str(path))})
        check("weight", _is_number(part.weight, (int, float)), "a number of 0 or more")
        check("limit", _is_number(part.limit, (int,)), "a whole number of 0 or more")
        for option in ("ents_to", "spans_to_ents"):
            key = getattr(part, option)
            check(option, key is None or (isinstance(key, str) and key != ""), "a key or null")
        renames = part.spans if isinstance(part.spans, dict) else {0: 0}
        texts = all(isinstance(text, str) for pair in renames.items() for text in pair)
        check("spans", texts, 'keys to rename, {"old": "new"}')
        check("spans", part.spans_to_ents not in renames, "no key that `spans_to_ents` takes away")
        return part

    def map_layers(self, doc: Doc) -> None:
        """Moves and renames the annotation layers of `doc` in place.

        Raises: MtnlpError where two layers meet in one key, where entities to be moved are only
            partly annotated, and where spans that should become entities overlap.
        """
        groups: Dict[str, SpanGroup] = {}
        for key, group in doc.spans.items():
            if key != self.spans_to_ents:
                self._put(groups, doc, self.spans.get(key, key), group)
        if self.ents_to is not None and doc.has_annotation("ENT_IOB"):
            if not doc.has_annotation("ENT_IOB", require_complete=True):
                raise MtnlpError(Errors.E195.format(name=self.name, start=doc.text[:40]))
            self._put(groups, doc, self.ents_to, SpanGroup(doc, spans=list(doc.ents)))
        entities = doc.spans.get(self.spans_to_ents) if self.spans_to_ents else None
        if entities is not None:
            self._set_entities(doc, entities)
        elif self.ents_to or self.spans_to_ents:
            doc.set_ents([], default="missing")
        doc.spans.clear()
        doc.spans.update(groups)

    def _put(self, groups: Dict[str, SpanGroup], doc: Doc, key: str, group: SpanGroup) -> None:
        if key in groups:
            raise MtnlpError(Errors.E194.format(name=self.name, key=key))
        groups[key] = SpanGroup(doc, name=key, attrs=dict(group.attrs), spans=list(group))

    def _set_entities(self, doc: Doc, group: SpanGroup) -> None:
        if group.has_overlap:
            start = doc.text[:40]
            raise MtnlpError(
                Errors.E196.format(name=self.name, key=self.spans_to_ents, start=start)
            )
        doc.set_ents(list(group), default="outside")


class MixedCorpus:
    """Yields the documents of several corpora in one shuffled, finite epoch a call.

    Every call is the next epoch: other documents where a weight draws some, another order, and
    both follow from `seed` and `epoch` alone. Each Example's `reference` is a document of the
    file, its layers mapped; what it lacks (`ents`, a spans key, `cats`, tags) stays missing.
    `predicted` carries tokens only: no sentence starts, no annotation. Empty documents are left
    out. With `shuffle=False` corpora come in the order of the config, documents in that of the
    file, as development data may want.

    spaCy's loop calls the reader at initialisation (once or more for each component) and then,
    with `max_epochs` of 0 or more, exactly once for the whole training: a weight below 1 then
    draws one part for good. With `max_epochs = -1` every epoch is a call, each with its own
    draw; initialisation then sees 100 documents, so labels must be given in `[initialize]`.

    Documents are read once for a vocab and kept; references are shared by all epochs and must
    not be written to.

    seed: of the limits' samples, the weights' draws and the order.
    gold_tokens: `predicted` has the reference's tokens and spaces; False tokenizes the
        reference's text with `nlp.make_doc` (not possible, so not done, where the document does
        not know its spaces).
    epoch: the number of epochs begun. May be set, to go on where an earlier run stopped.
    """

    def __init__(
        self,
        parts: List[CorpusPart],
        *,
        seed: int = 0,
        shuffle: bool = True,
        gold_tokens: bool = True,
    ) -> None:
        self.parts = [part for part in parts if part.weight > 0]
        if not self.parts:
            raise MtnlpError(Errors.E197)
        self.seed = seed
        self.shuffle = shuffle
        self.gold_tokens = gold_tokens
        self.epoch = 0
        self._vocab: Optional[Vocab] = None
        self._docs: List[List[Doc]] = []

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Begins the next epoch: an Example a document, made as it is asked for.

        Raises: MtnlpError for a missing, empty or wrongly mapped corpus, DataError for a broken
            file; both at the call, before the first Example.
        """
        self._read(nlp.vocab)
        epoch = self.epoch
        self.epoch += 1
        references = [
            self._docs[number][index]
            for number, part in enumerate(self.parts)
            for index in self._draw(part, len(self._docs[number]), epoch)
        ]
        if self.shuffle:
            self._random("order", epoch).shuffle(references)
        return (self._make_example(nlp, reference) for reference in references)

    def _read(self, vocab: Vocab) -> None:
        if self._vocab is not vocab:
            self._docs = [self._read_part(part, vocab) for part in self.parts]
            self._vocab = vocab

    def _read_part(self, part: CorpusPart, vocab: Vocab) -> List[Doc]:
        docs = [doc for doc in _read_docs(part, vocab) if len(doc)]
        if not docs:
            raise MtnlpError(Errors.E191.format(name=part.name, path=part.path))
        _check_layers(part, docs)
        if 0 < part.limit < len(docs):
            order = list(range(len(docs)))
            self._random("limit", part.name).shuffle(order)
            docs = [docs[index] for index in sorted(order[: part.limit])]
        for doc in docs:
            part.map_layers(doc)
        return docs

    def _draw(self, part: CorpusPart, count: int, epoch: int) -> List[int]:
        """The documents of one corpus in one epoch: whole rounds, then a random rest."""
        rounds, rest = divmod(max(1, round(part.weight * count)), count)
        drawn = self._random("weight", part.name, epoch).sample(range(count), rest)
        return list(range(count)) * rounds + sorted(drawn)

    def _random(self, *purpose: object) -> random.Random:
        # Seeded by a string, which Python hashes alike on every machine; one generator a purpose,
        # so that adding a corpus does not change what is drawn from the others.
        return random.Random(repr((self.seed, *purpose)))

    def _make_example(self, nlp: Language, reference: Doc) -> Example:
        if not self.gold_tokens and not reference.has_unknown_spaces:
            return Example(nlp.make_doc(reference.text), reference)
        words = [token.text for token in reference]
        spaces = [bool(token.whitespace_) for token in reference]
        known = None if reference.has_unknown_spaces else spaces
        return Example(Doc(nlp.vocab, words=words, spaces=known), reference)


def _is_number(value: Any, types: Tuple[Type[Any], ...]) -> bool:
    return isinstance(value, types) and not isinstance(value, bool) and 0 <= float(value) < math.inf


def _read_docs(part: CorpusPart, vocab: Vocab) -> Iterator[Doc]:
    if not part.path.exists():
        raise MtnlpError(Errors.E190.format(name=part.name, path=part.path))
    # Searched only if it is a folder: spaCy's walk would ignore a file with another ending.
    paths = walk_corpus(part.path, FILE_TYPE) if part.path.is_dir() else [part.path]
    for path in paths:
        try:
            yield from DocBin().from_disk(path).get_docs(vocab)
        except OSError as error:
            raise DataError(Errors.E100.format(reason=error.strerror), path) from None
        except ValueError as error:
            raise DataError(Errors.E140.format(reason=error), path) from None


def _check_layers(part: CorpusPart, docs: List[Doc]) -> None:
    """A mapping that finds nothing in the whole corpus is a slip of the pen: without an error
    the task would train on nothing, silently."""
    found: Set[str] = {key for doc in docs for key in doc.spans}
    wanted = [*part.spans, *([part.spans_to_ents] if part.spans_to_ents else [])]
    missing = [f"the spans key '{key}'" for key in wanted if key not in found]
    has_entities = any(doc.has_annotation("ENT_IOB") for doc in docs)
    if part.ents_to and not has_entities:
        missing.append("the entities")
    if missing:
        layers = [*(["entities"] if has_entities else []), *(f"'{key}'" for key in sorted(found))]
        raise MtnlpError(
            Errors.E193.format(
                name=part.name,
                layer=missing[0],
                path=part.path,
                found=", ".join(layers) or "neither entities nor spans",
            )
        )
