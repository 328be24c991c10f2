"""The table of everything `convert` reads. A dataset or a format is one file and one entry here."""

from typing import Dict

from .formats.brat import NEREL
from .formats.columns import COLUMNS
from .formats.conll import CONLL
from .formats.csvfile import CSV
from .formats.doccano import DOCCANO
from .formats.entry import Dataset, Format
from .formats.huggingface import HUGGINGFACE
from .formats.imdb import IMDB
from .formats.jsonl import JSONL
from .formats.label_studio import LABEL_STUDIO
from .formats.multinerd import MULTINERD
from .formats.own_brat import BRAT
from .formats.pairs import PAIRS
from .formats.prodigy import PRODIGY
from .formats.spacy_docbin import DOCBIN
from .formats.sts import STS
from .formats.training_tuples import TRAINING_TUPLES
from .formats.webanno import WEBANNO

# Published datasets, by the name the command line has for them.
DATASETS: Dict[str, Dataset] = {
    dataset.name: dataset for dataset in (IMDB, CONLL, NEREL, MULTINERD)
}
# Formats of one's own data. The first that recognises a file reads it: special ones first.
FORMATS: Dict[str, Format] = {
    format.name: format
    for format in (
        PRODIGY,
        DOCCANO,
        LABEL_STUDIO,
        TRAINING_TUPLES,
        DOCBIN,
        HUGGINGFACE,
        WEBANNO,
        BRAT,
        PAIRS,
        STS,
        COLUMNS,
        JSONL,
        CSV,
    )
}
