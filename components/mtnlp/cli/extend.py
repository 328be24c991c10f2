"""`mtnlp extend`."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from .progress import progress_bar
from .verb import OVERRIDES, config_overrides, verb_app

app = verb_app()


@app.command(context_settings=OVERRIDES, no_args_is_help=True)
def main(
    ctx: typer.Context,
    model: Annotated[
        str, typer.Argument(help="The trained pipeline: its folder, or an installed one's name.")
    ],
    data: Annotated[
        Path,
        typer.Argument(
            metavar="NEW_DATA",
            help="A file, or a folder with a file per split, annotated for the new labels, in any "
            "format of mtnlp convert.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder of the extended pipeline.")
    ],
    component: Annotated[
        Optional[str],
        typer.Option(help="The component that learns them, where the data leaves it open."),
    ] = None,
    freeze_encoder: Annotated[
        bool,
        typer.Option(
            "--freeze-encoder", help="Train the component alone; all others say what they said."
        ),
    ] = False,
    epochs: Annotated[
        Optional[int], typer.Option(min=1, help="How often each document is seen.")
    ] = None,
    learning_rate: Annotated[
        float, typer.Option(help="The encoder's highest rate; the heads have ten times as much.")
    ] = 1e-4,
    task: Annotated[
        Optional[str], typer.Option(help="The task of categories that the data does not name.")
    ] = None,
    format: Annotated[
        Optional[str], typer.Option(help="The data's format; recognised by content otherwise.")
    ] = None,
    text_field: Annotated[Optional[str], typer.Option(help="The text's field or column.")] = None,
    label_field: Annotated[Optional[str], typer.Option(help="The label's field or column.")] = None,
    gpu_id: Annotated[int, typer.Option("--gpu-id", "-g", help="The GPU, -1 for the CPU.")] = -1,
) -> None:
    """Teach a trained pipeline new labels, without its old data.

    NEW_DATA is annotated for the new labels alone: outside of its entities is what is none of the
    new ones, and old categories that it does not name may hold. Some texts must lack a new
    category. The component's head grows, and the old pipeline is the teacher of all that was known
    before: of the old labels, and of the other components, which share the encoder. With
    --freeze-encoder only the component learns. The tenth of NEW_DATA that is held out says how good
    the new labels are, and how far the old ones are predicted as before. Any further
    --training.setting VALUE overrides the training.

    \b
    Examples:
      mtnlp extend training/model-best locations.jsonl --output training/with-locations
      mtnlp extend en_mtnlp complaints.csv --component textcat --task topic -o extended
    """
    from wasabi import msg

    from ..recipes.extend import extend, summarize
    from ..recipes.extend_options import ExtendOptions
    from ..recipes.new_labels import NewLabels
    from ..recipes.options import ProjectOptions

    def tell(found: NewLabels) -> None:
        msg.info(f"'{found.component}' learns {', '.join(found.labels)}")
        if found.known:
            known = ", ".join(found.known)
            msg.info(f"The data has {known}, too: learnt where it is annotated")

    read = ProjectOptions(format=format, task=task, text_field=text_field, label_field=label_field)
    overrides = config_overrides(ctx)
    settings = ExtendOptions(
        component, freeze_encoder, epochs, learning_rate, read, overrides, gpu_id
    )
    made = extend(model, [data], output, settings, progress_bar, tell)
    for line in summarize(made):
        msg.info(line)
    for name in made.drifting:
        msg.warn(
            f"'{name}' shares the trained encoder, and nobody taught it: score it anew, or use "
            "--freeze-encoder"
        )
    msg.good(f"Saved the pipeline to {output}")
