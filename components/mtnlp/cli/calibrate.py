"""`mtnlp calibrate`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, List, Optional

import typer

from ..calibration.options import MIN_POSITIVES, SMOOTHING
from .progress import progress_bar
from .verb import verb_app

app = verb_app()


class Objective(StrEnum):
    """Which F1 the thresholds are for."""

    macro = "macro"
    micro = "micro"


@app.command(no_args_is_help=True)
def main(
    model: Annotated[Path, typer.Argument(help="The trained pipeline's folder.")],
    dev: Annotated[
        Path,
        typer.Argument(
            help="Annotated documents that were not trained on: a .spacy file, or a folder of them."
        ),
    ],
    output: Annotated[
        Path, typer.Option(help="The folder for the calibrated pipeline; may be MODEL itself.")
    ],
    pipe: Annotated[
        Optional[List[str]],
        typer.Option(help="A pipe, repeatable. Default: all that DEV has annotations for."),
    ] = None,
    temperature: Annotated[
        bool, typer.Option(help="Fit temperatures: of entity pipes and of each classifier's tasks.")
    ] = True,
    thresholds: Annotated[
        bool,
        typer.Option(help="Fit a threshold: of span_ner, and of each label of multi-label tasks."),
    ] = True,
    objective: Annotated[
        Objective,
        typer.Option(
            help="The F1 for which the thresholds of labels are the best on DEV. That of span_ner "
            "is for micro F1."
        ),
    ] = Objective.macro,
    min_positives: Annotated[
        int,
        typer.Option(
            min=0,
            help="Labels with fewer gold documents in DEV share one threshold; those without any "
            "keep the component's. With fewer gold entities span_ner keeps its own.",
        ),
    ] = MIN_POSITIVES,
    smoothing: Annotated[
        float,
        typer.Option(
            min=0.0,
            help="For macro F1 and span_ner: the curve of F1 over the threshold is smoothed, "
            "because its highest raw point is often chance. The kernel's width in log-odds; 0 for "
            "none.",
        ),
    ] = SMOOTHING,
    report: Annotated[
        Optional[Path],
        typer.Option(
            help="Other annotated documents (.spacy or a folder) to measure on: expected "
            "calibration error over 15 equal-mass bins and Brier score, before and after; for "
            "entities also the area under the risk-coverage curve, scores at a threshold of 0.5, "
            "0.8 and 0.95, the least softmax probability of an entity, and F1 at the threshold of "
            "span_ner before and after; for multi-label tasks F1 at the default, at one fitted and "
            "at each label's threshold."
        ),
    ] = None,
    metrics: Annotated[Path, typer.Option(help="The JSON file for all figures.")] = Path(
        "metrics/calibration.json"
    ),
    gpu_id: Annotated[int, typer.Option(help="The GPU, -1 for the CPU.")] = -1,
) -> None:
    """Fit temperatures and thresholds to held-out documents.

    A trained model is mostly too sure of itself. Its scores are divided by a temperature: one
    number per entity pipe (crf_ner, span_ner) and one per task of a classifier
    (multitask_textcat, event_textcat), the one that makes the gold of DEV most likely. The
    entities of crf_ner and the labels of exclusive tasks stay the same, only their probabilities
    change. Then thresholds of these probabilities are fitted: one for the entities of span_ner,
    and one per label of multi-label tasks. That of crf_ner stays as it is: its entities are those
    of the best tag sequence. The pipeline is saved to OUTPUT. Fit again after further training.

    \b
    Example:
      mtnlp calibrate training/conll/model-best corpus/dev/conll.spacy \\
        --output training/conll/model-calibrated --report corpus/test/conll.spacy
    """
    from wasabi import msg

    from ..calibration.calibrate import calibrate
    from ..calibration.options import FitOptions
    from ..files import write_json
    from ..reports.calibration import (
        TEMPERATURE_HEADER,
        calibration_tables,
        category_tables,
        temperature_rows,
        threshold_tables,
    )
    from ..reports.tables import print_tables

    options = FitOptions(temperature, thresholds, objective.value, min_positives, smoothing)
    results = calibrate(
        *(model, dev, output),
        names=pipe,
        options=options,
        report=report,
        gpu_id=gpu_id,
        progress=progress_bar,
    )
    rows = temperature_rows(results)
    if rows:
        msg.table(rows, header=TEMPERATURE_HEADER, divider=True, aligns=list("lrrrr"))
    msg.good(f"Calibrated pipeline written to {output}")
    tables = [*calibration_tables(results), *threshold_tables(results), *category_tables(results)]
    print_tables(tables)
    write_json(metrics, results)
    msg.good(f"Figures written to {metrics}")
