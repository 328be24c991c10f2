"""What was changed in a config, for the screen and on the disk."""

from pathlib import Path
from typing import Dict

from spacy.util import load_config
from thinc.api import Config

from ..files import write_text
from ..reports.tables import Table
from .config_edits import encoder_block
from .fit_config import Fitted, read_config, set_languages


def settings_table(path: Path, fitted: Fitted) -> Table:
    """Each setting before and after, and why. path: of the config before."""
    before, after = (_settings(config) for config in (load_config(path), fitted.config))
    reasons = fitted.recipe.reasons
    rows = [[name, before[name], value, reasons.get(name, "")] for name, value in after.items()]
    for name, weight in fitted.recipe.weights.items():
        if len(fitted.recipe.weights) > 1:
            rows.append([f"weight of {name}", "", f"{weight:g}", reasons.get("weights", "")])
    return Table("Settings", ["setting", "before", "now", "why"], rows)


def write_config(config: Config, path: Path, output: Path) -> None:
    """Write a config, its variables as they are. path: of the config that it was made of."""
    header = f"# Written by mtnlp recipe from {path}; change that one, this will be written anew."
    write_text(output, f"{header}\n\n{config.to_str(interpolate=False)}\n")


def write_plain(path: Path, corpus: Path, backbone: str, source: str, output: Path) -> None:
    """Write a config with its own settings, for the corpora's language."""
    config = read_config(path, corpus, backbone)
    set_languages(config, source)
    write_config(config, path, output)


def _settings(config: Config) -> Dict[str, str]:
    """What the rule sets, as text."""
    training, encoder = config["training"], encoder_block(config) or {}
    optimizer, batcher = training["optimizer"], training["batcher"]
    rate = optimizer["learn_rate"]
    found = {
        "language": config["nlp"]["lang"],
        "window": encoder.get("window"),
        "precision": encoder.get("precision", "fp32"),
        "batch": batcher.get("size"),
        "single_task": "yes" if batcher.get("single_task") else "no",
        "min_docs": batcher.get("min_docs", 0),
        "rate": rate["initial_rate"] if isinstance(rate, dict) else rate,
        "head_factor": optimizer.get("head_factor", 1.0),
        "epochs": training.get("max_epochs"),
        "eval_frequency": training.get("eval_frequency", "default"),
    }
    return {name: str(value) for name, value in found.items()}
