"""A config that there is, its settings made to fit the corpora, the encoder and the device."""

from dataclasses import dataclass, replace
from math import floor
from pathlib import Path
from typing import Any, Dict, List, Mapping

from spacy.util import load_config, load_model_from_config
from thinc.api import Config

from ..annotation.layers import CategoriesLayer
from ..data.corpus_settings import CorpusSettings
from ..data.datasets import DATASETS
from ..data.options import Progress, quiet
from ..data.statistics import WordpieceCounter
from ..data.suitable_encoders import MANY_PIECES
from ..errors import Errors, MtnlpError
from ..experiments.joint_plan import find_heads, is_mixed, reader_block
from ..experiments.settings import config_errors
from .config_edits import can_be_fitted, keep_only, put_recipe, set_length
from .overrides import Overrides
from .profile import CorpusProfile, Profiles
from .profiling import profile_corpus, profile_encoder
from .recipe import Recipe
from .rule import choose_recipe

# Wordpieces that stand at a document's start and end.
SPECIAL_PIECES = 2
SAMPLE = "sample"


@dataclass
class Fitted:
    """A config with the rule's settings.

    config: not interpolated. recipe: what was chosen, and why. profiles: of the corpora that
    stayed, and of them what the config's heads learn. left_out: a message per corpus that did not.
    """

    config: Config
    recipe: Recipe
    profiles: Profiles
    left_out: List[str]


def fit_config(
    path: Path,
    corpus: Path,
    backbone: str,
    *,
    source: str = "local",
    gpu_id: int = -1,
    progress: Progress = quiet,
) -> Fitted:
    """Look at the corpora that a config names, and set language, window, precision, batch, rate,
    epochs, weights of corpora and evaluations by the rule of `mtnlp init`. The components stay, but
    for those whose corpora the encoder cannot read.

    path: the config, with one encoder and a train corpus that names its corpora. corpus: the folder
    of train and dev. backbone: the encoder, a folder or a name on the hub. source: where the
    corpora came from, as `mtnlp convert` has it. gpu_id: -1 for the CPU.
    Raises: MtnlpError E446 where the encoder can read none of the corpora, E447 for a config of
        another form, and what the profiles raise.
    """
    config = read_config(path, corpus, backbone)
    with config_errors(path.name):
        nlp = load_model_from_config(config, auto_fill=True)
    train = nlp.config["training"]["train_corpus"]
    if not can_be_fitted(config, train):
        raise MtnlpError(Errors.E447.format(config=path))
    heads = find_heads(nlp)
    counter = WordpieceCounter(backbone)
    profiles: Profiles = {}
    for name, entry in corpus_entries(config, train).items():
        language = language_of(entry.path.stem, source, config["nlp"]["lang"])
        found = profile_corpus(corpus, entry.path.stem, counter, language, progress)
        profiles[name] = learnt(moved(found, entry), heads)
    readable = {name: found for name, found in profiles.items() if can_read(found)}
    left_out = keep_readable(config, nlp.config, heads, profiles, readable)
    if not readable:
        raise MtnlpError(Errors.E446.format(encoder=backbone, corpora="; ".join(left_out)))
    languages = sorted({found.language for found in readable.values()})
    several = len(languages) > 1
    recipe = choose_recipe(
        readable,
        profile_encoder(backbone),
        "gpu" if gpu_id >= 0 else "cpu",
        # One tokenizer cannot be that of two languages: the config's own stays.
        Overrides(language=config["nlp"]["lang"]) if several else Overrides(),
    )
    if several:
        recipe.reasons["language"] = f"the config's own; the corpora are in {', '.join(languages)}"
    put_recipe(config, train, recipe, readable)
    return Fitted(config, recipe, readable, left_out)


def read_config(path: Path, corpus: Path, backbone: str) -> Config:
    """A config whose `[paths]` name a folder of corpora and an encoder."""
    config = load_config(path)
    paths = {"train": str(corpus / "train"), "dev": str(corpus / "dev"), "backbone": backbone}
    known: Dict[str, Any] = config.get("paths", {})
    known.update({name: value for name, value in paths.items() if name in known})
    return config


def set_languages(config: Config, source: str) -> None:
    """Set the tokenizer's language to that of the config's corpora, where they are all in one."""
    default = config["nlp"]["lang"]
    train = config["training"].get("train_corpus", "corpora.train")
    entries = corpus_entries(config, train).values()
    found = {language_of(entry.path.stem, source, default) for entry in entries}
    if len(found) == 1:
        config["nlp"]["lang"] = found.pop()


