"""A pipeline whose encoder another engine runs."""

import re
from importlib.metadata import version
from typing import List, Sequence

from spacy.language import Language
from spacy.tokens import Doc

from ..data.reading import bare_doc
from ..errors import Errors, MtnlpError
from ..models.engine import ENGINES, TORCH, find_engine
from ..models.windowed_model import WindowedTransformerModel
from .candidates import Candidate

# Documents by which the ranges of numbers are fixed.
CALIBRATION = 300


def own_encoders(nlp: Language) -> List[str]:
    """The components that are encoders. Raises: MtnlpError E652 where there is none, or components
    have one to themselves, and E653 where one has been converted."""
    found = [
        name
        for name, pipe in nlp.pipeline
        if isinstance(getattr(pipe, "model", None), WindowedTransformerModel)
    ]
    if not found:
        raise MtnlpError(Errors.E652.format(components=", ".join(nlp.pipe_names) or "none"))
    for name in found:
        runner = nlp.get_pipe(name).model.runner  # type: ignore[attr-defined]
        if runner is not None:
            raise MtnlpError(Errors.E653.format(name=name, engine=runner.info))
    return found


def convert_encoders(
    nlp: Language, candidate: Candidate, threads: int, docs: Sequence[Doc]
) -> None:
    """Have an engine run a pipeline's encoders, and say so in its config and its requirements.

    docs: by which ranges are fixed, where the precision needs that. Raises: MtnlpError E295.
    """
    sample = [bare_doc(nlp, doc) for doc in docs[:CALIBRATION]]
    for name, pipe in nlp.pipeline:
        model = getattr(pipe, "model", None)
        if not isinstance(model, WindowedTransformerModel):
            continue
        model.convert(candidate.make_runner(threads, model.inner), sample)
        # What torch runs itself is decided by the setting alone.
        model.precision = candidate.precision
        settings = nlp.get_pipe_config(name)["model"]
        settings.update(engine=candidate.engine, precision=candidate.precision, threads=threads)
    nlp.meta["requirements"] = requirements(nlp.meta.get("requirements", []), candidate.engine)


def requirements(lines: Sequence[str], engine: str) -> List[str]:
    """What a package of a pipeline requires besides what spaCy finds, once an engine runs its
    encoders: the library of that engine, and of no other one."""
    libraries = {name: find_engine(name).libraries[0] for name in ENGINES if name != TORCH}
    others = [line for line in lines if re.split(r"[^\w-]", line)[0] not in libraries.values()]
    if engine == TORCH:
        return others
    library = libraries.get(engine) or find_engine(engine).libraries[0]
    return [*others, f"{library}>={version(library)}"]
