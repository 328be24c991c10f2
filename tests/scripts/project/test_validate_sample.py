import shutil
from pathlib import Path
from typing import Callable

import pytest
from typer.testing import CliRunner

from mtnlp.errors import MtnlpError
from scripts.project.validate_sample import app, require_valid, validate_sample
from tests.data.corpora import SAMPLE, flat


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the sample to damage."""
    return Path(shutil.copytree(SAMPLE, tmp_path / "sample"))


def test_the_sample_is_well_formed() -> None:
    result = require_valid(SAMPLE)
    assert not result.errors
    assert {check.corpus for check in result.checks} == {
        "imdb",
        "conll",
        "nerel",
        "nerel_ru",
        "multinerd",
        "all",
    }


def test_the_script(copy: Path) -> None:
    assert CliRunner().invoke(app, [str(SAMPLE)]).exit_code == 0
    (copy / "conll" / "eng.train").unlink()
    result = CliRunner().invoke(app, [str(copy)])
    assert result.exit_code == 1
    assert "[E149]" in flat(result.output) and "[E141]" in flat(result.output)


def edit(path: Path, change: Callable[[str], str]) -> None:
    text = path.read_text(encoding="utf8")
    changed = change(text)
    assert changed != text
    path.write_text(changed, encoding="utf8")


def first(folder: Path, pattern: str) -> Path:
    return sorted(folder.glob(pattern))[0]


def shift_offsets(text: str) -> str:
    lines = text.splitlines()
    index = next(i for i, line in enumerate(lines) if line.startswith("T"))
    name, middle, quoted = lines[index].split("\t")
    label, start, end = middle.split(" ")
    lines[index] = f"{name}\t{label} {int(start) + 1} {int(end) + 1}\t{quoted}"
    return "\n".join(lines) + "\n"


def needless_b(text: str) -> str:
    """The first entity written as IOB2 would."""
    at = text.index(" I-", text.index("-DOCSTART-"))
    while text[at:].split()[0] not in ("I-PER", "I-ORG", "I-LOC", "I-MISC"):
        at = text.index(" I-", at + 1)
    return text[: at + 1] + "B" + text[at + 2 :]


DAMAGE = {
    "offsets": (lambda root: edit(first(root, "nerel/train/*.ann"), shift_offsets), "E123"),
    "IOB1": (lambda root: edit(root / "conll/eng.train", needless_b), "E106"),
    "tag id": (
        lambda root: edit(
            root / "multinerd/train_en.jsonl",
            lambda text: text.replace('"ner_tags": [', '"ner_tags": [77, ', 1),
        ),
        "E13",
    ),
    "rating": (
        lambda root: first(root, "imdb/aclImdb/train/pos/*.txt").rename(
            root / "imdb/aclImdb/train/pos/0_2.txt"
        ),
        "E112",
    ),
    "a review less": (
        lambda root: first(root, "imdb/aclImdb/train/neg/*.txt").unlink(),
        "imdb: reviews: 159, wanted 160",
    ),
    "a document less": (
        lambda root: [path.unlink() for path in sorted((root / "nerel/train").iterdir())[:2]],
        "nerel: documents: 39, wanted 40",
    ),
    "a repeated review": (
        lambda root: shutil.copyfile(
            sorted((root / "imdb/aclImdb/train/neg").iterdir())[1],
            sorted((root / "imdb/aclImdb/train/neg").iterdir())[0],
        ),
        "imdb: repeated texts: 1",
    ),
    "English in the Russian part": (
        lambda root: shutil.copytree(root / "nerel/dev", root / "nerel_ru/dev", dirs_exist_ok=True),
        "nerel_ru: documents",
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_faults_are_found(copy: Path, kind: str) -> None:
    damage, message = DAMAGE[kind]
    damage(copy)
    assert any(message in error for error in validate_sample(copy).errors)
    with pytest.raises(MtnlpError, match="E149"):
        require_valid(copy)
