"""What `crf_ner` and `span_ner` share."""

from typing import Any, Dict, Iterable, List

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..annotation.layers import EntityLayer, entity_layer
from ..gold.entities import gold_labels
from .base import TorchPipe
from .entity_spans import Predictions, write_entities
from .group_names import check_groups
from .kept_entities import kept_entities


class EntityPipe(TorchPipe):
    """Finds entities, each with a score in a SpanGroup, in the layer `cfg["spans_key"]`."""

    learns_from_teachers = True

    @property
    def layer(self) -> EntityLayer:
        return entity_layer(self.cfg["spans_key"])

    def head_sizes(self) -> Dict[str, Any]:
        return {"labels": list(self.labels)}

    def find_labels(self, examples: Iterable[Example]) -> List[str]:
        return gold_labels(examples, self.cfg["spans_key"])

    def check_pipeline(self, nlp: Language) -> None:
        """Raises: MtnlpError E331 where another pipe writes the same SpanGroup."""
        check_groups(nlp)

    def set_annotations(self, docs: Iterable[Doc], predictions: Predictions) -> None:
        """Write `doc.ents` or `doc.spans[spans_key]`, and the group with the scores."""
        docs = list(docs)
        kept = kept_entities(docs, self.cfg, self.name)
        write_entities(docs, predictions, self.labels, self.cfg["spans_key"], self.name, kept)
