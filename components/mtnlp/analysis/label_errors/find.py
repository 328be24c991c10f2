"""Which annotations of a corpus are probably wrong: train, ask, rank, write."""

import json
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence

import numpy as np
from spacy.util import load_config
from spacy.vocab import Vocab
from thinc.api import Config

from ...data.options import Progress, quiet
from ...errors import Errors, MtnlpError
from ...evaluation.evaluator import load_pipeline
from ...files import fresh_file, remove_unfinished
from .corpus import CheckedCorpus
from .exports import export, labels_of, make_tasks
from .fold_config import TrainingCorpora
from .folds import Fold
from .judging import Judge, JudgedDoc, Settings
from .ranking import describe, rank
from .suggestions import SENTENCES, Suggestion, write_suggestions
from .training import (
    FoldFiles,
    begin_run,
    describe_run,
    fold_files,
    prepare_fold,
    train_fold,
    unfinished,
)

# Says how long what is left will take: of the config of a fold, and how many of them there are.
Announce = Callable[[Path, int], None]

SUGGESTIONS, EXPORT = "suggestions.jsonl", "export"


@dataclass(frozen=True)
class FindOptions:
    """output: the folder of the run. folds: their number. seed: of the folds. resume: go on with an
    earlier run. models: trained pipelines in place of trainings: one for each fold, in order, each
    trained without that part; or one alone, trained on other documents. keep_models: leave the
    trained ones in the folder. top: how many suggestions there are. tools: to export them for.
    gpu_id: -1 for the CPU."""

    output: Path
    folds: int = 5
    seed: int = 0
    resume: bool = False
    models: Sequence[Path] = ()
    keep_models: bool = False
    top: int = 500
    tools: Sequence[str] = ()
    gpu_id: int = -1


@dataclass
class Judged:
    """What the models say of all Docs of a corpus. left_out: annotations that none could be asked
    about, and why, counted."""

    docs: List[JudgedDoc] = field(default_factory=list)
    left_out: "Counter[str]" = field(default_factory=Counter)


@dataclass
class Found:
    """What a run found. suggestions: the first ones, the most probable errors first. total: how
    many there could be. files: what was written. docs: how many were judged. left_out: as in
    `Judged`."""

    suggestions: List[Suggestion]
    total: int
    files: List[Path]
    docs: int
    left_out: "Counter[str]"


def find_label_errors(
    path: Path,
    config_path: Optional[Path],
    overrides: Dict[str, Any],
    options: FindOptions,
    announce: Announce = lambda path, count: None,
    progress: Progress = quiet,
) -> Found:
    """Rank the annotations of a corpus by how likely they are wrong; write suggestions and exports.

    path: a .spacy file, or a folder of them. config_path: the config to train by; with ready models
        it says how their training read the layers, if it moved any. overrides: of its settings, by
        dotted names. announce: called before the first training.
    Raises: MtnlpError as `judge_corpus` does, DataError for a corpus that cannot be read.
    """
    corpus = CheckedCorpus(path)
    config = None
    if config_path is not None:
        config = load_config(config_path, overrides=overrides, interpolate=False)
    judged = judge_corpus(corpus, config, options, announce, progress)
    vocab = Vocab()
    docs = dict(corpus.docs(vocab, range(len(corpus))))
    ranked = rank(judged.docs)
    suggestions = describe(ranked[: options.top], docs)
    files = [options.output / SUGGESTIONS]
    write_suggestions(files[0], suggestions)
    if options.tools:
        # No tool has a place for an entity in two texts.
        within = [item for item in suggestions if not item.layer.startswith(SENTENCES)]
        left_out = "suggestions about ends of sentences, from the exports"
        judged.left_out[left_out] += len(suggestions) - len(within)
        labels = labels_of(docs.values(), {item.layer for item in within})
        wanted = {(item.file, item.number) for item in within}
        indices = [i for i, p in enumerate(corpus.places) if (p.file, p.number) in wanted]
        for tool in options.tools:
            # A Doc takes the suggestions in, so that each tool needs its own.
            fresh = {(p.file, p.number): doc for p, doc in corpus.docs(vocab, indices)}
            tasks = make_tasks(fresh, within)
            files += export(tool, options.output / EXPORT / tool, tasks, labels)
    return Found(suggestions, len(ranked), files, len(judged.docs), judged.left_out)


