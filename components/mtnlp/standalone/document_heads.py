"""What says something of whole documents: categories, events, vectors."""

from typing import Any, Dict, List

import numpy as np

from ..annotation.categories import category_keys
from ..pipes.classifier import doc_tasks
from ..pipes.event_textcat import get_events, set_events
from ..pipes.vector_hooks import set_sentence_vector, set_vector_hooks
from ..types import Floats
from .attributes import install_attribute
from .encoding import EncodedDocs
from .heads import label_thresholds, sigmoid, soft_max
from .networks import LoadedNetwork
from .pooling_arrays import DocPooler


class ClassifierHead:
    """`multitask_textcat`, and `event_textcat` where `cfg["events"]` is True. `cfg["tasks"]`: each
    task's labels and whether it is exclusive; `cfg["pooler"]`: as in `DocPooler`."""

    def __init__(self, cfg: Dict[str, Any], arrays: Dict[str, Any], network: LoadedNetwork):
        self.cfg = cfg
        self.arrays = arrays
        self.network = network
        self.pooler = DocPooler(cfg["pooler"], arrays.get("query"))
        self.labels = category_keys(cfg["tasks"])
        install_attribute("doc", "tasks", doc_tasks)
        if cfg["events"]:
            install_attribute("doc", "events", get_events, set_events)

    def predict(self, encoded: EncodedDocs) -> Any:
        """Probabilities `[docs, labels]`, zeros for Docs that hold nothing to read."""
        vectors = self.pooler(encoded)
        has_text = vectors.any(1)
        probabilities = np.zeros((len(vectors), len(self.labels)), dtype=np.float32)
        if has_text.any():
            (scores,) = self.network.run(vectors=vectors[has_text])
            probabilities[has_text] = self.probabilities(scores)
        return probabilities

    def probabilities(self, scores: Floats) -> Any:
        """`[docs, labels]` both."""
        parts, begin = [], 0
        for name, task in self.cfg["tasks"].items():
            part = scores[:, begin : begin + len(task["labels"])]
            part = part / np.float32(self.cfg["temperatures"].get(name, 1.0))
            parts.append(soft_max(part) if task["exclusive"] else sigmoid(part))
            begin += len(task["labels"])
        return np.concatenate(parts, axis=1)

    def annotate(self, encoded: EncodedDocs) -> None:
        """Write `doc.cats` and, where they are asked for, `doc._.events`."""
        probabilities = self.predict(encoded)
        for doc, row in zip(encoded.docs, probabilities.tolist(), strict=True):
            doc.cats.update(zip(self.labels, row, strict=True))
        if not self.cfg["events"]:
            return
        names = [label for task in self.cfg["tasks"].values() for label in task["labels"]]
        limits = label_thresholds(self.cfg, self.labels)
        reported = (probabilities >= limits) & (probabilities > 0)
        for doc, flags in zip(encoded.docs, reported, strict=True):
            set_events(doc, [names[i] for i in np.flatnonzero(flags)])


class VectorHead:
    """`sentence_vectors`. `cfg`: `normalize`, `store_tensor`, `pooler`. arrays: `projection`,
    `[out, width]`, where there is one."""

    def __init__(self, cfg: Dict[str, Any], arrays: Dict[str, Any], network: Any = None):
        self.cfg = cfg
        self.arrays = arrays
        self.network = None
        self.pooler = DocPooler(cfg["pooler"], arrays.get("query"))
        install_attribute("doc", "sentence_vector")

    def annotate(self, encoded: EncodedDocs) -> None:
        """Write `doc._.sentence_vector`, the vector hooks and, if wanted, `doc.tensor`."""
        vectors: Any = self.project(self.pooler(encoded))
        if self.cfg["normalize"]:
            norms = np.linalg.norm(vectors, axis=1, keepdims=True)
            vectors = vectors / np.where(norms > 0, norms, np.float32(1.0))
        for doc, vector in zip(encoded.docs, vectors, strict=True):
            set_sentence_vector(doc, vector)
            set_vector_hooks(doc)
        if self.cfg["store_tensor"]:
            rows: List[Floats] = self.pooler.token_rows(encoded)
            for doc, part, vector in zip(encoded.docs, rows, vectors, strict=True):
                rows_of_doc: Any = self.to_rows(part, vector) if len(part) else part[:, :0]
                doc.tensor = rows_of_doc

    def project(self, values: Floats) -> Floats:
        """`[..., width]` to `[..., out]`."""
        projection = self.arrays.get("projection")
        projected: Floats = values if projection is None else values @ projection.T
        return projected

    def to_rows(self, rows: Floats, vector: Floats) -> Floats:
        """Token rows `[tokens, width]`, projected, scaled and shifted so that their mean is the
        vector, `[out]`."""
        values: Any = self.project(rows)
        if self.cfg["normalize"]:
            values = values / np.maximum(np.linalg.norm(values.mean(0)), np.float32(1e-12))
        shifted: Floats = values + (vector - values.mean(0))
        return shifted
