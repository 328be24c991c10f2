"""A project for somebody's data: looked at, decided, written."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from weasel.cli.run import update_lockfile
from weasel.util.config import load_project_config

from ..data.convert import ConversionReport, convert
from ..data.datasets import FORMATS
from ..data.options import Progress, quiet
from ..data.shared_texts import shared_texts
from ..data.statistics import WordpieceCounter
from ..data.suitable_encoders import suits
from ..errors import Errors, MtnlpError
from ..evaluation.speed import folder_size
from ..files import fresh_folder, write_text
from ..reports.tables import Table
from ..trainer.backbone import fetch_backbone
from .assets import place_files
from .config import write_config
from .conversion import Conversion, plan_conversions
from .corpora import Source, find_sources
from .fit_config import pieces_per_word
from .options import ProjectOptions
from .overrides import Overrides
from .profile import Profiles
from .profiling import profile_corpus, profile_encoder
from .project_files import ENCODER, ProjectPlan, package_name, project_yml, readme
from .rule import choose_recipe
from .tables import data_tables, recipe_table

CONFIG, PROJECT, README = "config.cfg", "project.yml", "README.md"


@dataclass(frozen=True)
class Project:
    """What was written.

    folder: where. sources: what was found. plan: what its files say. tables: "your data".
    reports: of the conversions. notes: what was done that somebody could not see. warnings: what
        somebody should do something about.
    """

    folder: Path
    sources: List[Source]
    plan: ProjectPlan
    tables: List[Table]
    reports: List[ConversionReport]
    notes: List[str]
    warnings: List[str]


def make_project(
    data: Sequence[Path], output: Path, options: ProjectOptions, progress: Progress = quiet
) -> Project:
    """Look at files, choose a pipeline and its training, and write the project that makes it.

    data: files and folders, one or several corpora. output: the project's folder.
    Returns: what was written. Where an error is raised, nothing is.
    Raises: MtnlpError E485 for a folder that is not empty, E486, E487, and what finding, reading
        and judging the data raises.
    """
    require_free(output)
    overrides = overrides_of(options)
    sources = find_sources(data, options.format)
    with fresh_folder(output.resolve()) as folder:
        fetch_backbone(options.encoder, folder / ENCODER)
        corpora = Corpora(folder, plan_conversions(sources, options), progress)
        notes = corpora.separate_layers()
        encoder = replace(profile_encoder(str(folder / ENCODER)), name=ENCODER)
        named = replace(encoder, name=options.encoder)
        device = "gpu" if options.gpu_id >= 0 else "cpu"
        recipe = choose_recipe(corpora.profiles, encoder, device, overrides)
        files = {s.name: place_files(s, folder, options.copy_data) for s in sources}
        paths = [path for placed in files.values() for path in placed.values()]
        notes += [f"Not copied, read where it is: {path}" for path in paths if path.is_absolute()]
        notes.append(_encoder_note(folder))
        plan = ProjectPlan(
            name=package_name(output.resolve().name, recipe.language),
            language=recipe.language,
            corpora=[source.name for source in sources],
            conversions=[c.command(files[name]) for name, c in corpora.conversions.items()],
            files=[path.as_posix() for path in paths],
            encoder=_as_named(options.encoder),
            gpu_id=options.gpu_id,
            tune=options.tune,
            extras=_extras(sources, options),
            layers=[part.spans_key for part in recipe.entities],
            is_classified=recipe.classifier is not None,
            choices=recipe_table(named, recipe).to_markdown(),
        )
        write_text(folder / CONFIG, write_config(recipe, plan.corpora, encoder))
        write_text(folder / PROJECT, project_yml(plan))
        write_text(folder / README, readme(plan))
        _mark_done(folder, ["encoder", "convert"])
    return Project(
        folder=output,
        sources=sources,
        plan=plan,
        tables=data_tables(corpora.profiles, named, recipe),
        reports=[_moved(corpora.reports[s.name], folder, output) for s in sources],
        notes=notes,
        warnings=[*corpora.unsuited(), *corpora.shared_texts()],
    )


def require_free(output: Path) -> None:
    """Raises: MtnlpError (E485) for a folder that holds something, or a file."""
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise MtnlpError(Errors.E485.format(path=output))


def overrides_of(options: ProjectOptions) -> Overrides:
    """What the options decide for the rule.

    Raises: MtnlpError E487 for a task that is said to be both, E482 for a value out of range.
    """
    exclusive = dict.fromkeys(options.exclusive or (), True)
    for task in options.multilabel or ():
        if task in exclusive:
            raise MtnlpError(Errors.E487.format(task=task))
        exclusive[task] = False
    # `Overrides` checks the values; an enumeration's is a text.
    factory: Any = options.entities and options.entities.value
    precision: Any = options.precision and options.precision.value
    return Overrides(
        exclusive=exclusive or None,
        factory=factory,
        window=options.window,
        batch=options.batch,
        rate=options.rate,
        epochs=options.epochs,
        precision=precision,
    )


class Corpora:
    """The converted corpora of a project: `folder/corpus/{train,dev,test}/NAME.spacy`."""

    def __init__(self, folder: Path, conversions: Sequence[Conversion], progress: Progress) -> None:
        self.folder = folder / "corpus"
        self.progress = progress
        self.counter = WordpieceCounter(str(folder / ENCODER))
        self.conversions: Dict[str, Conversion] = {}
        self.reports: Dict[str, ConversionReport] = {}
        self.profiles: Profiles = {}
        for conversion in conversions:
            self.add(conversion)

    def add(self, conversion: Conversion) -> None:
        """Convert a corpus and look at it; one of the same name is replaced."""
        name = conversion.source.name
        report = self.reports[name] = convert(conversion.options(self.folder), self.progress)
        language = report.tokenizer
        self.profiles[name] = profile_corpus(
            self.folder, name, self.counter, language, self.progress
        )
        # What was guessed is said in project.yml, where somebody may look for it.
        self.conversions[name] = conversion.with_settings(lang=language)

    def separate_layers(self) -> List[str]:
        """Give a corpus a layer of its own where another one has different labels in the same: what
        one does not know would be learnt as absent from its texts.

        Returns: a sentence per corpus that was converted anew.
        """
        notes: List[str] = []
        first: Dict[Optional[str], str] = {}
        for name, conversion in list(self.conversions.items()):
            for layer in self.profiles[name].layers:
                other = first.setdefault(layer.key, name)
                known = {row.key: row.labels for row in self.profiles[other].layers}
                if set(layer.labels) == set(known[layer.key]) or not _has_layers(conversion):
                    continue
                self.add(conversion.with_settings(spans_key=name))
                notes.append(
                    f"The entities of {name} are in doc.spans['{name}']: {other} has other labels"
                )
                break
        return notes

    def unsuited(self) -> List[str]:
        """A warning per corpus whose language the encoder hardly knows."""
        warnings = {
            name: suits(pieces_per_word(profile), profile.language)
            for name, profile in self.profiles.items()
        }
        return [f"{name}: {warning}" for name, warning in warnings.items() if warning]

    def shared_texts(self) -> List[str]:
        """A warning per pair of corpora of which one is scored on texts of the other's train."""
        return shared_texts(self.folder, list(self.profiles)) if len(self.profiles) > 1 else []