def corpus_entries(config: Config, train: str) -> Dict[str, CorpusSettings]:
    """The corpora of a mix by their names; none where the reader is another one."""
    block = reader_block(config.interpolate(), train)
    if not is_mixed(block):
        return {}
    return {
        name: CorpusSettings.from_config(name, settings)
        for name, settings in block["corpora"].items()
    }


def language_of(name: str, source: str, default: str) -> str:
    """The language whose tokenizer split a corpus when it was converted.

    name: of its file. default: of a corpus that is not one of the published data sets.
    """
    entry = DATASETS.get(name)
    if entry is None:
        return default
    return entry.sample_language if source == SAMPLE else entry.language


def moved(profile: CorpusProfile, entry: CorpusSettings) -> CorpusProfile:
    """A corpus' profile with its layers where the config's mix moves them."""

    def target(key: Any) -> Any:
        if key is None:
            return entry.ents_to
        return None if key == entry.spans_to_ents else entry.spans.get(key, key)

    layers = [replace(layer, key=target(layer.key)) for layer in profile.layers]
    return replace(profile, layers=layers)


def learnt(profile: CorpusProfile, heads: Mapping[str, Any]) -> CorpusProfile:
    """A corpus' profile with nothing but what some heads learn from it."""
    layers = [one for one in profile.layers if any(_has_layer(h, one.key) for h in heads.values())]
    tasks = [one for one in profile.tasks if any(_has_task(h, one.name) for h in heads.values())]
    return replace(profile, layers=layers, tasks=tasks)


def learns(head: Any, profile: CorpusProfile) -> bool:
    """Whether a corpus is annotated for a head."""
    by_layer = any(_has_layer(head, layer.key) for layer in profile.layers)
    return by_layer or any(_has_task(head, task.name) for task in profile.tasks)


def _has_layer(head: Any, key: Any) -> bool:
    return not isinstance(head.layer, CategoriesLayer) and head.layer.spans_key == key


def _has_task(head: Any, name: str) -> bool:
    return isinstance(head.layer, CategoriesLayer) and name in head.tasks


def pieces_per_word(profile: CorpusProfile) -> float:
    """How finely an encoder cuts a corpus' words; what it adds to each document does not count."""
    special = SPECIAL_PIECES * profile.documents["train"]
    return (profile.pieces - special) / max(1, profile.words)


def can_read(profile: CorpusProfile) -> bool:
    """Whether the encoder knows the corpus' language."""
    return pieces_per_word(profile) <= MANY_PIECES


def keep_readable(
    config: Config,
    filled: Config,
    heads: Mapping[str, Any],
    profiles: Profiles,
    readable: Profiles,
) -> List[str]:
    """Take out of a config the corpora that the encoder cannot read, and the heads that would learn
    from nothing else. filled: the config with all defaults. Returns: a message per corpus."""
    gone = [
        name
        for name, head in heads.items()
        if any(learns(head, found) for found in profiles.values())
        and not any(learns(head, found) for found in readable.values())
    ]
    messages = []
    for name, found in profiles.items():
        if name not in readable:
            own = [head for head in gone if learns(heads[head], found)]
            trained = f", and so are {', '.join(own)}" if own else ""
            messages.append(
                f"{name} is left out{trained}: the encoder cuts its words ({found.language}) into "
                f"{pieces_per_word(found):.1f} pieces each, more than {MANY_PIECES}"
            )
    if messages and readable:
        keep_only(config, filled, {name: heads[name] for name in gone}, list(readable))
    return messages


def fit_hours(fitted: Fitted, seconds: float, hours: float) -> float:
    """Shorten a training that would take longer than it may: fewer epochs, then a part of one.

    seconds: as estimated for the config as it is. hours: at most; 0 is no limit.
    Returns: the seconds it will take.
    """
    allowed = hours * 3600
    if not allowed or seconds <= allowed:
        return seconds
    epochs = fitted.recipe.epochs * allowed / seconds
    steps = 0 if epochs >= 1 else max(1, round(fitted.recipe.steps * epochs))
    epochs = float(max(1, floor(epochs)))
    set_length(fitted.config, fitted.recipe, fitted.profiles, int(epochs), steps)
    return allowed if steps else seconds * epochs / fitted.recipe.epochs
