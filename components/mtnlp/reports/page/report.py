"""The page of `mtnlp report`, from its numbers."""

from typing import Any, Callable, Dict, List, Mapping, Tuple

from .blocks import Prose, Section
from .classification import classification_section
from .corpora import data_section
from .entities import entities_section
from .frame import render_page
from .learning_curve import learning_curve_section
from .map import map_section
from .overview import overview_section
from .versus import versus_section

Numbers = Mapping[str, Any]

# A section that has nothing to show says why, or how to get it.
EMPTY = {
    "entities": (
        "Entities",
        "The pipeline has no component that finds entities, or no document is annotated for one.",
    ),
    "classification": (
        "Classification",
        "The pipeline classifies no documents, or none is annotated for a task.",
    ),
    "vectors": (
        "Vectors",
        "There is no map of vectors: the pipeline has none, or fewer documents than a map needs.",
    ),
    "versus": (
        "Beside another pipeline",
        "No other pipeline was given. `--versus OTHER` shows what got better and what got worse, "
        "whether that is more than chance, and texts on which the two differ.",
    ),
    "learning_curve": (
        "Learning curve",
        "It was not asked for. `--learning-curve` trains on 25, 50 "
        "and 100% of train, and shows whether more data would help, and of which label.",
    ),
}
BUILDERS: Dict[str, Callable[[Any], Section]] = {
    "entities": entities_section,
    "classification": classification_section,
    "vectors": map_section,
    "data": data_section,
    "versus": versus_section,
    "learning_curve": learning_curve_section,
}


def report_page(numbers: Numbers) -> Tuple[str, List[Section]]:
    """The page as HTML, and its sections.

    numbers: what `mtnlp.analysis.report.analyse` returns.
    Raises: ModuleNotFoundError without vl_convert (extra `reports`).
    """
    sections = report_sections(numbers)
    about = numbers["about"]
    corpus = about["corpus"]
    lead = f"Scored on {corpus['documents']:,} documents of {', '.join(corpus['files'])}"
    lead += f" ({corpus['split']})." if corpus["split"] else "."
    return render_page(f"Report on {about['pipeline']}", sections, lead=lead), sections


def report_sections(numbers: Numbers) -> List[Section]:
    """The sections, in the order of the page; every one of them is there."""
    sections = []
    for key, build in BUILDERS.items():
        if numbers.get(key):
            sections.append(build(numbers[key]))
        else:
            title, says = EMPTY[key]
            sections.append(Section(key.replace("_", "-"), title, [Prose([says])]))
    places = {section.name: (section.name, section.title) for section in sections}
    for section in sections:
        places |= {group.title: (group.name, group.title) for group in section.groups}
    return [overview_section(numbers, places), *sections]
