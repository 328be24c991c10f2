"""A trained pipeline learns new labels, from data annotated for these alone.

The component's head grows; the old pipeline is the teacher of all that was known before, on the new
documents: "Learning without Forgetting" (Li and Hoiem, 2016), as Monaikul et al. (2021) do it for
entities.
"""

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Sequence, Tuple, Union

from spacy.language import Language
from spacy.training import Example
from thinc.api import Config
from wasabi import msg

from ..data.convert import convert
from ..data.docbin_stream import count_docs, read_docs
from ..data.options import Progress, quiet
from ..errors import Errors, MtnlpError
from ..evaluation.evaluator import load_pipeline
from ..files import fresh_folder, is_replaceable, scratch_folder
from ..pipes.loss_normalization import count_gold
from ..pipes.upstream import is_encoder
from ..teaching.teach import Teaching, find_files
from ..teaching.teachers import LoadedTeacher
from ..trainer.train import Options, train
from .agreement import agreement, predict
from .conversion import plan_conversions
from .corpora import Source, find_sources
from .extend_options import ExtendOptions
from .extend_training import make_reader, set_training
from .new_labels import NewLabels, find_new_labels, sole_task

# Of one file, what the new labels are scored on.
RATIO = "90:10:0"
# Where gold says what a unit is, the old pipeline has no say; elsewhere it is heard in full.
TEACHER = {"teacher_weight": 0.0, "teacher_temperature": 1.0, "teacher_confidence": 0.0}


@dataclass(frozen=True)
class Extended:
    """What was done. learnt: the labels and their component. taught: components that the old
    pipeline taught. drifting: components on the trained encoder that nobody taught. scores: of the
    component on dev, the new labels alone. agreement: by component, how far what the new pipeline
    says of dev in old labels is what the old one says."""

    learnt: NewLabels
    taught: List[str]
    drifting: List[str]
    documents: Dict[str, int]
    scores: Dict[str, Any]
    agreement: Dict[str, float]

    @property
    def scores_per_label(self) -> Dict[str, float]:
        """F1 of each new label on dev."""
        found: Dict[str, Dict[str, float]] = {}
        for name, table in self.scores.items():
            found.update(table if name.endswith("_per_type") else {})
        return {label: found[label]["f"] for label in self.learnt.labels if label in found}


def extend(
    model: Union[str, Path],
    data: Sequence[Path],
    output: Path,
    options: ExtendOptions = ExtendOptions(),
    progress: Progress = quiet,
    tell: Callable[[NewLabels], None] = lambda found: None,
) -> Extended:
    """Write a pipeline that has learnt the labels of some data to those it had.

    model: a folder; a text may also be the name of an installed pipeline. data: one corpus, as
        `mtnlp init` takes it. output: a new folder, or one of another pipeline.
    tell: called with what is to be known before training begins.
    Raises: MtnlpError E144 for an output that holds something else or is the model, E503 where
        there is no pipeline, E777 to E780 for data that no component can learn from, and what
        reading the data, teaching and training raise.
    """
    if not is_replaceable(output, "meta.json") or output.resolve() == Path(model).resolve():
        form = "a new folder, or one of another pipeline: what the folder holds would be lost"
        raise MtnlpError(Errors.E144.format(option="--output", value=output, form=form))
    nlp = load_pipeline(model, options.gpu_id)
    with scratch_folder(output) as work:
        paths = convert_data(data, nlp, work / "corpus", options, progress)
        found = find_new_labels(nlp, list(read_docs(paths["train"], nlp.vocab)), options.component)
        teacher = load_pipeline(model, options.gpu_id)
        taught, drifting = taught_components(nlp, found.component, options.freeze_encoder)
        tell(found)
        asked = [found.component] if options.freeze_encoder else able_to_teach(teacher)
        teach(teacher, str(model), asked, paths["train"], work / "opinions", progress)
        grow(nlp, found)
        own = {name: set_cfg(nlp.get_pipe(name), TEACHER) for name in taught}
        before = dict(nlp.config)
        set_training(nlp, found, paths, work / "opinions", taught, options)
        measure(nlp, taught)
        with silence():
            train(nlp, Config(nlp.config), Options(work / "training", options.gpu_id))
        for name, cfg in own.items():
            set_cfg(nlp.get_pipe(name), cfg)
        gold = [example.reference for example in make_reader(nlp, "dev")(nlp)]
        said = predict(nlp, gold)
        scored = [Example(one, other) for one, other in zip(said, gold, strict=True)]
        grown: Any = nlp.get_pipe(found.component)
        scores = grown.score(scored)
        agreed = agreement(teacher, nlp, said, taught)
        documents = {name: count_docs(path) for name, path in paths.items()}
        finish(nlp, before, found, data, options, scores)
        with fresh_folder(output) as fresh:
            nlp.to_disk(fresh)
    return Extended(found, taught, drifting, documents, scores, agreed)


