"""From a trained pipeline to installable wheels with their papers."""

import sys
from pathlib import Path
from typing import Annotated, List, Optional, Sequence

import srsly
import typer
from spacy.util import load_config
from wasabi import msg

if not __package__:  # run by its path
    sys.path[0] = str(Path(__file__).parents[2])

from mtnlp.cli.verb import verb_app
from mtnlp.errors import Errors, MtnlpError
from mtnlp.trainer.backbone import DEFAULT_BACKBONE
from scripts.project.corpora import REAL, corpora_used, notices
from scripts.project.meta import complete_meta, read_scores
from scripts.project.wheels import Papers, build_model_wheel, build_package_wheel


def package(
    model: Path,
    output: Path,
    *,
    root: Path,
    name: str,
    version: str,
    corpora: Sequence[str],
    source: str,
    backbone: str,
    metrics: Optional[Path] = None,
) -> List[Path]:
    """Build the model's wheel and mtnlp's own, flat in `output`; returns both.

    model: a trained pipeline's folder. root: the repository. corpora, source: what it was
    trained on, which decides licence and notices. metrics: the JSON of `spacy evaluate`.
    Raises: MtnlpError E410 to E413.
    """
    if not (model / "config.cfg").exists():
        raise MtnlpError(Errors.E410.format(path=model, file="config.cfg"))
    used = corpora_used(corpora, source)
    components = load_config(model / "config.cfg")["components"]
    meta = complete_meta(
        srsly.read_json(model / "meta.json"),
        factories=[component.get("factory", "") for component in components.values()],
        corpora=used,
        scores=read_scores(metrics),
        backbone=backbone,
    )
    licence = (root / "LICENSE").read_text(encoding="utf8")
    if meta["license"] != "MIT":
        licence = f"{meta['license']}\n\n{notices(used)}"
    papers = Papers(meta=meta, licence=licence, notices=notices(used))
    return [
        build_model_wheel(model, output, name=name, version=version, papers=papers),
        build_package_wheel(root, output),
    ]


app = verb_app()


@app.command()
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
            root=Path(__file__).parents[2],
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
    app()
