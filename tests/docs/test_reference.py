"""The reference page has every registered name, as the code has it."""

import importlib
import inspect
import re

import pytest

import mtnlp
from scripts.docs.reference import FROM_SPACY, EntryPoint, describe, entry_points, prose, reference


def test_every_name_has_a_section() -> None:
    page = reference()
    names = [entry.name for entry in entry_points()]
    assert len(names) > 40
    functions = [f"mtnlp.{name}" for name in mtnlp.__all__]
    assert re.findall(r"(?m)^### `(.+)`$", page) == names + functions


@pytest.mark.parametrize("entry", entry_points(), ids=lambda entry: entry.name)
def test_signature_is_that_of_the_code(entry: EntryPoint) -> None:
    """Names and defaults, as Python sees them."""
    module, _, name = entry.target.partition(":")
    function = getattr(importlib.import_module(module), name)
    text = "\n".join(describe(entry))
    shown = re.findall(r"(?m)^    \*{0,2}(\w+)(?::.*?)?(?: = (.+?))?,$", text.partition("\n```")[0])
    parameters = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if entry.group != "spacy_factories" or parameter.name not in FROM_SPACY
    ]
    assert [name for name, _ in shown] == [parameter.name for parameter in parameters]
    for (_, default), parameter in zip(shown, parameters, strict=True):
        assert bool(default) == (parameter.default is not inspect.Parameter.empty)
    assert len(text) > 80, "no docstring"


def test_parameters_become_a_list() -> None:
    text = "Says what.\n\nunit, every: layers join\n    later.\nfirst: how many.\nRaises E1."
    bullets = "- `unit`, `every`: layers join\n    later.\n- `first`: how many."
    assert prose(text) == f"Says what.\n\n{bullets}\n\nRaises E1."
