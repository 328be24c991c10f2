"""The fastest form of a trained pipeline that is as good as it was."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copytree
from typing import Any, Dict, List, Optional, Sequence, Tuple

import srsly
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from ..calibration.calibrate import calibrate, read_docs
from ..errors import Errors, MtnlpError
from ..evaluation.evaluator import load_pipeline
from ..experiments.comparison import Show
from ..files import TEMPORARY, fresh_folder, is_replaceable, plain, remove_unfinished, write_json
from ..pipes.base import TorchPipe
from .candidates import AUTO, BASELINE, Candidate, find_candidates
from .choosing import Verdict, fastest, judge
from .converting import convert_encoders, own_encoders
from .measuring import Measured, measure
from .standalone.build import ENGINES, build_standalone, make_plan
from .standalone.comparing import check_answers
from .tables import as_json

# Where meta.json has the table.
META = "optimization"
REFITTED = "refitted"
# Documents on which the answers without torch are compared.
COMPARED = 50


@dataclass(frozen=True)
class Options:
    """engine: as in `find_candidates`. max_drop: points that no task may lose. threads: of engines
    and of torch, 0 for as many as torch takes by itself. limit: documents that are scored, at
    most; 0 for all. standalone: whether what is saved runs without torch."""

    engine: str = AUTO
    max_drop: float = 0.3
    threads: int = 0
    limit: int = 0
    standalone: bool = False


@dataclass
class Optimization:
    """What was found.

    found, verdicts: of each candidate, the baseline first. left_out: what could not be tried, and
    why. chosen: what was saved; None where nothing was. refitted: components whose temperatures and
    thresholds were fitted again.
    """

    found: Dict[Candidate, Measured] = field(default_factory=dict)
    verdicts: Dict[Candidate, Verdict] = field(default_factory=dict)
    left_out: Dict[Candidate, str] = field(default_factory=dict)
    chosen: Optional[Candidate] = None
    refitted: List[str] = field(default_factory=list)


def optimize(
    model: Path, output: Path, corpus: Path, options: Options, show: Optional[Show] = None
) -> Optimization:
    """Try what this machine can run, and save the fastest that is as good as the baseline, which is
    torch in fp32.

    model: the pipeline's folder. output: the folder of the fast one; it appears complete or not at
    all. corpus: annotated documents that were not trained on, a .spacy file or a folder of them: by
    these the scores are compared, and ranges fixed. show: called before each measurement.
    Returns: what was found; nothing is saved where no candidate can be chosen.
    Raises: MtnlpError E144 for an output that holds something else than a pipeline, E290, E292,
        E503, E651 to E653; for one without torch E661 to E665.
    """
    if not is_replaceable(output, "config.cfg"):
        form = "a new folder, or one of a pipeline: what the folder holds would be lost"
        raise MtnlpError(Errors.E144.format(option="OUTPUT", value=output, form=form))
    candidates, left_out = candidates_of(options)
    nlp = load_pipeline(model)
    own_encoders(nlp)
    if options.standalone:
        make_plan(nlp)
    docs = choose_docs(read_docs(nlp, corpus), options.limit)
    output.parent.mkdir(parents=True, exist_ok=True)
    remove_unfinished(output)
    with tempfile.TemporaryDirectory(
        prefix=f".{output.name}.", suffix=TEMPORARY, dir=output.parent
    ) as temporary:
        work = Work(nlp, docs, Path(temporary), options)
        result = Optimization(left_out=left_out)
        for number, candidate in enumerate([BASELINE, *candidates]):
            if show is not None:
                show(number, None, str(candidate))
            try:
                result.found[candidate] = work.try_candidate(candidate)
            except MtnlpError as error:
                # Without the baseline there is nothing to compare with.
                if candidate == BASELINE:
                    raise
                result.left_out[candidate] = str(error)
        result.verdicts = work.judge(result.found)
        result.chosen = fastest(result.verdicts)
        if result.chosen is not None:
            work.refit(result)
            with fresh_folder(output) as folder:
                if options.standalone:
                    save_standalone(work.folder_of(result.chosen), folder, docs)
                else:
                    copytree(work.folder_of(result.chosen), folder, dirs_exist_ok=True)
                write_meta(folder, result, options)
    return result


def candidates_of(options: Options) -> Tuple[List[Candidate], Dict[Candidate, str]]:
    """As `find_candidates`; of those that run without torch where that is asked for. Raises:
    MtnlpError E663, too, where none does."""
    found, left_out = find_candidates(options.engine)
    if not options.standalone:
        return found, left_out
    able = [candidate for candidate in found if candidate.engine in ENGINES]
    if not able:
        raise MtnlpError(Errors.E663.format(engine=options.engine))
    return able, {each: why for each, why in left_out.items() if each.engine in ENGINES}


class Work:
    """The candidates' pipelines in a folder that goes with them.

    nlp: as it was trained. docs: annotated.
    """

    def __init__(self, nlp: Language, docs: Sequence[Doc], folder: Path, options: Options):
        self.nlp = nlp
        self.docs = docs
        self.folder = folder
        self.options = options
        self.data = folder / "docs.spacy"
        DocBin(docs=docs, store_user_data=True).to_disk(self.data)

    def folder_of(self, candidate: Candidate) -> Path:
        """Of its pipeline."""
        return self.folder / str(candidate).replace(" ", "-")

    def try_candidate(self, candidate: Candidate) -> Measured:
        """Convert, save and measure. Raises: MtnlpError E295 and E651."""
        convert_encoders(self.nlp, candidate, self.options.threads, self.docs)
        folder = self.folder_of(candidate)
        self.nlp.to_disk(folder)
        return self.measure(folder)

    def measure(self, folder: Path) -> Measured:
        """Measure a saved pipeline. Raises: MtnlpError E651."""
        return measure(
            folder, self.data, folder.with_name(f"{folder.name}-measured"), self.options.threads
        )

    def judge(self, found: Dict[Candidate, Measured]) -> Dict[Candidate, Verdict]:
        """As `choosing.judge`. Without torch a pipeline is worth having at the same speed, too."""
        return judge(found, self.options.max_drop, must_be_faster=not self.options.standalone)

    def refit(self, result: Optimization) -> None:
        """Fit temperatures and thresholds of the chosen pipeline again, where they had been fitted,
        and keep them unless a task loses by it."""
        names = fitted_components(self.nlp)
        candidate = result.chosen
        if not names or candidate is None:
            return
        fitted = self.folder / REFITTED
        done = calibrate(self.folder_of(candidate), self.data, fitted, names=names)
        measured = self.measure(fitted)
        found = {**result.found, candidate: measured}
        verdict = self.judge(found)[candidate]
        before = result.verdicts[candidate]
        if all(change >= before.changes[task] for task, change in verdict.changes.items()):
            chosen = self.folder_of(candidate)
            chosen.rename(self.folder / "before-refitting")
            fitted.rename(chosen)
            result.found, result.verdicts[candidate] = found, verdict
            result.refitted = [*done["temperatures"], *done["classifiers"]]


def save_standalone(model: Path, folder: Path, docs: Sequence[Doc]) -> None:
    """Write what a converted pipeline becomes without torch, once it answers the same.

    model: its folder. docs: some of them are what both are asked. Raises: MtnlpError E661 to E665.
    """
    nlp = load_pipeline(model)
    made = build_standalone(nlp, folder)
    check_answers(nlp, made, choose_docs(docs, COMPARED))


def fitted_components(nlp: Language) -> List[str]:
    """Those whose temperatures or thresholds are not the ones they begin with."""
    return [
        name
        for name, pipe in nlp.pipeline
        if isinstance(pipe, TorchPipe)
        and (
            pipe.cfg.get("temperature", 1.0) != 1.0
            or pipe.cfg.get("temperatures")
            or pipe.cfg.get("thresholds")
        )
    ]


def choose_docs(docs: Sequence[Doc], limit: int) -> List[Doc]:
    """Every n-th document, so that all corpora of a folder keep their shares; 0 takes all."""
    if not limit or len(docs) <= limit:
        return list(docs)
    return [docs[number * len(docs) // limit] for number in range(limit)]


def write_meta(folder: Path, result: Optimization, options: Options) -> None:
    """Add what was measured to the meta.json of a pipeline."""
    assert result.chosen is not None
    meta: Dict[str, Any] = dict(srsly.read_json(folder / "meta.json"))
    meta[META] = plain(
        {
            "engine": result.chosen.engine,
            "precision": result.chosen.precision,
            "max_drop": options.max_drop,
            "refitted": result.refitted,
            "measured": as_json(result.found, result.verdicts),
        }
    )
    write_json(folder / "meta.json", meta)