def judge_corpus(
    corpus: CheckedCorpus,
    config: Optional[Config],
    options: FindOptions,
    announce: Announce = lambda path, count: None,
    progress: Progress = quiet,
) -> Judged:
    """Let each fold be judged by a model that was not trained on it. What is done stays done: a run
    that was killed goes on where it was, with `resume`.

    config: of the training; with ready models, how their training read the layers, if it moved any.
    announce: called before the first training.
    Raises: MtnlpError E720 for folds that cannot be, E722 for a config that cannot be used, E723
    for an earlier run, E724 for a pipeline that cannot be asked, E727 for neither a config nor the
    right number of models.
    """
    _check_models(config, options)
    corpora = None if config is None else TrainingCorpora(config, list(corpus.files))
    settings: Settings = {} if corpora is None else corpora.settings
    single = len(options.models) == 1
    folds = [_whole(corpus)] if single else corpus.folds(options.folds, options.seed)
    made_of = describe_run(corpus, config, len(folds), options.seed, options.models)
    begin_run(options.output, made_of, options.resume)
    files = [fold_files(options.output, fold) for fold in folds]
    waiting = [] if options.models else unfinished(options.output, folds)
    if waiting:
        assert corpora is not None
        for fold in waiting:
            prepare_fold(corpus, corpora, fold, fold_files(options.output, fold))
        announce(fold_files(options.output, waiting[0]).config, len(waiting))
    for fold, each in zip(folds, files, strict=True):
        if not each.found.exists():
            ready = options.models[fold.number] if options.models else None
            _judge_fold(corpus, fold, each, settings, ready, options, progress)
    return read_judged(options.output, folds)


def _check_models(config: Optional[Config], options: FindOptions) -> None:
    count = len(options.models)
    if not count and config is None:
        raise MtnlpError(Errors.E727.format(what="there is neither a config nor a model"))
    if count not in (0, 1, options.folds):
        what = f"{count} models for {options.folds} folds"
        raise MtnlpError(Errors.E727.format(what=what))


def _whole(corpus: CheckedCorpus) -> Fold:
    """All of a corpus, for a model that was trained on something else."""
    nothing = np.zeros(0, dtype=np.int64)
    return Fold(0, np.arange(len(corpus)), nothing, nothing)


def _judge_fold(
    corpus: CheckedCorpus,
    fold: Fold,
    files: FoldFiles,
    settings: Settings,
    ready: Optional[Path],
    options: FindOptions,
    progress: Progress,
) -> None:
    """Train the fold's model, unless there is one, and write down what it says."""
    model = ready or train_fold(files, options.gpu_id)
    nlp = load_pipeline(model, options.gpu_id)
    judge = Judge(nlp, settings)
    docs = corpus.docs(nlp.vocab, fold.held.tolist())
    remove_unfinished(files.found)
    with fresh_file(files.found) as draft, draft.open("w", encoding="utf8") as stream:
        shown = progress(judge(docs), f"fold {fold.number + 1}", len(fold.held))
        for item in shown:
            stream.write(json.dumps(item.to_json(), ensure_ascii=False) + "\n")
        stream.write(json.dumps({"left_out": judge.left_out}) + "\n")
    if not options.keep_models:
        for folder in (files.model, files.data):
            shutil.rmtree(folder, ignore_errors=True)


def read_judged(output: Path, folds: Sequence[Fold]) -> Judged:
    """What the models of a finished run say. output: its folder."""
    judged = Judged()
    for fold in folds:
        with fold_files(output, fold).found.open(encoding="utf8") as stream:
            for line in stream:
                row: Dict[str, Any] = json.loads(line)
                if "left_out" in row:
                    judged.left_out.update(row["left_out"])
                else:
                    judged.docs.append(JudgedDoc.from_json(row))
    return judged
