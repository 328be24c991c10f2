"""The fenced blocks of the README and the pages, and what the commands in them are held to."""

import importlib
import re
import shlex
from configparser import ConfigParser
from pathlib import Path
from typing import Any, Iterator, List, NamedTuple, Optional

import pytest
import typer

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "RESULTS.md", *sorted((ROOT / "docs").rglob("*.md"))]
LANGUAGES = ("ini", "python", "bash", "toml", "json", "text")
FENCE = re.compile(r"^(\s*)```(.*)$")


class Block(NamedTuple):
    """A fenced block. line: that of its opening fence."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(ROOT).as_posix()}:{self.line}"


def read_blocks(page: Path) -> Iterator[Block]:
    lines: Optional[List[str]] = None
    begin, language = 0, ""
    for number, line in enumerate(page.read_text(encoding="utf8").splitlines(), start=1):
        fence = FENCE.match(line)
        if fence and lines is None:
            lines, begin, language = [], number, fence[2].strip()
        elif fence and lines is not None:
            yield Block(page, begin, language, "\n".join(lines) + "\n")
            lines = None
        elif lines is not None:
            lines.append(line)
    assert lines is None, f"{page}:{begin}: the fence is not closed"


BLOCKS = [block for page in PAGES for block in read_blocks(page)]


def parametrize(language: str) -> Any:
    """One test per block of a language."""
    blocks = [block for block in BLOCKS if block.language == language]
    return pytest.mark.parametrize("block", blocks, ids=[block.name for block in blocks])


def command_lines(text: str) -> Iterator[List[str]]:
    """The words of each command of a shell block."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while "&&" in words:
            yield words[: words.index("&&")]
            words = words[words.index("&&") + 1 :]
        if words:
            yield words


def mtnlp_command() -> Any:
    """`mtnlp` as click sees it, found by the script that installs with the package."""
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf8")
    for line in parser["options.entry_points"].get("console_scripts", "").splitlines():
        name, _, target = line.partition("=")
        if name.strip() == "mtnlp":
            module, _, app = target.strip().partition(":")
            return typer.main.get_command(getattr(importlib.import_module(module), app))
    raise AssertionError("setup.cfg installs no command mtnlp")


def spacy_command() -> Any:
    """`python -m spacy` as click sees it."""
    import spacy.cli  # noqa: F401  registers the commands
    from spacy.cli._util import app

    return typer.main.get_command(app)


def check_options(command: Any, words: List[str]) -> None:
    """Every option exists. A dotted one overrides a config, where the command takes overrides."""
    known = {option for param in command.params for option in param.opts + param.secondary_opts}
    overrides = command.context_settings.get("ignore_unknown_options", False)
    for word in words:
        option = word.partition("=")[0]
        if re.match(r"--?[a-zA-Z]", word) and option not in known:
            assert "." in option and overrides, f"{command.name} has no option {option}"


def check_verb(group: Any, words: List[str]) -> None:
    """words: a verb, or several for a command within a group, with arguments and options."""
    name, *rest = words
    if name == "--help":
        return
    command = group.commands.get(name)
    assert command is not None, f"there is no command {name}"
    if hasattr(command, "commands"):
        check_verb(command, rest)
    else:
        check_options(command, rest)
