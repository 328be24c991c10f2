"""`sentence_vectors`: `doc.vector`, `span.vector` and `.similarity` from the shared encoder."""

from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple, cast

import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model, torch2xp
from thinc.types import Floats2d
from thinc.util import to_numpy

from ..errors import Errors
from ..gold.opinions import VectorOpinion
from ..gold.targets import Target
from ..log import logger
from ..models.listener import require_encoder_output
from ..models.poolers import token_vectors
from ..models.tensors import join_rows, to_numpy_parts
from ..nn.pooling import segment_mean
from .base import TorchPipe
from .settings import POOLER, default_config
from .vector_hooks import install_vectors, set_sentence_vector, set_vector_hooks

DEFAULT_CONFIG = default_config(
    settings="store_tensor = true",
    scorer="mtnlp.VectorScorer.v1",
    model="""
    @architectures = "mtnlp.SentenceEncoder.v1"
    width = null
    normalize = true
    """,
    tok2vec=POOLER,
    common="",
)


@Language.factory(
    "sentence_vectors",
    default_config=DEFAULT_CONFIG,
    assigns=["doc.tensor", "doc._.sentence_vector"],
    default_score_weights={"vectors_spearman": None, "vectors_pearson": None},
)
def make_sentence_vectors(
    nlp: Language, name: str, model: Model, store_tensor: bool, scorer: Optional[Callable]
) -> "SentenceVectors":
    """Sentence vectors: `doc.vector`, `span.vector`, `.similarity` and `doc._.sentence_vector`.

    A document that holds nothing to read (no text, white space alone, characters without a
    wordpiece) has the vector zero, and `doc.has_vector` is False.

    A DocBin keeps no vectors unless it is made with `DocBin(store_user_data=True)`, and even then
    `doc.vector` of a Doc read from it has length 0 until `mtnlp.restore_vectors(doc)`, which see.

    model: `mtnlp.SentenceEncoder.v1` or a model of its shape.
    store_tensor: also write `doc.tensor`, one row per token. `span.vector` needs it, and so does
        `doc.vector` where spaCy drops its hooks (`nlp.pipe` with n_process > 1). Listeners of
        spaCy's own `tok2vec` read `doc.tensor` too: put this component behind them.
    scorer: `mtnlp.VectorScorer.v1`.
    """
    return SentenceVectors(nlp.vocab, model, name, store_tensor=store_tensor, scorer=scorer)


class VectorBatch(NamedTuple):
    """vectors: `[docs, width]`. rows: `[tokens, width]` per Doc, their mean is the Doc's vector;
    None where they are not stored."""

    vectors: Floats2d
    rows: Optional[List[Floats2d]]


class SentenceVectors(TorchPipe):
    """Pools the shared encoder into one vector per Doc. It has no loss of its own: its vectors are
    those of the encoder as the other components train it."""

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str = "sentence_vectors",
        *,
        store_tensor: bool = True,
        scorer: Optional[Callable] = None,
    ):
        super().__init__(vocab, model, name, scorer=scorer, store_tensor=store_tensor)
        install_vectors()

    def head_sizes(self) -> Dict[str, Any]:
        return {}

    def find_labels(self, examples: Iterable[Example]) -> List[str]:
        return []

    @property
    def task_names(self) -> List[str]:
        return []

    def require_labels(self) -> None:
        """A vector needs no labels."""

    def get_target(self, examples: Sequence[Example]) -> Target:
        nothing = torch.zeros(0)
        return Target(doc_indices=[], target=nothing, mask=nothing.bool(), units=0.0)

    def log_initialized(self, get_examples: Callable[[], Iterable[Example]]) -> None:
        """The log warns of a projection, which nothing trains."""
        linear = self.module.projection.linear
        if linear is not None:
            sizes = {"width": linear.out_features, "own": linear.in_features}
            logger.warning(Errors.W314.format(name=self.name, **sizes))

    @property
    def label_data(self) -> None:  # type: ignore[override]
        """Nothing for `spacy init labels` to write."""
        return None

    def predict(self, docs: Iterable[Doc]) -> VectorBatch:
        """Vectors of Docs, zeros for those that hold nothing to read. Raises: MtnlpError E310
        for Docs without the vectors of the encoder."""
        pooler = self.model.get_ref("tok2vec")
        source, scores = self.encode(list(docs))
        vectors: Any = torch2xp(scores)
        if not self.cfg["store_tensor"]:
            return VectorBatch(vectors, None)
        return VectorBatch(vectors, self.to_rows(token_vectors(pooler, source), scores))

    def encode(self, docs: List[Doc]) -> Tuple[List[Any], torch.Tensor]:
        """What the pooler pools of each Doc, and the vectors, `[docs, width]`. Raises: MtnlpError
        E310 as `predict`."""
        require_encoder_output(self.model, docs, self.name)
        pooler, head = self.model.get_ref("tok2vec"), self.model.get_ref("head")
        source = pooler.get_ref("source").predict(docs)
        output, _ = head.predict(pooler.get_ref("pool").predict(source))
        return source, output.scores

    def opinions(self, docs: Iterable[Doc]) -> List[Optional[VectorOpinion]]:
        """What this pipe, as a teacher, believes of Docs that its pipeline has encoded: their
        vectors, float32 `[width]`. None for a Doc that holds nothing to read.

        Raises: MtnlpError E310 as `predict`.
        """
        _, scores = self.encode(list(docs))
        vectors = scores.float().cpu().numpy()
        return [VectorOpinion(vector.copy()) if vector.any() else None for vector in vectors]

    @torch.no_grad()
    def to_rows(self, rows: List[Floats2d], vectors: torch.Tensor) -> List[Floats2d]:
        """Token rows in the space of the vectors: projected, scaled and shifted so that their mean
        is the vector. The shift is zero for mean pooling, where a span's mean then points where
        the span's own wordpieces do.

        rows: `[tokens, width]` per Doc. vectors: `[docs, out]`. Returns: `[tokens, out]` per Doc.
        """
        projection, device = self.module.projection, self.module.anchor.device
        full = [i for i, part in enumerate(rows) if len(part)]
        if not full:
            return rows
        counts = torch.tensor([len(rows[i]) for i in full])
        doc = torch.arange(len(full)).repeat_interleave(counts).to(device)
        values = join_rows([rows[i] for i in full], rows[full[0]].shape[1], device)
        if projection.linear is not None:
            values = projection.linear(values)
        mean = segment_mean(values, doc, len(full))
        if projection.normalize:
            length = mean.norm(dim=1, keepdim=True).clamp(min=1e-12)
            values, mean = values / length[doc], mean / length
        shifted = values + (vectors[full].to(device) - mean)[doc]
        made = iter(shifted.split(counts.tolist()))
        return [cast(Floats2d, torch2xp(next(made))) if len(part) else part for part in rows]

    def set_annotations(self, docs: Iterable[Doc], predictions: VectorBatch) -> None:
        """Write `doc._.sentence_vector`, the vector hooks and, if wanted, `doc.tensor`."""
        vectors = to_numpy(predictions.vectors)
        rows: Sequence[Any] = [None] * len(vectors)
        if predictions.rows:
            rows = to_numpy_parts(predictions.rows)
        for doc, vector, part in zip(docs, vectors, rows, strict=True):
            set_sentence_vector(doc, vector)
            if part is not None:
                # A view would keep the whole batch alive.
                doc.tensor = part if part.base is None else part.copy()
            set_vector_hooks(doc)
