"""Small well-formed corpora in every on-disk format, and the command line run in-process."""

import json
import os
import tarfile
from pathlib import Path
from typing import Callable, Dict, List, Union

from click.testing import Result
from typer.testing import CliRunner

from mtnlp.cli.app import app

ROOT = Path(__file__).parents[2]
REAL_DATA = Path(os.environ.get("MTNLP_DATA", ROOT.parent / "shared" / "data"))
SAMPLE = ROOT / "corpus" / "sample"

CONLL = """-DOCSTART- -X- O O

EU NNP I-NP I-ORG
rejects VBZ I-VP O
German JJ I-NP I-MISC
call NN I-NP O

Rome NNP I-NP I-LOC
Paris NNP I-NP B-LOC

-DOCSTART- -X- O O

Nobody NN I-NP O
"""
TSV = "0\tIn\tO\n1\tNew\tB-LOC\n2\tYork\tI-LOC\n\n0\tAda\tI-PER\n1\tsang\tO\n"
COLUMNS = "Bayes\tB-researcher\nnets\tO\n\nFast\tO\nLISP\tB-lang\n"
BRAT_TEXT = "Anna Berg of Oslo University moved to Rome in May.\n"
BRAT_ANN = (
    "R1\tWORKPLACE Arg1:T1 Arg2:T2\t\n"
    "T1\tPERSON 0 9\tAnna Berg\n"
    "T2\tORGANIZATION 13 28\tOslo University\n"
    "T3\tCITY 13 17\tOslo\n"
    "T4\tCITY 38 42\tRome\n"
)


def multinerd_line(tokens: List[str], tags: List[int], lang: str = "en") -> str:
    return json.dumps({"tokens": tokens, "ner_tags": tags, "lang": lang}) + "\n"


JSONL = (
    multinerd_line(["Ada", "saw", "a", "red", "fox"], [1, 0, 0, 7, 8])
    + multinerd_line(["Ada", "vio"], [1, 0], "es")
    + multinerd_line(["Nothing", "here"], [0, 0])
)


def write(path: Path, content: Union[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode("utf8") if isinstance(content, str) else content)
    return path


def make_imdb(root: Path, count: int = 10) -> Path:
    """`root/aclImdb` with `count` reviews a split and label, two of each movie."""
    tree = root / "aclImdb"
    for split in ("train", "test"):
        for label, rating in (("pos", 9), ("neg", 2)):
            urls = "".join(f"http://movies/{split}{label}{n // 2}\n" for n in range(count))
            write(tree / split / f"urls_{label}.txt", urls)
            for number in range(count):
                text = f"{split} {label} film<br /><br />number {number}."
                write(tree / split / label / f"{number}_{rating}.txt", text)
    return tree


def pack(tree: Path, archive: Path) -> Path:
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tree, arcname=tree.name)
    return archive


def make_conll(root: Path) -> Path:
    for name in ("eng.train", "eng.testa", "eng.testb"):
        write(root / name, CONLL)
    return root


def make_nerel(root: Path, documents: int = 3) -> Path:
    for split in ("train", "dev", "test"):
        for number in range(documents):
            write(root / split / f"{number}.txt", BRAT_TEXT)
            write(root / split / f"{number}.ann", BRAT_ANN)
    return root


def make_multinerd(root: Path) -> Path:
    for split in ("train", "val", "test"):
        write(root / f"{split}_en.jsonl", JSONL)
    return root


def make_multinerd_tsv(root: Path) -> Path:
    for split in ("train", "val", "test"):
        write(root / f"{split}_en.tsv", TSV)
    return root


MAKERS: Dict[str, Callable[[Path], Path]] = {
    "imdb": make_imdb,
    "conll": make_conll,
    "nerel": make_nerel,
    "multinerd": make_multinerd,
    "multinerd_tsv": make_multinerd_tsv,
}


def invoke(verb: str, *arguments: object) -> Result:
    """Runs `mtnlp VERB …` in this process; an exception stays in the result."""
    return CliRunner().invoke(app, [verb, *map(str, arguments)])


def flat(output: str) -> str:
    """Terminal output without the line breaks wrapping put in."""
    return " ".join(output.split())


def files_below(folder: Path) -> List[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
