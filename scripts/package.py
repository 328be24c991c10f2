"""Build the wheels of a trained model and of mtnlp."""

import sys
from pathlib import Path
from typing import Annotated, List, Optional

import typer
from wasabi import msg

from mtnlp.errors import MtnlpError
from mtnlp.trainer.backbone import DEFAULT_BACKBONE
from scripts.project.corpora import REAL
from scripts.project.package import package

ROOT = Path(__file__).parent.parent


def main(
    model: Annotated[Path, typer.Argument(help="The trained pipeline's folder.")] = Path(
        "training/en_mtnlp/model-best"
    ),
    output: Annotated[Path, typer.Argument(help="The folder for the wheels.")] = Path("packages"),
    name: Annotated[str, typer.Option(help="The package's name without its language.")] = "mtnlp",
    version: Annotated[str, typer.Option(help="The model's version.")] = "0.1.0",
    source: Annotated[
        str, typer.Option(help="Where the corpora came from: sample, hub or local.")
    ] = "sample",
    corpus: Annotated[
        Optional[List[str]],
        typer.Option(help=f"A corpus it was trained on, repeatable; without it {', '.join(REAL)}."),
    ] = None,
    backbone: Annotated[str, typer.Option(help="The encoder it began from.")] = DEFAULT_BACKBONE,
    metrics: Annotated[
        Optional[Path], typer.Option(help="The scores for meta.json, as spacy evaluate wrote them.")
    ] = None,
) -> None:
    """Package a trained pipeline: its wheel and mtnlp's, flat in one folder.

    Both install with `pip install --find-links packages en_mtnlp`. The licence and the notices
    in meta.json follow from the corpora the model was trained on.
    """
    try:
        wheels = package(
            model,
            output,
            root=ROOT,
            name=name,
            version=version,
            corpora=corpus or list(REAL),
            source=source,
            backbone=backbone,
            metrics=metrics,
        )
    except MtnlpError as error:
        msg.fail(str(error))
        sys.exit(1)
    for wheel in wheels:
        msg.good(f"{wheel} ({wheel.stat().st_size / 1e6:.1f} MB)")


if __name__ == "__main__":
    typer.run(main)
