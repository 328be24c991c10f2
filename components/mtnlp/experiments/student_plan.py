"""From a joint config to a student that learns from teachers: its config, and its lessons."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from spacy.util import load_config
from thinc.api import Config

from ..data.corpus_settings import CorpusSettings
from ..data.docbin_stream import find_shards, used_documents
from ..data.reading import open_docbin
from ..errors import Errors, MtnlpError
from .joint_plan import is_mixed, reader_block
from .runs import MODEL, Run
from .settings import config_errors

TRAIN = "corpora.train"
ANNEALING = {"@callbacks": "mtnlp.TeacherAnnealing.v1"}
# A setting of `sentence_vectors`, and the objective that reads a teacher's vectors.
OBJECTIVES = "objectives"
ANCHOR = {"@misc": "mtnlp.AnchorObjective.v1"}
# Where the callback may stand; in the first place that is free.
PLACES = (("training", "before_update"), ("initialize", "after_init"))
# A component's setting: how much its teachers count beside gold. All at the beginning, as
# annealing leaves nothing at the end.
WEIGHT = "teacher_weight"

Block = Dict[str, Any]


@dataclass(frozen=True)
class LessonCorpus:
    """A corpus about which the teachers are asked.

    asked: the documents that training uses, by file; None where it uses all. words: in these.
    """

    settings: CorpusSettings
    asked: Optional[Dict[Path, List[int]]]
    words: int


@dataclass(frozen=True)
class Lesson:
    """What the teachers of one seed are asked.

    folder: for the opinions, a folder for each corpus. teachers: their runs, by component.
    """

    seed: int
    folder: Path
    teachers: Dict[str, Run]
    corpora: List[LessonCorpus]

    @property
    def words(self) -> int:
        """In the documents that are asked about."""
        return sum(corpus.words for corpus in self.corpora)

    def models(self) -> Dict[str, Path]:
        """The teachers' folders, by component."""
        return {name: model_folder(run) for name, run in self.teachers.items()}


def model_folder(run: Run) -> Path:
    """Where the weights of a run are."""
    return run.folder / MODEL / f"model-{run.model}"


def without_opinions(path: Path, folder: Path) -> Tuple[Path, Dict[str, Block]]:
    """The config as the teachers are trained by: written to `folder`, with neither opinions nor
    corpora that have nothing else.

    Returns: the written config; the corpora that have opinions alone (`teachers_only`), by name.
    Raises: MtnlpError E422 where there is no config, E423 where it cannot be read.
    """
    if not path.is_file():
        raise MtnlpError(Errors.E422.format(source="config", path=path))
    texts: Dict[str, Block] = {}
    with config_errors(str(path)):
        config = load_config(path)
        block = reader_block(config, train_corpus(config))
    if is_mixed(block):
        for name, corpus in list(block["corpora"].items()):
            corpus.pop("taught", None)
            if corpus.get("teachers_only"):
                texts[name] = block["corpora"].pop(name)
    folder.mkdir(parents=True, exist_ok=True)
    config.to_disk(folder / path.name, interpolate=False)
    return folder / path.name, texts


def train_corpus(config: Config) -> str:
    """The name of the reader of train."""
    return str(config["training"].get("train_corpus", TRAIN))


def make_student_config(
    config: Config, texts: Dict[str, Block], lesson: Path, heads: Sequence[str]
) -> Config:
    """The joint config with teachers.

    config: of the joint training with a seed, not interpolated. texts: corpora that have opinions
    alone. lesson: the folder of the opinions. heads: the components that are taught.
    Raises: MtnlpError E746 where the config has no place for annealing.
    """
    other = config.copy()
    block = reader_block(other, train_corpus(other))
    block["corpora"].update({name: dict(corpus) for name, corpus in texts.items()})
    for name, corpus in block["corpora"].items():
        corpus["taught"] = str(lesson / name)
    for name in heads:
        other["components"][name].setdefault(WEIGHT, 1.0)
    if "TeacherAnnealing" in str([find(other, place) for place in PLACES]):
        return other
    for place in PLACES:
        if not find(other, place):
            section: Any = other.setdefault(place[0], {})
            section[place[1]] = dict(ANNEALING)
            return other
    places = " and ".join(f"[{'.'.join(place)}]" for place in PLACES)
    raise MtnlpError(Errors.E746.format(places=places))


def learn_vectors(config: Config, name: str) -> None:
    """Let a `sentence_vectors` without objectives learn from a teacher of vectors."""
    objectives = config["components"][name].setdefault(OBJECTIVES, {})
    if not objectives:
        objectives["anchor"] = dict(ANCHOR)


def find(config: Config, place: Sequence[str]) -> Any:
    """What stands at a place of a config; None where nothing does."""
    section: Any = config.get(place[0], {})
    return section.get(place[1])


def plan_lesson(config: Config, folder: Path, teachers: Dict[str, Run], seed: int) -> Lesson:
    """What the teachers are asked, so that a student can be trained.

    config: the student's, not interpolated. Raises: MtnlpError and DataError, as the corpora's
    reader does.
    """
    block = reader_block(config.interpolate(), train_corpus(config))
    corpora = []
    for name, settings in block["corpora"].items():
        own = CorpusSettings.from_config(name, settings)
        if own.weight > 0:
            own = replace(own, taught=None)
            asked = None
            if own.limit:
                asked = used_documents(own, block.get("seed", 0), block.get("stream", False))
            corpora.append(LessonCorpus(own, asked, count_words(own, asked)))
    return Lesson(seed, folder, teachers, corpora)


def count_words(settings: CorpusSettings, asked: Optional[Dict[Path, List[int]]]) -> int:
    """In those documents of a corpus that are asked about. None is made."""
    words = 0
    for path in find_shards(settings) if asked is None else asked:
        lengths = [len(tokens) for tokens in open_docbin(path).tokens if len(tokens)]
        words += sum(lengths if asked is None else (lengths[place] for place in asked[path]))
    return words
