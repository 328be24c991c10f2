"""MkDocs' hook that makes pages of the notebooks among the documents.

A notebook is a page under its own name, so links to `tutorial.ipynb` lead to the page. Its text is
taken as it stands, with the outputs that it was committed with; nothing is run.
"""

import json
import posixpath
import re
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

from mkdocs.structure.files import File, Files

SUFFIX = ".ipynb"
# Cell magics whose text is in another language than Python, by the name of the file they write.
WRITTEN = re.compile(r"^%%writefile (\S+)\n")
LANGUAGES = {".cfg": "ini", ".toml": "toml", ".json": "json", ".sh": "bash"}
# displaCy's marks are pastel, for dark text; long outputs scroll within their frame.
STYLE = """<style>
.notebook-html { overflow-x: auto; margin: 1em 0; }
.notebook-html mark.entity { color: #222; }
.notebook-output pre > code { max-height: 32em; }
</style>"""


class NotebookFile(File):
    """A notebook that is a page; what is in it comes from `on_page_read_source`."""

    def is_documentation_page(self) -> bool:
        """Yes, though it is no Markdown file."""
        return True


def on_files(files: Files, config: Any) -> Files:
    """Pages in place of the notebooks, which MkDocs would copy."""
    for file in list(files):
        if file.src_uri.endswith(SUFFIX):
            files.remove(file)
            files.append(page_of(file, config))
    return files


def page_of(file: File, config: Any) -> NotebookFile:
    """The page, where a Markdown file of that name would have it."""
    stem = file.src_uri.removesuffix(SUFFIX)
    where = posixpath.join(stem, "index.html") if config.use_directory_urls else f"{stem}.html"
    return NotebookFile(
        file.src_uri, config.docs_dir, config.site_dir, config.use_directory_urls, dest_uri=where
    )


def on_page_read_source(page: Any, config: Any) -> Optional[str]:
    """The Markdown of a notebook; other pages are read as ever."""
    if not page.file.src_uri.endswith(SUFFIX):
        return None
    return to_markdown(json.loads(Path(page.file.abs_src_path).read_text(encoding="utf8")))


def to_markdown(book: Dict[str, Any]) -> str:
    """The cells of a notebook (format 4), one after another, with their outputs."""
    parts: List[str] = []
    for cell in book["cells"]:
        source = joined(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
        elif cell["cell_type"] == "code":
            parts.append(code(source))
            parts += outputs(cell["outputs"])
    # Behind the title, which is then still the first thing on the page.
    return "\n\n".join([*parts[:1], STYLE, *parts[1:]]) + "\n"


def code(source: str) -> str:
    """A code cell as a fenced block, in the language it is in."""
    written = WRITTEN.match(source)
    language = LANGUAGES.get(Path(written[1]).suffix, "text") if written else "python"
    return fenced(source, language)


def outputs(found: List[Dict[str, Any]]) -> Iterator[str]:
    """What a cell printed, drew or showed."""
    for output in found:
        data = output.get("data", {})
        if output["output_type"] == "stream":
            yield framed(joined(output["text"]))
        elif "image/png" in data:
            picture = joined(data["image/png"]).replace("\n", "")
            yield f"![Output of the cell above](data:image/png;base64,{picture})"
        elif "text/html" in data:
            # Markdown would take an empty line for the end of the HTML.
            html = re.sub(r"\n\s*\n", "\n", joined(data["text/html"]))
            yield f'<div class="notebook-html">\n{html}\n</div>'
        else:
            yield framed(joined(data["text/plain"]))


def framed(text: str) -> str:
    """Printed text."""
    return f'<div class="notebook-output" markdown>\n\n{fenced(text, "text")}\n\n</div>'


def fenced(text: str, language: str) -> str:
    """A block whose fence is longer than any in the text."""
    longest = max(map(len, re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def joined(text: Any) -> str:
    """Notebooks hold a text as one string or as its lines."""
    return text if isinstance(text, str) else "".join(text)
