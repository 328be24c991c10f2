"""`mtnlp convert`."""

from enum import StrEnum
from pathlib import Path
from typing import List, Optional

import typer

from ..recipes.options import Annotators
from .progress import progress_bar
from .verb import verb_app

app = verb_app()


class Source(StrEnum):
    """Where a corpus comes from."""

    sample = "sample"
    local = "local"
    hub = "hub"


class Unit(StrEnum):
    """What a Doc is."""

    sentence = "sentence"
    document = "document"


@app.command(no_args_is_help=True)
def main(
    data: Optional[List[str]] = typer.Argument(
        None,
        metavar="NAME|DATA",
        help="A corpus (imdb, conll, nerel, multinerd); or your own data: one file, one file per "
        "split, or a folder; or the format of what --train, --dev and --test name.",
    ),
    format: Optional[str] = typer.Option(
        None,
        help="Your own data: its format (columns, jsonl, csv, docbin, ...); by default it is "
        "recognised by content.",
    ),
    source: Optional[Source] = typer.Option(
        None,
        help="Where a corpus comes from: the embedded sample, a local copy, the Hugging Face hub. "
        "Default: local with --path, else sample.",
    ),
    path: Optional[Path] = typer.Option(
        None, help="Your copy of the corpus, or a folder that holds it (--source local)."
    ),
    sample: Path = typer.Option(
        Path("corpus/sample"), help="The folder of the embedded sample (--source sample)."
    ),
    train: Optional[Path] = typer.Option(None, help="Your own data: the training file."),
    dev: Optional[Path] = typer.Option(
        None, help="Your own data: the development file; carved from train where there is none."
    ),
    test: Optional[Path] = typer.Option(None, help="Your own data: the test file."),
    output_name: Optional[str] = typer.Option(
        None,
        "--name",
        help="File name of the result; by default the corpus' own, or that of your file.",
    ),
    out: Path = typer.Option(Path("corpus"), help="Folder of the splits train, dev and test."),
    ratio: Optional[str] = typer.Option(
        None, help="Split everything anew, train:dev:test, such as 60:15:25."
    ),
    dev_share: float = typer.Option(
        0.2, min=0.01, max=0.99, help="Share of train that becomes dev where there is no dev."
    ),
    stratify: bool = typer.Option(True, help="Keep the labels' proportions in splits and limits."),
    limit: str = typer.Option(
        "0",
        help="At most so many units per split, or train:dev:test such as 500:100:0; 0 is all.",
    ),
    unit: Optional[Unit] = typer.Option(None, help="What a Doc is (conll and columns)."),
    labels: Optional[str] = typer.Option(
        None, help="Entity labels to keep, such as PER,ORG,LOC,DIS,ANIM; others become O."
    ),
    seed: int = typer.Option(0, help="Seed of splits and limits."),
    skip_bad: bool = typer.Option(
        False, "--skip-bad", help="Leave malformed units out and count them, instead of stopping."
    ),
    lang: Optional[str] = typer.Option(None, help="Language of raw texts, for the tokenizer."),
    task: str = typer.Option("category", help="Your own data: name of the classification task."),
    text_field: Optional[str] = typer.Option(
        None,
        help="Your own data: field or column of the text (a number: no header); text by default, "
        "or what looks like it.",
    ),
    label_field: Optional[str] = typer.Option(
        None,
        help="Your own data: field or column of the label (a number: no header); label by default, "
        "or what looks like it.",
    ),
    label_separator: Optional[str] = typer.Option(
        None, help="Your own CSV: splits the label column into several labels."
    ),
    label_names: Optional[Path] = typer.Option(
        None,
        help="Your own CSV (or Hugging Face dataset) with numbered labels: a file with their "
        "names, that of 0 in its first line.",
    ),
    spans_field: Optional[str] = typer.Option(
        None,
        help="Your own JSONL: field of the offsets with labels; spans, entities or annotations by "
        "default.",
    ),
    tags_field: Optional[str] = typer.Option(
        None, help="Your own JSONL: field of a tag per token; tags or ner_tags by default."
    ),
    delimiter: Optional[str] = typer.Option(
        None,
        help="Your own CSV or columns: what separates the columns, such as ';', '|' or tab; found "
        "in a CSV, blanks in columns by default.",
    ),
    group_field: Optional[str] = typer.Option(
        None, help="Your own JSONL or CSV: field or column of what no split may tear apart."
    ),
    spans_key: Optional[str] = typer.Option(
        None,
        help="Your own data: the layer of doc.spans for entities; doc.ents by default, and sc "
        "where those of brat or webanno overlap.",
    ),
    ents_from: Optional[str] = typer.Option(
        None,
        help="A layer of doc.spans, such as nerel, whose longest entities, none overlapping, go to "
        "doc.ents, too: for a flat tagger beside a nested one.",
    ),
    annotators: Annotators = typer.Option(
        Annotators.majority,
        help="What counts where several people judged a document: what more than half of them "
        "say, what the first says, or nothing (an error).",
    ),
) -> None:
    """Convert a corpus, or data of your own, to spaCy's format.

    Writes OUT/{train,dev,test}/NAME.spacy, which `mtnlp train` and every command of spaCy read.
    A corpus (imdb, conll, nerel, multinerd) comes from --source; your own data from the files you
    name, whose format is recognised by content. One file alone is split 80:10:10; where there is no
    test split, dev is halved. Malformed input is an error that names file and line; then nothing is
    written.

    \b
    Examples:
      mtnlp convert conll --source local --path conll2003
      mtnlp convert reviews.jsonl
      mtnlp convert train.csv dev.csv test.csv --task topic --name news
    """
    from ..data.convert import convert, print_report
    from ..data.inputs import requested, say_recognised
    from ..data.options import (
        ConvertOptions,
        parse_delimiter,
        parse_labels,
        parse_limit,
        parse_ratio,
    )

    inputs = requested(data or [], {"train": train, "dev": dev, "test": test}, format)
    say_recognised(inputs)
    options = ConvertOptions(
        format=inputs.format,
        source=(source or (Source.local if path else Source.sample)).value,
        path=path,
        sample=sample,
        train=inputs.splits.get("train"),
        dev=inputs.splits.get("dev"),
        test=inputs.splits.get("test"),
        name=output_name or inputs.name,
        out=out,
        ratio=parse_ratio(ratio) if ratio else None,
        dev_share=dev_share,
        stratify=stratify,
        limit=parse_limit(limit),
        unit=unit.value if unit else None,
        labels=parse_labels(labels) if labels else None,
        seed=seed,
        skip_bad=skip_bad,
        lang=lang,
        task=task,
        text_field=text_field,
        label_field=label_field,
        label_separator=label_separator,
        label_names=label_names,
        spans_field=spans_field,
        tags_field=tags_field,
        delimiter=parse_delimiter(delimiter) if delimiter else None,
        group_field=group_field,
        spans_key=spans_key,
        ents_from=ents_from,
        annotators=annotators.value,
    )
    print_report(convert(options, progress_bar))
