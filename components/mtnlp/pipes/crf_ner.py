"""`crf_ner`: flat entities with a probability for each."""

from typing import Callable, ClassVar, Dict, Iterable, List, Optional, Sequence, Tuple, Unpack

import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model

from ..errors import Errors, MtnlpError
from ..gold.entities import tag_targets
from ..gold.opinions import Opinion
from ..gold.soft_entities import soft_tags
from ..gold.soft_targets import SoftTarget
from ..gold.targets import Target
from ..log import logger
from ..models.listener import require_encoder_output
from ..ranges import PROBABILITY, require
from .entity_pipe import EntityPipe
from .entity_spans import Predictions, find_white_space, install_confidence
from .group_names import check_new_group
from .kept_entities import GivenTags, begin_in, find_kept, given_tags
from .nbest import Reading, make_readings
from .opinions import tag_opinions
from .settings import LISTENER, CommonSettings, default_config
from .weighting import Weighting

DEFAULT_CONFIG = default_config(
    settings="""
    spans_key = null
    overwrite_ents = true
    threshold = 0.0
    """,
    scorer="mtnlp.EntityScorer.v1",
    model="""
    @architectures = "mtnlp.TokenClassifier.v1"
    decoder = "crf"
    scheme = "bio"
    hidden = null
    dropout = 0.1
    loss = null
    """,
    tok2vec=LISTENER,
)


