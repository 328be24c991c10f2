"""What a recipe changes in a config that there is."""

from math import ceil
from typing import Any, Dict, Mapping, Optional, Sequence

from thinc.api import Config

from ..annotation.layers import CategoriesLayer
from ..experiments.joint_plan import drop_components, is_mixed, keep_corpora, reader_block
from .profile import Profiles
from .recipe import Recipe

# Evaluations of a training; fewer where they would take too long, but never less than two.
EVALUATIONS = 10
# Evaluations may take this share of the time of the steps, and predict a word in so much less time
# than a step needs for it.
EVALUATION_SHARE = 0.15
PREDICTION_SPEED = 4.0
# The batcher's own estimate of wordpieces is made for English; where words have more, they are
# counted.
ESTIMATED = 1.6
TRANSFORMER = "mtnlp.TransformerModel.v1"
BATCHER = "mtnlp.WordpieceBatcher.v1"
OPTIMIZER = "mtnlp.AdamW.v1"
RISE = "warmup_linear.v1"
SCHEDULE = "mtnlp.FitSchedule.v1"
READER = "mtnlp.MixedCorpus.v1"


def encoder_block(config: Config) -> Optional[Dict[str, Any]]:
    """The model of the encoder, where it is mtnlp's; changes to it change the config."""
    for component in config["components"].values():
        model: Optional[Dict[str, Any]] = component.get("model")
        if isinstance(model, dict) and model.get("@architectures") == TRANSFORMER:
            return model
    return None


def can_be_fitted(config: Config, train: str) -> bool:
    """Whether a config has what a recipe sets: an encoder, named corpora, steps that are counted.

    train: the name of the train corpus' reader.
    """
    schedule: Dict[str, Any] = config.get("initialize", {}).get("before_init") or {}
    is_counted = schedule.get("@callbacks") == SCHEDULE
    return (
        is_counted and encoder_block(config) is not None and is_mixed(reader_block(config, train))
    )


def put_recipe(config: Config, train: str, recipe: Recipe, profiles: Profiles) -> None:
    """Put a recipe's settings in place of a config's.

    train: the name of the train corpus' reader. profiles: of its corpora, by their names there.
    """
    config["nlp"]["lang"] = recipe.language
    encoder = encoder_block(config)
    assert encoder is not None
    encoder["window"] = recipe.window
    encoder["precision"] = recipe.precision
    # A config's own may be one that this encoder does not have.
    encoder["attention_dropout"] = recipe.attention_dropout
    training = config["training"]
    # It would cut the batches that were chosen into parts.
    training.pop("accumulate_gradient", None)
    training["batcher"] = {
        "@batchers": BATCHER,
        "size": recipe.batch,
        **recipe.batch_settings,
    }
    if any(found.pieces_per_word > ESTIMATED for found in profiles.values()):
        training["batcher"]["tokenizer"] = encoder["name"]
    optimizer = training.get("optimizer", {})
    if optimizer.get("@optimizers") != OPTIMIZER:
        optimizer = training["optimizer"] = {"@optimizers": OPTIMIZER}
    # The steps are set by the schedule's callback.
    schedule = {"warmup_steps": 0, "total_steps": 1}
    optimizer["learn_rate"] = {"@schedules": RISE, "initial_rate": recipe.rate, **schedule}
    optimizer["head_factor"] = recipe.head_factor
    config["initialize"]["before_init"] = {"@callbacks": SCHEDULE, "warmup": recipe.warmup}
    corpora = reader_block(config, train)["corpora"]
    for name, weight in recipe.weights.items():
        corpora[name]["weight"] = weight
    set_length(config, recipe, profiles, recipe.epochs)


def set_length(
    config: Config, recipe: Recipe, profiles: Profiles, epochs: int, steps: int = 0
) -> None:
    """Set how long a config trains, and when it evaluates. steps: where they end it before the
    epochs do; 0 otherwise."""
    config["training"].update(max_epochs=epochs, max_steps=steps)
    total = min(steps or recipe.steps * epochs, recipe.steps * epochs)
    config["training"]["eval_frequency"] = max(1, ceil(total / evaluations(profiles, epochs)))


def evaluations(profiles: Profiles, epochs: int) -> int:
    """How often a training is evaluated."""
    train = sum(found.documents["train"] for found in profiles.values())
    dev = sum(found.documents.get("dev", 0) for found in profiles.values())
    most = EVALUATION_SHARE * PREDICTION_SPEED * epochs * train / max(1, dev)
    return max(2, min(EVALUATIONS, int(most)))


def keep_only(
    config: Config, filled: Config, gone: Mapping[str, Any], corpora: Sequence[str]
) -> None:
    """Take heads out of a config, with their scores, and all corpora but some.

    filled: the config with all defaults. gone: the heads by name. corpora: those that stay, by
    their names in the mix of the train corpus.
    """
    training = filled["training"]
    mix = reader_block(config, training["train_corpus"])
    paths = {name: block["path"] for name, block in mix["corpora"].items()}
    keep_corpora(mix, corpora)
    dev = reader_block(config, training["dev_corpus"])
    if is_mixed(dev):
        keep_corpora(dev, corpora)
    else:
        # A folder would be read with all that is in it.
        dev.clear()
        dev.update({"@readers": READER, "shuffle": False})
        dev["corpora"] = {name: {"path": dev_path(paths[name])} for name in corpora}
    drop_components(config, list(gone))
    prefixes = tuple(prefix for head in gone.values() for prefix in score_prefixes(head))
    weights = config["training"].get("score_weights", {})
    for key in [key for key in weights if key.startswith(prefixes)]:
        del weights[key]


def dev_path(train: str) -> str:
    """Where the dev documents of a corpus are, if its train documents are there."""
    return train.replace("${paths.train}", "${paths.dev}")


def score_prefixes(head: Any) -> Sequence[str]:
    """How the keys of a head's scores begin."""
    if isinstance(head.layer, CategoriesLayer):
        return [f"cats_{task}_" for task in head.tasks]
    return ["ents_"] if head.layer.spans_key is None else [f"spans_{head.layer.spans_key}_"]
