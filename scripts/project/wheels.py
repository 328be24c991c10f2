"""The two wheels a trained model is given away as: the model's and mtnlp's own."""

import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from typing import Any, Dict, List

import srsly
from spacy.cli.package import package as spacy_package

from mtnlp.errors import Errors, MtnlpError
from mtnlp.files import copy_file, write_text

# What the build of mtnlp's wheel reads.
SOURCES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")


@dataclass
class Papers:
    """The texts that travel with a model.

    meta: meta.json. licence: the file LICENSE. notices: the file LICENSES_SOURCES.
    """

    meta: Dict[str, Any]
    licence: str
    notices: str


def build_model_wheel(
    model: Path, output: Path, *, name: str, version: str, papers: Papers
) -> Path:
    """Package a trained pipeline: `spacy package`, its wheel directly in `output`.

    name: the package's name without the language (`mtnlp` gives en_mtnlp).

    spaCy lays the package out and finds its requirements; the wheel is then built here, with the
    installed build tools: spaCy's own call makes an isolated environment, which needs the
    network. Raises: MtnlpError E410 (no pipeline), E412 (build fails), E413 (mtnlp would not be
    required).
    """
    _require(model, "config.cfg")
    with tempfile.TemporaryDirectory() as temporary:
        pipeline, laid_out = Path(temporary, "pipeline"), Path(temporary, "packages")
        shutil.copytree(model, pipeline)
        laid_out.mkdir()
        srsly.write_json(pipeline / "meta.json", papers.meta)
        write_text(pipeline / "LICENSE", papers.licence)
        write_text(pipeline / "LICENSES_SOURCES", papers.notices)
        spacy_package(pipeline, laid_out, name=name, version=version, create_sdist=False)
        (folder,) = laid_out.iterdir()
        wheel = _build(folder, Path(temporary, "wheels"))
        if not any(requirement.startswith("mtnlp") for requirement in requirements(wheel)):
            raise MtnlpError(Errors.E413.format(wheel=wheel.name))
        return _deliver(wheel, output)


def build_package_wheel(root: Path, output: Path) -> Path:
    """The wheel of mtnlp itself, from a repository's root, directly in `output`.

    It is built from a copy: setuptools would leave `build/` in the tree and pack modules that a
    former build left there. Raises: MtnlpError E410 or E412.
    """
    _require(root, "setup.cfg")
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary, "mtnlp")
        shutil.copytree(
            root / "components",
            copy / "components",
            ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"),
        )
        for name in SOURCES:
            shutil.copyfile(root / name, copy / name)
        return _deliver(_build(copy, Path(temporary, "wheels")), output)


def requirements(wheel: Path) -> List[str]:
    """What a wheel requires, as its metadata says (`mtnlp<0.2.0,>=0.1.0`)."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        metadata = HeaderParser().parsestr(archive.read(name).decode("utf8"))
    return metadata.get_all("Requires-Dist") or []


def _build(folder: Path, output: Path) -> Path:
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(output)]
    # Run elsewhere: `python -m build` would take a folder named `build` here for the module.
    output.mkdir(parents=True)
    result = subprocess.run(
        [*command, str(folder)], cwd=output, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        tail = "\n".join((result.stdout + result.stderr).strip().splitlines()[-15:])
        raise MtnlpError(Errors.E412.format(path=folder.name, output=tail))
    (wheel,) = output.glob("*.whl")
    return wheel


def _deliver(wheel: Path, output: Path) -> Path:
    copy_file(wheel, output / wheel.name)
    return output / wheel.name


def _require(folder: Path, file: str) -> None:
    if not (folder / file).exists():
        raise MtnlpError(Errors.E410.format(path=folder, file=file))
