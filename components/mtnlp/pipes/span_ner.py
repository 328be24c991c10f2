"""`span_ner`: nested entities with a probability for each."""

from typing import Callable, Iterable, List, Optional, Sequence, Tuple, Union, Unpack

import numpy as np
import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model

from ..errors import Errors, MtnlpError
from ..gold.opinions import Opinion
from ..gold.soft_entities import soft_spans
from ..gold.soft_targets import SoftTarget
from ..gold.spans import get_spans, span_targets
from ..gold.targets import Target
from ..log import logger
from ..models.listener import require_encoder_output
from ..models.registered import find_span_decoder
from ..models.span_classifier import find_beliefs, find_spans
from ..ranges import PROBABILITY, require
from .entity_pipe import EntityPipe
from .entity_spans import Predictions, install_confidence
from .group_names import check_new_group
from .kept_entities import find_kept, held_tokens
from .opinions import LEAST, span_opinions
from .settings import LISTENER, CommonSettings, default_config
from .weighting import Weighting

DEFAULT_CONFIG = default_config(
    settings="""
    spans_key = "sc"
    overwrite_ents = true
    decoder = "nested"
    threshold = 0.5
    """,
    scorer="mtnlp.EntityScorer.v1",
    model="""
    @architectures = "mtnlp.SpanClassifier.v1"
    max_width = 8
    exclusive = true
    hidden = null
    dropout = 0.1
    loss = null
    chunk_size = 1024

    [pipe.model.scorer]
    @layers = "mtnlp.BiaffineScorer.v1"
    hidden = 150
    dropout = 0.1
    """,
    tok2vec=LISTENER,
)


@Language.factory(
    "span_ner",
    default_config=DEFAULT_CONFIG,
    assigns=["doc.spans", "doc.ents", "token.ent_type", "token.ent_iob"],
    default_score_weights={
        "spans_sc_f": 1.0,
        "spans_sc_p": 0.0,
        "spans_sc_r": 0.0,
        "spans_sc_per_type": None,
    },
)
def make_span_ner(
    nlp: Language,
    name: str,
    model: Model,
    spans_key: Optional[str],
    overwrite_ents: bool,
    decoder: Union[str, Callable],
    threshold: float,
    score_loss: bool,
    task_weight: float,
    weighting: Weighting,
    teacher_weight: float,
    teacher_temperature: float,
    teacher_confidence: float,
    scorer: Optional[Callable],
) -> "SpanNER":
    """A classifier of all spans up to a width.

    model: `mtnlp.SpanClassifier.v1` or a model of its shape.
    spans_key: where gold and predictions live: `doc.spans[spans_key]`, or `doc.ents` (None), with
        the decoder "flat" alone.
    overwrite_ents: whether spans that are there already are replaced. If not, they stay as they
        are, with the score 1.0: with the decoder "flat" nothing is found that overlaps one, with
        the others all is found but the very same span with the same label. Can be changed in a
        trained pipeline: `pipe.cfg["overwrite_ents"]`.
    decoder: which of the spans found stay. "flat": best first, none that overlap; "nested": best
        first, none that cross; "all"; or the name or `@layers` block of another one (see
        `structured.span_decoding`). In a trained pipeline the name can be changed:
        `pipe.cfg["decoder"]`; it is null where the decoder is that of the block.
    threshold: the least probability of an entity. Can be changed in a trained pipeline:
        `pipe.cfg["threshold"]`.
    task_weight: λ, how much this component's loss counts; mostly in the shared encoder.
    weighting: "uncertainty" learns it instead.
    teacher_weight: the share of teachers' opinions in the loss of what has gold, too, from 0 to 1.
    teacher_temperature: what scores are divided by where they are compared with a teacher's.
    teacher_confidence: the power of a teacher's largest probability by which its opinion counts
        where there is no gold; 0: always in full.
    score_loss: score the mean loss, too, as `NAME_loss`. Docs then keep the head's inputs for as
        long as they live, so it is for training, not for prediction.
    scorer: `mtnlp.EntityScorer.v1`.
    Raises: MtnlpError E330 for settings out of range, E331 where another pipe of `nlp` writes the
    same SpanGroup.
    """
    pipe = SpanNER(
        nlp.vocab,
        model,
        name,
        spans_key=spans_key,
        overwrite_ents=overwrite_ents,
        decoder=decoder,
        threshold=threshold,
        score_loss=score_loss,
        task_weight=task_weight,
        weighting=weighting,
        teacher_weight=teacher_weight,
        teacher_temperature=teacher_temperature,
        teacher_confidence=teacher_confidence,
        scorer=scorer,
    )
    check_new_group(nlp, name, pipe.cfg)
    return pipe


