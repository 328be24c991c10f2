"""What each corpus is, where it comes from, and what its terms mean for a model trained on it."""

from typing import Dict, List, Sequence

from mtnlp.data.datasets import DATASETS
from mtnlp.data.formats.entry import Card as Corpus
from mtnlp.errors import Errors, MtnlpError

SOURCES = ("sample", "hub", "local")


SAMPLE = Corpus(
    title="mtnlp sample corpus",
    author="the mtnlp authors",
    url="",
    licence="MIT",
    notice="Original texts written for the mtnlp project, small on purpose: a model trained on "
    "them shows how everything works and is no match for one trained on full corpora.",
)

REAL: Dict[str, Corpus] = {name: dataset.card for name, dataset in DATASETS.items()}


def corpora_used(names: Sequence[str], source: str) -> List[Corpus]:
    """The corpora behind a model: the embedded sample, or each real one.

    names: keys of `REAL`. source: one of `SOURCES`. Raises: MtnlpError E411 for others.
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
    """The corpora's terms as text, one paragraph per corpus: the file LICENSES_SOURCES."""
    paragraphs = []
    for corpus in corpora:
        where = f" {corpus.url}" if corpus.url else ""
        head = f"{corpus.title} ({corpus.author}){where}\nLicence: {corpus.licence}"
        paragraphs.append(f"{head}\n{corpus.notice}")
    return "\n\n".join(paragraphs) + "\n"
