"""What a pipeline would score with less of train: whether more of it would help."""

import hashlib
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

from spacy.tokens import Doc
from spacy.util import load_config
from thinc.api import Config

from ..data.options import Progress, quiet
from ..data.reading import open_docbin
from ..data.subsets import write_part
from ..errors import Errors, MtnlpError
from ..evaluation.confusions import LabelTask, find_tasks
from ..evaluation.document_counts import STATISTICS, DocumentCounts
from ..evaluation.evaluator import load_pipeline, read_docs
from ..evaluation.intervals import Interval, bootstrap_interval
from ..evaluation.summary import predictions
from ..files import write_json
from ..trainer.train import Options, train_from_config
from .corpus import SUFFIX, TRAIN, Files
from .options import SHARES, Settings
from .task_counts import TaskCounts, count_tasks

CONFIG, PART, RESULT, TRAINING, DEV = "config.cfg", "part.json", "scores.json", "training", "dev"
# A gain from the last doubling that is worth more documents.
WORTHWHILE = 0.01


def learning_curve(
    model: Path,
    files: Files,
    folder: Path,
    *,
    shares: Sequence[float] = SHARES,
    settings: Optional[Settings] = None,
    gpu_id: int = -1,
    progress: Progress = quiet,
) -> Dict[str, Any]:
    """Train a pipeline anew on parts of train, and score each on the documents of a split.

    The pipeline's own config is used, with a silent logger. `paths.train` names the part in turn,
    and must name a file or a folder of `.spacy` files; `paths.dev` the corpus' own dev part where
    there is one. The weights of the last step are scored: the best ones would be chosen on dev.

    model: the trained pipeline's folder. folder: where parts and scores are; what is done there
        already, of the same config and files, is not done again, and a training that was
        interrupted goes on. shares: of train, ascending. gpu_id: -1 for the CPU.
    Returns: {"shares", "documents": of train, by share, "tasks": [{"name", "metric", "scores",
        "low", "high"}], "labels": [{"task", "label", "scores", "support", "train": by share}],
        "says"}.
    Raises: MtnlpError E702 without train, E703 where the config has no `paths.train` that can name
        a part.
    """
    settings = settings or Settings()
    parts = [
        _train_part(model, files, folder / f"{share:g}", share, settings.seed, gpu_id, progress)
        for share in shares
    ]
    return summarize(shares, parts, settings)


def summarize(
    shares: Sequence[float], parts: Sequence[Mapping[str, Any]], settings: Settings
) -> Dict[str, Any]:
    """What `learning_curve` returns. parts: of each share {"documents", "counts": of its tasks,
    "train": {task: {label: count}}}."""
    tasks, labels = [], []
    for name in parts[-1]["counts"]:
        found = [part["counts"][name].counts for part in parts]
        bounds = [_interval(each, settings) for each in found]
        tasks.append(
            {
                "name": name,
                "metric": found[0].metric,
                "scores": [each.score for each in found],
                "low": [low for low, _ in bounds],
                "high": [high for _, high in bounds],
            }
        )
        labels += _label_rows(name, parts)
    return {
        "shares": list(shares),
        "documents": [part["documents"] for part in parts],
        "tasks": tasks,
        "labels": labels,
        "says": describe_gains(tasks, labels),
    }


def _train_part(
    model: Path,
    files: Files,
    folder: Path,
    share: float,
    seed: int,
    gpu_id: int,
    progress: Progress,
) -> Dict[str, Any]:
    """Train on a share of train and score, unless that is done."""
    config = part_config(model, files, folder)
    fingerprint = _fingerprint(config, share, seed, [*files.train, *files.scored])
    tasks = find_tasks(load_pipeline(model))
    part = _prepare_part(files, folder, share, seed, tasks, fingerprint)
    result = folder / RESULT
    if not result.exists():
        config.to_disk(folder / CONFIG, interpolate=False)
        output = folder / TRAINING
        train_from_config(folder / CONFIG, Options(output, use_gpu=gpu_id, auto_resume=True), {})
        nlp = load_pipeline(output / "model-last", gpu_id)
        size = sum(len(open_docbin(file)) for file in files.scored)
        docs = progress(read_docs(files.scored, nlp), f"{share:.0%} of train", size)
        counts = count_tasks(tasks, predictions(nlp, docs))
        write_json(result, {name: each.to_dict() for name, each in counts.items()})
        shutil.rmtree(output)
    found = json.loads(result.read_text(encoding="utf8"))
    counts = {name: TaskCounts.from_dict(tasks[name], data) for name, data in found.items()}
    return {**part, "counts": counts}


