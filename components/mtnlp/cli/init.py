"""`mtnlp init`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, List

import typer

from ..recipes.options import ProjectOptions
from .progress import progress_bar
from .project_options import GroupedCommand, takes_project_options
from .verb import verb_app

if TYPE_CHECKING:
    from ..recipes.project import Project

app = verb_app()


@app.command(cls=GroupedCommand, no_args_is_help=True)
@takes_project_options
def main(
    data: Annotated[
        List[Path],
        typer.Argument(metavar="DATA", help="Files or folders with annotated texts."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The project's folder: new, or empty.")
    ],
    options: ProjectOptions,
) -> None:
    """Write a project that trains a pipeline on your data.

    Looks at the data, says what it found, and writes a spaCy project: project.yml, a config, a
    README and the converted data. `spacy project run all` in its folder then trains a pipeline,
    fits its probabilities, scores it and packages it.

    Files whose names differ in the split alone (a_train.csv, a_dev.csv, a_test.csv) are one corpus;
    every other file, and every folder, is a corpus of its own. Several corpora become one pipeline.

    \b
    Examples:
      mtnlp init reviews.csv --output shop
      mtnlp init reviews.csv products.jsonl --output shop --lang en
    """
    from wasabi import msg

    from ..recipes.project import make_project

    show_project(make_project(data, output, options, progress_bar))
    msg.text(f"Go on with: cd {output} && python -m spacy project run all")


def show_project(project: "Project") -> None:
    """What was found in the data, and where the project is."""
    from wasabi import msg

    from ..data.convert import print_report
    from ..data.inputs import say_recognised
    from ..reports.tables import print_tables

    for source, report in zip(project.sources, project.reports, strict=True):
        say_recognised(source.inputs)
        print_report(report, is_alone=False)
    print_tables(project.tables)
    for note in project.notes:
        msg.info(note)
    for warning in project.warnings:
        msg.warn(warning)
    msg.good(f"The project is in {project.folder}; its README says what was chosen, and why")
