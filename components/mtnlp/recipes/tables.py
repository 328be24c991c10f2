""" "Your data" and "the recipe": what is shown before a training."""

from typing import Any, Dict, Iterable, List, Mapping

from ..data.options import SPLITS
from ..reports.tables import Table
from .profile import EncoderProfile, LayerProfile, Profiles
from .recipe import Recipe

# So many labels are named, the most frequent ones.
FEW = 4


def data_tables(profiles: Profiles, encoder: EncoderProfile, recipe: Recipe) -> List[Table]:
    """What somebody's corpora hold, and what follows from it."""
    return [size_table(profiles), annotation_table(profiles), recipe_table(encoder, recipe)]


def size_table(profiles: Profiles) -> Table:
    """A row per corpus: documents per split, and the words and wordpieces of train."""
    columns = [
        "corpus",
        *SPLITS,
        "a text is a",
        "words",
        "median",
        "longest",
        "pieces/word",
        "cased",
    ]
    table = Table("Your data", columns)
    for name, corpus in profiles.items():
        words = corpus.words_per_document
        table.rows.append(
            [
                name,
                *(corpus.documents.get(split) for split in SPLITS),
                corpus.unit,
                corpus.words,
                words[0.5],
                words[1.0],
                f"{corpus.pieces_per_word:.2f}",
                corpus.is_cased,
            ]
        )
    return table


def annotation_table(profiles: Profiles) -> Table:
    """A row per layer of entities and per classification task of each corpus."""
    columns = ["corpus", "where", "texts", "what", "labels", "most frequent ones", "because"]
    table = Table("What is annotated in train", columns)
    for name, corpus in profiles.items():
        for layer in corpus.layers:
            found = [len(layer.labels), name_labels(layer.labels)]
            row = [name, str(layer), layer.documents, shape_of(layer), *found]
            table.rows.append([*row, f"{layer.overlapping:,} of {layer.total:,} overlap"])
        for task in corpus.tasks:
            kind = "one label per text" if task.exclusive else "several labels"
            found = [len(task.labels), name_labels(task.labels)]
            row = [name, f"doc.cats: {task.name}", task.documents, kind, *found]
            table.rows.append([*row, task.evidence])
    return table


def recipe_table(encoder: EncoderProfile, recipe: Recipe) -> Table:
    """A row per setting: its value, and why."""
    table = Table("The recipe", ["setting", "value", "because"])
    size = f"{encoder.parameters / 1e6:.1f} M weights in {encoder.layers} layers of {encoder.width}"
    case = "cased" if encoder.is_cased else "reads capitals as small letters"
    table.rows.append(["encoder", encoder.name, f"{size}; {case}"])
    values = setting_values(recipe)
    table.rows += [[name, values[name], reason] for name, reason in recipe.reasons.items()]
    return table


def setting_values(recipe: Recipe) -> Dict[str, str]:
    """The value of each setting that has a reason, as text, by its name in `Recipe.reasons`."""
    values: Dict[str, Any] = {
        name: f"{value:g}" if isinstance(value, float) else value
        for name, value in vars(recipe).items()
    }
    values["weights"] = ", ".join(f"{name} {value:g}" for name, value in recipe.weights.items())
    values["window"] = f"{recipe.window} wordpieces"
    values["batch"] = f"{recipe.batch:,} wordpieces"
    if recipe.attention_dropout is None:
        values["attention_dropout"] = "the encoder's own"
    values["single_task"] = "yes" if recipe.single_task else "no"
    for part in recipe.entities:
        values[part.name] = part.factory
        values[f"{part.name}: word shapes"] = "yes" if part.shapes else "no"
        values[f"{part.name}: boundary loss"] = f"{part.boundary:g}"
        values[f"{part.name}: max_width"] = f"{part.max_width} words"
        values[f"{part.name}: scorer"] = part.scorer
    if recipe.classifier:
        name = recipe.classifier.name
        values[f"{name}: layers"] = ", ".join(map(str, recipe.classifier.layers))
        for task, exclusive in recipe.classifier.tasks.items():
            values[f"{name}: {task}"] = "exclusive" if exclusive else "multi-label"
    return {name: str(value) for name, value in values.items()}


def shape_of(layer: LayerProfile) -> str:
    """How the entities of a layer lie: "flat", or in what ways they overlap."""
    ways = {"nested": layer.nested, "crossing": layer.crossing, "of several labels": layer.same}
    return ", ".join(way for way, count in ways.items() if count) or "flat"


def name_labels(labels: Mapping[str, int]) -> str:
    """The first labels with their counts."""
    named: Iterable[str] = (f"{label} {count:,}" for label, count in list(labels.items())[:FEW])
    return ", ".join(named) + (", …" if len(labels) > FEW else "")
