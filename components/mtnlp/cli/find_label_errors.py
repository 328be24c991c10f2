"""`mtnlp find-label-errors`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, List, Optional

import typer

from .progress import progress_bar
from .verb import OVERRIDES, config_overrides, verb_app

app = verb_app()


class Tool(StrEnum):
    """Annotation tools that suggestions are written for."""

    label_studio = "label-studio"
    prodigy = "prodigy"
    brat = "brat"


@app.command(context_settings=OVERRIDES, no_args_is_help=True)
def main(
    ctx: typer.Context,
    corpus: Annotated[
        Path, typer.Argument(help="Annotated documents: a .spacy file, or a folder of them.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="The folder of the run; with --apply the corrected corpus."
        ),
    ],
    config: Annotated[
        Optional[Path],
        typer.Option(help="The config to train by, as for mtnlp train; CORPUS is its train part."),
    ] = None,
    folds: Annotated[int, typer.Option(min=2, help="How many models are trained.")] = 5,
    model: Annotated[
        Optional[List[Path]],
        typer.Option(
            help="A trained pipeline in place of a training; repeatable, one for each fold in "
            "order. One alone judges all documents: it must not have been trained on them."
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the earlier run in OUTPUT.")
    ] = False,
    top: Annotated[
        int, typer.Option(min=1, help="How many suggestions there are: the first ones.")
    ] = 500,
    export: Annotated[
        Optional[List[Tool]],
        typer.Option(help="Also write the suggestions for this tool; repeatable."),
    ] = None,
    apply: Annotated[
        Optional[Path],
        typer.Option(
            help="Train nothing: put reviewed corrections into CORPUS, and write it to OUTPUT. A "
            "suggestions.jsonl with answers, or an export of Prodigy, Label Studio or brat."
        ),
    ] = None,
    layer: Annotated[
        Optional[str],
        typer.Option(
            help="With --apply: what an export is of, where it does not say so: ents, spans/KEY or "
            "cats/TASK."
        ),
    ] = None,
    keep_models: Annotated[
        bool, typer.Option("--keep-models", help="Leave the trained pipelines in OUTPUT/folds.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the folds.")] = 0,
    gpu_id: Annotated[int, typer.Option("--gpu-id", "-g", help="The GPU, -1 for the CPU.")] = -1,
) -> None:
    """Find annotations that are probably wrong, and take corrections back.

    The corpus is cut into folds, never through a document, and each fold is judged by a model that
    was trained on the others. Entities, spans and categories are then ranked by how likely their
    annotation is wrong. OUTPUT gets suggestions.jsonl, the page index.html and the exports. How
    long the trainings will take is said first; a run that was killed goes on with --resume.

    Review the suggestions: write an "answer" into suggestions.jsonl ("accept" or "reject"), or
    import an export into your annotation tool. Then --apply writes the corrected corpus.

    Any further --section.setting VALUE overrides the config.

    \b
    Examples:
      mtnlp find-label-errors corpus/train/conll.spacy --config configs/conll.cfg \\
        --output errors --export prodigy
      mtnlp find-label-errors corpus/train/conll.spacy --apply errors/suggestions.jsonl \\
        --output corrected/train/conll.spacy
    """
    from dataclasses import asdict

    from wasabi import msg

    if apply is not None:
        from ..analysis.label_errors.apply import apply_reviewed
        from ..analysis.label_errors.corpus import CheckedCorpus
        from ..reports.label_errors import applied_lines

        applied = apply_reviewed(CheckedCorpus(corpus), apply, output, layer)
        counts = {**applied.left_out}
        for line in applied_lines(applied.answers, applied.docs, applied.changed, counts):
            msg.info(line)
        msg.good(f"Corrected corpus written to {', '.join(map(str, applied.files))}")
        return

    from ..analysis.label_errors.find import FindOptions, find_label_errors
    from ..experiments.estimate import show_duration
    from ..files import write_text
    from ..recipes.estimate import estimate_training
    from ..reports.label_errors import found_lines, label_error_page
    from ..reports.page.vega import chart_library

    # What is missing is said before the work.
    chart_library()

    def announce(path: Path, count: int) -> None:
        """Say how long the trainings will take."""
        seconds = count * estimate_training(path, gpu_id=gpu_id).seconds
        msg.info(f"{count} trainings, about {show_duration(seconds)} here in all.")

    options = FindOptions(
        output=output,
        folds=folds,
        seed=seed,
        resume=resume,
        models=model or [],
        keep_models=keep_models,
        top=top,
        tools=[tool.value for tool in export or []],
        gpu_id=gpu_id,
    )
    overrides = config_overrides(ctx, environment=True)
    found = find_label_errors(corpus, config, overrides, options, announce, progress_bar)
    rows = [asdict(item) for item in found.suggestions]
    for line in found_lines(found.total, rows, found.left_out):
        msg.info(line)
    judges = ", ".join(map(str, model)) if model else f"{folds} pipelines, one for each fold"
    about = [("Corpus", f"{corpus} ({found.docs:,} documents)"), ("Judged by", judges)]
    page = output / "index.html"
    write_text(page, label_error_page(rows, found.total, found.left_out, about))
    for path in (page, *found.files):
        msg.good(f"Written: {path}")
