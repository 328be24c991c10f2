"""One run in a process of its own: `python -m mtnlp.experiments.child FOLDER`.

Reads `config.cfg` and `job.json` in the folder, trains as `spacy train` does, scores the trained
pipeline as `spacy evaluate` does and writes `result.json`, last of all.
"""

import json
import shutil
import sys
import time
import traceback
from pathlib import Path
from typing import Any, Callable, Dict

import spacy
from spacy.language import Language
from spacy.training.initialize import init_nlp, resolve_dot_names
from spacy.training.loop import train
from spacy.util import load_config
from thinc.api import Config

from ..files import write_json
from .runs import CONFIG, JOB, MODEL, RESULT
from .settings import has_test, with_test_as_dev
from .stopwatch import Stopwatch, peak_gpu_memory, peak_memory, watch_training

# Of a probe.
STEPS = 10
DOCUMENTS = 32


def main(folder: Path) -> None:
    """Do the job of a folder."""
    job: Dict[str, Any] = json.loads((folder / JOB).read_text(encoding="utf8"))
    if job["gpu_id"] >= 0:
        spacy.require_gpu(job["gpu_id"])
    config = load_config(folder / CONFIG)
    found = probe(config, job) if job["probe"] else run(config, job, folder / MODEL)
    found["measures"]["total_seconds"] = time.time() - job["started"]
    if not job["keep"]:
        shutil.rmtree(folder / MODEL, ignore_errors=True)
    same = {name: job[name] for name in ("cell", "seed", "model", "fingerprint", "data")}
    write_json(folder / RESULT, {**same, **found})


def attempt(folder: Path) -> int:
    """Do the job of a folder; what fails is printed. Returns: an exit code."""
    return report_errors(main, folder)


def report_errors(work: Callable[[Path], None], folder: Path) -> int:
    """Do the work of a folder; what fails is printed. Returns: an exit code."""
    try:
        work(folder)
    except Exception as error:
        traceback.print_exc()
        # The last line of the log is what the user is shown.
        text = " ".join(str(error).split())
        print(f"{type(error).__name__}: {text}", file=sys.stderr)
        return 1
    return 0


def run(config: Config, job: Dict[str, Any], output: Path) -> Dict[str, Any]:
    """Train and score. output: the folder of the weights. Returns: "scores" and "measures"."""
    nlp = init_nlp(config, use_gpu=job["gpu_id"])
    watch = watch_training(nlp)
    output.mkdir(exist_ok=True)
    train(nlp, output, use_gpu=job["gpu_id"])
    peaks = {"peak_memory_mb": peak_memory(), "peak_gpu_memory_mb": peak_gpu_memory()}
    trained = spacy.load(output / f"model-{job['model']}")
    # The pipeline's own config has all defaults, which readers need.
    scores = {"dev": score(trained, nlp.config, watch)}
    if has_test(nlp.config):
        scores["test"] = score(trained, with_test_as_dev(nlp.config), watch)
    speed = {"predict_words_per_second": scores.get("test", scores["dev"])["speed"]}
    return {"scores": scores, "measures": {**measures(watch), **speed, **peaks}}


def probe(config: Config, job: Dict[str, Any]) -> Dict[str, Any]:
    """A few steps, and an evaluation of a few documents. Returns: "measures"."""
    training = config["training"]
    # Epoch after epoch, or the stream as it comes, until the steps are made.
    epochs = min(0, training.get("max_epochs", 0))
    training.update(max_steps=STEPS, max_epochs=epochs, patience=0, eval_frequency=STEPS)
    nlp = init_nlp(config, use_gpu=job["gpu_id"])
    watch = watch_training(nlp, sample=DOCUMENTS)
    train(nlp, None, use_gpu=job["gpu_id"])
    watch.stop()
    return {"measures": measures(watch)}


def score(nlp: Language, config: Config, watch: Stopwatch) -> Dict[str, Any]:
    """spaCy's scores of a pipeline on a config's dev corpus."""
    config = config.interpolate()
    (corpus,) = resolve_dot_names(config, [config["training"]["dev_corpus"]])
    return watch.evaluate(nlp, corpus(nlp))


def measures(watch: Stopwatch) -> Dict[str, Any]:
    """What the stopwatch saw."""
    return {
        "words": watch.words,
        "seconds": watch.seconds,
        "words_per_second": watch.words / watch.seconds,
        "evaluated_words": watch.evaluated_words,
        "evaluation_seconds": watch.evaluation_seconds,
    }


if __name__ == "__main__":
    sys.exit(attempt(Path(sys.argv[1])))
