"""Which components a pipeline needs for what is annotated."""

import re
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, TypeVar

from ..annotation.layers import entity_layer
from ..errors import Errors, MtnlpError
from .overrides import Overrides
from .profile import CorpusProfile, EncoderProfile, LayerProfile, Profiles, TaskProfile
from .recipe import ClassifierPart, EntityPart

Reasons = Dict[str, str]
T = TypeVar("T")

# Up to this share of entities that overlap is a slip of the annotators' pens, and left to the flat
# tagger, which learns the outermost ones: it is faster, and sure to find none that overlap.
OVERLAP_SHARE = 0.01
# `span_ner` looks at all spans up to a width: that which holds all gold entities but one in 1,000.
WIDTH_SHARE = 0.999
# Its time and memory grow with the width; NEREL's 29 types with their professions need 14.
WIDEST = 24
# With 850 gold entities the marker scorer is 6 points of F1 above the biaffine one (WikiNEuRal,
# 500 sentences, docs/results/wikineural.md); NEREL's 34,000 were learnt with the biaffine one.
MARKER_BELOW = 3000
# The overlap of predicted and gold spans beside the likelihood: +0.7 on dev of CoNLL-2003, +0.3
# with 500 sentences (docs/results/losses.md). Only measured on cased text with few types.
BOUNDARY_WEIGHT = 0.5
BOUNDARY_LABELS = 8
# Reviews: with 500 of them a classifier gains by the embeddings and the middle layer
# (configs/imdb.cfg); with many, or with short texts, the last layer learns to hold what they hold.
FEW_DOCUMENTS = 5000
LONG_DOCUMENT = 60  # words


def choose_entities(
    profiles: Profiles, encoder: EncoderProfile, overrides: Overrides, reasons: Reasons
) -> List[EntityPart]:
    """A component for each layer of entities, whichever corpora it is in.

    reasons: a sentence per component is added. Raises: MtnlpError (E480) where two corpora annotate
        one layer with different labels.
    """
    parts = []
    for key in _distinct(layer.key for corpus in profiles.values() for layer in corpus.layers):
        found = [
            (corpus, layer)
            for corpus in profiles.values()
            for layer in corpus.layers
            if layer.key == key
        ]
        name = str(entity_layer(key))
        require_same_labels(name, [(c.name, layer.labels) for c, layer in found], "--spans-key")
        merged = merge_layers([layer for _, layer in found])
        is_cased = any(corpus.is_cased for corpus, _ in found)
        parts.append(_entity_part(merged, is_cased, encoder, overrides, reasons))
    return parts


def _entity_part(
    layer: LayerProfile,
    is_cased: bool,
    encoder: EncoderProfile,
    overrides: Overrides,
    reasons: Reasons,
) -> EntityPart:
    name = "ner" if layer.key is None else f"{re.sub(r'[^A-Za-z0-9_]+', '_', layer.key)}_ner"
    factory, reasons[name] = _choose_factory(layer, overrides)
    is_flat = factory == "crf_ner"
    shapes, why = _choose_shapes(is_cased, encoder, overrides)
    if why:
        reasons[f"{name}: word shapes"] = why
    max_width, scorer, boundary = 8, "biaffine", 0.0
    if is_flat and is_cased and len(layer.labels) <= BOUNDARY_LABELS:
        boundary = BOUNDARY_WEIGHT
        reasons[f"{name}: boundary loss"] = (
            f"cased text and {len(layer.labels)} labels, as CoNLL-2003, where it gains up to 0.7 "
            "points"
        )
    if not is_flat:
        max_width, reasons[f"{name}: max_width"] = _choose_width(layer, overrides)
        if layer.total < MARKER_BELOW:
            scorer = "marker"
        reasons[f"{name}: scorer"] = (
            f"{layer.total:,} gold entities; the marker scorer is better with few "
            f"(below {MARKER_BELOW:,})"
        )
    return EntityPart(
        name=name,
        factory=factory,
        spans_key=layer.key,
        labels=list(layer.labels),
        max_width=max_width,
        shapes=shapes,
        scorer=scorer,
        boundary=boundary,
    )


def _choose_factory(layer: LayerProfile, overrides: Overrides) -> Tuple[str, str]:
    found = (
        f"{layer.overlapping:,} of {layer.total:,} entities in {layer} overlap others "
        f"({layer.nested:,} nested, {layer.crossing:,} crossing, {layer.same:,} with the same "
        "boundaries)"
    )
    if not layer.overlapping:
        found = f"none of {layer.total:,} entities in {layer} overlaps another"
    if overrides.factory:
        return overrides.factory, f"as you set it; {found}"
    if layer.overlapping > OVERLAP_SHARE * layer.total:
        return "span_ner", found
    left = "; it learns the outermost of those" if layer.overlapping else ""
    return "crf_ner", f"{found}{left}"


