"""A conversion from end to end: read, filter, split, limit, write, report."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Set, Tuple

from wasabi import msg

from ..errors import Errors, MtnlpError
from ..types import Annotation, Record
from .agreement import Agreement, print_agreement
from .annotators import merge_annotators
from .datasets import DATASETS, FORMATS
from .docbin import Written, write_corpus
from .doctor import Finding, examine_records, print_findings
from .formats.bad_input import BadInput
from .options import SPLITS, ConvertOptions, Progress, Splits, quiet
from .sources import choose_language, read_source, unit_of
from .splits import make_splits, sample_records, split_by_ratio

# How many of the malformed units a report shows.
SHOWN = 10
# How one file of one's own data is split.
SINGLE_FILE_RATIO = (0.8, 0.1, 0.1)


@dataclass
class ConversionReport:
    """What a conversion did.

    name, unit: the corpus' file name, and what a Doc of it is.
    written: files, units and tokens by split, and what was adjusted.
    skipped: one message for each malformed unit left out.
    notes: tolerated oddities, counted by name.
    warnings: what is probably a mistake in the input, each with file and line.
    made: which splits had to be made although nobody asked for it, and from what; else "".
    agreement: that of several annotators, where documents have them.
    tokenizer: the language whose tokenizer split raw texts, such as "en".
    findings: what the data doctor says, and which language was taken where none was given.
    found: which columns or fields were read where nobody named them.
    """

    name: str
    unit: str
    written: Written
    skipped: List[str] = field(default_factory=list)
    notes: Dict[str, int] = field(default_factory=dict)
    warnings: List[str] = field(default_factory=list)
    made: str = ""
    agreement: Optional[Agreement] = None
    tokenizer: str = "en"
    findings: List[Finding] = field(default_factory=list)
    found: List[str] = field(default_factory=list)


def convert(options: ConvertOptions, progress: Progress = quiet) -> ConversionReport:
    """Converts a corpus into `out/{train,dev,test}/NAME.spacy`.

    Raises: MtnlpError for options that cannot be met and DataError for malformed input; then
        nothing is written.
    """
    on_bad = BadInput(skip=options.skip_bad)
    name = options.name or options.format
    if "/" in name or name in ("", ".", ".."):
        raise MtnlpError(Errors.E144.format(option="--name", value=name, form="a file name"))
    _check_inputs_survive(options, name)
    splits, agreement = merge_annotators(read_source(options, on_bad), options.annotators, on_bad)
    _check_filled(splits, on_bad, options.train)
    if options.labels is not None:
        entry = DATASETS.get(options.format)
        keep_labels(splits, options.labels, entry.labels if entry else None)
    splits, made = _all_splits(splits, options)
    splits = {
        split: sample_records(splits[split], limit, options.seed, options.stratify)
        for split, limit in zip(SPLITS, options.limit, strict=True)
        if split in splits
    }
    if options.ents_from is not None:
        _require_layer(splits, options.ents_from)
    unit = unit_of(options)
    language, about_language = choose_language(options, splits)
    findings = [*about_language, *examine_records(splits, language, unit)]
    written = write_corpus(splits, options.out, name, language, progress, options.ents_from)
    return ConversionReport(
        name=name,
        unit=unit,
        written=written,
        skipped=[str(error) for error in on_bad.errors],
        notes=dict(on_bad.notes),
        warnings=[*on_bad.warning_lines(), *written.units_of_offsets.warnings()],
        made=made,
        agreement=agreement,
        tokenizer=language,
        findings=findings,
        found=on_bad.found,
    )


def _require_layer(splits: Splits, key: str) -> None:
    """Raises: MtnlpError (E177) where no Record has a layer, or those that do have entities."""
    records = [record for rows in splits.values() for record in rows]
    if not any(key in (record.spans or {}) for record in records if record.entities is None):
        found = {name for record in records for name in record.spans or {}}
        named = ", ".join(f"'{name}'" for name in sorted(found)) or "none"
        raise MtnlpError(Errors.E177.format(key=key, found=named))


def _all_splits(splits: Splits, options: ConvertOptions) -> Tuple[Splits, str]:
    """Train, dev and test, and what a report says of those that nobody asked to make.

    Of one's own data train alone is split, and where there is no test split, dev is halved.
    Raises: MtnlpError (E145) where a published corpus has no test split.
    """
    ratio, made = options.ratio, ""
    if ratio is None and options.format in FORMATS and "test" not in splits:
        if "dev" in splits:
            halves = dict.fromkeys(("dev", "test"), 0.5)
            divided = split_by_ratio(splits["dev"], halves, options.seed, options.stratify)
            splits, made = {**splits, **divided}, "No test split was given: it is half of dev"
        else:
            ratio = SINGLE_FILE_RATIO
            shares = ":".join(f"{100 * share:g}" for share in ratio)
            made = f"One part was given; it is split into train, dev and test, {shares}"
        made += ". To split otherwise: --ratio"
    splits = make_splits(splits, ratio, options.dev_share, options.seed, options.stratify)
    if "test" not in splits and ratio is None:
        raise MtnlpError(Errors.E145.format(split="test", why=", because none was given"))
    return splits, made


def _check_inputs_survive(options: ConvertOptions, name: str) -> None:
    """A result takes the place of a file of its name, and splits that it lacks are removed."""
    results = [(options.out / split / f"{name}.spacy").resolve() for split in SPLITS]
    for path in (options.train, options.dev, options.test):
        if path is not None and path.resolve() in results:
            form = f"another name, or another --out: {path} is read, and would be replaced"
            raise MtnlpError(Errors.E144.format(option="--name", value=name, form=form))


def _check_filled(splits: Splits, on_bad: BadInput, train: Optional[Path]) -> None:
    why = f": there are none in {train}" if train and not any(splits.values()) else ""
    if on_bad.errors:
        why = f": all {len(on_bad.errors)} were malformed, the first one: {on_bad.errors[0]}"
    for split, records in splits.items():
        if not records:
            raise MtnlpError(Errors.E145.format(split=split, why=why))


def keep_labels(splits: Splits, labels: Sequence[str], known: Optional[Sequence[str]]) -> None:
    """Drops every entity and span of another label, in place; where it stood is then "outside".

    known: the corpus' labels; None takes those that occur.
    Raises: MtnlpError when one of the labels is not among them.
    """
    records = [record for rows in splits.values() for record in rows]
    legal: Set[str] = set(known or (entity.label for r in records for entity in _annotations(r)))
    unknown = [label for label in labels if label not in legal]
    if unknown or not labels:
        message = Errors.E147.format(unknown=", ".join(unknown), known=", ".join(sorted(legal)))
        raise MtnlpError(message)
    kept = set(labels)
    for record in records:
        if record.entities is not None:
            record.entities = [entity for entity in record.entities if entity.label in kept]
        if record.spans is not None:
            record.spans = {
                key: [span for span in layer if span.label in kept]
                for key, layer in record.spans.items()
            }


def _annotations(record: Record) -> List[Annotation]:
    layers = (record.spans or {}).values()
    return [*(record.entities or []), *(span for layer in layers for span in layer)]


def print_report(report: ConversionReport, *, is_alone: bool = True) -> None:
    """Shows a report on the terminal. is_alone: whether somebody still has to write a config."""
    written = report.written
    rows = [
        (
            split,
            f"{written.units[split]:,}",
            f"{written.tokens[split]:,}",
            str(written.files[split]),
        )
        for split in written.files
    ]
    header = ("Split", f"{report.unit.capitalize()}s", "Tokens", "File")
    msg.divider(f"Converted: {report.name}")
    msg.table(rows, header=header, divider=True, aligns=("l", "r", "r", "l"))
    for line in (*report.found, *[report.made] * bool(report.made)):
        msg.info(line)
    if report.agreement is not None:
        print_agreement(report.agreement)
    counts = {
        **report.notes,
        "spans widened to token edges": written.misaligned,
        "repeated annotations, kept once": written.repeated,
        "overlapping entities left out": written.overlapping,
        "blank annotations left out": written.blank,
    }
    for what, count in counts.items():
        if count:
            msg.info(f"{what[:1].upper()}{what[1:]}: {count:,}")
    print_findings(report.findings)
    is_guessed = any(finding.kind == "language" for finding in report.findings)
    if is_alone and is_guessed and report.tokenizer != "en":
        msg.info(f'Train with lang = "{report.tokenizer}", too')
    for warning in report.warnings:
        msg.warn(warning)
    if report.skipped:
        units = "unit" if len(report.skipped) == 1 else "units"
        msg.warn(f"{len(report.skipped):,} malformed {units} left out")
        for line in report.skipped[:SHOWN]:
            msg.text(f"  {line}")
        if len(report.skipped) > SHOWN:
            msg.text(f"  and {len(report.skipped) - SHOWN:,} more")
    msg.good(f"Wrote {', '.join(str(path) for path in written.files.values())}")