def _encoder_note(folder: Path) -> str:
    return f"The encoder is in {ENCODER} ({folder_size(folder / ENCODER):,.1f} MB)"


def _extras(sources: Sequence[Source], options: ProjectOptions) -> List[str]:
    """What of mtnlp's extras a project's steps need."""
    read = ["hub"] if any(s.inputs.format == "huggingface" for s in sources) else []
    return ["package", *read, *["tune"] * bool(options.tune)]


def _has_layers(conversion: Conversion) -> bool:
    """Whether a corpus' entities can go to a layer that nobody has named yet."""
    readable = FORMATS[conversion.source.inputs.format].options
    return "spans_key" in readable and "spans_key" not in conversion.settings


def _moved(report: ConversionReport, folder: Path, output: Path) -> ConversionReport:
    """A report whose files are where the project is now, and no more where it was written."""
    files = {
        split: output / path.relative_to(folder) for split, path in report.written.files.items()
    }
    return replace(report, written=replace(report.written, files=files))


def _as_named(encoder: str) -> str:
    """A name on the hub as it is; a folder by its full path, as the project is elsewhere."""
    return str(Path(encoder).resolve()) if Path(encoder).is_dir() else encoder


def _mark_done(folder: Path, names: Sequence[str]) -> None:
    """Note in the project's lock file that commands have run, so that they run only after a
    change."""
    for command in load_project_config(folder)["commands"]:
        if command["name"] in names:
            update_lockfile(folder, command)
