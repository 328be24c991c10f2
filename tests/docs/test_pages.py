"""The pages as a whole: links, paths, length, and the site."""

import re
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from typing import Iterator, List, Tuple

import pytest

from tests.docs.blocks import PAGES, ROOT
from tests.test_architecture import FLOORS

PACKAGE = ROOT / "components" / "mtnlp"
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")


def prose_of(page: Path) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"(?ms)^```.*?^```", "", page.read_text(encoding="utf8"))


def anchors(page: Path) -> List[str]:
    titles = re.findall(r"(?m)^#+ (.*)$", prose_of(page))
    plain = [re.sub(r"[^\w\s-]", "", title).strip().lower() for title in titles]
    return [re.sub(r"[-\s]+", "-", title) for title in plain]


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf8").splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(prose_of(page)):
        if "://" in link:
            continue
        target, _, anchor = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), link
        # The reference gets its sections when the site is built.
        if anchor and path.suffix == ".md" and path.name != "reference.md":
            assert anchor in anchors(path), link


def images() -> List[Tuple[str, Path]]:
    """Of each picture on a page what is said for those who do not see it, and its file."""
    return [
        (alt, (page.parent / target).resolve())
        for page in PAGES
        for alt, target in IMAGE.findall(prose_of(page))
    ]


def test_pictures_are_small_and_told() -> None:
    shown = images()
    assert shown and all(len(alt) > 20 for alt, _ in shown)
    files = {path for _, path in shown}
    assert all(path.is_file() for path in files)
    # No picture is left behind.
    assert files == set((ROOT / "docs").rglob("*.png"))
    sizes = [path.stat().st_size for path in files]
    assert max(sizes) <= 150_000 and sum(sizes) <= 1_000_000


def paths_in(page: Path) -> Iterator[str]:
    """Files of the repository that a page names."""
    for code in CODE.findall(prose_of(page)):
        is_path = re.fullmatch(r"(components|configs|tests|docs|scripts)/[\w./-]*\w", code)
        if is_path and "NAME" not in code:
            yield code


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_named_files_exist(page: Path) -> None:
    assert [path for path in paths_in(page) if not (ROOT / path).exists()] == []


def test_extras_exist() -> None:
    """What pip is told to install, in the pages and in the messages."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf8")
    texts = [page.read_text(encoding="utf8") for page in (*PAGES, PACKAGE / "errors.py")]
    named = {extra for text in texts for extra in re.findall(r"mtnlp\[(\w+)\]", text)}
    assert named and named <= set(setup["options.extras_require"])


def behaviours() -> List[List[str]]:
    """The files of each row of the table of behaviours."""
    text = (ROOT / "docs" / "contributing.md").read_text(encoding="utf8")
    table = text.partition("## Where things are")[2].partition("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    return [CODE.findall(row[-1]) for row in rows[1:]]


def test_behaviours_have_files() -> None:
    rows = behaviours()
    assert len(rows) >= 20
    assert all(rows), "a row without a file"
    assert [path for row in rows for path in row if not (PACKAGE / path).is_file()] == []


def test_files_to_add_to_exist() -> None:
    """What the guides for a new loss, pooling, decoder, format and component name."""
    text = prose_of(ROOT / "docs" / "contributing.md")
    named = re.findall(r"`((?:losses|structured|nn|models|pipes|data|gold)/[\w/]+\.py)`", text)
    assert named
    missing = [path for path in named if "NAME" not in path and not (PACKAGE / path).is_file()]
    assert missing == []


def test_floors_are_those_of_the_house() -> None:
    text = (ROOT / "docs" / "contributing.md").read_text(encoding="utf8")
    rows = re.findall(r"(?m)^\| (\d+) \| ([^|]+) \|", text)
    shown = {
        room.removesuffix("/").removesuffix(".py"): int(floor)
        for floor, rooms in rows
        for room in CODE.findall(rooms)
    }
    assert shown == FLOORS


@pytest.mark.slow
def test_site_is_built(tmp_path: Path) -> None:
    """Strict: a broken link, a page outside the navigation or a missing heading fails."""
    pytest.importorskip("mkdocs", reason="the extra `docs` is not installed")
    pytest.importorskip("material", reason="the extra `docs` is not installed")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(tmp_path / "site")]
    command += ["-f", str(ROOT / "docs" / "site" / "mkdocs.yml")]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    page = (tmp_path / "site" / "reference" / "index.html").read_text(encoding="utf8")
    assert "mtnlp.FocalLoss.v1" in page and "gamma" in page
    tutorial = (tmp_path / "site" / "tutorial" / "index.html").read_text(encoding="utf8")
    assert "What to look at here" in tutorial and "data:image/png" in tutorial
    quickstart = (tmp_path / "site" / "quickstart" / "index.html").read_text(encoding="utf8")
    assert 'href="../tutorial/"' in quickstart
    assert (tmp_path / "site" / "search" / "search_index.json").stat().st_size > 10_000
