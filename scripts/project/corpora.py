"""What each corpus is, where it comes from, and what its terms mean for a model trained on it."""

from dataclasses import dataclass
from typing import Dict, List, Sequence

from mtnlp.errors import Errors, MtnlpError

SOURCES = ("sample", "hub", "local")


@dataclass(frozen=True)
class Corpus:
    """A corpus as a model's papers name it.

    title, author, url: for meta.json's `sources`.
    licence: its licence in a few words.
    notice: what whoever uses or passes on a model trained on it should know.
    """

    title: str
    author: str
    url: str
    licence: str
    notice: str


SAMPLE = Corpus(
    title="mtnlp sample corpus",
    author="the mtnlp authors",
    url="",
    licence="MIT",
    notice="Original texts written for the mtnlp project, small on purpose: a model trained on "
    "them shows how everything works and is no match for one trained on full corpora.",
)

REAL: Dict[str, Corpus] = {
    "imdb": Corpus(
        title="Large Movie Review Dataset (IMDB)",
        author="Maas et al., 2011",
        url="https://ai.stanford.edu/~amaas/data/sentiment/",
        licence="none stated",
        notice="The reviews belong to their authors; the dataset's makers ask to be cited and "
        "state no licence.",
    ),
    "conll": Corpus(
        title="CoNLL-2003, English",
        author="Tjong Kim Sang and De Meulder, 2003",
        url="https://www.clips.uantwerpen.be/conll2003/ner/",
        licence="Reuters Corpus agreement",
        notice="The texts are Reuters news, given out for research under an agreement with the "
        "Reuters Corpus; commercial use needs Reuters' consent.",
    ),
    "nerel": Corpus(
        title="NEREL",
        author="Loukachevitch et al., 2021",
        url="https://github.com/nerel-ds/NEREL",
        licence="none stated",
        notice="Russian Wikinews articles with annotations; the annotations state no licence.",
    ),
    "multinerd": Corpus(
        title="MultiNERD, English",
        author="Tedeschi and Navigli, 2022",
        url="https://github.com/Babelscape/multinerd",
        licence="CC BY-NC-SA 4.0",
        notice="Non-commercial: a model trained on it may not be used commercially, and its "
        "makers must be credited.",
    ),
}


def corpora_used(names: Sequence[str], source: str) -> List[Corpus]:
    """The corpora behind a model: the embedded sample, or each real one.

    names: keys of `REAL`. source: one of `SOURCES`. Raises MtnlpError E411 for others.
    """
    if source not in SOURCES:
        raise MtnlpError(Errors.E411.format(what="source", name=source, names=", ".join(SOURCES)))
    for name in names:
        if name not in REAL:
            raise MtnlpError(Errors.E411.format(what="corpus", name=name, names=", ".join(REAL)))
    return [SAMPLE] if source == "sample" else [REAL[name] for name in names]


def licence_name(corpora: Sequence[Corpus]) -> str:
    """The licence of a model trained on `corpora`, in a line.

    MIT where every corpus is; otherwise the corpora's own terms, since they go with the weights.
    """
    if all(corpus.licence == "MIT" for corpus in corpora):
        return "MIT"
    terms = "; ".join(f"{corpus.title}: {corpus.licence}" for corpus in corpora)
    return f"Terms of the training corpora apply ({terms})"


def notices(corpora: Sequence[Corpus]) -> str:
    """The corpora's terms as text, one paragraph a corpus: the file LICENSES_SOURCES."""
    paragraphs = []
    for corpus in corpora:
        where = f" {corpus.url}" if corpus.url else ""
        head = f"{corpus.title} ({corpus.author}){where}\nLicence: {corpus.licence}"
        paragraphs.append(f"{head}\n{corpus.notice}")
    return "\n\n".join(paragraphs) + "\n"
