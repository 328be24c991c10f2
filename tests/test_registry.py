"""Every name of setup.cfg's entry points resolves through the registry its group belongs to."""

from configparser import ConfigParser
from importlib import import_module
from pathlib import Path
from typing import List, Tuple

import pytest
import spacy
import thinc.api
from typer import Typer

SETUP = Path(__file__).parents[1] / "setup.cfg"
# Not names in configs: the command line, and spaCy's.
COMMANDS = ("console_scripts", "spacy_cli")


def entry_points(commands: bool = False) -> List[Tuple[str, str, str]]:
    """(group, name, target) of every entry point that is a registered name, or of the commands."""
    parser = ConfigParser()
    parser.read(SETUP, encoding="utf8")
    rows = []
    for group, block in parser["options.entry_points"].items():
        if (group in COMMANDS) != commands:
            continue
        for line in block.strip().splitlines():
            name, _, target = line.partition("=")
            rows.append((group, name.strip(), target.strip()))
    return rows


@pytest.mark.parametrize("group, name, target", entry_points())
def test_name_resolves(group: str, name: str, target: str) -> None:
    library, _, registry = group.partition("_")
    module, _, function = target.partition(":")
    if group == "spacy_factories":
        found = spacy.blank("en").get_factory_meta(name)
        assert found.factory == name
        found = spacy.registry.get("factories", name)
    elif library == "spacy":
        found = spacy.registry.get(registry, name)
    else:
        assert library == "thinc"
        found = getattr(thinc.api.registry, registry).get(name)
    assert found.__name__ == function
    assert found.__module__ == module


@pytest.mark.parametrize("group, name, target", entry_points(commands=True))
def test_command_resolves(group: str, name: str, target: str) -> None:
    module, _, attribute = target.partition(":")
    assert name == "mtnlp" and isinstance(getattr(import_module(module), attribute), Typer)


def test_names_are_versioned_and_unique() -> None:
    rows = [(group, name) for group, name, _ in entry_points()]
    assert len(rows) == len(set(rows))
    for group, name in rows:
        if group == "spacy_factories":
            assert "." not in name
        else:
            assert name.startswith("mtnlp.")
            assert name.rpartition(".v")[2].isdigit()
