"""The whole recipe: teachers of single tasks, what they believe, and a joint student of all."""

import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence

from ..data.docbin_stream import find_shards
from ..data.taught import opinion_path
from ..errors import Errors, MtnlpError
from ..files import write_json
from ..teaching.encoder_teacher import COMPONENT, load_encoder_teacher
from ..teaching.teach import Teaching, find_files
from ..teaching.teachers import TeacherName, folder_fingerprint, load_teachers
from .comparison import Comparison, Show, make_comparison, sigterm_exits
from .corpus_files import file_hash
from .estimate import Rates, mean_rates, show_duration
from .grid import Cell, Setting
from .joint_plan import AXIS, WEIGHTINGS, joint_name, make_plan
from .joint_report import JointReport, count_test_words
from .runs import Options, Run
from .settings import check_config, make_config
from .student_plan import (
    OBJECTIVES,
    Lesson,
    learn_vectors,
    make_student_config,
    model_folder,
    plan_lesson,
    without_opinions,
)
from .workload import Workload, WorkloadCounter

# The name of the student among the joint systems.
TAUGHT = "taught"
# What was asked, in a lesson's folder; written last.
STAMP = "taught.json"
# Documents between two messages while teachers are asked.
TICK = 64


@dataclass
class TeacherRecipe:
    """Three steps: teachers, lessons, students; some of it perhaps done.

    report: of all runs, whose weights are kept. singles: the runs that need no lesson: the
    teachers, and the joint runs without teachers that were asked for. lessons: one per seed.
    vectors: an encoder that teaches vectors, too.
    """

    report: JointReport
    singles: Comparison
    lessons: List[Lesson]
    vectors: Optional[str] = None

    @property
    def students(self) -> List[Run]:
        """One per seed."""
        done = len(self.singles.runs)
        return self.report.comparison.runs[done:]

    @property
    def untaught(self) -> List[Lesson]:
        """The lessons that a student still needs."""
        pairs = zip(self.lessons, self.students, strict=True)
        left = [lesson for lesson, run in pairs if run.result() is None]
        return [lesson for lesson in left if not self._is_taught(lesson)]

    def seconds_left(self) -> Optional[float]:
        """An estimate of all that is left; None where nothing is known of the speed."""
        training, rates = self.report.seconds_left(), self._rates()
        if training is None or rates is None:
            return training
        each = len(self.report.plan.heads) + (self.vectors is not None)
        return training + sum(lesson.words for lesson in self.untaught) * each / rates.predict

    def steps(self) -> List[str]:
        """What is done, what will be, and how long that takes, line by line."""
        heads, seeds = self.report.plan.heads, len(self.lessons)
        left = len(self.singles.left)
        alone = "alone" if self.report.plan.weightings == [TAUGHT] else "alone, and all jointly"
        corpora = ", ".join(corpus.settings.name for corpus in self.lessons[0].corpora)
        open_students = sum(run.result() is None for run in self.students)
        taught = [*heads, *([self.vectors] if self.vectors else [])]
        seconds = self.seconds_left()
        return [
            f"1. Train {', '.join(heads)} {alone}, {seeds} seeds: {left} of "
            f"{len(self.singles.runs)} runs left",
            f"2. Ask {', '.join(taught)} about {corpora} ({self.lessons[0].words:,} words): "
            f"{len(self.untaught)} of {seeds} left",
            f"3. Train the student, {seeds} seeds: {open_students} left",
            "Time unknown" if seconds is None else f"About {show_duration(seconds)} left",
        ]

    def run(self, show: Show) -> List[str]:
        """Do what is left. Returns: what failed; later steps wait for it.

        Raises: MtnlpError, of teaching and of scoring.
        """
        with sigterm_exits():
            self.report.score()
            students = self._phase(self.students)
            failures = self._run(self.singles, show, 0, students)
            if failures:
                return failures
            for number, lesson in enumerate(self.untaught):
                done = len(self.singles.runs) + number
                self._teach(lesson, partial(self._tell, show, done, students))
            # Anew, because what their corpora hold is other than before.
            runs = self.report.comparison.runs
            runs[len(self.singles.runs) :] = [replace(run) for run in self.students]
            taught = replace(self.report.comparison, runs=self.students, rates=self._rates())
            return self._run(taught, show, len(self.singles.runs), lambda: 0.0)

    def model(self, seed: int) -> Path:
        """The folder of a student's weights."""
        return model_folder(next(run for run in self.students if run.seed == seed))

    @staticmethod
    def _tell(show: Show, done: int, seconds: Callable[[], Optional[float]], what: str) -> None:
        show(done, seconds(), what)

    def probe(self) -> None:
        """Make a few steps, unless a run is done. Raises: MtnlpError E428 where they fail."""
        self.singles.probe()
        self.report.comparison.rates = self.singles.rates

    def _run(
        self,
        comparison: Comparison,
        show: Show,
        behind: int,
        later: Callable[[], Optional[float]],
    ) -> List[str]:
        """Make the runs of a part that are left. behind: how many there are before it. later: the
        seconds of what comes after it."""

        def shifted(done: int, seconds: Optional[float], what: str) -> None:
            rest = later()
            known = None if seconds is None or rest is None else seconds + rest
            show(behind + done, known, what)

        comparison.run(shifted, self.report.score)
        return comparison.failures

    def _phase(self, runs: Sequence[Run]) -> Callable[[], Optional[float]]:
        left = [run for run in runs if run.result() is None]
        return lambda: self.report.comparison.seconds_left(left)

    def _rates(self) -> Optional[Rates]:
        measured = [Rates.from_measures(run["measures"]) for run in self.report.comparison.results]
        if measured:
            return mean_rates(measured)
        return self.singles.rates

    def _teach(self, lesson: Lesson, tell: Callable[[str], None]) -> None:
        """Ask the teachers of a seed, and write what they believe of each corpus."""
        for run in lesson.teachers.values():
            if not model_folder(run).is_dir():
                raise MtnlpError(Errors.E476.format(folder=run.folder))
        gpu_id = self.report.comparison.options.gpu_id
        names = [TeacherName(str(path), name) for name, path in lesson.models().items()]
        teachers = load_teachers(names, gpu_id=gpu_id)
        if self.vectors is not None:
            teachers.append(load_encoder_teacher(self.vectors, gpu_id=gpu_id))
        for corpus in lesson.corpora:
            name = corpus.settings.name

            files = find_files(corpus.settings.path, lesson.folder / name, corpus.asked)
            Teaching(teachers, files).run(partial(_watch, tell, f"{name}, seed {lesson.seed}"))
        write_json(lesson.folder / STAMP, self._stamp(lesson))

    def _is_taught(self, lesson: Lesson) -> bool:
        """Whether the opinions are there, and those of these teachers on these documents."""
        path = lesson.folder / STAMP
        if not path.exists() or not all(model.is_dir() for model in lesson.models().values()):
            return False
        found: Any = json.loads(path.read_text(encoding="utf8"))
        return bool(found == self._stamp(lesson))

    def _stamp(self, lesson: Lesson) -> Dict[str, Any]:
        """What decides the opinions of a lesson."""
        corpora = {}
        for corpus in lesson.corpora:
            name, path = corpus.settings.name, corpus.settings.path
            files = []
            for source in find_shards(corpus.settings):
                if corpus.asked is None or source in corpus.asked:
                    status = source.stat()
                    digest = file_hash(source, status.st_size, status.st_mtime_ns)
                    asked = None if corpus.asked is None else corpus.asked[source]
                    target = opinion_path(lesson.folder / name, path, source)
                    files.append([str(source), digest, asked, target.exists()])
            corpora[name] = files
        teachers = {name: folder_fingerprint(path) for name, path in lesson.models().items()}
        return {"teachers": teachers, "vectors": self.vectors, "corpora": corpora}


