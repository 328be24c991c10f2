"""One Python file out of the room `standalone` and what it uses of other rooms.

Definitions are copied as they stand, each with the comments above it: those that the component
needs, those that these need, and so on. There is nothing else to keep in step.
"""

import ast
import sys
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.util import find_spec, resolve_name
from pathlib import Path
from typing import Dict, Iterator, List, Set, Tuple, Union

from ...errors import Errors

PACKAGE = __name__.partition(".")[0]
# What the file begins from: module and name.
ROOTS = (
    (f"{PACKAGE}.standalone.component", "make_standalone"),
    (f"{PACKAGE}.pipes.entity_spans", "confidence"),
    (f"{PACKAGE}.pipes.vector_hooks", "restore_vectors"),
)
# What the file may import besides Python's own library; engines when a network is opened.
LIBRARIES = {"numpy", "spacy", "srsly", "thinc", "tokenizers"}
FACTORY = "mtnlp_standalone"
DIGEST = 8

HEADER = '''"""A pipeline without torch: numpy, spaCy, tokenizers, and ONNX Runtime or OpenVINO.

Made by `mtnlp optimize --standalone`; changes belong there. It travels with its pipeline by
`spacy package PIPELINE DIST --code runtime.py`.
"""
'''
FOOTER = """
# Named by what is in this file: packages that were made by different versions do not meet.
FACTORY = "{factory}"

if not Language.has_factory(FACTORY):
    Language.factory(
        FACTORY,
        default_config={{"threads": 0}},
        assigns=["doc.ents", "doc.spans", "doc.cats", "doc.tensor"],
        func=make_standalone,
    )
"""


@dataclass(frozen=True)
class Source:
    """A module of mtnlp. name: dotted. lines: its text. defined: its top-level statements by the
    names they bind."""

    name: str
    lines: List[str] = field(compare=False, hash=False)
    defined: Dict[str, ast.stmt] = field(compare=False, hash=False)

    def text_of(self, node: ast.stmt) -> str:
        """A statement with its decorators and the comments above it."""
        decorators = getattr(node, "decorator_list", [])
        begin = min([node.lineno, *(each.lineno for each in decorators)]) - 1
        while begin and self.lines[begin - 1].startswith("#"):
            begin -= 1
        return "\n".join(self.lines[begin : node.end_lineno])


@cache
def read_source(name: str) -> Source:
    """A module by its dotted name."""
    spec = find_spec(name)
    assert spec is not None and spec.origin is not None, name
    text = Path(spec.origin).read_text(encoding="utf8")
    defined = {bound: node for node in ast.parse(text).body for bound in names_bound(node)}
    return Source(name, text.splitlines(), defined)


def names_bound(node: ast.stmt) -> Iterator[str]:
    """The names that a top-level statement gives a module."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            yield from (part.id for part in ast.walk(target) if isinstance(part, ast.Name))


class Assembly:
    """What has been collected: imports, and definitions by their name, each behind those it uses.
    Raises: AssertionError where two definitions have one name, or a library must not be there."""

    def __init__(self) -> None:
        self.imports: Set[Tuple[str, str, str]] = set()
        self.codes: Set[str] = set()
        self.owners: Dict[str, str] = {}
        self.texts: List[str] = []

    def collect(self, module: str, name: str) -> None:
        """Take a name of a module, and all that its definition uses."""
        source = read_source(module)
        node = source.defined[name]
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            self.follow_import(module, node, name)
            return
        if name in self.owners:
            assert self.owners[name] == module, f"{name}: {module} and {self.owners[name]}"
            return
        self.owners.update(dict.fromkeys(names_bound(node), module))
        for used in names_used(node):
            if used in source.defined and used != name:
                self.collect(module, used)
        self.codes |= codes_used(node)
        self.texts.append(source.text_of(node))

    def follow_import(
        self, module: str, node: Union[ast.Import, ast.ImportFrom], name: str
    ) -> None:
        """Take what an import of mtnlp brings, or note one of another library."""
        alias = next(a for a in node.names if (a.asname or a.name.partition(".")[0]) == name)
        if isinstance(node, ast.ImportFrom) and node.level:
            package = module.rpartition(".")[0]
            target = resolve_name("." * node.level + (node.module or ""), package)
            if alias.name == "Errors":
                return
            assert alias.asname is None, f"{module}: {alias.name} as {alias.asname}"
            self.collect(target, alias.name)
            return
        origin = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        root = (origin or alias.name).partition(".")[0]
        assert root in LIBRARIES or is_standard(root), f"{module} imports {root} for {name}"
        self.imports.add((origin, alias.name, alias.asname or ""))


def is_standard(library: str) -> bool:
    """Whether Python brings a library."""
    return library in sys.stdlib_module_names


def names_used(node: ast.AST) -> List[str]:
    """The names that a definition reads, each once."""
    return list(dict.fromkeys(part.id for part in ast.walk(node) if isinstance(part, ast.Name)))


def codes_used(node: ast.AST) -> Set[str]:
    """The codes of `Errors` that a definition names."""
    return {
        part.attr
        for part in ast.walk(node)
        if isinstance(part, ast.Attribute)
        and isinstance(part.value, ast.Name)
        and part.value.id == "Errors"
    }


def assemble() -> str:
    """The file's text."""
    assembly = Assembly()
    for module, name in ROOTS:
        assembly.collect(module, name)
    messages = [f"    {code} = {getattr(Errors, code)!r}" for code in sorted(assembly.codes)]
    errors = "\n".join(["class Errors:", '    """Messages, by code."""', "", *messages])
    imports = "\n".join(import_lines(assembly.imports))
    body = "\n\n".join([HEADER + "\n" + imports, errors, *assembly.texts]) + "\n"
    digest = sha256(body.encode("utf8")).hexdigest()[:DIGEST]
    return body + FOOTER.format(factory=f"{FACTORY}_{digest}")


def import_lines(imports: Set[Tuple[str, str, str]]) -> List[str]:
    """Sorted, those of modules first."""
    lines = []
    for origin, name, alias in sorted(imports):
        renamed = f" as {alias}" if alias else ""
        lines.append(
            f"from {origin} import {name}{renamed}" if origin else f"import {name}{renamed}"
        )
    return lines
