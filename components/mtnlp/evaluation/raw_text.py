"""Entity scores of token corpora on raw text, as a user would send it.

A token corpus is scored on its own gold tokens. Here its tokens are joined into text as they
would be written, the pipeline tokenises that text itself, and entities are compared by
characters: what tokenisation costs shows as the difference between the two scores.
"""

from typing import Any, Dict, List, Optional, Set, Tuple

from spacy.language import Language
from spacy.tokens import Doc

from ..annotation.layers import EntityLayer, entity_layer
from ..data.detokenize import spaces
from ..scorers.entities import SpanKey
from .intervals import bootstrap_interval
from .spans import document_counts, span_metrics


class RawTextEvaluation:
    """Collects gold and predicted entities of several layers, by characters.

    layers: pipe name to the `spans_key` of its layer (None for `doc.ents`).
    """

    def __init__(self, layers: Dict[str, Optional[str]]) -> None:
        self._layers = {name: entity_layer(key) for name, key in layers.items()}
        self._gold: Dict[str, List[Set[SpanKey]]] = {name: [] for name in layers}
        self._predicted: Dict[str, List[Set[SpanKey]]] = {name: [] for name in layers}

    def add(self, nlp: Language, references: List[Doc]) -> None:
        """Run the pipeline on the detokenised token documents among one chunk.

        Documents with a token that has no annotation in `doc.ents` are left out: what is said
        of it is neither right nor wrong, and characters do not tell.
        """
        chosen = [doc for doc in references if doc.has_unknown_spaces and self._wanted(doc)]
        texts = [detokenized(doc) for doc in chosen]
        docs = nlp.pipe([nlp.make_doc(text) for text, _ in texts], batch_size=max(1, len(texts)))
        for reference, (_, starts), doc in zip(chosen, texts, docs, strict=True):
            for name, layer in self._layers.items():
                if layer.is_complete(reference):
                    self._gold[name].append(_shifted(reference, layer, starts))
                    self._predicted[name].append(_characters(doc, layer))

    def result(self, samples: int, seed: int) -> Dict[str, Dict[str, Any]]:
        """Returns: by pipe, {"documents", "entities", "micro", "f_interval", "macro"}.

        Pipes whose layer no token document annotates are left out.
        """
        result = {}
        for name in self._layers:
            gold, predicted = self._gold[name], self._predicted[name]
            if not gold:
                continue
            counts = document_counts(gold, predicted)
            metrics = span_metrics(gold, predicted)
            del metrics["per_type"]
            interval = bootstrap_interval(counts, samples=samples, seed=seed)
            result[name] = {"documents": len(gold), **metrics, "f_interval": list(interval)}
        return result

    def _wanted(self, doc: Doc) -> bool:
        return any(layer.is_complete(doc) for layer in self._layers.values())


def detokenized(doc: Doc) -> Tuple[str, List[int]]:
    """The text a token document may have had, and where each token begins in it."""
    words = [token.text for token in doc]
    text, starts = "", []
    for word, space in zip(words, spaces(words), strict=True):
        starts.append(len(text))
        text += word + (" " if space else "")
    return text, starts


def _shifted(doc: Doc, layer: EntityLayer, starts: List[int]) -> Set[SpanKey]:
    """Gold entities by characters of the detokenised text."""
    return {
        (starts[span.start], starts[span.end - 1] + len(doc[span.end - 1]), span.label_)
        for span in layer.spans(doc)
    }


def _characters(doc: Doc, layer: EntityLayer) -> Set[SpanKey]:
    return {(span.start_char, span.end_char, span.label_) for span in layer.spans(doc)}
