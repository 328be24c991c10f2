"""What finds and classifies, by a network each: predictions and annotations of the pipes of mtnlp.

A head is made of its `cfg` (JSON), its arrays by name, and its network, None where it has none.
`cfg` has what may be changed in a loaded pipeline, as `cfg` of the pipe had: thresholds,
temperatures, `overwrite_ents`, the span decoder.
"""

from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from ..models.shape_embedding import build_shape_embedding_v1
from ..pipes.entity_spans import (
    Predictions,
    find_white_space,
    span_confidence,
    write_entities,
)
from ..pipes.kept_entities import find_kept, kept_entities
from ..structured.array_chain import Chain, find_entities, hold_to
from ..structured.array_scheme import Scheme
from ..structured.array_spans import are_free, least_values
from ..types import Bools, Floats, Ints
from .attributes import install_attribute
from .encoding import EncodedDocs
from .given_entities import tags_given, tokens_held
from .networks import LoadedNetwork
from .span_choice import choose_spans

# Tokens whose spans are scored at a time, which bounds the memory.
CHUNK_TOKENS = 1024


class EntityHead:
    """Finds entities and writes them, with their probabilities.

    `cfg["shapes"]`: the arguments of `build_shape_embedding_v1` where the head reads the shapes of
    words, too, with the weights in `arrays["shapes"]`; else None.
    """

    def __init__(self, cfg: Dict[str, Any], arrays: Dict[str, Any], network: LoadedNetwork):
        self.cfg = cfg
        self.arrays = arrays
        self.network = network
        self.shapes: Any = None
        if cfg["shapes"] is not None:
            self.shapes = build_shape_embedding_v1(**cfg["shapes"]).from_bytes(arrays["shapes"])
        install_attribute("span", "confidence", span_confidence)

    @property
    def name(self) -> str:
        """That of the component it was."""
        return self.cfg["name"]

    def inputs(self, encoded: EncodedDocs) -> Floats:
        """`[tokens, width]`: what the network reads."""
        vectors = encoded.token_vectors
        if self.shapes is None:
            return vectors
        if not len(vectors):
            width = encoded.width + self.cfg["shapes"]["width"]
            return np.zeros((0, width), dtype=np.float32)
        shapes = np.concatenate(self.shapes.predict(list(encoded.docs)))
        return np.concatenate([vectors, shapes], axis=1)

    def predict(self, encoded: EncodedDocs) -> Predictions:
        """The entities of a batch."""
        raise NotImplementedError

    def annotate(self, encoded: EncodedDocs) -> None:
        """Write `doc.ents` or `doc.spans[spans_key]`, and the group with the scores."""
        found = self.predict(encoded)
        docs, cfg = list(encoded.docs), self.cfg
        kept = kept_entities(docs, cfg, self.name)
        write_entities(docs, found, cfg["labels"], cfg["spans_key"], self.name, kept)


class TaggerHead(EntityHead):
    """`crf_ner`: flat entities. `arrays["chain"]`: of `Chain`; where there is none, every token has
    its best tag."""

    def __init__(self, cfg: Dict[str, Any], arrays: Dict[str, Any], network: LoadedNetwork):
        super().__init__(cfg, arrays, network)
        self.scheme = Scheme(**cfg["scheme"])
        self.chain = Chain(**arrays["chain"]) if "chain" in arrays else None

    def predict(self, encoded: EncodedDocs) -> Predictions:
        (flat,) = self.network.run(vectors=self.inputs(encoded))
        lengths = encoded.token_lengths
        mask = np.arange(lengths.max(initial=0)) < lengths[:, None]
        scores = np.zeros((*mask.shape, flat.shape[1]))
        scores[mask] = flat
        kept = find_kept(encoded.docs, self.cfg, self.name)
        held = None if kept is None else tokens_held(kept, mask.shape)
        if kept is not None and held is not None:
            given = tags_given(kept, held, self.cfg["labels"], self.scheme)
            scores = hold_to(scores, given)
        if self.chain is None:
            spans, probabilities = self.each_alone(scores, mask)
        else:
            space = find_white_space(encoded.docs)
            spans, probabilities = find_entities(
                scores, mask, self.chain, self.scheme, self.cfg["temperature"], space
            )
        chosen = probabilities >= self.cfg["threshold"]
        if held is not None:
            chosen &= ~held[spans[:, 0], spans[:, 1]]
        return Predictions(spans[chosen], probabilities[chosen])

    def each_alone(self, scores: Any, mask: Bools) -> Tuple[Ints, Any]:
        """As `find_entities`, every token by itself: an entity is as probable as its least probable
        tag."""
        if not scores.size:
            return np.zeros((0, 4), dtype=np.int64), np.zeros(0)
        spans = self.scheme.spans(scores.argmax(-1), mask)
        best = soft_max(scores / self.cfg["temperature"]).max(-1)
        return spans, least_values(best, spans)


