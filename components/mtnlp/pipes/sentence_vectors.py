"""`sentence_vectors`: `doc.vector`, `span.vector` and `.similarity` from the shared encoder."""

from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Unpack,
    cast,
)

import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model, torch2xp
from thinc.types import Floats2d
from thinc.util import to_numpy

from ..errors import Errors, MtnlpError
from ..gold.opinions import VectorOpinion
from ..models.poolers import token_vectors
from ..models.tensors import join_rows, to_numpy_parts
from ..nn.pooling import segment_mean
from ..nn.projection import l2_normalize
from .objectives.base import Objective
from .pooled_sides import (
    doc_means,
    join_rows_of_sides,
    rows_of_sides,
)
from .settings import POOLER, CommonSettings, default_config
from .trained_vectors import TrainedVectors
from .vector_hooks import install_vectors, set_sentence_vector, set_vector_hooks
from .weighting import Weighting

DEFAULT_CONFIG = default_config(
    settings="""
    store_tensor = true
    objectives = {}
    dims = []
    """,
    scorer="mtnlp.VectorScorer.v1",
    model="""
    @architectures = "mtnlp.SentenceEncoder.v1"
    width = null
    normalize = true
    """,
    tok2vec=POOLER,
    common="""
    task_weight = 1.0
    weighting = "static"
    """,
)


@Language.factory(
    "sentence_vectors",
    default_config=DEFAULT_CONFIG,
    assigns=["doc.tensor", "doc._.sentence_vector"],
    default_score_weights={"vectors_spearman": None, "vectors_pearson": None},
)
def make_sentence_vectors(
    nlp: Language,
    name: str,
    model: Model,
    store_tensor: bool,
    objectives: Dict[str, Any],
    dims: List[int],
    task_weight: float,
    weighting: Weighting,
    scorer: Optional[Callable],
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
    objectives: what the vectors are trained by, a block each, of any name:
        `[components.sentence_vectors.objectives.NAME]` with `@misc = "mtnlp.AnchorObjective.v1"`,
        `"mtnlp.ContrastiveObjective.v1"`, `"mtnlp.PairRegression.v1"`, `"mtnlp.CoSENT.v1"` or
        `"mtnlp.MultipleNegatives.v1"`. They add up, every unit (a document, a pair) alike unless
        their `weight` says otherwise. Without any the component has no loss, and its vectors are
        those of the encoder as the other components train it.
    dims: widths, such as [64, 128]: each objective is computed on these prefixes of the vectors as
        well, and the mean of all is the loss (Matryoshka representation learning: Kusupati et al.,
        2022). `doc.vector` stays whole; `mtnlp.vectors(docs, dim=64)` gives the prefix.
    task_weight: λ, how much this component's loss counts; mostly in the shared encoder.
    weighting: "uncertainty" learns a weight for each objective instead.
    scorer: `mtnlp.VectorScorer.v1`.
    Raises: MtnlpError E330 for a prefix below 1, E440 and E441 for weights, E754 for what is no
    objective; when the head is built, E758 for a prefix beyond the width.
    """
    return SentenceVectors(
        nlp.vocab,
        model,
        name,
        store_tensor=store_tensor,
        objectives=objectives,
        dims=dims,
        task_weight=task_weight,
        weighting=weighting,
        scorer=scorer,
    )


class VectorBatch(NamedTuple):
    """vectors: `[docs, width]`. rows: `[tokens, width]` per Doc, their mean is the Doc's vector;
    None where they are not stored: of no Doc, or not of this one."""

    vectors: Floats2d
    rows: Optional[Sequence[Optional[Floats2d]]]


class SentenceVectors(TrainedVectors):
    """Pools the shared encoder into one vector per Doc.

    Its tasks are its objectives: see `objectives.base`. A row of the head is a Doc or, where that
    holds several texts, one of them: see `pooled_sides`.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str = "sentence_vectors",
        *,
        store_tensor: bool = True,
        objectives: Optional[Mapping[str, Objective]] = None,
        dims: Sequence[int] = (),
        **common: Unpack[CommonSettings],
    ):
        """Arguments as for the factory. Raises: MtnlpError E330, E440, E441, E754."""
        super().__init__(vocab, model, name, objectives or {}, dims, store_tensor, **common)
        install_vectors()

    def head_sizes(self) -> Dict[str, Any]:
        return {}

    def find_labels(self, examples: Iterable[Example]) -> List[str]:
        return []

    def require_labels(self) -> None:
        """A vector needs no labels."""

    def add_label(self, label: str) -> int:
        """Raises: MtnlpError E782."""
        raise MtnlpError(Errors.E782.format(name=self.name, labels=label))

    def grow(self, labels: Iterable[str]) -> List[str]:
        """Raises: MtnlpError E782."""
        raise MtnlpError(Errors.E782.format(name=self.name, labels=", ".join(labels)))

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
