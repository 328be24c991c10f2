"""The page and the pictures of `mtnlp visualize`, from its numbers."""

from typing import Any, Dict, Mapping

from .frame import render_page
from .map import map_section
from .map_picture import map_png, to_png
from .similarity import similarity_chart, similarity_section

Numbers = Mapping[str, Any]


def map_page(numbers: Numbers, color: str = "label") -> str:
    """The page. numbers: what `mtnlp.analysis.visualize.visualize` returns. color: what colours
    the points at first."""
    sections = [map_section(numbers, color=color)]
    if numbers["sentences"]:
        sections.append(similarity_section(numbers["sentences"]))
    kinds = " and ".join(dict.fromkeys(one["of"] for one in numbers["maps"]))
    lead = f"Vectors of {kinds} of {', '.join(numbers['files'])}."
    return render_page(f"Map of {numbers['pipeline']}", sections, lead=lead)


def map_pictures(numbers: Numbers, color: str = "label") -> Dict[str, bytes]:
    """PNGs by what is put behind the name of the page: the first map, and the heat map.

    Raises: ModuleNotFoundError without vl_convert (extra `reports`).
    """
    pictures = {"": map_png(numbers["maps"][0], color)}
    if numbers["sentences"]:
        pictures["_sentences"] = to_png(similarity_chart(numbers["sentences"]))
    return pictures