def _watch(
    tell: Callable[[str], None], where: str, items: Iterable[Any], what: str, length: Optional[int]
) -> Iterator[Any]:
    """The documents of a file, with a message now and then."""
    for number, item in enumerate(items):
        if number % TICK == 0:
            tell(f"ask about {where}: {number:,} of {length or 0:,} documents of {what}")
        yield item


def make_recipe(
    config: Path,
    output: Path,
    *,
    settings: Sequence[Setting],
    seeds: Sequence[int] = (0,),
    limit: int = 0,
    plain: bool = False,
    vectors: Optional[str] = None,
    gpu_id: int = -1,
) -> TeacherRecipe:
    """Derive and check everything, and read the corpora once.

    The teachers are the heads of the joint config, each alone, as in a joint-training report. The
    student is the joint config with teachers over all of its training corpora, and annealing.

    output: the folder of the recipe. plain: also train jointly without teachers. vectors: an
    encoder that teaches the student's `sentence_vectors`. The other arguments are those of
    `make_plan`. Raises: MtnlpError: what `make_plan`, `make_comparison` and `make_student_config`
    raise, E475 where a head has nothing to be tested on, E747 where there is no component for the
    vectors, E425 for a folder of another recipe.
    """
    base, texts = without_opinions(config, output / "configs" / "base")
    plan = make_plan(
        *(base, output / "configs"),
        settings=settings,
        seeds=seeds,
        limit=limit,
        weightings=WEIGHTINGS[:1],
    )
    if vectors is not None and COMPONENT not in plan.nlp.component_names:
        reason = f"it teaches '{COMPONENT}', and there is no such component in {config}"
        raise MtnlpError(Errors.E747.format(teacher=vectors, reason=reason))
    *_, joint = plan.grid.cells
    options = Options(keep=True, gpu_id=gpu_id)
    single = plan.grid.cells if plain else plan.grid.cells[:-1]
    singles = make_comparison(replace(plan.grid, cells=single), output, options)
    student = replace(joint, values={AXIS: joint_name(TAUGHT)})
    systems = replace(plan.grid, cells=[*single, student])
    runs: List[Run] = []
    lessons: List[Lesson] = []
    for seed in plan.grid.seeds:
        folder = output / "taught" / f"seed-{seed}"
        made = make_student_config(make_config(joint, seed), texts, folder, plan.heads)
        # A component that has no such setting learns vectors by itself, or not at all.
        if vectors is not None and OBJECTIVES in plan.nlp.config["components"][COMPONENT]:
            learn_vectors(made, COMPONENT)
        check_config(student, made)
        place = output / "runs" / student.name / f"seed-{seed}"
        run = Run(student, seed, made, place, plan.grid.model)
        run.result()
        runs.append(run)
        teachers = {
            one.cell.values[AXIS]: one
            for one in singles.runs
            if one.seed == seed and one.cell.values[AXIS] in plan.heads
        }
        lessons.append(plan_lesson(made, folder, teachers, seed))
    workload = student_workload(joint, make_config(joint, seeds[0]), lessons[0], texts)
    workloads = {**singles.workloads, student.name: workload}
    every = Comparison(systems, [*singles.runs, *runs], workloads, output, options)
    weightings = [*(WEIGHTINGS[:1] if plain else []), TAUGHT]
    report_plan = replace(plan, grid=systems, weightings=weightings)
    report = JointReport(report_plan, every, count_test_words(report_plan), keep=True)
    return TeacherRecipe(report, singles, lessons, vectors)


def student_workload(joint: Cell, config: Any, lesson: Lesson, texts: Dict[str, Any]) -> Workload:
    """The joint training's, and that of the texts which only the teachers speak of."""
    nlp = check_config(joint, config)
    found = WorkloadCounter()(joint.name, nlp)
    more = sum(
        corpus.words * corpus.settings.weight
        for corpus in lesson.corpora
        if corpus.settings.name in texts
    )
    epochs = nlp.config["training"]["max_epochs"]
    return Workload(found.train + round(more * epochs), found.evaluated)
