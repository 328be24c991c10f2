"""The teachers of a run: loaded pipelines, which of their components are asked, and for whom."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from spacy.language import Language
from spacy.tokens import Doc

from ..data.opinion_file import Head, Teacher
from ..data.reading import same_words
from ..errors import Errors, MtnlpError
from ..evaluation.evaluator import load_pipeline
from ..gold.opinions import Opinion

# Of a head: one per Doc.
Opinions = List[Optional[Opinion]]
# Of a fingerprint.
DIGITS = 16


class TeacherName(NamedTuple):
    """A teacher as a user names it.

    path: a pipeline's folder, or an installed one's name. component: the student's component that
    it is for; None: every component of the teacher is for the student's of the same name.
    """

    path: str
    component: Optional[str] = None


def parse_teacher(text: str) -> TeacherName:
    """`PATH` or `COMPONENT=PATH`; a path that exists is one, whatever is in it."""
    component, equals, path = text.partition("=")
    if not equals or not component or not path or Path(text).exists():
        return TeacherName(text)
    return TeacherName(path, component)


@dataclass
class LoadedTeacher:
    """A pipeline that is asked.

    path: as it was named. pairs: the student's component and the teacher's, for each head.
    """

    nlp: Language
    path: str
    pairs: List[Tuple[str, str]]

    def describe(self) -> Teacher:
        """What a file keeps of it."""
        meta = self.nlp.meta
        name = f"{meta['lang']}_{meta['name']}"
        return Teacher(name, meta["version"], self.path, fingerprint_of(self.nlp))

    def heads(self, place: int) -> List[Head]:
        """Its heads, before they have said anything. place: of the teacher among all."""
        made = []
        for component, source in self.pairs:
            labels = tuple(getattr(self.nlp.get_pipe(source), "labels", ()))
            made.append(Head(component, place, source, labels, kind=""))
        return made

    def ask(self, references: Sequence[Doc]) -> List[Opinions]:
        """What its heads believe of documents, of which they see the words and spaces alone.

        Each component runs on Docs that those before it have annotated; the last one that is asked
        ends it. The Docs are given up again with what the vocabulary learnt of them.

        Returns: for each head, an opinion per document; None where it has none.
        """
        sources = {source for _, source in self.pairs}
        found: Dict[str, Opinions] = {}
        with self.nlp.memory_zone():
            docs = [same_words(self.nlp.vocab, doc) for doc in references]
            for name, pipe in self.nlp.pipeline:
                if name in sources:
                    able: Any = pipe
                    found[name] = list(able.opinions(docs))
                if len(found) == len(sources):
                    break
                docs = run_component(pipe, docs)
            del docs
        return [found[source] for _, source in self.pairs]


def run_component(pipe: Any, docs: Sequence[Doc]) -> List[Doc]:
    """A component on Docs, as one batch where it can take one."""
    if hasattr(pipe, "pipe"):
        return list(pipe.pipe(docs, batch_size=max(1, len(docs))))
    return [pipe(doc) for doc in docs]


def load_teachers(
    names: Sequence[TeacherName],
    *,
    renamed: Optional[Mapping[str, str]] = None,
    only: Sequence[str] = (),
    gpu_id: int = -1,
) -> List[LoadedTeacher]:
    """Load pipelines and choose which of their components are asked.

    renamed: the student's component for a teacher's, where the names differ. only: components of
    the student; others are left out. gpu_id: -1 for the CPU.
    Raises: MtnlpError E503 where there is no pipeline, E747 where one has nothing to say.
    """
    loaded = [(name, load_pipeline(name.path, gpu_id)) for name in names]
    return [
        LoadedTeacher(nlp, name.path, choose_heads(nlp, name, renamed or {}, only))
        for name, nlp in loaded
    ]


def choose_heads(
    nlp: Language, name: TeacherName, renamed: Mapping[str, str], only: Sequence[str] = ()
) -> List[Tuple[str, str]]:
    """The student's component and the teacher's, for each head that is asked.

    Raises: MtnlpError E747 where there is none, or where it is not clear which one is meant.
    """
    able = [one for one, pipe in nlp.pipeline if callable(getattr(pipe, "opinions", None))]
    known = f"Its components that have opinions: {', '.join(able) or 'none'}"

    def refuse(reason: str) -> MtnlpError:
        return MtnlpError(Errors.E747.format(teacher=name.path, reason=f"{reason}. {known}"))

    if name.component is None:
        pairs = [(renamed.get(source, source), source) for source in able]
    else:
        meant = [one for one in able if renamed.get(one, one) == name.component]
        if len(meant or able) != 1:
            to = f"--to THEIR_COMPONENT={name.component}"
            raise refuse(f"which component teaches '{name.component}' is not clear; say {to}")
        pairs = [(name.component, (meant or able)[0])]
    chosen = [pair for pair in pairs if not only or pair[0] in only]
    if not chosen:
        raise refuse(f"no component of it teaches {', '.join(only) or 'anything'}")
    return chosen


def check_names(
    teachers: Iterable[LoadedTeacher], renamed: Mapping[str, str], only: Sequence[str]
) -> None:
    """Raises: MtnlpError E747 for a component in `renamed` that no teacher has, or in `only` that
    none teaches: a slip of the pen would otherwise go unseen."""
    pairs = [pair for teacher in teachers for pair in teacher.pairs]
    taught, sources = {one for one, _ in pairs}, {source for _, source in pairs}
    lost = [f"--to {source}={one}" for source, one in renamed.items() if source not in sources]
    lost += [f"--only {one}" for one in only if one not in taught]
    if lost:
        reason = f"no teacher has what is meant by {', '.join(lost)}. Taught are: "
        listed = ", ".join(f"{one} (by {source})" for one, source in pairs)
        message = Errors.E747.format(teacher="named", reason=reason + listed)
        raise MtnlpError(message)


def fingerprint_of(nlp: Language) -> str:
    """Of a pipeline's settings and weights: of the files in its folder, or of the bytes of one that
    was never saved."""
    folder = getattr(nlp, "path", None)
    if folder is None:
        return hashlib.sha256(nlp.to_bytes()).hexdigest()[:DIGITS]
    return folder_fingerprint(Path(folder))


def folder_fingerprint(folder: Path) -> str:
    """Of all files in a pipeline's folder."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode("utf8"))
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:DIGITS]
