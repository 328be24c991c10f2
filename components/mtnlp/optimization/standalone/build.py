"""A pipeline without torch from one whose encoder ONNX Runtime or OpenVINO runs."""

import re
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple, cast

import srsly
from spacy.language import Language
from spacy.util import import_file
from spacy_transformers.layers import TransformerListener
from thinc.shims import PyTorchShim

from ...errors import Errors, MtnlpError
from ...models.windowed_model import WindowedTransformerModel
from ...pipes.base import TorchPipe
from ..converting import requirements
from .assemble import PACKAGE, assemble
from .heads import HeadParts, describe_pipe
from .networks import convert_head
from .settings import Unsupported

ENGINES = ("onnxruntime", "openvino")
RUNTIME = "runtime.py"
COMPONENT = "standalone"
# Packages that a pipeline without torch must not require.
NOT_NEEDED = (PACKAGE, "torch", "transformers", "spacy-transformers")


@dataclass
class Plan:
    """What becomes of a pipeline's components.

    encoder: its model. heads: that become one, in order. before, behind: the names of those that
    stay as they are.
    """

    encoder: WindowedTransformerModel
    heads: List[HeadParts]
    before: List[str]
    behind: List[str]


def make_plan(nlp: Language) -> Plan:
    """Raises: MtnlpError E661 for a component that cannot be without torch, E662 for one that
    stands between those that become one, E665 where there is not one encoder."""
    pipes = cast(List[Tuple[str, Any]], nlp.pipeline)
    models = {name: getattr(pipe, "model", None) for name, pipe in pipes}
    encoders = {n: m for n, m in models.items() if isinstance(m, WindowedTransformerModel)}
    if len(encoders) != 1:
        names = ", ".join(encoders) or "none"
        raise MtnlpError(Errors.E665.format(count=len(encoders), names=names))
    ((encoder_name, encoder),) = encoders.items()
    if not getattr(encoder.tokenizer, "is_fast", False):
        reason = f"its tokenizer, {type(encoder.tokenizer).__name__}, is none of tokenizers"
        raise MtnlpError(Errors.E661.format(name=encoder_name, reason=reason))
    plan = Plan(encoder, [], [], [])
    for name, pipe in pipes:
        if name == encoder_name or nlp.get_pipe_meta(name).factory == "trf_data_cleaner":
            continue
        try:
            if isinstance(pipe, TorchPipe):
                if plan.behind:
                    first, between = plan.heads[0].cfg["name"], plan.behind[0]
                    raise MtnlpError(Errors.E662.format(name=between, first=first, last=name))
                plan.heads.append(describe_pipe(pipe, encoder.inner))
            else:
                require_no_torch(models[name])
                (plan.behind if plan.heads else plan.before).append(name)
        except Unsupported as error:
            raise MtnlpError(Errors.E661.format(name=name, reason=error)) from error
    return plan


def require_no_torch(model: Any) -> None:
    """Raises: Unsupported for a model that is torch's, or listens to the encoder."""
    for node in model.walk() if hasattr(model, "walk") else ():
        if isinstance(node, TransformerListener):
            raise Unsupported("it is not of mtnlp, and listens to the encoder")
        if any(isinstance(shim, PyTorchShim) for shim in node.shims):
            raise Unsupported("it has a network of torch that mtnlp does not know")


def build_standalone(nlp: Language, folder: Path) -> Language:
    """Write a pipeline without torch, and the file that it needs, `runtime.py`.

    nlp: its encoder runs on one of `ENGINES`. folder: exists, and is empty. Returns: the pipeline
    as loaded from there. Raises: MtnlpError E661 to E663, E665.
    """
    plan = make_plan(nlp)
    runner = plan.encoder.runner
    if runner is None or runner.engine not in ENGINES:
        raise MtnlpError(Errors.E663.format(engine=plan.encoder.engine_info.engine))
    path = folder / RUNTIME
    path.write_text(assemble(), encoding="utf8")
    runtime = import_file(path.stem, path)
    config = {**nlp.config["nlp"], "pipeline": [], "disabled": []}
    made = type(nlp).from_config({"nlp": config}, vocab=nlp.vocab)
    cast(Any, made.tokenizer).from_bytes(cast(Any, nlp.tokenizer).to_bytes())
    for name in plan.before:
        made.add_pipe(name, source=nlp)
    taken, name = {*plan.before, *plan.behind}, COMPONENT
    while name in taken:
        name = f"{name}_"
    component: Any = made.add_pipe(runtime.FACTORY, name=name, config={"threads": runner.threads})
    for other in plan.behind:
        made.add_pipe(other, source=nlp)
    component.set_parts(**standalone_parts(plan))
    made.meta = standalone_meta(nlp, made, runner.engine)
    made.to_disk(folder)
    return made


def standalone_parts(plan: Plan) -> Dict[str, Any]:
    """The arguments of `StandalonePipe.set_parts`."""
    encoder = plan.encoder
    runner, windower, width = encoder.runner, encoder.windower, encoder.get_dim("nO")
    assert runner is not None and runner.network is not None
    settings = {
        "engine": runner.engine,
        "precision": runner.precision,
        "encoder": {
            "special": asdict(windower.special),
            "capacity": windower.capacity,
            "width": width,
            "layers": len(encoder.inner),
        },
        "heads": [{"kind": head.kind, "cfg": head.cfg} for head in plan.heads],
    }
    tokenizer: Any = encoder.tokenizer
    heads = [convert_head(head, runner.engine) for head in plan.heads]
    return {
        "settings": srsly.json_loads(srsly.json_dumps(settings)),
        "tokenizer": tokenizer.backend_tokenizer.to_str(),
        "networks": [runner.network, *heads],
        "arrays": [head.arrays for head in plan.heads],
    }


def standalone_meta(nlp: Language, made: Language, engine: str) -> Dict[str, Any]:
    """What meta.json says: what it said, and requires what is needed now."""
    kept = {key: value for key, value in nlp.meta.items() if key not in OWN_META}
    lines: Sequence[str] = nlp.meta.get("requirements", [])
    others = [line for line in requirements(lines, engine) if not is_not_needed(line)]
    return {
        **{key: value for key, value in made.meta.items() if key in OWN_META},
        **kept,
        "requirements": [*others, f"tokenizers>={version('tokenizers')}"],
    }


# What spaCy writes of a pipeline itself.
OWN_META = {"components", "disabled", "factories", "labels", "pipeline", "vectors"}


def is_not_needed(requirement: str) -> bool:
    """Whether a line of requirements is of a package that brings torch."""
    name = re.split(r"[^\w.-]", requirement)[0].replace("_", "-").lower()
    return name in NOT_NEEDED