class SpanNER(EntityPipe):
    """Finds entities within entities; each has its probability in the SpanGroup.

    `cfg["temperature"]` divides the scores that probabilities are computed from, in prediction
    alone. The threshold is of these probabilities, so where spans are exclusive another temperature
    may let other entities pass. `training.temperature` fits it, `initialize` sets it to 1.0.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str = "span_ner",
        *,
        spans_key: Optional[str] = "sc",
        overwrite_ents: bool = True,
        decoder: Union[str, Callable] = "nested",
        threshold: float = 0.5,
        **common: Unpack[CommonSettings],
    ):
        """Arguments as for `make_span_ner`. Raises: MtnlpError E230 for an unknown decoder, E231
        where nested entities were to go into `doc.ents`, E330 for a threshold that is no
        probability."""
        require(name, PROBABILITY, threshold=threshold)
        super().__init__(
            vocab,
            model,
            name,
            spans_key=spans_key,
            overwrite_ents=overwrite_ents,
            decoder=decoder if isinstance(decoder, str) else None,
            threshold=threshold,
            temperature=1.0,
            **common,
        )
        self.own_decoder = find_span_decoder(decoder)
        if spans_key is None and not self.is_flat:
            raise MtnlpError(Errors.E231.format(name=name))
        install_confidence()

    @property
    def decoder(self) -> Callable:
        """The span decoder that `cfg` names, else that of the config's block. Raises: MtnlpError
        E230 for an unknown name."""
        name = self.cfg["decoder"]
        return self.own_decoder if name is None else find_span_decoder(name)

    @property
    def is_flat(self) -> bool:
        """Whether no two of the spans that the decoder leaves overlap."""
        return bool(getattr(self.decoder, "is_flat", False))

    def get_target(self, examples: Sequence[Example]) -> Target:
        head = self.module
        return span_targets(
            examples, self.cfg["spans_key"], self.labels, head.max_width, head.exclusive
        )

    def soft_targets(self, examples: Sequence[Example]) -> List[SoftTarget]:
        head = self.module
        settings = head.max_width, head.exclusive, self.cfg["teacher_temperature"]
        return soft_spans(examples, self.name, self.labels, *settings)

    def answered(self, target: Target) -> torch.Tensor:
        return self.module.known_classes(target.target, self.has_gold(target))[1]

    def has_gold(self, target: Target) -> torch.Tensor:
        if self.module.exclusive or target.mask.dim() == target.target.dim():
            return target.mask
        return target.mask.unsqueeze(-1)

    def split_gold(self, target: Target, taught: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        known = self.has_gold(target)
        return known & ~taught, known & taught

    def count_units(self, mask: torch.Tensor) -> List[float]:
        # As in gold, tokens: those that a span begins at.
        return [float(mask.flatten(2).any(2).sum())]

    def log_initialized(self, get_examples: Callable[[], Iterable[Example]]) -> None:
        """The log says how many entities are too wide to be found."""
        max_width = self.module.max_width
        widths = np.array(self.gold_widths(get_examples()), dtype=int)
        wide, entities = int((widths > max_width).sum()), len(widths)
        logger.info(
            "%s: %d of %d gold entities (%.1f%%) have more than max_width = %d words and cannot "
            "be found",
            *(self.name, wide, entities, 100 * wide / max(1, entities), max_width),
        )

    def gold_widths(self, examples: Iterable[Example]) -> List[int]:
        """The words of each gold entity."""
        label_index = {label: i for i, label in enumerate(self.labels)}
        golds = (get_spans(example, self.cfg["spans_key"], label_index) for example in examples)
        return [end - start for gold in golds if gold for start, end, _ in gold.spans]

    def predict(self, docs: Iterable[Doc]) -> Predictions:
        """The entities of the batch and their probabilities. Raises: MtnlpError E310 for Docs
        without the vectors of the encoder."""
        docs = list(docs)
        require_encoder_output(self.model, docs, self.name)
        vectors = self.model.get_ref("tok2vec").predict(docs)
        settings = self.decoder, self.cfg["threshold"], self.cfg["temperature"]
        taken = self.find_taken(docs)
        spans, probabilities = find_spans(self.model.get_ref("head"), vectors, *settings, taken)
        return Predictions(spans.numpy(), probabilities.numpy())

    def opinions(self, docs: Sequence[Doc]) -> List[Optional[Opinion]]:
        """What the head believes of some Docs, for a student to learn: the probability of each
        label of each span, at `cfg["temperature"]`, whatever the threshold, the decoder and
        `overwrite_ents` leave of them; None of a Doc without tokens.

        docs: they carry the encoder's vectors. Raises: MtnlpError E310 for Docs without them.
        """
        require_encoder_output(self.model, docs, self.name)
        vectors = self.model.get_ref("tok2vec").predict(list(docs))
        head, temperature = self.model.get_ref("head"), self.cfg["temperature"]
        spans, each = find_beliefs(head, vectors, LEAST, temperature)
        lengths = [len(doc) for doc in docs]
        found = spans.cpu().numpy(), each.cpu().numpy()
        return [*span_opinions(self.labels, *found, lengths, self.module.max_width)]

    def find_taken(self, docs: Sequence[Doc]) -> Optional[torch.Tensor]:
        """bool `[docs, tokens]`: what flat entities may not hold, since `overwrite_ents = false`
        keeps other entities there; None where nothing is kept or entities may overlap."""
        if not self.is_flat:
            return None
        kept = find_kept(docs, self.cfg, self.name)
        return None if kept is None else held_tokens(kept, (len(docs), max(map(len, docs))))
