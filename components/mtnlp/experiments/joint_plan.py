"""One joint config to the cells of a joint-training report: each head alone, and all together."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Sequence, Set

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.training.initialize import resolve_dot_names
from spacy.util import registry
from thinc.api import Config

from ..data.sampling import PROPORTIONAL
from ..errors import Errors, MtnlpError
from ..pipes.base import TorchPipe
from .grid import Cell, Grid, Setting
from .settings import TEST, check_config, config_errors, make_config, with_test_as_dev

AXIS = "system"
WEIGHTINGS = ("static", "uncertainty")
# The setting of a head's block in the config.
WEIGHTING = "weighting"
# Factories of encoders, which heads listen to.
ENCODERS = ("transformer", "tok2vec")
# spaCy's settings that list components.
LISTS = ("frozen_components", "annotating_components")


@dataclass(frozen=True)
class JointPlan:
    """What a joint-training report trains.

    grid: one cell per head, named after its component, then `joint-{weighting}` for each weighting.
    heads: the components, each a task or, for a classifier, all of its tasks. weightings: those
    that the heads can do. nlp: the joint pipeline, not initialised; its config is filled in, with
    `paths.test` and before `limit`.
    """

    grid: Grid
    heads: List[str]
    weightings: List[str]
    nlp: Language

    def heads_of(self, system: str) -> List[str]:
        """The heads of a cell, by its name on the axis."""
        return [system] if system in self.heads else self.heads


def joint_name(weighting: str) -> str:
    """The name of a joint cell."""
    return f"joint-{weighting}"


def make_plan(
    path: Path,
    folder: Path,
    *,
    settings: Sequence[Setting],
    seeds: Sequence[int],
    limit: int = 0,
    weightings: Sequence[str] = WEIGHTINGS,
) -> JointPlan:
    """Derive the configs of all cells, and write them as `folder/{system}.cfg`.

    A head alone keeps the encoder, the components that are not trained, epochs, batcher and
    optimizer, and in the readers of train and dev those corpora that annotate it. A corpus draws
    its `limit` by seed and its own name, so that a task has the same examples alone and jointly.

    path: the joint config. settings: overrides, `paths.test` among them. limit: at most so many
    documents of each corpus in the readers of train and dev; 0 leaves the config's own.
    weightings: of the joint cells; one that no head can do is left out, "static" never.
    Raises: MtnlpError (E421 to E426) as `make_config` and `check_config` do, E473 where there are
    no two heads or no named corpora, E474 without epochs, E475 where a head has nothing to train
    on, E477 where nothing is left of the weightings, E478 where a corpus would be drawn differently
    alone.
    """
    cell = Cell({}, path, tuple(settings))
    config = make_config(cell, seeds[0])
    nlp = check_config(cell, config)
    heads = find_heads(nlp)
    if len(heads) < 2:
        reason = f"it has {len(heads)} trainable heads that can be scored"
        raise MtnlpError(Errors.E473.format(config=path, reason=reason))
    training = nlp.config.interpolate()["training"]
    if training["max_epochs"] <= 0 or training["max_steps"] > 0:
        raise MtnlpError(Errors.E474.format(config=path))
    if not is_mixed(reader_block(config, training["train_corpus"])):
        reason = "its train corpus has no named corpora under `corpora`"
        raise MtnlpError(Errors.E473.format(config=path, reason=reason))
    reader = reader_block(config.interpolate(), training["train_corpus"])
    if (setting := differing_draw(reader)) is not None:
        raise MtnlpError(Errors.E478.format(config=path, setting=setting))
    limited = without_test(config)
    for name in (training["train_corpus"], training["dev_corpus"]):
        limit_corpora(reader_block(limited, name), limit)
    with config_errors(str(path)):
        annotating = annotating_corpora(nlp, limited, training["train_corpus"], heads)
    missing = [name for name in heads if not annotating[name]]
    if missing:
        raise MtnlpError(Errors.E475.format(split="training", names=", ".join(missing)))
    able = [name for name in heads if WEIGHTING in nlp.config["components"][name]]
    chosen = [name for name in weightings if able or name == WEIGHTINGS[0]]
    if not chosen:
        raise MtnlpError(Errors.E477.format(config=path, weighting=", ".join(weightings)))

    configs: Dict[str, Config] = {}
    for name in heads:
        single = weighted(limited, able, WEIGHTINGS[0])
        drop_components(single, others(nlp, name))
        for corpus in (training["train_corpus"], training["dev_corpus"]):
            keep_corpora(reader_block(single, corpus), annotating[name])
        configs[name] = single
    for weighting in chosen:
        configs[joint_name(weighting)] = weighted(limited, able, weighting)

    cells = []
    folder.mkdir(parents=True, exist_ok=True)
    for system, made in configs.items():
        made.to_disk(folder / f"{system}.cfg", interpolate=False)
        cells.append(Cell({AXIS: system}, folder / f"{system}.cfg", ()))
    grid = Grid(path.stem, [AXIS], cells, list(seeds), metrics=[], model="last")
    return JointPlan(grid, list(heads), chosen, nlp)


def find_heads(nlp: Language) -> Dict[str, Any]:
    """The components of mtnlp that are trained and scored on documents' annotation."""
    return {
        name: pipe
        for name, pipe in nlp.pipeline
        if isinstance(pipe, TorchPipe) and pipe.layer is not None
    }


