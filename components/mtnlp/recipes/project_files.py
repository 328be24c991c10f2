"""The texts of a project: project.yml and README.md."""

import json
import re
import shlex
from dataclasses import dataclass
from typing import Iterator, Optional, Sequence

from .corpora import plain_name

VERSION = "0.1.0"
ENCODER = "assets/encoder"
MODEL = "training/calibrated"
# The config with all defaults, which spaCy's debug commands want.
FULL = "training/full.cfg"


@dataclass(frozen=True)
class ProjectPlan:
    """What the files of a project say.

    name: of the package, without its language. language: of the pipeline. corpora: their names.
    conversions: a line per corpus. files: what they read, where it is below the project's folder.
    encoder: a name on the hub, or a folder. gpu_id: -1 for the CPU. tune: trials of a search.
    extras: of mtnlp, what the steps need beside the package. layers: the keys of `doc.spans` with
    entities, None for `doc.ents`. is_classified: whether there is a classifier.
    choices: a Markdown table of what was chosen, and why.
    """

    name: str
    language: str
    corpora: Sequence[str]
    conversions: Sequence[str]
    files: Sequence[str]
    encoder: str
    gpu_id: int = -1
    tune: int = 0
    extras: Sequence[str] = ("package",)
    layers: Sequence[Optional[str]] = ()
    is_classified: bool = False
    choices: str = ""

    @property
    def package(self) -> str:
        """What `spacy.load` takes once the wheel is installed."""
        return f"{self.language}_{self.name}"

    @property
    def wheel(self) -> str:
        """The wheel's path in the project's folder."""
        return f"packages/{self.package}-{VERSION}-py3-none-any.whl"


def package_name(folder: str, language: str) -> str:
    """The name of a package after its folder: what Python and pip both take, without language."""
    name = plain_name(re.sub(r"[^\x00-\x7f]", "_", folder)).removeprefix(f"{language}_")
    return name if name.isidentifier() else f"model_{name}".strip("_")


def project_yml(plan: ProjectPlan) -> str:
    """project.yml: the steps from the files to a wheel."""
    config = "tuned.cfg" if plan.tune else "config.cfg"
    splits = {split: [f"corpus/{split}/{name}.spacy" for name in plan.corpora] for split in SPLITS}
    corpora = [*splits["train"], *splits["dev"]]
    gpu = "--gpu-id ${vars.gpu_id}"
    commands = [
        Command(
            "encoder",
            "Fetch the encoder",
            [f"python -m mtnlp backbone {shlex.quote(plan.encoder)} --output {ENCODER}"],
            outputs=[ENCODER],
        ),
        Command(
            "convert",
            "Convert the data to corpus/{train,dev,test}",
            plan.conversions,
            deps=plan.files,
            outputs=[file for files in splits.values() for file in files],
        ),
        Command(
            "tune",
            "Search for better settings",
            [
                f"python -m mtnlp tune config.cfg --trials {plan.tune} --output tuned.cfg "
                f"--replace {gpu}"
            ],
            deps=["config.cfg", *corpora, ENCODER],
            outputs=["tuned.cfg"],
        ),
        Command(
            "train",
            "Say how long it will take, and train the pipeline",
            [
                f"python -m mtnlp estimate {config} {gpu}",
                f"python -m mtnlp train {config} --output training --auto-resume {gpu}",
            ],
            deps=[config, *corpora, ENCODER],
            outputs=["training/model-best"],
        ),
        Command(
            "calibrate",
            "Fit probabilities and thresholds to the dev documents",
            [
                f"python -m mtnlp calibrate training/model-best corpus/dev --output {MODEL} "
                f"--metrics metrics/calibration.json {gpu}"
            ],
            deps=["training/model-best", *splits["dev"]],
            outputs=[MODEL, "metrics/calibration.json"],
        ),
        Command(
            "evaluate",
            "Score the pipeline on the test documents, and say what would help it most",
            [
                f"python -m mtnlp evaluate --model {MODEL} --split test "
                f"--output metrics/test.json --scores metrics/scores.json --quiet {gpu}",
                f"python -m mtnlp summary {MODEL} --output metrics/summary.json {gpu}",
            ],
            deps=[MODEL, *splits["train"], *splits["test"]],
            outputs=["metrics/test.json", "metrics/scores.json", "metrics/summary.json"],
        ),
        Command(
            "package",
            "Build the wheel in packages/",
            [
                f"python -m spacy package {MODEL} packages --name ${{vars.name}} "
                "--version ${vars.version} --build none --force",
                f"python -m build packages/{PACKAGE} --wheel --no-isolation --quiet "
                "--outdir packages",
            ],
            deps=[MODEL],
            outputs=[f"packages/{PACKAGE}-py3-none-any.whl"],
        ),
    ]
    commands = [command for command in commands if command.name != "tune" or plan.tune]
    steps = "".join(f"    - {command.name}\n" for command in commands)
    debug = Command(
        "debug",
        "Load the config and the converted data with spaCy's own commands",
        [
            f"python -m spacy init fill-config config.cfg {FULL}",
            f"python -m spacy debug config {FULL}",
            f"python -m spacy debug data {FULL}",
        ],
        deps=["config.cfg", *corpora, ENCODER],
    )
    head = HEAD.format(
        title=quoted(f"{plan.package}: a pipeline trained on {', '.join(plan.corpora)}"),
        name=quoted(plan.name),
        version=quoted(VERSION),
        language=quoted(plan.language),
        gpu_id=plan.gpu_id,
        steps=steps,
    )
    return head + "\n".join(command.to_yaml() for command in [*commands, debug])


