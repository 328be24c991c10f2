"""What the model of a fold says of the documents that it never saw."""

from collections import Counter
from dataclasses import dataclass, field
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch

from ...data.corpus_settings import CorpusSettings
from ...data.reading import bare_copy
from ...errors import Errors, MtnlpError
from ...gold.entities import flatten, get_entities
from ...gold.spans import get_spans
from ...models.listener import require_encoder_output
from ...pipes.base import TorchPipe
from ...pipes.classifier import DocClassifier
from ...pipes.crf_ner import CRFNER
from ...pipes.run_encoders import encode
from ...pipes.span_ner import SpanNER
from .category_spots import CategorySpot, find_category_spots
from .corpus import Place
from .readings import Tagging, find_spots, tag_scores
from .sentence_ends import CutSpot, annotated_there, find_cuts, find_neighbours, joined
from .span_spots import find_span_spots, span_probabilities
from .spots import Spot
from .suggestions import CATS, ENTS, SENTENCES, SPANS

CHUNK = 32  # Docs that are encoded at a time

AnySpot = Spot | CategorySpot
Settings = Mapping[str, Optional[CorpusSettings]]


class Question(NamedTuple):
    """What a component is asked about. layer: where the file has it: `ents`, `spans/KEY`, or
    `cats/` of a classifier, whose spots name the task; of ends of sentences as in a `Suggestion`.
    """

    component: str
    layer: str


@dataclass
class JudgedDoc:
    """What a model says of a Doc: the spots that its components found."""

    place: Place
    spots: Dict[Question, List[AnySpot]] = field(default_factory=dict)

    def to_json(self) -> Dict[str, Any]:
        """As a row of a file."""
        spots = [(*question, [s.to_json() for s in each]) for question, each in self.spots.items()]
        return {"file": self.place.file, "number": self.place.number, "spots": spots}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "JudgedDoc":
        """The inverse of `to_json`."""
        made = cls(Place(row["file"], row["number"]))
        for component, layer, rows in row["spots"]:
            kind: Any = CategorySpot if layer == CATS else Spot
            if layer.startswith(SENTENCES):
                kind = CutSpot
            made.spots[Question(component, layer)] = [kind.from_json(item) for item in rows]
        return made


class Judge:
    """A trained pipeline, asked about annotated documents that it was not trained on.

    settings: by file, how the training reads their layers.
    left_out: annotations that it could not be asked about, and why, counted.
    Raises: MtnlpError E724 for a pipeline without a component of mtnlp that can be asked.
    """

    def __init__(self, nlp: Language, settings: Settings) -> None:
        self.nlp = nlp
        self.settings = settings
        self.left_out: Counter[str] = Counter()
        self.pipes: List[Any] = [pipe for _, pipe in nlp.pipeline if _spotter(pipe) is not None]
        if not self.pipes:
            raise MtnlpError(Errors.E724.format(names=", ".join(nlp.pipe_names)))

    def __call__(self, docs: Iterable[Tuple[Place, Doc]]) -> Iterator[JudgedDoc]:
        """docs: as their files have them, with their places, those of a text in order."""
        before: Optional[Tuple[Place, Doc]] = None
        for chunk in minibatch(docs, CHUNK):
            for place, doc in chunk:
                entry = self.settings.get(place.file)
                if entry is not None:
                    entry.map_layers(doc)
            encoded = encode(self.nlp, [bare_copy(self.nlp, doc) for _, doc in chunk])
            examples = [Example(*pair) for pair in zip(encoded, (d for _, d in chunk), strict=True)]
            judged = [JudgedDoc(place) for place, _ in chunk]
            for pipe in self.pipes:
                require_encoder_output(pipe.model, encoded, pipe.name)
                find = _spotter(pipe)
                assert find is not None
                found = find(pipe, examples, self.left_out)
                for item, spots in zip(judged, found, strict=True):
                    if spots:
                        layer = layer_in_file(pipe, self.settings.get(item.place.file))
                        item.spots[Question(pipe.name, layer)] = spots
            self._ask_about_ends(before, chunk, judged)
            before = chunk[-1]
            yield from judged

    def _ask_about_ends(
        self,
        before: Optional[Tuple[Place, Doc]],
        chunk: Sequence[Tuple[Place, Doc]],
        judged: Sequence[JudgedDoc],
    ) -> None:
        """Ask taggers about Docs that follow each other. before: what stands before the chunk."""
        neighbours = find_neighbours(before, chunk)
        taggers = [pipe for pipe in self.pipes if isinstance(pipe, CRFNER)]
        there = [[annotated_there(pair, pipe.layer) for pair in neighbours] for pipe in taggers]
        wanted = [i for i in range(len(neighbours)) if any(given[i] for given in there)]
        both = [joined(neighbours[i].first, neighbours[i].second) for i in wanted]
        docs = dict(
            zip(wanted, encode(self.nlp, [bare_copy(self.nlp, d) for d in both]), strict=True)
        )
        for pipe, spans in zip(taggers, there, strict=True):
            asked = [(i, given) for i, given in enumerate(spans) if given is not None]
            if not asked:
                continue
            encoded = [docs[i] for i, _ in asked]
            firsts = np.array([len(neighbours[i].first) for i, _ in asked])
            require_encoder_output(pipe.model, encoded, pipe.name)
            cuts = find_cuts(pipe, encoded, [given for _, given in asked], firsts)
            for (i, _), cut in zip(asked, cuts, strict=True):
                if cut is not None:
                    item = judged[neighbours[i].number]
                    layer = layer_in_file(pipe, self.settings.get(item.place.file))
                    item.spots[Question(pipe.name, SENTENCES + layer)] = [cut]