def _choose_shapes(
    is_cased: bool, encoder: EncoderProfile, overrides: Overrides
) -> Tuple[bool, Optional[str]]:
    if overrides.shapes is not None:
        return overrides.shapes, "as you set it"
    if is_cased and not encoder.is_cased:
        return True, "the text has capitals, and the encoder cannot see them"
    return False, None


def _choose_width(layer: LayerProfile, overrides: Overrides) -> Tuple[int, str]:
    if overrides.max_width:
        return overrides.max_width, "as you set it"
    reached, width = 0, 1
    for width in sorted(layer.widths):
        reached += layer.widths[width]
        if reached >= WIDTH_SHARE * layer.total:
            break
    width = min(width, WIDEST)
    wide = sum(count for words, count in layer.widths.items() if words > width)
    return width, f"{wide:,} of {layer.total:,} entities are wider, and cannot be found"


def choose_classifier(
    profiles: Profiles, encoder: EncoderProfile, overrides: Overrides, reasons: Reasons
) -> Optional[ClassifierPart]:
    """One component for all classification tasks; None where there is none.

    reasons: a sentence per task is added. Raises: MtnlpError E480 where two corpora annotate one
        task with different labels, E482 for overrides of a task that is not there.
    """
    pairs = [(corpus, task) for corpus in profiles.values() for task in corpus.tasks]
    given = overrides.exclusive or {}
    exclusive: Dict[str, bool] = {}
    for name in _distinct(task.name for _, task in pairs):
        found = [(corpus, task) for corpus, task in pairs if task.name == name]
        labels = [(corpus.name, task.labels) for corpus, task in found]
        require_same_labels(f"the task '{name}'", labels, "--task")
        own = [task for _, task in found]
        exclusive[name], why = _choose_exclusive(own, given.get(name))
        reasons[f"textcat: {name}"] = why
    for name in given:
        if name not in exclusive:
            form = "one of the tasks " + (", ".join(exclusive) or "(there are none)")
            raise MtnlpError(Errors.E482.format(name="task", value=name, form=form))
    if not exclusive:
        return None
    layers: List[int] = []
    corpora = _distinct_corpora(corpus for corpus, _ in pairs)
    if all(is_long_and_rare(corpus) for corpus in corpora):
        layers = [0, encoder.layers // 2]
        reasons["textcat: layers"] = (
            f"few (below {FEW_DOCUMENTS:,}) and long documents (above {LONG_DOCUMENT} words): the "
            "embeddings and the middle layer help"
        )
    return ClassifierPart("textcat", exclusive, layers)


def _choose_exclusive(tasks: Sequence[TaskProfile], given: Optional[bool]) -> Tuple[bool, str]:
    found = "; ".join(_distinct(task.evidence for task in tasks))
    if given is not None:
        return given, f"as you set it; {found}"
    return all(task.exclusive for task in tasks), found


def is_long_and_rare(corpus: CorpusProfile) -> bool:
    """Whether a corpus has few and long documents."""
    return is_long(corpus) and corpus.documents["train"] < FEW_DOCUMENTS


def is_long(corpus: CorpusProfile) -> bool:
    """Whether a corpus' documents are rather texts than sentences."""
    return corpus.median_words > LONG_DOCUMENT


def merge_layers(layers: Sequence[LayerProfile]) -> LayerProfile:
    """One layer of several corpora, as if they were one."""
    labels: Dict[str, int] = {}
    widths: Dict[int, int] = {}
    for layer in layers:
        for label, count in layer.labels.items():
            labels[label] = labels.get(label, 0) + count
        for width, count in layer.widths.items():
            widths[width] = widths.get(width, 0) + count
    return LayerProfile(
        key=layers[0].key,
        labels=dict(sorted(labels.items(), key=lambda item: (-item[1], item[0]))),
        documents=sum(layer.documents for layer in layers),
        nested=sum(layer.nested for layer in layers),
        crossing=sum(layer.crossing for layer in layers),
        same=sum(layer.same for layer in layers),
        widths=widths,
    )


def require_same_labels(
    layer: str, labels: Sequence[Tuple[str, Mapping[str, int]]], option: str
) -> None:
    """Raises: MtnlpError (E480) where corpora annotate a layer with different labels: what one of
    them does not know would be learnt as absent from its texts.

    labels: those of each corpus, with its name. option: of `mtnlp convert`, to tell layers apart.
    """
    first, known = labels[0]
    for second, others in labels[1:]:
        if set(known) != set(others):
            left, right = (
                ", ".join(sorted(ours.keys() - theirs.keys())) or "none"
                for ours, theirs in ((known, others), (others, known))
            )
            names = {"layer": layer, "first": first, "second": second, "option": option}
            raise MtnlpError(Errors.E480.format(**names, left=left, right=right))


def _distinct(items: Iterable[T]) -> List[T]:
    """Each once, in the order in which they come first."""
    return list(dict.fromkeys(items))


def _distinct_corpora(corpora: Iterable[CorpusProfile]) -> List[CorpusProfile]:
    return list({corpus.name: corpus for corpus in corpora}.values())
