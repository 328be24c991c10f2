"""A notebook becomes Markdown, cell by cell."""

import importlib
from typing import Any, Dict, List, Optional

import pytest

pytest.importorskip("mkdocs", reason="the extra `docs` is not installed")
notebooks = importlib.import_module("scripts.docs.notebooks")


def cell(kind: str, source: str, outputs: Optional[List[Dict[str, Any]]] = None) -> Dict[str, Any]:
    return {"cell_type": kind, "source": source.splitlines(keepends=True), "outputs": outputs or []}


def drawn(**data: str) -> Dict[str, Any]:
    return {
        "output_type": "display_data",
        "data": {k.replace("_", "/"): v for k, v in data.items()},
    }


def markdown(*cells: Dict[str, Any]) -> str:
    text: str = notebooks.to_markdown({"cells": list(cells)})
    return text


def test_title_stays_first() -> None:
    page = markdown(
        cell("markdown", "# Title\n\nText."), cell("code", "x = 1"), cell("raw", "left out")
    )
    assert page.startswith("# Title\n\nText.\n")
    assert "```python\nx = 1\n```" in page
    assert "left out" not in page


def test_a_written_file_has_its_own_language() -> None:
    assert "```ini\n%%writefile config.cfg\n" in markdown(
        cell("code", "%%writefile config.cfg\n[nlp]\n")
    )


def test_printed_text_cannot_close_its_fence() -> None:
    output = {"output_type": "stream", "name": "stdout", "text": ["```\n", "b\n"]}
    assert "````text\n```\nb\n````" in markdown(cell("code", "f()", [output]))


def test_pictures_and_html() -> None:
    outputs = [
        drawn(image_png="AA\nBB\n"),
        drawn(text_html="<b>x</b>\n\n<i>y</i>"),
        drawn(text_plain="z"),
    ]
    page = markdown(cell("code", "f()", outputs))
    assert "(data:image/png;base64,AABB)" in page
    # An empty line would end the HTML for Markdown.
    assert "<b>x</b>\n<i>y</i>" in page
    assert "```text\nz\n```" in page
