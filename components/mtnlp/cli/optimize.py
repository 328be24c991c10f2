"""`mtnlp optimize`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Optional

import typer

from .progress import run_progress
from .verb import verb_app

app = verb_app()


class EngineName(StrEnum):
    """What may run the encoder."""

    auto = "auto"
    torch = "torch"
    onnxruntime = "onnxruntime"
    openvino = "openvino"


@app.command(no_args_is_help=True)
def main(
    model: Annotated[Path, typer.Argument(help="The trained pipeline's folder.")],
    output: Annotated[Path, typer.Argument(help="The folder for the fast pipeline.")],
    corpus: Annotated[
        Path,
        typer.Option(
            help="Annotated documents that were not trained on: a .spacy file, or a folder of them."
        ),
    ] = Path("corpus/dev"),
    engine: Annotated[
        EngineName, typer.Option(help="What may run the encoder; auto tries all.")
    ] = EngineName.auto,
    max_drop: Annotated[
        float, typer.Option(min=0.0, help="Points (hundredths) that no task may lose.")
    ] = 0.3,
    threads: Annotated[
        int, typer.Option(min=0, help="Threads of engines and torch; 0: as many as torch takes.")
    ] = 0,
    limit: Annotated[
        int, typer.Option(min=0, help="Documents to score, spread over CORPUS; 0 for all.")
    ] = 0,
    standalone: Annotated[
        bool,
        typer.Option(
            "--standalone",
            help="Save a pipeline that runs without torch, and the file runtime.py that it needs.",
        ),
    ] = False,
    report: Annotated[
        Optional[Path], typer.Option(help="A Markdown file to write the tables to.")
    ] = None,
) -> None:
    """Find the fastest form of a pipeline that is as good.

    Tries every engine that is installed, in every precision that this processor has: the encoder is
    converted, and the whole pipeline is measured in a process of its own, beside torch in fp32.
    The fastest one that loses no more than --max-drop points on any task is saved to OUTPUT, an
    ordinary pipeline for spacy.load and spacy package. It predicts only: to train further, go on
    with MODEL. Speeds are those of this machine; run it where the pipeline will work.

    Temperatures and thresholds that had been fitted to MODEL are fitted again, on CORPUS.

    With --standalone, OUTPUT needs numpy, spaCy, tokenizers and the chosen engine alone, ONNX
    Runtime or OpenVINO; it need not be faster than torch.

    \b
    Example:
      pip install 'mtnlp[openvino,onnxruntime]'
      mtnlp optimize training/en_mtnlp/model-best training/fast --corpus corpus/dev
      mtnlp optimize training/en_mtnlp/model-best training/light --standalone
      spacy package training/light dist --code training/light/runtime.py
    """
    from wasabi import msg

    from ..errors import Errors, MtnlpError
    from ..files import write_text
    from ..optimization.optimize import Options, candidates_of, optimize
    from ..optimization.standalone.build import RUNTIME
    from ..optimization.tables import optimization_tables
    from ..reports.tables import print_tables

    options = Options(engine.value, max_drop, threads, limit, standalone)
    total = 1 + len(candidates_of(options)[0])
    with run_progress(total) as show:
        result = optimize(model, output, corpus, options, show)
    tables = optimization_tables(result.found, result.verdicts, result.chosen, result.left_out)
    print_tables(tables)
    if report is not None:
        write_text(report, "\n".join(table.to_markdown() for table in tables))
        msg.good(f"Tables written to {report}")
    if result.chosen is None:
        message = Errors.E666 if standalone else Errors.E650
        raise MtnlpError(message.format(max_drop=f"{max_drop:g}"))
    if result.refitted:
        msg.info(f"Fitted again on {corpus}: {', '.join(result.refitted)}")
    msg.good(
        f"{result.chosen}, {result.verdicts[result.chosen].speed_up:.1f} times as fast as torch in "
        f"fp32, is in {output}"
    )
    if standalone:
        msg.info(
            f"It needs no torch. Package it: spacy package {output} DIST --code {output / RUNTIME}"
        )
