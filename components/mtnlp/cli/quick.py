"""`mtnlp quick`."""

from pathlib import Path
from typing import Annotated, List

import typer

from ..recipes.options import ProjectOptions
from .init import show_project
from .progress import progress_bar
from .project_options import GroupedCommand, takes_project_options
from .verb import verb_app

app = verb_app()


@app.command(cls=GroupedCommand, no_args_is_help=True)
@takes_project_options
def main(
    data: Annotated[
        List[Path],
        typer.Argument(metavar="DATA", help="Files or folders with annotated texts."),
    ],
    name: Annotated[
        Path,
        typer.Option(
            "--name", "-n", help="The project's folder, new or empty; the package is called so too."
        ),
    ],
    options: ProjectOptions,
) -> None:
    """Train a pipeline on your data: from files to a wheel.

    Does what `mtnlp init` does, then all that its project does: trains a pipeline, fits its
    probabilities to held-out texts, scores it, says what would help it, and builds a wheel. Says
    how long that will take before it begins to train. A step that fails, or is interrupted, loses
    nothing: `spacy project run all` in the folder goes on.

    \b
    Examples:
      mtnlp quick reviews.csv --name shop
      mtnlp quick train.jsonl dev.jsonl test.jsonl --name products --epochs 5
    """
    from wasabi import msg

    from ..recipes.project import make_project
    from ..recipes.run import require_build_tools, run_project

    require_build_tools()
    project = make_project(data, name, options, progress_bar)
    show_project(project)
    run_project(name)
    msg.divider("Use it")
    msg.text(f"  pip install {name / project.plan.wheel}\n")
    msg.text(f'  nlp = spacy.load("{project.plan.package}")\n')
