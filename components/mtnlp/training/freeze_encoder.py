"""Train on top of an encoder from another pipeline as it is: `mtnlp.FreezeEncoder.v1`."""

from typing import Callable

from spacy.language import Language

from ..errors import Errors, MtnlpError
from ..models.windowed_model import WindowedTransformerModel
from ..ranges import COUNT, require


def create_freeze_encoder_v1(
    component: str = "transformer", cache_size: int = 1024
) -> Callable[[Language], None]:
    """A callback for `[initialize.after_init]`: freezes an encoder, and keeps its features.

    A component with a `source` brings its own settings, so `frozen = true` of
    `mtnlp.TransformerModel.v1` cannot be given there. Whether the component is listed under
    `frozen_components` and `annotating_components` or not, each text is encoded once.

    component: name of the transformer component.
    cache_size: as in `mtnlp.TransformerModel.v1`.

    Raises: MtnlpError E330 for a negative cache_size.
    """
    require("mtnlp.FreezeEncoder.v1", COUNT, cache_size=cache_size)

    def freeze_encoder(nlp: Language) -> None:
        models = {name: getattr(pipe, "model", None) for name, pipe in nlp.components}
        ours = {
            name: model
            for name, model in models.items()
            if isinstance(model, WindowedTransformerModel)
        }
        if component not in ours:
            raise MtnlpError(Errors.E274.format(name=component, found=", ".join(ours) or "none"))
        ours[component].freeze(cache_size)

    return freeze_encoder