def layer_in_file(pipe: Any, entry: Optional[CorpusSettings]) -> str:
    """Where the file has what a component is trained on. entry: how the training moves layers."""
    if isinstance(pipe, DocClassifier):
        return CATS
    key = pipe.cfg["spans_key"]
    if entry is not None:
        moved = {new: old for old, new in entry.spans.items()}
        if key is None:
            key = entry.spans_to_ents
        else:
            key = None if key == entry.ents_to else moved.get(key, key)
    return ENTS if key is None else SPANS + key


Spotter = Callable[[Any, Sequence[Example], "Counter[str]"], Sequence[List[Any]]]


def _spotter(pipe: Any) -> Optional[Spotter]:
    """How a component is asked; None where it cannot be."""
    if not isinstance(pipe, TorchPipe):
        return None
    kinds: List[Tuple[type, Spotter]] = [
        (CRFNER, _tagged_spots),
        (SpanNER, _span_spots),
        (DocClassifier, _category_spots),
    ]
    return next((spotter for kind, spotter in kinds if isinstance(pipe, kind)), None)


def _tagged_spots(
    pipe: CRFNER, examples: Sequence[Example], left_out: "Counter[str]"
) -> List[List[Spot]]:
    index = {label: i for i, label in enumerate(pipe.labels)}
    spots: List[List[Spot]] = [[] for _ in examples]
    known, taggings = [], []
    for i, example in enumerate(examples):
        _count_unknown(pipe, example, index, left_out)
        every = pipe.layer.spans(example.reference)
        left_out[f"{pipe.name}: entities that overlap longer ones"] += len(every) - len(
            flatten(every)
        )
        gold = get_entities(example, pipe.cfg["spans_key"], index)
        if gold is not None and not gold.missing.all():
            known.append(i)
            taggings.append(Tagging(gold.spans, gold.missing))
    if known:
        docs = [examples[i].predicted for i in known]
        found = find_spots(tag_scores(pipe, docs), docs, taggings, pipe.labels)
        for i, each in zip(known, found, strict=True):
            spots[i] = each
    return spots


def _span_spots(
    pipe: SpanNER, examples: Sequence[Example], left_out: "Counter[str]"
) -> List[List[Spot]]:
    index = {label: i for i, label in enumerate(pipe.labels)}
    spots: List[List[Spot]] = []
    both = span_probabilities(pipe, [example.predicted for example in examples])
    for example, (each, none) in zip(examples, both, strict=True):
        _count_unknown(pipe, example, index, left_out)
        gold = get_spans(example, pipe.cfg["spans_key"], index)
        found: List[Spot] = []
        if gold is not None and not gold.missing.all():
            wide = sum(end - start > each.shape[1] for start, end, _ in gold.spans)
            left_out[f"{pipe.name}: entities wider than max_width"] += wide
            found = find_span_spots(each, none, gold.spans, gold.unclear, pipe.labels)
            edges = [spot for spot in found if not gold.missing[spot.start : spot.end].any()]
            found = edges
        spots.append(found)
    return spots


def _category_spots(
    pipe: DocClassifier, examples: Sequence[Example], left_out: "Counter[str]"
) -> List[List[CategorySpot]]:
    return find_category_spots(pipe, examples)


def _count_unknown(
    pipe: Any, example: Example, index: Mapping[str, int], left_out: "Counter[str]"
) -> None:
    """Entities of a label that is in the documents of this fold alone."""
    for label, count in pipe.layer.label_counts(example.reference).items():
        if label not in index:
            left_out[f"{pipe.name}: entities of a label that no other fold has ({label})"] += count