def _prepare_part(
    files: Files,
    folder: Path,
    share: float,
    seed: int,
    tasks: Mapping[str, LabelTask],
    fingerprint: str,
) -> Dict[str, Any]:
    """Write the documents of a share, unless they are there. A folder of another share, config or
    corpus is emptied. Returns: {"fingerprint", "documents", "train": {task: {label: count}}}."""
    known = folder / PART
    if known.exists():
        found: Dict[str, Any] = json.loads(known.read_text(encoding="utf8"))
        if found["fingerprint"] == fingerprint:
            return found
    if folder.exists():
        shutil.rmtree(folder)
    support: Dict[str, Counter[str]] = {name: Counter() for name in tasks}

    def look(doc: Doc) -> None:
        for name, task in tasks.items():
            support[name].update(task.gold_labels(doc))

    documents = sum(
        write_part(file, folder / TRAIN / file.name, share, seed, look) for file in files.train
    )
    part = {"fingerprint": fingerprint, "documents": documents, "train": support}
    write_json(known, part)
    return part


def part_config(model: Path, files: Files, folder: Path) -> Config:
    """A pipeline's config, with a part of train in place of train.

    Raises: MtnlpError E702 without train, E703 where the config has no place for a part.
    """
    if not files.train:
        raise MtnlpError(Errors.E702)
    config = load_config(model / CONFIG)
    paths = config.get("paths", {})
    train = paths.get("train")
    is_file = isinstance(train, str) and train.endswith(SUFFIX)
    if not isinstance(train, str) or (is_file and len(files.train) > 1):
        names = ", ".join(path.name for path in files.train)
        raise MtnlpError(Errors.E703.format(path=model / CONFIG, found=train, names=names))
    place = folder / TRAIN
    paths["train"] = str(place / files.train[0].name if is_file else place)
    dev = [splits[DEV] for splits in files.splits.values() if DEV in splits]
    if dev:
        paths["dev"] = str(dev[0] if str(paths.get("dev")).endswith(SUFFIX) else dev[0].parent)
    config["training"]["logger"] = {
        "@loggers": "spacy.ConsoleLogger.v3",
        "console_output": False,
        "progress_bar": None,
        "output_file": None,
    }
    return config


def _fingerprint(config: Config, share: float, seed: int, files: Sequence[Path]) -> str:
    """Of all that decides the scores of a part."""
    found = hashlib.sha256(f"{share} {seed}\n{config.to_str(interpolate=False)}".encode())
    for file in files:
        with file.open("rb") as stream:
            found.update(hashlib.file_digest(stream, "sha256").digest())
    return found.hexdigest()[:16]


def _interval(counts: DocumentCounts, settings: Settings) -> Interval:
    statistic = STATISTICS[counts.metric]
    numbers = {"samples": settings.samples, "seed": settings.seed}
    return bootstrap_interval(counts.counts, statistic, **numbers)


def _label_rows(name: str, parts: Sequence[Mapping[str, Any]]) -> List[Dict[str, Any]]:
    counts = [part["counts"][name] for part in parts]
    labels = sorted({label for each in counts for label in each.per_label})
    return [
        {
            "task": name,
            "label": label,
            "scores": [each.fscore(label) for each in counts],
            "support": counts[-1].support(label),
            "train": [part["train"][name].get(label, 0) for part in parts],
        }
        for label in labels
    ]


def describe_gains(tasks: Sequence[Mapping[str, Any]], labels: Sequence[Mapping[str, Any]]) -> str:
    """Whether more documents would help, and of which labels."""
    lines = []
    for task in tasks:
        gain = _last_gain(task)
        if gain < WORTHWHILE:
            lines.append(f"{task['name']} has about what it needs: the last step gave {gain:+.3f}.")
            continue
        own = [row for row in labels if row["task"] == task["name"] and row["support"]]
        best = sorted(own, key=lambda row: -_last_gain(row) * row["support"])[:3]
        named = ", ".join(f"{row['label']} ({_last_gain(row):+.2f})" for row in best)
        lines.append(
            f"{task['name']} would gain from more documents: the last step gave {gain:+.3f}, most "
            f"of it from {named}."
        )
    return " ".join(lines)


def _last_gain(row: Mapping[str, Any]) -> float:
    """What the last part of train was worth."""
    return float(row["scores"][-1] - row["scores"][-2]) if len(row["scores"]) > 1 else 0.0
