"""Make the confidences of a trained pipeline fit held-out documents."""

import sys
from pathlib import Path
from typing import Annotated, List, Optional

import typer
from wasabi import msg

from mtnlp.data.progress import bar
from mtnlp.errors import MtnlpError
from mtnlp.project.calibrate import calibrate
from mtnlp.reports.calibration import TEMPERATURE_HEADER, calibration_tables, temperature_rows
from mtnlp.reports.json_files import write_json
from mtnlp.reports.tables import print_tables


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
        typer.Option(help="An entity pipe, repeatable. Default: all that DEV has annotations for."),
    ] = None,
    report: Annotated[
        Optional[Path],
        typer.Option(
            help="Other annotated documents (.spacy or a folder) to measure the confidences on: "
            "expected calibration error over 15 equal-mass bins, Brier score, area under the "
            "risk-coverage curve, and scores at min_confidence 0.5, 0.8 and 0.95; for the "
            "probabilities before and after, and for the least softmax probability of an entity."
        ),
    ] = None,
    metrics: Annotated[Path, typer.Option(help="The JSON file for all figures.")] = Path(
        "metrics/calibration.json"
    ),
    gpu_id: Annotated[int, typer.Option(help="The GPU, -1 for the CPU.")] = -1,
) -> None:
    """Fit a temperature for each entity pipe (crf_ner, span_ner) and save the pipeline with it.

    A trained model is mostly too sure of itself. Its scores are divided by a temperature, one
    number a pipe: the one that makes the gold of DEV most likely. The entities of crf_ner stay the
    same, only their probabilities change. Fit again after further training.

    Example: calibrate.py training/conll/model-best corpus/dev/conll.spacy --output
    training/conll/model-calibrated --report corpus/test/conll.spacy
    """
    try:
        results = calibrate(
            model, dev, output, names=pipe, report=report, gpu_id=gpu_id, progress=bar
        )
    except MtnlpError as error:
        msg.fail(str(error))
        sys.exit(1)
    rows = temperature_rows(results)
    msg.table(rows, header=TEMPERATURE_HEADER, divider=True, aligns=list("lrrrr"))
    msg.good(f"Calibrated pipeline written to {output}")
    print_tables(calibration_tables(results))
    write_json(metrics, results)
    msg.good(f"Figures written to {metrics}")


if __name__ == "__main__":
    typer.run(main)