def convert_data(
    data: Sequence[Path], nlp: Language, folder: Path, options: ExtendOptions, progress: Progress
) -> Dict[str, Path]:
    """The .spacy file of each split that there is. Raises: MtnlpError E780 for several corpora."""
    sources: List[Source] = find_sources(data, options.data.format)
    if len(sources) != 1:
        names = ", ".join(source.name for source in sources)
        raise MtnlpError(Errors.E780.format(names=names))
    (plan,) = plan_conversions(sources, options.data)
    given: Dict[str, Any] = {"lang": nlp.lang, "task": sole_task(nlp, options.component)}
    if sources[0].inputs.splits.keys() == {"train"}:
        given["ratio"] = RATIO
    chosen = {name: value for name, value in given.items() if value is not None}
    plan = plan.with_settings(**{**chosen, **plan.settings})
    written = convert(plan.options(folder), progress).written.files
    return {split: path for split, path in written.items() if path.is_file() and split != "test"}


def taught_components(
    nlp: Language, component: str, freeze_encoder: bool
) -> Tuple[List[str], List[str]]:
    """The components that are trained, the old pipeline being their teacher; and those that are
    not, although their encoder is."""
    if freeze_encoder:
        return [component], []
    able = [name for name, pipe in nlp.pipeline if getattr(pipe, "learns_from_teachers", False)]
    others = [
        name
        for name, pipe in nlp.pipeline
        if name not in able
        and getattr(pipe, "is_trainable", False)
        and not is_encoder(pipe)
        # Vectors are held by what they are trained by, if anything.
        and not getattr(pipe, "objectives", None)
    ]
    return able, others


def able_to_teach(nlp: Language) -> List[str]:
    """The components that can say what they believe."""
    return [name for name, pipe in nlp.pipeline if callable(getattr(pipe, "opinions", None))]


def teach(
    teacher: Language,
    path: str,
    components: Sequence[str],
    corpus: Path,
    output: Path,
    progress: Progress,
) -> None:
    """Store what the old pipeline believes of the new documents."""
    pairs = [(name, name) for name in components]
    Teaching([LoadedTeacher(teacher, path, pairs)], find_files(corpus, output)).run(progress)


def grow(nlp: Language, found: NewLabels) -> None:
    """Give the component its labels, and the config what it says of them."""
    pipe: Any = nlp.get_pipe(found.component)
    if found.exclusive:
        pipe.grow(found.labels, exclusive=found.exclusive)
        tasks = nlp.get_pipe_config(found.component)["tasks"]
        tasks.update({task: {"exclusive": one} for task, one in found.exclusive.items()})
    else:
        pipe.grow(found.labels)
    block = nlp.config["initialize"]["components"].get(found.component, {})
    if isinstance(block.get("labels"), list):
        block["labels"] = list(pipe.labels)


@contextmanager
def silence() -> Iterator[None]:
    """Without the trainer's message that says where it has written: that folder goes."""
    before, msg.no_print = msg.no_print, True
    try:
        yield
    finally:
        msg.no_print = before


def set_cfg(pipe: Any, settings: Mapping[str, Any]) -> Dict[str, Any]:
    """Change settings of a component. Returns: what they were."""
    before = {name: pipe.cfg[name] for name in settings}
    pipe.cfg.update(settings)
    return before


def measure(nlp: Language, components: Sequence[str]) -> None:
    """Have components divide their losses by what a batch of the new data holds for them."""
    for name in components:
        pipe: Any = nlp.get_pipe(name)
        read = partial(make_reader(nlp, "train"), nlp)
        units, _ = count_gold(read, pipe.get_lesson, None, nlp)
        pipe.cfg["loss_normalization"] = units


def finish(
    nlp: Language,
    before: Mapping[str, Any],
    found: NewLabels,
    data: Sequence[Path],
    options: ExtendOptions,
    scores: Mapping[str, Any],
) -> None:
    """Give the pipeline back the blocks of its own training, whose corpora are where they were, and
    say in its meta what it has learnt since."""
    for name in ("corpora", "training"):
        nlp.config[name] = before[name]
    said: List[Dict[str, Any]] = [*nlp.meta.get("extended", [])]
    said.append(
        {
            "component": found.component,
            "labels": found.labels,
            "data": [path.name for path in data],
            "frozen_encoder": options.freeze_encoder,
        }
    )
    nlp.meta["extended"] = said
    # What was measured before is no longer true of this pipeline.
    nlp.meta["performance"] = dict(scores)


def summarize(made: Extended) -> List[str]:
    """What was done, in lines."""
    learnt, component = ", ".join(made.learnt.labels), made.learnt.component
    lines = [f"'{component}' has learnt {learnt} from {made.documents['train']:,} documents"]
    held = made.documents.get("dev", 0)
    for label, score in made.scores_per_label.items():
        lines.append(f"{label}: F1 {score:.3f} on {held:,} documents held out")
    for name, share in made.agreement.items():
        lines.append(f"'{name}' says in its old labels what it said before: {share:.3f}")
    return lines
