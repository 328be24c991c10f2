"""Fitting what turns a trained pipeline's scores into decisions, on held-out documents."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from wasabi import msg

from mtnlp.data.options import Progress, quiet
from mtnlp.data.reading import bare_doc, corpus_files, open_docbin
from mtnlp.errors import Errors, MtnlpError
from mtnlp.evaluation.calibration_report import calibration_report
from mtnlp.evaluation.evaluator import load_pipeline
from mtnlp.gold.entities import is_annotated
from mtnlp.project.files import fresh_folder
from mtnlp.training.temperature import fit_temperatures, pipes_with_temperature


def calibrate(
    model: Path,
    dev: Path,
    output: Path,
    *,
    names: Optional[Sequence[str]] = None,
    report: Optional[Path] = None,
    gpu_id: int = -1,
    progress: Progress = quiet,
) -> Dict[str, Any]:
    """Fit the temperatures of a saved pipeline and save it anew.

    model: the pipeline's folder. dev: a .spacy file, or a folder of them, held out in training.
    output: the folder of the calibrated pipeline, which may be `model`; it appears complete or not
        at all. names: entity pipes; by default all for which dev has annotations.
    report: a .spacy file or folder, for neither training nor fitting, to report calibration on;
        pipes for which it has no annotations are left out there.
    RETURNS: {"model", "dev", "output", "temperatures": {pipe: the numbers of a `TemperatureFit`}}
        and, with a report, {"test", "report": what `calibration_report` returns}.
    Raises MtnlpError E150, E411, E415, E416, E503, DataError for a broken file.
    """
    nlp = load_pipeline(model, gpu_id)
    candidates = list(names or pipes_with_temperature(nlp))
    if not candidates:
        raise MtnlpError(Errors.E416.format(path=model))
    docs = read_docs(nlp, dev)
    # A pipe that was asked for by name must have gold.
    chosen = candidates if names else annotated_pipes(nlp, candidates, docs) or candidates
    pairs = (Example(bare_doc(nlp, doc), doc) for doc in docs)
    fits = fit_temperatures(nlp, chosen, progress(pairs, "dev", len(docs)))
    with fresh_folder(output) as folder:
        nlp.to_disk(folder)
    numbers = {name: asdict(fit) for name, fit in fits.items()}
    results = {"model": model, "dev": dev, "output": output, "temperatures": numbers}
    if report is None:
        return results
    docs = read_docs(nlp, report)
    shown = annotated_pipes(nlp, chosen, docs) or chosen
    figures = calibration_report(nlp, shown, progress(docs, "test", len(docs)))
    return {**results, "test": report, "report": figures}


def read_docs(nlp: Language, path: Path) -> List[Doc]:
    """The documents of a .spacy file, or of all in a folder."""
    files = corpus_files(path) if path.is_dir() else [path]
    return [doc for file in files for doc in open_docbin(file).get_docs(nlp.vocab)]


def annotated_pipes(nlp: Language, names: Sequence[str], docs: Sequence[Doc]) -> List[str]:
    """Those of the entity pipes for which any document is annotated; a warning names the others."""
    found = []
    for name in names:
        pipe: Any = nlp.get_pipe(name)
        if any(is_annotated(doc, pipe.cfg["spans_key"]) for doc in docs):
            found.append(name)
        else:
            msg.warn(f"{name}: no annotated document, left out")
    return found