class SpanHead(EntityHead):
    """`span_ner`: nested entities. `cfg`: `max_width`, `exclusive`; `decoder`, "flat", "nested" or
    "all"."""

    def predict(self, encoded: EncodedDocs) -> Predictions:
        lengths, width = encoded.token_lengths, self.cfg["max_width"]
        text = np.repeat(np.arange(len(lengths)), lengths)
        position = np.arange(len(text)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        room = lengths[text] - position
        vectors = np.pad(self.inputs(encoded), ((0, width - 1), (0, 0)))
        found: List[Ints] = [np.zeros((0, 4), dtype=np.int64)]
        best: List[Floats] = [np.zeros(0, dtype=np.float32)]
        for begin in range(0, len(text), CHUNK_TOKENS):
            stop = min(begin + CHUNK_TOKENS, len(text))
            (scores,) = self.network.run(vectors=vectors[begin : stop + width - 1])
            token, wide, label, probability = self.candidates(scores, room[begin:stop])
            token = token + begin
            start = position[token]
            found.append(np.stack([text[token], start, start + wide + 1, label], axis=1))
            best.append(probability)
        spans, probabilities = np.concatenate(found), np.concatenate(best)
        if self.cfg["decoder"] == "flat":
            kept = find_kept(encoded.docs, self.cfg, self.name)
            if kept is not None:
                taken = tokens_held(kept, (len(lengths), int(lengths.max(initial=0))))
                free = are_free(spans, taken)
                spans, probabilities = spans[free], probabilities[free]
        kept_rows = choose_spans(spans, probabilities, self.cfg["decoder"])
        return Predictions(spans[kept_rows], probabilities[kept_rows])

    def candidates(self, scores: Floats, room: Ints) -> Tuple[Ints, Ints, Ints, Floats]:
        """The spans whose probability reaches the threshold, of exclusive ones the best label's.

        scores: `[n, max_width, classes]`, of the spans that begin at n tokens. room: `[n]`, tokens
        to the end of the text. Returns: token, width less 1, label, probability, `[m]` each.
        """
        scores = scores / self.cfg["temperature"]
        inside = np.arange(scores.shape[1]) < room[:, None]
        if self.cfg["exclusive"]:
            labels = soft_max(scores)[..., 1:]
            best, label = labels.max(-1), labels.argmax(-1)
            token, wide = ((best >= self.cfg["threshold"]) & inside).nonzero()
            return token, wide, label[token, wide], best[token, wide]
        each = sigmoid(scores)
        reached = (each >= self.cfg["threshold"]) & inside[..., None]
        token, wide, label = reached.nonzero()
        return token, wide, label, each[token, wide, label]


def soft_max(scores: Any) -> Any:
    """Probabilities over the last axis."""
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def sigmoid(scores: Any) -> Any:
    """The probability of each by itself."""
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-scores))


def label_thresholds(cfg: Dict[str, Any], labels: Sequence[str]) -> Any:
    """`[labels]`: what the probability of each must reach."""
    return np.array([cfg["thresholds"].get(key, cfg["threshold"]) for key in labels], dtype=float)
