"""The joint-training report: each head alone and all jointly, scored on the same documents."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from timeit import default_timer
from typing import Any, Dict, Iterable, List, Optional, Sequence

from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import Config
from wasabi import msg

from ..data.reading import bare_doc
from ..errors import Errors, MtnlpError
from ..evaluation.document_counts import (
    DocumentCounts,
    add_up,
    compare,
    count_documents,
    unannotated_tasks,
)
from ..evaluation.evaluator import load_pipeline
from ..files import write_json
from .comparison import Comparison, Show, make_comparison
from .corpus_files import content_hash
from .estimate import Rates, mean_rates, progress_summary
from .grid import Setting
from .joint_plan import (
    AXIS,
    WEIGHTINGS,
    JointPlan,
    find_heads,
    joint_name,
    make_plan,
    read_test,
    reader_block,
)
from .runs import MODEL, Options, Run
from .settings import with_test_as_dev

COUNTS = "counts.json"
# Documents of each task in the timed pass, and those before it that do not count.
TIMED, WARM_UP = 64, 8


@dataclass
class JointReport:
    """The runs of a report, some of them perhaps done.

    words: of the test documents that each system is scored on. keep: leave the trained weights.
    """

    plan: JointPlan
    comparison: Comparison
    words: Dict[str, int]
    keep: bool = False

    @property
    def unscored(self) -> List[Run]:
        """The runs without counts, trained or not."""
        return [run for run in self.comparison.runs if self.counts(run) is None]

    def seconds_left(self) -> Optional[float]:
        """An estimate for training and scoring; None where nothing is known of their speed."""
        training = self.comparison.seconds_left(self.comparison.left)
        measured = [Rates.from_measures(run["measures"]) for run in self.comparison.results]
        rates = measured or [rates for rates in [self.comparison.rates] if rates is not None]
        if training is None or not rates:
            return training
        words = sum(self.words[run.cell.values[AXIS]] for run in self.unscored)
        return training + words / mean_rates(rates).predict

    def progress_summary(self) -> str:
        """How many runs there are, how many are done and how long the others will take."""
        grid, total = self.comparison.grid, len(self.comparison.runs)
        runs = f"{len(grid.cells)} systems × {len(grid.seeds)} seeds"
        return progress_summary(runs, total, total - len(self.comparison.left), self.seconds_left())

    def run(self, show: Show) -> None:
        """Train and score what is left."""
        self.score()
        self.comparison.run(show, self.score)

    def score(self) -> None:
        """Count the test documents of the runs that are trained and not scored; their weights go.

        Raises: MtnlpError (E476) where the weights are gone already.
        """
        for run in self.unscored:
            if run.result() is None:
                continue
            model = run.folder / MODEL / f"model-{run.model}"
            if not model.is_dir():
                raise MtnlpError(Errors.E476.format(folder=run.folder))
            nlp = load_pipeline(model, self.comparison.options.gpu_id)
            setting = {**self._setting(run), "data": self._data(run)}
            write_json(run.folder / COUNTS, {**setting, **self._score(nlp)})
            if not self.keep:
                shutil.rmtree(run.folder / MODEL)

    def counts(self, run: Run) -> Optional[Dict[str, Any]]:
        """What scoring a run found; None where it is not done, or a corpus has changed since.

        Raises: MtnlpError (E425) where the file is of another setting.
        """
        path = run.folder / COUNTS
        if not path.exists() or run.result() is None:
            return None
        found: Dict[str, Any] = json.loads(path.read_text(encoding="utf8"))
        if any(found.get(key) != value for key, value in self._setting(run).items()):
            raise MtnlpError(Errors.E425.format(path=path))
        return found if found.get("data") == self._data(run) else None

    def _setting(self, run: Run) -> Dict[str, Any]:
        test = str(Path(self.plan.nlp.config.interpolate()["paths"]["test"]).resolve())
        return {"fingerprint": run.fingerprint, "test": test}

    def _data(self, run: Run) -> List[str]:
        """What the corpora of a run hold, and the test corpus."""
        other = with_test_as_dev(self.plan.nlp.config).interpolate()
        test = reader_block(other, self.plan.nlp.config["training"]["dev_corpus"])
        return [run.data, content_hash(Config({"corpora": {"test": test}}))]

    def _score(self, nlp: Language) -> Dict[str, Any]:
        references = read_test(self.plan.nlp.config, nlp)
        pipes = find_heads(nlp)
        own = [doc for doc in references if any(pipes[name].is_annotated(doc) for name in pipes)]
        counts = count_documents(nlp, own)
        planned = find_heads(self.plan.nlp)
        return {
            "counts": {name: item.to_dict() for name, item in counts.items()},
            "inference": time_inference(nlp, timed_documents(planned.values(), references)),
        }

    def results(self, samples: int = 1000, seed: int = 0) -> Dict[str, Any]:
        """Scores, differences and times of what is done.

        samples, seed: of the bootstrap. Returns: {"config", "seeds", "weightings", "samples",
            "tasks": {task: {"metric", "n", "single", "joint": {weighting: {"score", "difference",
            "interval", "p_value", "by_seed"}}}}, "systems": {system: {"training_seconds",
            "total_seconds", "words_per_second", "inference_seconds"}}}. Differences are joint
            minus single, as shares of 1; counts of several seeds are added up document by
            document; what is not done is None or absent.
        """
        found: Dict[str, List[Dict[str, Any]]] = {}
        for run in self.comparison.runs:
            counts, result = self.counts(run), run.result()
            if counts is not None and result is not None:
                item = {"seed": run.seed, **counts, "measures": result["measures"]}
                found.setdefault(run.cell.values[AXIS], []).append(item)
        tasks: Dict[str, Any] = {}
        for head in self.plan.heads:
            for task in found[head][0]["counts"] if head in found else []:
                joint = {name: found.get(joint_name(name), []) for name in self.plan.weightings}
                tasks[task] = _task_result(task, found[head], joint, samples, seed)
        return {
            "config": self.plan.grid.name,
            "seeds": self.plan.grid.seeds,
            "heads": self.plan.heads,
            "weightings": self.plan.weightings,
            "samples": samples,
            "tasks": tasks,
            "systems": {system: _times(items) for system, items in found.items()},
        }


def make_report(
    config: Path,
    output: Path,
    *,
    settings: Sequence[Setting],
    seeds: Sequence[int] = (0,),
    limit: int = 0,
    weightings: Sequence[str] = WEIGHTINGS,
    keep: bool = False,
    gpu_id: int = -1,
) -> JointReport:
    """Derive and check all runs of a report, read the test corpus once.

    output: the folder of the report. The other arguments are those of `make_plan`; a weighting
    that no head can do is left out with a warning.
    Raises: MtnlpError: what `make_plan` and `make_comparison` raise, and E475 where a head, or
        a task of one, has nothing to be tested on.
    """
    plan = make_plan(
        config,
        output / "configs",
        settings=settings,
        seeds=seeds,
        limit=limit,
        weightings=weightings,
    )
    for weighting in set(weightings) - set(plan.weightings):
        msg.warn(f'No head of {config} knows weighting = "{weighting}": left out')
    words = count_test_words(plan)
    options = Options(keep=True, gpu_id=gpu_id)
    return JointReport(plan, make_comparison(plan.grid, output, options), words, keep)


def count_test_words(plan: JointPlan) -> Dict[str, int]:
    """By system, the words of the test documents that it is scored on.

    Raises: MtnlpError E475 where a head, or a task of one, has nothing to be tested on.
    """
    references, pipes = read_test(plan.nlp.config, plan.nlp), find_heads(plan.nlp)
    missing = [
        task
        for task in unannotated_tasks(plan.nlp, references)
        if task.partition("/")[0] in plan.heads
    ]
    if missing:
        raise MtnlpError(Errors.E475.format(split="test", names=", ".join(missing)))
    words = {}
    for cell in plan.grid.cells:
        system = cell.values[AXIS]
        chosen = [pipes[name] for name in plan.heads_of(system)]
        words[system] = sum(len(d) for d in references if any(p.is_annotated(d) for p in chosen))
    return words


def timed_documents(pipes: Iterable[Any], references: Sequence[Doc]) -> List[Doc]:
    """The first documents of each task, in their order, none twice."""
    chosen = set()
    for pipe in pipes:
        own = [i for i, doc in enumerate(references) if pipe.is_annotated(doc)]
        chosen.update(own[:TIMED])
    return [references[i] for i in sorted(chosen)]


def time_inference(nlp: Language, references: Sequence[Doc]) -> Dict[str, float]:
    """One pass of a pipeline over documents that are tokenised already.

    Returns: {"documents", "words", "seconds"}.
    """
    for _ in nlp.pipe([bare_doc(nlp, doc) for doc in references[:WARM_UP]]):
        pass
    bare = [bare_doc(nlp, doc) for doc in references]
    words, begun = sum(map(len, bare)), default_timer()
    for _ in nlp.pipe(bare):
        pass
    return {"documents": len(bare), "words": words, "seconds": default_timer() - begun}


def _task_result(
    task: str,
    single: Sequence[Dict[str, Any]],
    joint: Dict[str, List[Dict[str, Any]]],
    samples: int,
    seed: int,
) -> Dict[str, Any]:
    alone = {item["seed"]: DocumentCounts.from_dict(item["counts"][task]) for item in single}
    every = add_up(list(alone.values()))
    result: Dict[str, Any] = {
        "metric": every.metric,
        "n": len(every.counts),
        "single": every.score,
        "joint": {},
    }
    for weighting, items in joint.items():
        # Only seeds that both have.
        both = {i["seed"]: DocumentCounts.from_dict(i["counts"][task]) for i in items}
        seeds = [number for number in both if number in alone]
        if not seeds:
            continue
        first, second = add_up([alone[n] for n in seeds]), add_up([both[n] for n in seeds])
        difference = compare(first, second, samples=samples, seed=seed)
        result["joint"][weighting] = {
            "score": second.score,
            "difference": difference.value,
            "interval": list(difference.interval),
            "p_value": difference.p_value,
            "by_seed": {str(n): both[n].score - alone[n].score for n in seeds},
        }
    return result


def _times(items: Sequence[Dict[str, Any]]) -> Dict[str, float]:
    measures = [item["measures"] for item in items]
    return {
        "training_seconds": fmean(item["seconds"] for item in measures),
        "total_seconds": fmean(item["total_seconds"] for item in measures),
        "words_per_second": fmean(item["words_per_second"] for item in measures),
        "inference_seconds": fmean(item["inference"]["seconds"] for item in items),
    }
