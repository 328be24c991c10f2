"""Runs the tutorial and writes its outputs into it.

    python -m scripts.docs.tutorial     # docs/tutorial.ipynb, after a change

Needs the packages of the extra `dev`. What the tutorial itself writes is in training/tutorial.
"""

import re
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Optional

import nbformat
from nbclient import NotebookClient

from mtnlp.files import write_text

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "tutorial.ipynb"
# Seconds that one cell may take.
TIMEOUT = 600
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
SPACES = re.compile(r"[ \t]+$", re.MULTILINE)

Output = Dict[str, Any]


def run(notebook: Path, folder: Path) -> Any:
    """The notebook with the outputs of a run in a folder, as the page has them.

    Raises: nbclient's CellExecutionError where a cell raises, RuntimeError where a command that a
    cell runs fails.
    """
    book = nbformat.read(notebook, as_version=4)
    with tempfile.TemporaryDirectory() as settings:
        client = NotebookClient(
            book,
            timeout=TIMEOUT,
            record_timing=False,
            resources={"metadata": {"path": str(folder)}},
            # The kernel is this interpreter, with settings and a history of its own.
            extra_arguments=[f"--IPKernelApp.ipython_dir={settings}"],
        )
        client.execute()
    for cell in book.cells:
        cell.metadata.clear()
        if cell.cell_type == "code":
            cell.outputs = [nbformat.from_dict(output) for output in clean(cell.outputs)]
    book.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    nbformat.validate(book)
    return book


def clean(outputs: List[Any]) -> List[Output]:
    """Outputs that are the same on every machine, as far as they can be.

    Progress bars and log lines (stderr) are left out. Tables are text, as a terminal shows them.
    """
    kept: List[Output] = []
    for output in outputs:
        if output["output_type"] == "error":
            # `%run` shows the error of what it runs, and the notebook goes on.
            raise RuntimeError("\n".join([output["ename"], *output["traceback"]]))
        text = text_of(output)
        if text is None:
            kept.append(picture(output))
        elif text and kept and kept[-1]["output_type"] == "stream":
            kept[-1]["text"] += text
        elif text:
            kept.append({"output_type": "stream", "name": "stdout", "text": text})
    for output in kept:
        if output["output_type"] == "stream":
            output["text"] = output["text"].strip("\n") + "\n"
    return kept


def text_of(output: Any) -> Optional[str]:
    """What an output prints; none where it is a picture or a page."""
    if output["output_type"] == "stream":
        text = output["text"] if output["name"] == "stdout" else ""
    else:
        data = output["data"]
        # rich gives a table as HTML as well.
        if "image/png" in data or not data.get("text/html", "<pre").startswith("<pre"):
            return None
        text = data["text/plain"].rstrip("\n") + "\n"
    return SPACES.sub("", ANSI.sub("", text))


def picture(output: Any) -> Output:
    """A PNG or HTML output with nothing beside it."""
    kind = "image/png" if "image/png" in output["data"] else "text/html"
    return {
        "output_type": "display_data",
        "data": {kind: output["data"][kind].strip()},
        "metadata": {},
    }


def main() -> None:
    """Run the tutorial in this checkout, and save it."""
    write_text(NOTEBOOK, nbformat.writes(run(NOTEBOOK, ROOT)) + "\n")


if __name__ == "__main__":
    main()
