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
from ..nn.projection import l2_normalize
from .base import TorchPipe
from .pooled_sides import Pooled, doc_means, join_rows_of_sides, pool_sides, rows_of_sides
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
        spaCy's own `tok2vec` read `doc.tensor` too: put this component behind them. A document
        that holds a pair of sentences has it in any case: its sides have their vectors there.
    scorer: `mtnlp.VectorScorer.v1`.
    """
    return SentenceVectors(nlp.vocab, model, name, store_tensor=store_tensor, scorer=scorer)


class VectorBatch(NamedTuple):
    """vectors: `[docs, width]`. rows: `[tokens, width]` per Doc, their mean is the Doc's vector;
    None where they are not stored: of no Doc, or not of this one."""

    vectors: Floats2d
    rows: Optional[Sequence[Optional[Floats2d]]]


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
        docs = list(docs)
        pooled, scores = self.encode(docs)
        of_docs = self.doc_vectors(scores, pooled.counts)
        vectors: Any = torch2xp(of_docs)
        has_pairs = len(scores) != len(docs)
        if not self.cfg["store_tensor"] and not has_pairs:
            return VectorBatch(vectors, None)
        pooler = self.model.get_ref("tok2vec")
        if not has_pairs:
            return VectorBatch(vectors, self.to_rows(token_vectors(pooler, pooled.source), scores))
        rows = self.to_rows(rows_of_sides(pooler, pooled, docs), scores)
        by_doc: List[Any] = join_rows_of_sides(rows, docs, pooled.counts, vectors)
        if not self.cfg["store_tensor"]:
            by_doc = [
                part if count > 1 else None
                for part, count in zip(by_doc, pooled.counts, strict=True)
            ]
        return VectorBatch(vectors, by_doc)

    def encode(self, docs: List[Doc]) -> Tuple[Pooled, torch.Tensor]:
        """What the pooler makes of Docs, and the vectors of its rows, `[rows, width]`. Raises:
        MtnlpError E310 as `predict`."""
        require_encoder_output(self.model, docs, self.name)
        pooled = pool_sides(self.model.get_ref("tok2vec"), docs)
        output, _ = self.model.get_ref("head").predict(pooled.vectors)
        return pooled, output.scores

    def doc_vectors(self, vectors: torch.Tensor, counts: Sequence[int]) -> torch.Tensor:
        """`[docs, width]`: of a Doc with several sides their mean, scaled as they are. vectors:
        `[rows, width]`. counts: `[docs]` rows of each."""
        if len(counts) == len(vectors):
            return vectors
        means = doc_means(vectors, counts)
        return l2_normalize(means) if self.module.projection.normalize else means

    def opinions(self, docs: Iterable[Doc]) -> List[Optional[VectorOpinion]]:
        """What this pipe, as a teacher, believes of Docs that its pipeline has encoded: their
        vectors, float32 `[width]`. None for a Doc that holds nothing to read.

        Raises: MtnlpError E310 as `predict`.
        """
        pooled, scores = self.encode(list(docs))
        vectors = self.doc_vectors(scores, pooled.counts).float().cpu().numpy()
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
            kept = iter(to_numpy_parts([part for part in predictions.rows if part is not None]))
            rows = [None if part is None else next(kept) for part in predictions.rows]
        for doc, vector, part in zip(docs, vectors, rows, strict=True):
            set_sentence_vector(doc, vector)
            if part is not None:
                # A view would keep the whole batch alive.
                doc.tensor = part if part.base is None else part.copy()
            set_vector_hooks(doc)
