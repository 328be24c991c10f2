"""What the README and the pages show can be pasted: every fenced block is parsed and built."""

import importlib
import json
import re
from functools import reduce
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
import spacy
import typer
from spacy.language import Language
from spacy.schemas import ConfigSchemaInit, ConfigSchemaTraining
from spacy.util import load_model_from_config, registry
from thinc.api import Config, fix_random_seed

from mtnlp.experiments.grid import read_grid
from mtnlp.optimization.standalone.assemble import assemble
from tests.docs.blocks import (
    BLOCKS,
    LANGUAGES,
    PAGES,
    ROOT,
    Block,
    check_options,
    check_verb,
    command_lines,
    mtnlp_command,
    parametrize,
    spacy_command,
)
from tests.docs.conftest import BACKBONE
from tests.pipes.cases import mixed_examples
from tests.tiny import PIPES, make_nlp

# A value with a comment behind it: spaCy takes both as the value.
COMMENTED = re.compile(r"""^[^#;\[]+=\s*("[^"]*"|[^"#]*?)\s+[#;]""")


def test_every_block_says_what_it_is() -> None:
    assert {block.name for block in BLOCKS if block.language not in LANGUAGES} == set()


def sections(text: str) -> List[List[str]]:
    return [line.strip()[1:-1].split(".") for line in text.splitlines() if line.startswith("[")]


@pytest.fixture(scope="session")
def base(deep_backbone: Path) -> Config:
    """A filled config that has a component of every kind, under the names the pages use."""
    return Config(make_nlp(deep_backbone, [*PIPES, "trf_data_cleaner"]).config).copy()


def parse_into(base: Config, text: str) -> Config:
    """A block parsed as where it is pasted into a config, whose sections it may continue."""
    own = sections(text)
    parents: List[str] = []
    for section in own:
        for end in range(1, len(section)):
            path = section[:end]
            if path in own or ".".join(path) in parents:
                continue
            found: Any = reduce(lambda node, key: (node or {}).get(key), path, base)
            assert isinstance(found, dict), f"there is no section [{'.'.join(path)}]"
            parents.append(".".join(path))
    head = "".join(f"[{name}]\n\n" for name in parents)
    return Config().from_str(head + text, interpolate=False)


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


@parametrize("ini")
def test_config_is_built(block: Block, base: Config, deep_backbone: Path) -> None:
    """Components are built and initialised, and what `[training]`, `[initialize]` and `[corpora]`
    name resolves."""
    text = block.text
    assert not [line for line in text.splitlines() if COMMENTED.match(line)]
    pasted = parse_into(base, text)
    assert not [value for value in texts(pasted) if "#" in value]
    components = pasted.get("components", {})
    if "nlp" not in pasted:
        pasted["nlp"] = {
            "pipeline": ["transformer", *(n for n in components if n != "transformer")]
        }
    config = Config(base).merge(pasted)
    config["components"] = {name: config["components"][name] for name in config["nlp"]["pipeline"]}
    encoder = config["components"]["transformer"]["model"]
    encoder["name"] = str(deep_backbone)
    if encoder.get("precision") == "bf16":
        encoder["allow_slow"] = True  # this processor may lack its instructions
    if "backbone" in config["paths"]:
        config["paths"]["backbone"] = str(deep_backbone)
    whole = config.interpolate()
    registry.resolve(whole["training"], schema=ConfigSchemaTraining)
    registry.resolve(whole["initialize"], schema=ConfigSchemaInit)
    for name in pasted.get("corpora", {}):
        registry.resolve({name: whole["corpora"][name]})
    if components or "initialize" in pasted:
        build(whole)


def build(config: Config) -> None:
    config["initialize"]["before_init"] = None  # it would read the corpora
    nlp = load_model_from_config(config, auto_fill=True)
    fix_random_seed(0)
    nlp.initialize(lambda: mixed_examples(nlp))
    doc = nlp("Anna Keller flew to Paris.")
    assert len(doc) == 6


PYTHON = [page for page in PAGES if any(b.page == page and b.language == "python" for b in BLOCKS)]


@pytest.mark.parametrize("page", PYTHON, ids=[str(page.relative_to(ROOT)) for page in PYTHON])
def test_python_runs(
    page: Path,
    deep_backbone: Path,
    served: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The blocks of a page one after another, over a tiny pipeline whatever they load."""
    load = spacy.load

    def load_tiny(name: str, **settings: Any) -> Language:
        return load(served, **settings)

    monkeypatch.setattr(spacy, "load", load_tiny)
    monkeypatch.chdir(tmp_path)
    Path(BACKBONE).parent.mkdir(parents=True)
    Path(BACKBONE).symlink_to(deep_backbone)
    runtime = Path("training", "light", "runtime.py")
    runtime.parent.mkdir(parents=True)
    runtime.write_text(assemble(), encoding="utf8")
    fix_random_seed(0)
    namespace: Dict[str, Any] = {"__name__": "__main__"}
    for block in BLOCKS:
        if block.page == page and block.language == "python":
            # Errors name the line of the page.
            code = "\n" * block.line + block.text
            exec(compile(code, str(page), "exec"), namespace)


@parametrize("toml")
def test_grid_is_read(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_text(block.text, encoding="utf8")
    grid = read_grid(path)
    assert len(grid.cells) > 1
    for cell in grid.cells:
        assert (ROOT / cell.config).is_file()


@parametrize("json")
def test_lines_are_json(block: Block) -> None:
    for line in block.text.splitlines():
        assert isinstance(json.loads(line), dict)


@parametrize("bash")
def test_commands_exist(block: Block) -> None:
    """Of mtnlp, of spaCy and of the benchmarks, with their options."""
    for words in command_lines(block.text):
        if words[0] == "mtnlp" or words[:4] == ["python", "-m", "spacy", "mtnlp"]:
            check_mtnlp(words[1:] if words[0] == "mtnlp" else words[4:])
        elif words[0] == "torchrun" and "mtnlp" in words:
            check_mtnlp(words[words.index("mtnlp") + 1 :])
        elif words[1:3] == ["-m", "spacy"]:
            check_verb(spacy_command(), words[3:])
        elif words[1] == "-m" and words[2].startswith("scripts."):
            module = importlib.import_module(words[2])
            check_options(typer.main.get_command(module.app), words[3:])


def check_mtnlp(words: List[str]) -> None:
    check_verb(mtnlp_command(), words)


def test_verbs_in_the_text_exist() -> None:
    command = mtnlp_command()
    for page in PAGES:
        for verb in re.findall(r"`mtnlp ([a-z][a-z-]*)", page.read_text(encoding="utf8")):
            assert verb in list(command.commands), f"{page}: mtnlp {verb}"