def annotating_corpora(
    nlp: Language, config: Config, corpus: str, heads: Dict[str, Any]
) -> Dict[str, List[str]]:
    """For each head the corpora of a mix with a document that is annotated for it.

    corpus: the name of the mix' reader, such as "corpora.train"."""
    found: Dict[str, List[str]] = {name: [] for name in heads}
    block = reader_block(config.interpolate(), corpus)
    for source, settings in block["corpora"].items():
        reader = registry.resolve({"reader": {**block, "corpora": {source: settings}}})["reader"]
        for name in annotated_heads(heads, reader(nlp)):
            found[name].append(source)
    return found


def annotated_heads(heads: Dict[str, Any], examples: Iterable[Example]) -> Set[str]:
    """The heads that any of the examples is annotated for."""
    found: Set[str] = set()
    for example in examples:
        found |= {name for name in heads if heads[name].is_annotated(example.reference)}
        if len(found) == len(heads):
            break
    return found


def read_test(config: Config, nlp: Language) -> List[Doc]:
    """The references of the test corpus: the dev reader's, with `paths.test` as its `paths.dev`.

    config: with `paths.test`, filled in. nlp: its vocab is taken. Raises: MtnlpError (E426), and
    whatever the reader raises.
    """
    other = with_test_as_dev(config).interpolate()
    (corpus,) = resolve_dot_names(other, [other["training"]["dev_corpus"]])
    return [example.reference for example in corpus(nlp)]


# Edits of a config


def without_test(config: Config) -> Config:
    """A copy without `paths.test`: predictions on test are counted document by document, later."""
    other = config.copy()
    other[TEST[0]].pop(TEST[1], None)
    return other


def reader_block(config: Config, name: str) -> Dict[str, Any]:
    """The block of a reader by its dotted name; changes to it change the config."""
    block: Any = config
    for key in name.split("."):
        block = block[key]
    return block


def is_mixed(block: Dict[str, Any]) -> bool:
    """Whether a reader's block lists named corpora, as that of `mtnlp.MixedCorpus.v1` does."""
    return isinstance(block.get("corpora"), dict)


def differing_draw(block: Dict[str, Any]) -> Optional[str]:
    """The setting of a reader by which what it draws of one corpus depends on the others or on how
    often it was read before; None where there is none."""
    sampling = block.get("sampling", PROPORTIONAL)
    if sampling != PROPORTIONAL:
        return f"sampling = {sampling}"
    weights = {name: corpus.get("weight", 1.0) for name, corpus in block["corpora"].items()}
    uneven = (f"weight = {weight} for {name}" for name, weight in weights.items() if weight % 1)
    return next(uneven, None)


def limit_corpora(block: Dict[str, Any], limit: int) -> None:
    """Set the limit of every corpus of a mix, unless it is 0."""
    if limit and is_mixed(block):
        for corpus in block["corpora"].values():
            corpus["limit"] = limit


def keep_corpora(block: Dict[str, Any], names: Sequence[str]) -> None:
    """Drop all other corpora of a mix; a reader that has none of these keeps what it has."""
    if is_mixed(block):
        kept = {name: corpus for name, corpus in block["corpora"].items() if name in names}
        block["corpora"] = kept or block["corpora"]


def weighted(config: Config, heads: Sequence[str], weighting: str) -> Config:
    """A copy whose heads weigh their losses so."""
    other = config.copy()
    for name in heads:
        other["components"][name][WEIGHTING] = weighting
    return other


def others(nlp: Language, head: str) -> List[str]:
    """The trained components that a head can do without: all but the encoders."""
    trained = [name for name, pipe in nlp.pipeline if getattr(pipe, "is_trainable", False)]
    kept = [name for name in trained if nlp.get_pipe_meta(name).factory in ENCODERS]
    return [name for name in trained if name != head and name not in kept]


def drop_components(config: Config, names: Sequence[str]) -> None:
    """Take components out of a config and out of the lists that name them."""
    nlp: Dict[str, Any] = config["nlp"]
    nlp["pipeline"] = [name for name in nlp["pipeline"] if name not in names]
    initialize: Optional[Dict[str, Any]] = config.get("initialize", {}).get("components")
    for name in names:
        config["components"].pop(name, None)
        if initialize:
            initialize.pop(name, None)
    for key in LISTS:
        if key in config["training"]:
            listed = config["training"][key]
            config["training"][key] = [name for name in listed if name not in names]
