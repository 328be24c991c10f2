"""`mtnlp shrink-vocabulary`."""

from pathlib import Path
from typing import Annotated, List, Optional

import typer

from .progress import progress_bar
from .verb import verb_app

app = verb_app()


@app.command()
def main(
    encoder: Annotated[str, typer.Argument(help="A folder, or a name on the Hugging Face hub.")],
    output: Annotated[Path, typer.Option(help="The folder to write, another than the encoder's.")],
    texts: Annotated[
        Optional[List[Path]],
        typer.Option(
            help="Keep the pieces of these texts: a .txt file, a .spacy corpus, or a folder with "
            "such; repeatable."
        ),
    ] = None,
    alphabet: Annotated[
        Optional[str],
        typer.Option(
            help="Keep all pieces with letters of these alphabets alone, and all without letters; "
            "several with commas: cyrillic,latin."
        ),
    ] = None,
    check: Annotated[
        Optional[List[Path]],
        typer.Option(help="Texts to compare on that keep no piece; repeatable."),
    ] = None,
) -> None:
    """Cut an encoder's vocabulary to what some texts and alphabets need.

    A multilingual encoder is mostly embeddings of wordpieces, and one language reads few of them.
    The TEXTS are cut into the same pieces as before, and the encoder says the same of them. With an
    ALPHABET this also holds for most words that they do not have. JSONL, CSV and columns are not
    read here: mtnlp convert makes a .spacy corpus of them.

    \b
    Example:
      mtnlp shrink-vocabulary assets/backbone/multilingual --texts corpus/train \\
        --alphabet cyrillic --check corpus/dev --output assets/backbone/russian
    """
    from wasabi import msg

    from ..reports.shrink_vocabulary import shrink_tables
    from ..reports.tables import print_tables
    from ..trainer.shrink_vocabulary import shrink_vocabulary

    alphabets = [name.strip().lower() for name in (alphabet or "").split(",") if name.strip()]
    done = shrink_vocabulary(encoder, output, texts or [], alphabets, check or [], progress_bar)
    print_tables(shrink_tables(done))
    if done.left_out:
        counts = ", ".join(f"{count:,} {ending}" for ending, count in done.left_out.most_common())
        msg.info(f"Files that are no texts: {counts}")
    if done.heads:
        msg.info(f"Weights of a head, left out: {', '.join(done.heads)}")
    msg.good(f"The smaller encoder is in {output}. All {done.texts:,} texts are cut as before.")
