"""The conversion of somebody's files, once to look at them and again whenever they change."""

import shlex
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence

from ..data.datasets import FORMATS
from ..data.options import ConvertOptions, parse_delimiter, parse_ratio
from .corpora import Source
from .options import ProjectOptions

# Settings of `ProjectOptions` that are options of `mtnlp convert` under the same name.
_SHARED = (
    "lang",
    "text_field",
    "label_field",
    "label_separator",
    "delimiter",
    "group_field",
    "annotators",
    "spans_key",
    "ents_from",
    "ratio",
    "dev_share",
    "seed",
    "skip_bad",
)
_PARSERS = {"delimiter": parse_delimiter, "ratio": parse_ratio}


@dataclass(frozen=True)
class Conversion:
    """How one corpus is converted.

    source: where its files are. settings: options of `mtnlp convert`, as they are written there.
    """

    source: Source
    settings: Mapping[str, Any]

    def with_settings(self, **settings: Any) -> "Conversion":
        """The same with other settings."""
        return Conversion(self.source, {**self.settings, **settings})

    def options(self, out: Path) -> ConvertOptions:
        """What `data.convert` takes. out: the folder of the splits."""
        given: Dict[str, Any] = {
            name: _PARSERS[name](value) if name in _PARSERS else value
            for name, value in self.settings.items()
        }
        inputs = self.source.inputs
        given.update(inputs.splits)
        return ConvertOptions(format=inputs.format, name=self.source.name, out=out, **given)

    def command(self, files: Mapping[str, Path]) -> str:
        """The line of project.yml. files: where the project has each split."""
        words = ["python", "-m", "mtnlp", "convert", self.source.inputs.format]
        for split, path in files.items():
            words += [f"--{split}", path.as_posix()]
        words += ["--name", self.source.name]
        for name, value in self.settings.items():
            words.append(f"--{name.replace('_', '-')}")
            words += [] if value is True else [str(value)]
        return shlex.join(words)


def plan_conversions(sources: Sequence[Source], options: ProjectOptions) -> List[Conversion]:
    """A conversion per corpus.

    A setting goes to the corpora whose format reads it; to all where none does, so that somebody
    says that it fits none. Where there are several corpora, the task of each is called after it.
    """
    special = {name for entry in FORMATS.values() for name in entry.options}
    given = {name: getattr(options, name) for name in _SHARED}
    given = {name: value for name, value in given.items() if value is not None}
    readable = [set(FORMATS[source.inputs.format].options) for source in sources]
    conversions = []
    for source, own in zip(sources, readable, strict=True):
        settings: Dict[str, Any] = {}
        for name, value in given.items():
            if name not in special or name in own or not any(name in row for row in readable):
                settings[name] = value
        task = options.task or (source.name if len(sources) > 1 else None)
        conversions.append(Conversion(source, {**settings, **({"task": task} if task else {})}))
    assert {name for row in conversions for name in row.settings} <= {
        item.name for item in fields(ConvertOptions)
    }
    return conversions
