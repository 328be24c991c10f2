"""Whether the vectors of a shared encoder reach the component that listens to it, and gradients the
encoder."""

from typing import Any, List, NamedTuple, Optional, Sequence

from spacy.language import Language
from spacy.pipeline.functions import DocCleaner
from spacy.pipeline.tok2vec import Tok2Vec, Tok2VecListener
from spacy.tokens import Doc
from spacy_transformers.layers import TransformerListener
from spacy_transformers.pipeline_component import Transformer
from thinc.api import Model

from ..errors import Errors, MtnlpError
from ..log import logger
from ..models.listener import ENCODED


class Source(NamedTuple):
    """What a kind of listener listens to.

    listener: the layer. component: the class of the encoder's component. factory: its name.
    attribute: where the vectors lie on a Doc, as `doc_cleaner` calls it.
    """

    listener: type
    component: type
    factory: str
    attribute: str


SOURCES = (
    Source(TransformerListener, Transformer, "transformer", "_.trf_data"),
    Source(Tok2VecListener, Tok2Vec, "tok2vec", "tensor"),
)


def require_upstream(model: Model, docs: Sequence[Doc], name: str, nlp: Optional[Language]) -> None:
    """Check the order of the components, before a listener is asked for a width it cannot know.

    model: of the component called `name`. docs: those it is initialised with; where all carry
    their vectors already, a listener that knows their width needs no encoder. nlp: None where it
    is not known.

    Raises: MtnlpError E311 where the pipeline has no encoder to listen to, E312 where it stands
    behind the component, E313 where a cleaner takes the vectors away before they are read.
    """
    if nlp is None or name not in nlp.component_names:
        return
    for node in model.walk():
        for source in SOURCES:
            if not isinstance(node, source.listener):
                continue
            is_encoded = ENCODED[source.listener]
            if not (node.has_dim("nO") and all(is_encoded(doc) for doc in docs)):
                check_order(nlp, name, source, str(getattr(node, "upstream_name", "*")))


def check_order(nlp: Language, name: str, source: Source, upstream: str) -> None:
    """Raises as `require_upstream`. upstream: the name of the encoder's component, or "*"."""
    names = nlp.component_names
    encoders = [found for found, pipe in nlp.components if isinstance(pipe, source.component)]
    fitting = [found for found in encoders if upstream in ("*", found)]
    if not fitting:
        found = ", ".join(encoders) or "none"
        raise MtnlpError(
            Errors.E311.format(name=name, upstream=upstream, kind=source.factory, found=found)
        )
    before = [found for found in fitting if names.index(found) < names.index(name)]
    if not before:
        raise MtnlpError(Errors.E312.format(name=name, found=fitting[0]))
    for cleaner in cleaners(nlp, source.attribute):
        if names.index(before[-1]) < names.index(cleaner) < names.index(name):
            raise MtnlpError(Errors.E313.format(name=name, found=before[-1], cleaner=cleaner))


def release_encoders(nlp: Language, frozen: Sequence[str]) -> None:
    """Have components that are not trained listen no more to an encoder that is; they predict from
    what it leaves on Docs, as ever.

    An encoder waits for the gradient of its last listener. That of a component that is not trained
    never comes, and without a word of spaCy the encoder would stay as it is: so it is where encoder
    and listener come from another pipeline, since spaCy links such no second time.

    frozen: the components that are not trained.
    """
    for name, pipe in nlp.components:
        encoder: Any = pipe
        if name in frozen or not is_encoder(encoder):
            continue
        for other in sorted(set(frozen) & set(encoder.listener_map)):
            for listener in list(encoder.listener_map[other]):
                encoder.remove_listener(listener, other)
            logger.info("'%s' is frozen: '%s' is trained without waiting for it", other, name)


def is_encoder(pipe: Any) -> bool:
    """Whether other components read what a component computes of tokens."""
    return hasattr(pipe, "listener_map")


def cleaners(nlp: Language, attribute: str) -> List[str]:
    """The names of the enabled components that take an attribute away from Docs."""
    return [
        name
        for name, pipe in nlp.pipeline
        if isinstance(pipe, DocCleaner) and attribute in pipe.cfg["attrs"]
    ]
