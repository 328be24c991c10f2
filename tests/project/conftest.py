"""A pipeline of all components over a tiny encoder, for everything that runs a trained one."""

import importlib.util
from pathlib import Path
from typing import Callable, List, NamedTuple

import pytest
import typer
from click.testing import Result
from spacy.language import Language
from spacy.training import Example
from typer.testing import CliRunner

from ..pipes.cases import initialized, mixed_examples, train
from ..tiny import PIPES, make_nlp

CALIBRATE = Path(__file__).parents[2] / "scripts" / "calibrate.py"


class Joint(NamedTuple):
    """nlp: trained a little. examples: what on."""

    nlp: Language
    examples: List[Example]


@pytest.fixture(scope="session")
def joint(backbone: Path) -> Joint:
    nlp = make_nlp(backbone, PIPES, {"textcat": {"tasks": {"sentiment": {"exclusive": True}}}})
    examples = [eg for eg in mixed_examples(nlp) if "topic/SPORT" not in eg.reference.cats]
    train(initialized(nlp), examples, 10)
    nlp.add_pipe("sentencizer", first=True)
    return Joint(nlp, examples)


@pytest.fixture(scope="session")
def calibrate() -> Callable[..., Result]:
    """The command line of scripts/calibrate.py, run in this process."""
    spec = importlib.util.spec_from_file_location("calibrate", CALIBRATE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    app = typer.Typer()
    app.command()(module.main)
    return lambda *arguments: CliRunner().invoke(app, [str(part) for part in arguments])
