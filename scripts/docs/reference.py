"""The page of registered names, read from setup.cfg and the code, which is not imported.

    python -m scripts.docs.reference     # print it

MkDocs calls `on_page_markdown` when it builds the site (`hooks` in docs/site/mkdocs.yml).
"""

import ast
import re
from configparser import ConfigParser
from functools import cache
from pathlib import Path
from typing import Any, Iterator, List, NamedTuple, Optional, Union

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "components"
PAGE = "reference.md"
MARKER = "<!-- reference -->"

# Entry points that are commands, not names for a config.
COMMANDS = ("console_scripts", "spacy_cli")
TITLES = {
    "spacy_factories": "Components",
    "spacy_architectures": "Architectures",
    "thinc_losses": "Losses",
    "thinc_layers": "Span scorers, poolings and decoders",
    "spacy_misc": "Adapters and objectives",
    "spacy_readers": "Corpus readers",
    "spacy_batchers": "Batchers",
    "thinc_optimizers": "Optimizers",
    "spacy_callbacks": "Callbacks",
    "spacy_loggers": "Loggers",
    "spacy_scorers": "Scorers",
    "spacy_displacy_colors": "Colours of displaCy",
}
# Given by spaCy, not by a config.
FROM_SPACY = ("nlp", "name")
# The beginning of a paragraph about a parameter or several: "unit, every: layers join after ...".
PARAMETER = re.compile(r"^((?:[A-Za-z_]\w*)(?:, [A-Za-z_]\w*)*): (?=\S)")

Definition = Union[ast.FunctionDef, ast.ClassDef]


class EntryPoint(NamedTuple):
    """A line of setup.cfg: its group, the name and `module:function`."""

    group: str
    name: str
    target: str


def entry_points() -> List[EntryPoint]:
    """All registered names, in the order of setup.cfg, commands left out."""
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf8")
    return [
        EntryPoint(group, *(part.strip() for part in line.split("=", 1)))
        for group, block in parser["options.entry_points"].items()
        if group not in COMMANDS
        for line in block.strip().splitlines()
        if line.strip() and not line.lstrip().startswith("#")
    ]


def reference() -> str:
    """The page's content, Markdown."""
    parts: List[str] = []
    group = ""
    for entry in entry_points():
        if entry.group != group:
            group = entry.group
            parts.append(f"## {TITLES.get(group, group)}")
        parts += [f"### `{entry.name}`", *describe(entry)]
    return "\n\n".join([*parts, "## Functions", *functions()])


def describe(entry: EntryPoint) -> Iterator[str]:
    """Signature, default config where it is a component, docstrings and file of one name."""
    module, _, name = entry.target.partition(":")
    node = find(module, name)
    assert isinstance(node, ast.FunctionDef), entry.target
    is_factory = entry.group == "spacy_factories"
    yield fenced(signature(node, entry.name, FROM_SPACY if is_factory else ()))
    for text in docstrings(module, node):
        yield prose(text)
    defaults = default_config(module) if is_factory else None
    if defaults:
        yield fenced(defaults, "ini")
    yield f"Code: `{path_of(module).relative_to(ROOT).as_posix()}`"


def functions() -> Iterator[str]:
    """What `import mtnlp` offers."""
    for node in ast.walk(tree("mtnlp")):
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
            module = f"mtnlp.{node.module}"
            for alias in node.names:
                found = find(module, alias.name)
                if isinstance(found, ast.FunctionDef):
                    yield f"### `mtnlp.{alias.name}`"
                    yield fenced(signature(found, f"mtnlp.{alias.name}"))
                    yield prose(ast.get_docstring(found) or "")
                    yield f"Code: `{path_of(module).relative_to(ROOT).as_posix()}`"


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(path_of(module).read_text(encoding="utf8"))


def path_of(module: str) -> Path:
    path = SOURCES.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def find(module: str, name: str) -> Optional[Definition]:
    """A function or class of a module, or of the module that it is imported from."""
    for node in tree(module).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name:
            return node
        if isinstance(node, ast.ImportFrom) and node.module and node.level:
            package = module.split(".") if path_of(module).name == "__init__.py" else None
            base = (package or module.split(".")[:-1])[
                : None if node.level == 1 else 1 - node.level
            ]
            for alias in node.names:
                if name == (alias.asname or alias.name):
                    return find(".".join([*base, node.module]), alias.name)
    return None


def signature(node: ast.FunctionDef, name: str, left_out: tuple = ()) -> str:
    """The call, one parameter per line."""
    arguments = node.args
    plain = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(plain) - len(arguments.defaults)) + list(arguments.defaults)
    rows = [parameter(*pair) for pair in zip(plain, defaults, strict=True)]
    if arguments.vararg:
        rows.append(f"*{parameter(arguments.vararg, None)}")
    elif arguments.kwonlyargs:
        rows.append("*")
    rows += [
        parameter(*pair) for pair in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    rows = [row for row in rows if row.partition(":")[0] not in left_out]
    if not rows:
        return f"{name}()"
    return "\n".join([f"{name}(", *(f"    {row}," for row in rows), ")"])


def parameter(argument: ast.arg, default: Optional[ast.expr]) -> str:
    hint = f": {ast.unparse(argument.annotation)}" if argument.annotation else ""
    return argument.arg + hint + (f" = {ast.unparse(default)}" if default else "")


def docstrings(module: str, node: ast.FunctionDef) -> Iterator[str]:
    """The class that is built and whatever the docstring refers to in its module, then the
    docstring itself."""
    text = ast.get_docstring(node) or ""
    named = re.findall(r"[Ss]ee\s+`(\w+)`", text)
    if isinstance(node.returns, ast.Name):
        named.insert(0, node.returns.id)
    for name in dict.fromkeys(named):
        found = next((n for n in tree(module).body if getattr(n, "name", None) == name), None)
        if isinstance(found, (ast.FunctionDef, ast.ClassDef)):
            yield ast.get_docstring(found) or ""
    yield text


def prose(text: str) -> str:
    """A docstring as Markdown: its parameters as a list."""
    lines: List[str] = []
    for line in text.splitlines():
        match = PARAMETER.match(line)
        if match:
            if lines and lines[-1] and not lines[-1].startswith(("- ", "  ")):
                lines.append("")
            names = ", ".join(f"`{name}`" for name in match[1].split(", "))
            lines.append(f"- {names}: {line[match.end() :]}")
        elif line and not line.startswith(" ") and lines and lines[-1].startswith(("- ", "  ")):
            # Text behind a list begins a paragraph, or it would go on the last item.
            lines += [line] if line.startswith("- ") else ["", line]
        else:
            lines.append(line)
    return "\n".join(lines)


def default_config(module: str) -> Optional[str]:
    """The defaults of a component, as a config has them."""
    for node in tree(module).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DEFAULT_CONFIG":
            for part in ast.walk(node.value):
                if isinstance(part, ast.Constant) and "[" in str(part.value)[:20]:
                    block = "\n".join(line.strip() for line in str(part.value).strip().split("\n"))
                    return re.sub(r"(?m)^\[", "[components.", block)
    return None


def fenced(text: str, language: str = "python") -> str:
    return f"```{language}\n{text}\n```"


def on_page_markdown(markdown: str, page: Any, **context: Any) -> Optional[str]:
    """MkDocs' hook: the page's head, and the reference in place of the rest."""
    if page.file.src_uri != PAGE:
        return None
    return markdown.partition(MARKER)[0] + reference()


if __name__ == "__main__":
    print(reference())