SPLITS = ("train", "dev", "test")
PACKAGE = "${vars.lang}_${vars.name}-${vars.version}"

HEAD = """title: {title}

# name (without the language) and version may be others:
# spacy project run all . --vars.version=0.2.0
vars:
  # The package is called LANG_NAME.
  name: {name}
  version: {version}
  # That of config.cfg; here it names files alone. The texts are tokenized as `convert` says.
  lang: {language}
  # The GPU; -1 is the CPU. For a GPU write gpu_allocator = "pytorch" in config.cfg, too.
  gpu_id: {gpu_id}

directories: ["packages", "training"]

workflows:
  all:
{steps}
# A command runs again when its text, a dependency or an output has changed.
commands:
"""


@dataclass(frozen=True)
class Command:
    """A command of project.yml."""

    name: str
    help: str
    script: Sequence[str]
    deps: Sequence[str] = ()
    outputs: Sequence[str] = ()

    def to_yaml(self) -> str:
        """Its text, an item of the list of commands."""
        lines = [f"  - name: {self.name}", f"    help: {quoted(self.help)}"]
        for key in ("script", "deps", "outputs"):
            rows = getattr(self, key)
            if rows:
                lines += [f"    {key}:", *(f"      - {quoted(row)}" for row in rows)]
        return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """A text in double quotes, which YAML reads as JSON does."""
    return json.dumps(text, ensure_ascii=False)


def readme(plan: ProjectPlan) -> str:
    """README.md: what is in the folder, how to run it, how to use the model, what was chosen."""
    steps = ["encoder", "convert", *["tune"] * bool(plan.tune), "train", "calibrate"]
    return README.format(
        package=plan.package,
        wheel=plan.wheel,
        corpora=", ".join(plan.corpora),
        tuned=TUNED * bool(plan.tune),
        steps=", ".join(f"`{step}`" for step in [*steps, "evaluate"]) + " and `package`",
        extras=",".join(plan.extras),
        answers="".join(answers(plan)),
        choices=plan.choices,
    )


def answers(plan: ProjectPlan) -> Iterator[str]:
    """The lines of an example that print what the pipeline says of a text."""
    if plan.is_classified:
        yield "print(doc.cats)\n"
    for key in plan.layers:
        layer = "doc.ents" if key is None else f"doc.spans[{quoted(key)}]"
        yield f"for ent in {layer}:\n    print(ent.text, ent.label_, ent._.confidence)\n"


TUNED = "| `tuned.cfg` | the same, with the settings that the search found |\n"

README = """# {package}

A spaCy pipeline trained on: {corpora}. `mtnlp init` wrote this project.

```bash
pip install "mtnlp[{extras}]"
python -m spacy project run all
```

This runs {steps}.
The first run skips `encoder` and `convert`, which `mtnlp init` has done. Run it again after a
change: only what depends on the change runs anew. An interrupted training goes on where it was
evaluated last. One step alone: `python -m spacy project run train`.

New data is split anew, and a text of test may then be in train: give train, dev and test as files
of their own to compare scores. Settings and tasks stay as they are in `config.cfg`. For those that
suit the new data, make another project.

`python -m spacy project run debug` loads the config and the converted data with spaCy's own
commands, `spacy debug config` and `spacy debug data`. It looks for texts of train in dev, not at
labels: `mtnlp stats` looks at these. With fewer than 100 texts in train `spacy debug data` stops
with an error.

| file or folder | what it is |
|---|---|
| `project.yml` | the steps; its variables name the package and the GPU |
| `config.cfg` | the pipeline and its training: change settings here |
{tuned}| `assets/` | a copy of the encoder, and the data where it was copied |
| `corpus/` | the converted data, a file per split and corpus |
| `training/model-best` | the trained pipeline |
| `training/calibrated` | the same with probabilities and thresholds fitted on dev: use this one |
| `metrics/test.json`, `scores.json` | the scores on test, with intervals; as spaCy counts them |
| `metrics/summary.json` | errors on test, advice, speed |
| `metrics/calibration.json` | what was fitted to dev |
| `project.lock` | which step has run with which files |
| `packages/` | the wheel |

## Use it

```bash
pip install {wheel}
```

It needs mtnlp, which pip installs with it where an index has it.

```python
import spacy

nlp = spacy.load("{package}")
doc = nlp("A text of yours.")
{answers}```

## What was chosen, and why

Change it in `config.cfg`, or make another project with a flag of `mtnlp init`
(`mtnlp init --help`).

{choices}"""
