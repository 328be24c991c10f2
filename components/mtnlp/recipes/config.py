"""A recipe as a config for `spacy train` and `mtnlp train`, in at most 60 lines.

What has the value of a default is left out: `spacy init fill-config` writes it. What somebody may
want to change on the command line (`--training.batcher.size 500`) is in a section of its own, the
rest is JSON within its line. docs/init.md explains every line.
"""

import json
from typing import Any, Dict, List, Sequence

from .profile import EncoderProfile
from .recipe import ClassifierPart, EntityPart, Recipe

MOST_LINES = 60
WIDTH = 100
# The layer whose scores the factory's default score weights name.
DEFAULT_LAYER = {"crf_ner": "ents", "span_ner": "spans_sc"}
# What is left out.
DEFAULTS = {"precision": "fp32", "max_width": 8, "dropout": 0.1, "warmup": 0.1}


def write_config(recipe: Recipe, names: Sequence[str], encoder: EncoderProfile) -> str:
    """The text of the config.

    names: the corpora, `corpus/{train,dev}/NAME.spacy`, where the config is run. encoder: what the
        pipeline begins with; its `name` is what the config names.
    """
    blocks = [
        _header(recipe, names, encoder),
        ["[paths]", *_lines(backbone=encoder.name, corpus="corpus")],
        ["[nlp]", *_lines(lang=recipe.language, pipeline=_pipeline(recipe), batch_size=64)],
        ["[components]", _line("trf_data_cleaner", {"factory": "trf_data_cleaner"})],
        _transformer(recipe),
        *(_entities(part, recipe) for part in recipe.entities),
        *([_classifier(recipe.classifier, recipe)] if recipe.classifier else []),
        _corpora(recipe, names),
        _training(recipe),
        ["[initialize]", _line("before_init", _schedule(recipe))],
    ]
    text = "\n\n".join("\n".join(block) for block in blocks) + "\n"
    # With many components the empty lines between them go, then all.
    for gap in ("\n\n[components.", "\n\n["):
        if text.count("\n") > MOST_LINES:
            text = text.replace(gap, gap[1:])
    return text


def _header(recipe: Recipe, names: Sequence[str], encoder: EncoderProfile) -> List[str]:
    tasks = ", ".join(recipe.classifier.tasks) if recipe.classifier else ""
    found = [part.name for part in recipe.entities] + [f"textcat ({tasks})"] * bool(tasks)
    size = f"{encoder.layers} layers, {encoder.width} wide"
    return [
        f"# For {', '.join(names)}: {', '.join(found)}. Encoder: {size}.",
        "# With all defaults: python -m spacy init fill-config config.cfg full.cfg",
    ]


def _pipeline(recipe: Recipe) -> List[str]:
    classifiers = [recipe.classifier.name] if recipe.classifier else []
    entities = [part.name for part in recipe.entities]
    return ["transformer", *entities, *classifiers, "trf_data_cleaner"]


def _transformer(recipe: Recipe) -> List[str]:
    layers = recipe.classifier.layers if recipe.classifier else []
    dropout = recipe.attention_dropout
    return [
        "[components.transformer]",
        _line("factory", "transformer"),
        "[components.transformer.model]",
        _line("@architectures", "mtnlp.TransformerModel.v1"),
        "name = ${paths.backbone}",
        *_lines(window=recipe.window, **_changed(precision=recipe.precision)),
        *(_lines(attention_dropout=dropout) if dropout is not None else []),
        *([_line("layers", layers)] if layers else []),
    ]


def _entities(part: EntityPart, recipe: Recipe) -> List[str]:
    lines = [f"[components.{part.name}]", _line("factory", part.factory)]
    model: Dict[str, Any] = {}
    if part.factory == "span_ner":
        lines.append(_line("spans_key", part.spans_key))
        if part.spans_key is None:
            lines.append(_line("decoder", "flat"))
        model.update(_changed(max_width=part.max_width))
        if part.scorer == "marker":
            model["scorer"] = {"@layers": "mtnlp.MarkerScorer.v1"}
    elif part.spans_key is not None:
        lines.append(_line("spans_key", part.spans_key))
    if part.boundary:
        model["loss"] = {
            "@losses": "mtnlp.CompoundLoss.v1",
            "losses": {
                "likelihood": {"@losses": "mtnlp.CRFLikelihood.v1"},
                "boundary": {"@losses": "mtnlp.BoundaryLoss.v1"},
            },
            "weights": {"boundary": part.boundary},
        }
    if part.shapes:
        model["shapes"] = True
    return lines + _model(model, recipe)


