"""The results file of the baseline: one run a learning rate, kept across interruptions."""

import json
from pathlib import Path
from typing import Any, Dict

from ..data.json_files import write_json
from ..errors import Errors, MtnlpError


def rate_key(rate: float) -> str:
    """The name of a learning rate in the file: 0.0001, 5e-05."""
    return f"{rate:g}"


def open_results(path: Path, setting: Dict[str, Any]) -> Dict[str, Any]:
    """What the file holds, or an empty {"setting", "runs"}.

    RAISES MtnlpError (E511) where the file is no results file or was written under another
        setting: its runs must not be compared with new ones.
    """
    if not path.exists():
        return {"setting": setting, "runs": {}}
    try:
        found = json.loads(path.read_text(encoding="utf8"))
        before, runs = dict(found["setting"]), dict(found["runs"])
    except (ValueError, KeyError, TypeError):
        raise MtnlpError(Errors.E511.format(path=path, names="the whole file")) from None
    names = [name for name in sorted({*setting, *before}) if setting.get(name) != before.get(name)]
    if names:
        raise MtnlpError(Errors.E511.format(path=path, names=", ".join(names)))
    return {"setting": setting, "runs": runs}


def write_results(path: Path, results: Dict[str, Any], score: str = "f") -> None:
    """Adds "best", the run of the highest `score` on dev, and writes the file in one move."""
    if results["runs"]:
        best = max(results["runs"].values(), key=lambda run: run["dev"][score])
        shown = {"p", "r", "f", score, f"{score}_interval"}
        results["best"] = {
            "learning_rate": best["learning_rate"],
            "chosen_on": "dev",
            f"dev_{score}": best["dev"][score],
            "test": {key: value for key, value in best["test"].items() if key in shown},
        }
    write_json(path, results)