@Language.factory(
    "crf_ner",
    default_config=DEFAULT_CONFIG,
    assigns=["doc.ents", "doc.spans", "token.ent_type", "token.ent_iob"],
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
def make_crf_ner(
    nlp: Language,
    name: str,
    model: Model,
    spans_key: Optional[str],
    overwrite_ents: bool,
    threshold: float,
    score_loss: bool,
    task_weight: float,
    weighting: Weighting,
    teacher_weight: float,
    teacher_temperature: float,
    teacher_confidence: float,
    scorer: Optional[Callable],
    min_confidence: Optional[float] = None,
) -> "CRFNER":
    """A tagger of flat entities.

    model: `mtnlp.TokenClassifier.v1` or a model of its shape.
    spans_key: where gold and predictions live: `doc.ents` (None) or `doc.spans[spans_key]`. Of
        gold entities that overlap, those are learnt which `gold.entities.flatten` keeps.
    overwrite_ents: whether entities that are there already, of an `entity_ruler` or another tagger,
        are replaced. If not, they stay as they are, with the score 1.0, and what is found around
        them is the best reading given them, with probabilities given them. Can be changed in a
        trained pipeline: `pipe.cfg["overwrite_ents"]`.
    threshold: the least probability of an entity: less probable ones are not written. Can be
        changed in a trained pipeline: `pipe.cfg["threshold"]`.
    task_weight: λ, how much this component's loss counts; mostly in the shared encoder.
    weighting: "uncertainty" learns it instead.
    teacher_weight: the share of teachers' opinions in the loss of what has gold, too, from 0 to 1.
    teacher_temperature: what scores are divided by where they are compared with a teacher's.
    teacher_confidence: the power of a teacher's largest probability by which its opinion counts
        where there is no gold; 0: always in full.
    score_loss: score the mean loss, too, as `NAME_loss`. Docs then keep the head's inputs for as
        long as they live, so it is for training, not for prediction.
    scorer: `mtnlp.EntityScorer.v1`.
    min_confidence: the earlier name of `threshold`, still read from older configs.
    Raises: MtnlpError E330 for settings out of range, E331 where another pipe of `nlp` writes the
    same SpanGroup, E333 where `threshold` and `min_confidence` contradict each other.
    """
    pipe = CRFNER(
        nlp.vocab,
        model,
        name,
        spans_key=spans_key,
        overwrite_ents=overwrite_ents,
        threshold=read_threshold(name, threshold, min_confidence),
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


def read_threshold(name: str, threshold: float, min_confidence: Optional[float]) -> float:
    """The threshold of a config that may have it under its earlier name; a warning W334 where that
    counts. name: of the component.

    Raises: MtnlpError E330 for an earlier one out of range, E333 where both are set and differ.
    """
    require(name, PROBABILITY, min_confidence=min_confidence)
    if not min_confidence or min_confidence == threshold:
        return threshold
    if threshold:
        raise MtnlpError(Errors.E333.format(name=name, threshold=threshold, earlier=min_confidence))
    logger.warning(
        Errors.W334.format(
            owner=name, earlier="min_confidence", name="threshold", value=min_confidence
        )
    )
    return min_confidence


class CRFNER(EntityPipe):
    """Finds flat entities; each has a score in a SpanGroup, by default its exact probability: that
    of all readings which hold it, with or without white space around it.

    `cfg["temperature"]` divides the scores that probabilities are computed from, in prediction
    alone; it changes no entity. `training.temperature` fits it, `initialize` sets it to 1.0.
    """

    earlier_names: ClassVar[Dict[str, str]] = {
        **EntityPipe.earlier_names,
        "min_confidence": "threshold",
    }

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str = "crf_ner",
        *,
        spans_key: Optional[str] = None,
        overwrite_ents: bool = True,
        threshold: float = 0.0,
        **common: Unpack[CommonSettings],
    ):
        require(name, PROBABILITY, threshold=threshold)
        super().__init__(
            vocab,
            model,
            name,
            spans_key=spans_key,
            overwrite_ents=overwrite_ents,
            threshold=threshold,
            temperature=1.0,
            **common,
        )
        install_confidence()

    def get_target(self, examples: Sequence[Example]) -> Target:
        return tag_targets(examples, self.cfg["spans_key"], self.labels, self.module.scheme)

    def soft_targets(self, examples: Sequence[Example]) -> List[SoftTarget]:
        settings = self.module.scheme, self.cfg["teacher_temperature"]
        return soft_tags(examples, self.name, self.labels, *settings)

    def answered(self, target: Target) -> torch.Tensor:
        return target.mask & (target.target.sum(-1) == 1)

    def has_gold(self, target: Target) -> torch.Tensor:
        partial = target.mask & self.module.scheme.excludes_label(target.target)
        return self.answered(target) | partial

    def split_gold(self, target: Target, taught: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        # The likelihood is of a Doc.
        docs = taught.any(1, keepdim=True)
        return target.mask & ~docs, target.mask & docs

    def predict(self, docs: Iterable[Doc]) -> Predictions:
        """The entities of the batch and their probabilities. Raises: MtnlpError E310 for Docs
        without the vectors of the encoder."""
        self.take_over_earlier_names()
        docs = list(docs)
        require_encoder_output(self.model, docs, self.name)
        output, mask = self.model.predict(docs)
        space = find_white_space(docs)
        found = None if space is None else torch.from_numpy(space).to(mask.device)
        given = self.find_given(docs, mask)
        settings = self.cfg["temperature"], found
        if given is None:
            spans, probabilities = self.module.decode(output.scores, mask, *settings)
        else:
            spans, probabilities = self.module.decode(
                output.scores, mask, *settings, allowed=given.allowed
            )
        kept = probabilities >= self.cfg["threshold"]
        if given is not None:
            kept &= ~begin_in(spans, given.held)
        return Predictions(spans[kept].cpu().numpy(), probabilities[kept].cpu().numpy())

    def find_given(self, docs: Sequence[Doc], mask: torch.Tensor) -> Optional[GivenTags]:
        """What `overwrite_ents = false` keeps on a batch of Docs, as a condition; None where that
        is nothing. mask: bool `[docs, tokens]`."""
        kept = find_kept(docs, self.cfg, self.name)
        return None if kept is None else given_tags(kept, mask, self.labels, self.module.scheme)

    def opinions(self, docs: Sequence[Doc]) -> List[Optional[Opinion]]:
        """What the head believes of some Docs, for a student to learn: the probability of each tag
        at each token, at `cfg["temperature"]`, whatever `overwrite_ents` keeps; None of a Doc
        without tokens.

        docs: they carry the encoder's vectors. Raises: MtnlpError E310 for Docs without them.
        """
        require_encoder_output(self.model, docs, self.name)
        output, mask = self.model.predict(list(docs))
        found = self.module.marginals(output.scores, mask, self.cfg["temperature"])
        tags = self.module.scheme.tags(list(self.labels))
        return [*tag_opinions(tags, found.cpu().numpy(), [len(doc) for doc in docs])]

    def nbest(self, docs: Iterable[Doc], k: int) -> List[List[Reading]]:
        """The k most probable readings of each Doc, best first; fewer where there are not as many.
        What `overwrite_ents = false` keeps is a part of all, and the condition of their
        probabilities.

        docs: they carry the encoder's vectors, so no `trf_data_cleaner` has run on them.
        Raises: MtnlpError E233 for a softmax head, E234 for a k below 1, E310 for Docs without
        vectors.
        """
        docs = list(docs)
        require_encoder_output(self.model, docs, self.name)
        output, mask = self.model.predict(docs)
        temperature = self.cfg["temperature"]
        given = self.find_given(docs, mask)
        if given is None:
            spans, log_probabilities = self.module.nbest(output.scores, mask, k, temperature)
        else:
            spans, log_probabilities = self.module.nbest(
                output.scores, mask, k, temperature, allowed=given.allowed
            )
            spans = spans[~begin_in(spans, given.held.repeat_interleave(k, dim=0))]
        kept = None if given is None else given.kept
        return make_readings(
            docs, spans.cpu().numpy(), log_probabilities.cpu().numpy(), self.labels, kept
        )