def _classifier(part: ClassifierPart, recipe: Recipe) -> List[str]:
    tasks = {name: {"exclusive": exclusive} for name, exclusive in part.tasks.items()}
    model = {"tok2vec": {"layers": part.layers}} if part.layers else {}
    return [
        f"[components.{part.name}]",
        *_lines(factory="multitask_textcat", tasks=tasks),
        *_model(model, recipe),
    ]


def _model(model: Dict[str, Any], recipe: Recipe) -> List[str]:
    model = {**model, **_changed(dropout=recipe.dropout)}
    return [_line("model", model)] if model else []


def _corpora(recipe: Recipe, names: Sequence[str]) -> List[str]:
    corpora: Dict[str, Any] = {}
    for name in names:
        corpora[name] = {"path": f"${{paths.corpus}}/train/{name}.spacy"}
        weight = recipe.weights.get(name, 1.0)
        if weight != 1:
            corpora[name]["weight"] = weight
    # A folder is all the corpora in it.
    dev = f"/{names[0]}.spacy" if len(names) == 1 else ""
    return [
        "[corpora]",
        _line("train", {"@readers": "mtnlp.MixedCorpus.v1", "corpora": corpora}),
        _line("dev", {"@readers": "spacy.Corpus.v1", "path": f"${{paths.corpus}}/dev{dev}"}),
    ]


def _training(recipe: Recipe) -> List[str]:
    weights = _score_weights(recipe.entities)
    logger = {"@loggers": "spacy.ConsoleLogger.v3", "progress_bar": "train"}
    return [
        "[training]",
        *_lines(seed=0, gpu_allocator="pytorch" if recipe.device == "gpu" else None),
        *_lines(max_epochs=recipe.epochs, max_steps=0, patience=0, logger=logger),
        *([_line("score_weights", weights)] if weights else []),
        "[training.batcher]",
        _line("@batchers", "mtnlp.WordpieceBatcher.v1"),
        _line("size", recipe.batch),
        *_lines(**recipe.batch_settings),
        "tokenizer = ${paths.backbone}",
        "[training.optimizer]",
        _line("@optimizers", "mtnlp.AdamW.v1"),
        *_lines(learn_rate=recipe.rate, head_factor=recipe.head_factor),
    ]


def _schedule(recipe: Recipe) -> Dict[str, Any]:
    schedule = {"@callbacks": "mtnlp.FitSchedule.v1", "evaluations": 1}
    return {**schedule, **_changed(warmup=recipe.warmup)}


def _score_weights(parts: Sequence[EntityPart]) -> Dict[str, Any]:
    """What differs from the factories' defaults: these name a layer that the pipe may not have.
    spaCy divides by their sum, so each component counts alike."""
    layers = {part.name: f"spans_{part.spans_key}" if part.spans_key else "ents" for part in parts}
    weights: Dict[str, Any] = {}
    for part in parts:
        default = DEFAULT_LAYER[part.factory]
        if layers[part.name] == default:
            continue
        weights[f"{layers[part.name]}_f"] = 1.0
        if default not in layers.values():
            weights.update(dict.fromkeys(f"{default}_{end}" for end in ("f", "p", "r", "per_type")))
    return weights


def _changed(**settings: Any) -> Dict[str, Any]:
    """Those settings that have another value than by default."""
    return {name: value for name, value in settings.items() if value != DEFAULTS[name]}


def _lines(**settings: Any) -> List[str]:
    return [_line(name, value) for name, value in settings.items()]


def _line(name: str, value: Any) -> str:
    """A setting; a long one goes on in indented lines, broken between the items of its JSON."""
    # No JSON text holds this character: it would be escaped.
    items = json.dumps(value, ensure_ascii=False, separators=("\0", ": ")).split("\0")
    lines = [f"{name} = {items[0]}"]
    for item in items[1:]:
        if len(lines[-1]) + len(item) + 3 <= WIDTH:
            lines[-1] += f", {item}"
        else:
            lines[-1] += ","
            lines.append(f"    {item}")
    return "\n".join(lines)
