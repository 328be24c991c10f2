"""One corpus of a mix: its settings, and the layers it moves."""

import math
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Set, Tuple, Type

from spacy.language import Language
from spacy.tokens import Doc, SpanGroup

from ..annotation.annotated_labels import set_annotated_labels, task_place
from ..annotation.categories import task_of
from ..annotation.layers import CategoriesLayer, EntsLayer, find_layer
from ..errors import Errors, MtnlpError
from .taught import without_gold

ENTITIES = EntsLayer()


@dataclass(frozen=True)
class CorpusSettings:
    """The settings of one corpus in the mix.

    name: the name of its config block.
    path: a .spacy file, or a folder whose .spacy files are all read.
    weight: how often its documents are seen in an epoch. 2.0 is twice; 0.5 a random half, drawn
        anew each epoch; 0 leaves the corpus out, and its file need not exist. With the sampling
        `uniform` or `power` a factor of its share, with `round_robin` how many of its
        documents come in each turn, so a whole number.
    limit: use only so many documents, 0 all: a sample by `seed`, the same in every epoch, and a
        smaller limit's documents are among a larger one's. Read into memory, they are the first
        ones after a shuffle, a fair sample; streamed, those of the first shards after a shuffle.
    ents_to: a spans key. The entities move from `doc.ents` to `doc.spans[ents_to]`, and
        `doc.ents` is then not annotated.
    spans_to_ents: a spans key. That layer, which must be flat, moves to `doc.ents` and replaces
        what was there; where a document lacks the layer, `doc.ents` is not annotated.
    spans: spans keys to rename, old to new.
    labels: by component, the labels that the corpus is annotated for, where that is not all of the
        component's: `labels = {"ner": ["LOC"]}`. What is no entity of these may then be one of
        another label, and a category that has 0.0 and is not among them says nothing. What is
        annotated beside them is learnt all the same.
    places: the same as layers have it, see `for_pipeline`; not a setting.
    taught: what teachers believe of the documents: the file that `mtnlp teach` has written for
        `path`, or the folder of such files. Each document carries its own, wherever it is drawn.
    teachers_only: the documents' gold counts as missing in all layers, so that they train by
        `taught` alone.

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
    labels: Dict[str, List[str]] = field(default_factory=dict)
    places: Dict[str, List[str]] = field(default_factory=dict)
    taught: Optional[Path] = None
    teachers_only: bool = False

    @classmethod
    def from_config(cls, name: str, settings: Dict[str, Any]) -> "CorpusSettings":
        """Checks one config block. Raises: MtnlpError naming the setting."""

        def check(option: str, right: bool, form: str) -> None:
            if not right:
                value = settings.get(option)
                raise MtnlpError(
                    Errors.E192.format(name=name, option=option, value=value, form=form)
                )

        known = [entry.name for entry in fields(cls) if entry.name not in ("name", "places")]
        for option in settings:
            check(option, option in known, "one of the settings " + ", ".join(known))
        path = settings.get("path")
        check("path", isinstance(path, (str, Path)) and bool(str(path)), "a .spacy file or folder")
        taught = settings.get("taught")
        right = taught is None or (isinstance(taught, (str, Path)) and bool(str(taught)))
        check("taught", right, "a file or folder of `mtnlp teach`, or null")
        paths = {"path": Path(str(path)), "taught": None if taught is None else Path(str(taught))}
        corpus = cls(name, **{**settings, **paths})
        check("weight", is_number(corpus.weight, (int, float)), "a number of 0 or more")
        check("limit", is_number(corpus.limit, (int,)), "a whole number of 0 or more")
        for option in ("ents_to", "spans_to_ents"):
            key = getattr(corpus, option)
            check(option, key is None or (isinstance(key, str) and key != ""), "a key or null")
        renames = corpus.spans if isinstance(corpus.spans, dict) else {0: 0}
        texts = all(isinstance(text, str) for pair in renames.items() for text in pair)
        check("spans", texts, 'keys to rename, {"old": "new"}')
        check(
            "spans", corpus.spans_to_ents not in renames, "no key that `spans_to_ents` takes away"
        )
        labels = corpus.labels if isinstance(corpus.labels, dict) else {0: 0}
        lists = all(isinstance(each, (list, tuple)) and each for each in labels.values())
        texts = lists and all(isinstance(text, str) for each in labels.values() for text in each)
        check("labels", texts, 'labels by component, {"ner": ["LOC"]}')
        alone = corpus.teachers_only
        check("teachers_only", isinstance(alone, bool), "true or false")
        bare = not (corpus.layers or corpus.ents_to)
        form = "false, unless `taught` is set and no layer is moved: there is no gold to move"
        check("teachers_only", not alone or (bare and corpus.taught is not None), form)
        return corpus

    def for_pipeline(self, nlp: Language) -> "CorpusSettings":
        """The settings with `places`, what `labels` say of the layers of a pipeline's components.

        Raises: MtnlpError E775 for a component that the pipeline has not or that has no labels, and
        for a category without a task.
        """
        places: Dict[str, List[str]] = {}
        for name, labels in self.labels.items():
            layer = find_layer(nlp.get_pipe(name)) if name in nlp.pipe_names else None
            tasks = layer.tasks if isinstance(layer, CategoriesLayer) else None
            for label in labels:
                task = task_of(label)
                if layer is None or (tasks is not None and task not in tasks):
                    raise MtnlpError(
                        Errors.E775.format(
                            corpus=self.name, name=name, label=label, names=nlp.pipe_names
                        )
                    )
                place = str(layer) if tasks is None else task_place(str(task))
                places.setdefault(place, []).append(label)
        return replace(self, places=places)

    @property
    def layers(self) -> List[str]:
        """The spans keys that are mapped."""
        return [*self.spans, *([self.spans_to_ents] if self.spans_to_ents else [])]

    def check_layers(self, docs: Iterable[Doc]) -> None:
        """A mapping that finds nothing in the whole corpus is a slip of the pen: without an error
        the task would train on nothing, silently.

        docs: as they are in the file; no more are read than it takes to find every layer.
        Raises: MtnlpError naming the missing layer and those that are there.
        """
        found: Set[str] = set()
        has_entities = False
        if not self.layers and not self.ents_to:
            return
        for doc in docs:
            found.update(doc.spans)
            has_entities = has_entities or ENTITIES.is_annotated(doc)
            if found.issuperset(self.layers) and (has_entities or not self.ents_to):
                return
        missing = [f"the spans key '{key}'" for key in self.layers if key not in found]
        layers = [*(["entities"] if has_entities else []), *(f"'{key}'" for key in sorted(found))]
        raise MtnlpError(
            Errors.E193.format(
                name=self.name,
                layer=[*missing, "the entities"][0],
                path=self.path,
                found=", ".join(layers) or "neither entities nor spans",
            )
        )

    def prepare(self, doc: Doc) -> Doc:
        """A document of the file as training sees it: its layers moved, or without gold.

        Raises: as `map_layers`.
        """
        if self.teachers_only:
            return without_gold(doc)
        self.map_layers(doc)
        return doc

    def map_layers(self, doc: Doc) -> None:
        """Moves and renames the annotation layers of `doc` in place.

        Raises: MtnlpError where two layers meet in one key, where entities to be moved are only
            partly annotated, and where spans that should become entities overlap.
        """
        groups: Dict[str, SpanGroup] = {}
        for key, group in doc.spans.items():
            if key != self.spans_to_ents:
                self._put(groups, doc, self.spans.get(key, key), group)
        if self.ents_to is not None and ENTITIES.is_annotated(doc):
            if not ENTITIES.is_complete(doc):
                raise MtnlpError(Errors.E195.format(name=self.name, start=doc.text[:40]))
            self._put(groups, doc, self.ents_to, SpanGroup(doc, spans=list(doc.ents)))
        entities = doc.spans.get(self.spans_to_ents) if self.spans_to_ents else None
        if entities is not None:
            self._set_entities(doc, entities)
        elif self.ents_to or self.spans_to_ents:
            doc.set_ents([], default="missing")
        doc.spans.clear()
        doc.spans.update(groups)
        for place, labels in self.places.items():
            set_annotated_labels(doc, place, labels)

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


def is_number(value: Any, types: Tuple[Type[Any], ...]) -> bool:
    """Whether a setting is a finite number of 0 or more, of one of these types."""
    return isinstance(value, types) and not isinstance(value, bool) and 0 <= float(value) < math.inf
