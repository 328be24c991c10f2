"""Fitting what turns a trained pipeline's scores into decisions, on held-out documents."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from wasabi import msg

from ..data.options import Progress, quiet
from ..data.reading import bare_doc, corpus_files, open_docbin
from ..errors import Errors, MtnlpError
from ..evaluation.evaluator import load_pipeline
from ..files import fresh_folder, is_replaceable
from ..pipes.classifier import DocClassifier
from ..pipes.span_ner import SpanNER
from .category_report import category_figures
from .classifier_fit import FitOptions, TaskFit, fit_classifier
from .collected_scores import (
    CategoryScores,
    CollectedScores,
    EntityScores,
    collect,
    start_collection,
)
from .entity_report import calibration_report
from .entity_threshold import ThresholdFit, fit_entity_threshold, threshold_figures
from .temperature import fit_collected, pipes_with_temperature


def calibrate(
    model: Path,
    dev: Path,
    output: Path,
    *,
    names: Optional[Sequence[str]] = None,
    options: Optional[FitOptions] = None,
    report: Optional[Path] = None,
    gpu_id: int = -1,
    progress: Progress = quiet,
) -> Dict[str, Any]:
    """Fit temperatures and thresholds of a saved pipeline and save it anew.

    The documents go through the encoder once, whatever is fitted.

    model: the pipeline's folder. dev: a .spacy file, or a folder of them, held out in training.
    output: the folder of the calibrated pipeline, which may be `model`; it appears complete or not
        at all. names: entity pipes and classifiers; by default all for which dev has annotations.
    options: what to fit, everything by default.
    report: a .spacy file or folder, for neither training nor fitting, to report calibration on;
        pipes for which it has no annotations are left out there.
    Returns: {"model", "dev", "output", "temperatures": {entity pipe: the numbers of a
        `TemperatureFit`}, "thresholds": {span_ner: the numbers of a `ThresholdFit`},
        "classifiers": {pipe: {task: {"fit": the numbers of a `TaskFit`, "dev":
        `category_figures`}}}} and, with a report, {"test", "report": what `calibration_report`
        returns, "threshold_report": {span_ner: `threshold_figures`}, "category_report": {pipe:
        `category_figures`}}.
    Raises: MtnlpError E144 for an output that holds something else than a pipeline, E150, E411,
        E415, E416, E433, E503, DataError for a broken file.
    """
    if not is_replaceable(output, "config.cfg"):
        form = "a new folder, or one of a pipeline: what the folder holds would be lost"
        raise MtnlpError(Errors.E144.format(option="--output", value=output, form=form))
    options = options or FitOptions()
    nlp = load_pipeline(model, gpu_id)
    candidates = choose(nlp, names, options, model)
    docs = read_docs(nlp, dev)
    collected = {name: start_collection(nlp.get_pipe(name)) for name in candidates}
    if not names:  # a pipe that was asked for by name must have gold
        collected = annotated(collected, docs) or collected
    collect(nlp, list(collected.values()), progress(pairs(nlp, docs), "dev", len(docs)))
    temperatures, classifiers = {}, {}
    thresholds: Dict[str, ThresholdFit] = {}
    fits: Dict[str, Dict[str, TaskFit]] = {}
    for name, scores in collected.items():
        if isinstance(scores, EntityScores):
            before = scores.pipe.cfg["temperature"]
            if options.temperature:
                temperatures[name] = asdict(fit_collected(scores))
            # Of the probabilities that follow.
            if options.thresholds and isinstance(scores.pipe, SpanNER):
                thresholds[name] = fit_entity_threshold(scores, options, before)
        elif isinstance(scores, CategoryScores):
            fits[name] = fit_classifier(scores, options)
            figures = category_figures(scores, fits[name])
            classifiers[name] = {
                task: {"fit": asdict(fit), "dev": figures[task]} for task, fit in fits[name].items()
            }
    with fresh_folder(output) as folder:
        nlp.to_disk(folder)
    results: Dict[str, Any] = {"model": model, "dev": dev, "output": output}
    results.update(temperatures=temperatures, classifiers=classifiers)
    results["thresholds"] = {name: asdict(fit) for name, fit in thresholds.items()}
    if report is not None:
        docs = read_docs(nlp, report)
        found = report_on(nlp, docs, list(collected), fits, thresholds, progress)
        results.update(test=report, **found)
    return results


def report_on(
    nlp: Language,
    docs: List[Doc],
    names: Sequence[str],
    fits: Dict[str, Dict[str, TaskFit]],
    thresholds: Dict[str, ThresholdFit],
    progress: Progress = quiet,
) -> Dict[str, Any]:
    """What calibration is worth on other documents.

    names: the calibrated pipes. fits: of the classifiers among them. thresholds: of entity pipes
        among them. Returns: {"report", "threshold_report", "category_report"}, see `calibrate`.
    """
    collected = {name: start_collection(nlp.get_pipe(name)) for name in names}
    collected = annotated(collected, docs) or collected
    entities = [name for name in collected if name not in fits]
    decided = {name: item for name, item in collected.items() if name in {*fits, *thresholds}}
    found: Dict[str, Any] = {"report": {}, "threshold_report": {}, "category_report": {}}
    if entities:
        found["report"] = calibration_report(nlp, entities, progress(docs, "test", len(docs)))
    if decided:
        stream = progress(pairs(nlp, docs), "test, decisions", len(docs))
        collect(nlp, list(decided.values()), stream)
    for name, item in decided.items():
        if isinstance(item, CategoryScores):
            found["category_report"][name] = category_figures(item, fits[name])
        elif isinstance(item, EntityScores):
            found["threshold_report"][name] = threshold_figures(item, thresholds[name])
    return found


def choose(
    nlp: Language, names: Optional[Sequence[str]], options: FitOptions, model: Path
) -> List[str]:
    """The pipes to fit. Raises: MtnlpError E411 for a name that is none, E416 where the pipeline
    has none, E433 where the options leave nothing to fit."""
    entities = pipes_with_temperature(nlp)
    known = [
        name for name, pipe in nlp.pipeline if name in entities or isinstance(pipe, DocClassifier)
    ]
    if not known and not names:
        raise MtnlpError(Errors.E416.format(path=model))
    for name in names or ():
        if name not in known:
            what = "component to calibrate"
            raise MtnlpError(Errors.E411.format(what=what, name=name, names=", ".join(known)))
    wanted = list(names or known)
    useful = [name for name in wanted if is_fittable(nlp.get_pipe(name), options)]
    if not useful or (names and len(useful) < len(wanted)):
        idle = [name for name in wanted if name not in useful]
        raise MtnlpError(Errors.E433.format(names=", ".join(idle)))
    return useful


def is_fittable(pipe: Any, options: FitOptions) -> bool:
    """Whether the options leave something to fit for a pipe."""
    tasks = pipe.tasks.values() if isinstance(pipe, DocClassifier) else ()
    has_thresholds = isinstance(pipe, SpanNER) or any(not task["exclusive"] for task in tasks)
    return options.temperature or (options.thresholds and has_thresholds)


def read_docs(nlp: Language, path: Path) -> List[Doc]:
    """The documents of a .spacy file, or of all in a folder."""
    files = corpus_files(path) if path.is_dir() else [path]
    return [doc for file in files for doc in open_docbin(file).get_docs(nlp.vocab)]


def pairs(nlp: Language, docs: Sequence[Doc]) -> Iterator[Example]:
    """Reference documents beside what a pipeline gets to read of them."""
    return (Example(bare_doc(nlp, doc), doc) for doc in docs)


def annotated(
    collected: Dict[str, CollectedScores], docs: Sequence[Doc]
) -> Dict[str, CollectedScores]:
    """Those of the pipes for which any document is annotated; a warning names the others."""
    found = {}
    for name, item in collected.items():
        if any(item.wants(doc) for doc in docs):
            found[name] = item
        else:
            msg.warn(f"{name}: no annotated document, left out")
    return found
