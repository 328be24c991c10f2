"""`mtnlp teach`."""

from pathlib import Path
from typing import Annotated, Dict, List, Optional

import typer

from .progress import progress_bar
from .verb import verb_app

app = verb_app()


def parse_renamed(texts: List[str]) -> Dict[str, str]:
    """`theirs=ours` as a table."""
    pairs = [text.partition("=") for text in texts]
    for theirs, equals, ours in pairs:
        if not (theirs and equals and ours):
            text = f"{theirs}{equals}{ours}"
            raise typer.BadParameter(f"'{text}': expected THEIR_COMPONENT=YOUR_COMPONENT")
    return {theirs: ours for theirs, _, ours in pairs}


@app.command(no_args_is_help=True)
def main(
    corpus: Annotated[
        Path,
        typer.Option(help="A .spacy file, or a folder of them, whose subfolders are read too."),
    ],
    output: Annotated[
        Path,
        typer.Option(
            help="The folder of the results, in which files stand as they do in CORPUS. Of a "
            "single file also the result itself, NAME.opinions.safetensors.",
        ),
    ],
    teacher: Annotated[
        Optional[List[str]],
        typer.Argument(
            help="A trained pipeline: its folder or the name of an installed one; or "
            "COMPONENT=PIPELINE, for what it teaches one component of the student. Several may "
            "follow.",
        ),
    ] = None,
    vectors: Annotated[
        Optional[str],
        typer.Option(
            metavar="ENCODER",
            help="Also teach vectors: an encoder, by name or folder, untouched and pooled by its "
            "mean; or a folder of sentence-transformers, pooled as it says.",
        ),
    ] = None,
    to: Annotated[
        Optional[List[str]],
        typer.Option(
            metavar="THEIRS=YOURS",
            help="The teachers' component THEIRS teaches the student's component YOURS; "
            "repeatable. By default it has the same name.",
        ),
    ] = None,
    only: Annotated[
        Optional[List[str]],
        typer.Option(metavar="COMPONENT", help="Teach this component of the student; repeatable."),
    ] = None,
    batch_size: Annotated[
        int, typer.Option(min=1, help="Documents that a pipeline gets at once.")
    ] = 64,
    force: Annotated[bool, typer.Option("--force", help="Replace results that are there.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Estimate size and time, and stop.")
    ] = False,
    gpu_id: Annotated[int, typer.Option(help="The GPU, -1 for the CPU.")] = -1,
) -> None:
    """Ask trained pipelines what they believe of a corpus, and store it.

    Each component of a teacher that can say how sure it is (crf_ner, span_ner, multitask_textcat,
    event_textcat, sentence_vectors) is asked about every document: the probabilities of its tags
    or spans, its categories' scores, its vectors. Documents keep their words and spaces, and their
    gold is not looked at, so texts without annotation can be taught too. OUTPUT gets one file for
    each file of CORPUS. A training reads it where its corpus has a setting `taught`:

    \b
      [corpora.train.corpora.conll]
      path = "corpus/train/conll.spacy"
      taught = "corpus/taught"

    When documents, their order or a teacher's labels have changed since, training says so: run
    this command again, with --force. Size and time are printed before it begins.

    \b
    Examples:
      mtnlp teach training/conll/model-best --corpus corpus/train --output corpus/taught
      mtnlp teach ner=training/conll/model-best textcat=training/imdb/model-best \\
        --corpus corpus/train --output corpus/taught
      mtnlp teach en_mtnlp --to ner=entities --only entities \\
        --corpus corpus/texts.spacy --output corpus/taught
      mtnlp teach --vectors sentence-transformers/all-MiniLM-L6-v2 \\
        --corpus corpus/train --output corpus/taught
    """
    from wasabi import msg

    from ..experiments.estimate import show_duration
    from ..teaching.encoder_teacher import COMPONENT, load_encoder_teacher
    from ..teaching.teach import Teaching, find_files, require_free
    from ..teaching.teachers import check_names, load_teachers, parse_teacher

    if not teacher and vectors is None:
        raise typer.BadParameter("Name a teacher, or an encoder with --vectors.")
    renamed, wanted = parse_renamed(to or []), only or []
    files = find_files(corpus, output)
    if not force:
        require_free(files)
    names = [parse_teacher(text) for text in teacher or []]
    teachers = load_teachers(names, renamed=renamed, only=wanted, gpu_id=gpu_id)
    component = renamed.get(COMPONENT, COMPONENT)
    if vectors is not None and (not wanted or component in wanted):
        teachers.append(load_encoder_teacher(vectors, component, gpu_id))
    check_names(teachers, renamed, wanted)
    teaching = Teaching(teachers, files, batch_size)
    for head in teaching.heads:
        path = teaching.described[head.teacher].path
        msg.text(f"{head.component}: taught by '{head.source}' of {path}")
    found = teaching.estimate()
    documents = f"{found.documents:,} documents of {len(files)} files"
    size, duration = show_size(found.bytes), show_duration(found.seconds)
    msg.info(f"{documents}: about {size} and {duration}")
    if dry_run:
        return
    for taught in teaching.run(progress_bar):
        counts = ", ".join(f"{name} on {count:,}" for name, count in taught.opinions.items())
        shown = f"{taught.documents:,} documents, {show_size(taught.bytes)}: {counts}"
        msg.good(f"{taught.target}: {shown}")


def show_size(count: float) -> str:
    """`812 B`, `3.4 MB`: bytes for people."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            break
        count /= 1000
    return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
