"""A pipeline that some documents kill, installed as a package so that any process can load it.
This file is its code; the tests import it for its name alone."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc

NAME = "tests_deadly"
# Whoever reads this dies.
DIE = "DIE"
# Whoever reads this and a path dies, unless the path is there.
DIE_ONCE = "DIE ONCE "
# Takes a while.
SLOW = "SLOW"


def install(folder: Path) -> None:
    """Make it a package of a folder that is to be on the path."""
    (folder / f"{NAME}.py").write_text(Path(__file__).read_text(encoding="utf8"), encoding="utf8")
    info = folder / f"{NAME}-0.0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {NAME}\nVersion: 0.0.0\n", encoding="utf8")


def kill(doc: Doc) -> Doc:
    """Kill -9 of this process."""
    path = Path(doc.text.removeprefix(DIE_ONCE))
    once = doc.text.startswith(DIE_ONCE) and not path.exists()
    if once:
        path.touch()
    if once or doc.text == DIE:
        os.kill(os.getpid(), signal.SIGKILL)
    if doc.text == SLOW:
        time.sleep(0.02)
    return doc


def load(**overrides: Any) -> Language:
    """What `spacy.load` calls."""
    Language.component(NAME, func=kill)
    nlp = spacy.blank("en")
    ruler: Any = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "LOC", "pattern": "Paris"}])
    nlp.add_pipe(NAME)
    return nlp
