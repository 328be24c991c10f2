"""The encoders of a pipeline, made ready to be trained."""

from typing import Collection, Iterator

from spacy.language import Language
from spacy_transformers.layers.transformer_model import TransformerModel
from thinc.api import Model

from ..models.windowed_model import WindowedTransformerModel
from ..pipes.upstream import release_encoders


def encoder_models(nlp: Language, frozen: Collection[str] = ()) -> Iterator[TransformerModel]:
    """The models of all transformers: the shared one's, and those that components have to
    themselves. frozen: components whose models are left out."""
    for name, pipe in nlp.pipeline:
        model = getattr(pipe, "model", None)
        if isinstance(model, Model) and name not in frozen:
            yield from (node for node in model.walk() if isinstance(node, TransformerModel))


def prepare_encoders(nlp: Language, frozen: Collection[str] = ()) -> None:
    """Attach the adapters and freeze the encoders that their configs ask for, once.

    A component with a `source` is not initialised, and without this it has no adapter before its
    first batch: whoever looks for its weights until then finds others than those that train.

    frozen: components that are not trained. Raises: MtnlpError E270 and E272 as the adapter does.
    """
    for model in encoder_models(nlp, frozen):
        if isinstance(model, WindowedTransformerModel):
            model.prepare_training()
    release_encoders(nlp, list(frozen))
