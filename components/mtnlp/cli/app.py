"""The table of verbs, and the one place where errors become messages."""

from importlib import import_module
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_command
from wasabi import msg

from ..errors import Errors, MtnlpError


class Verb(NamedTuple):
    """module: in this package; it holds `app`. help: the first sentence of the verb's help."""

    module: str
    help: str


VERBS: Dict[str, Verb] = {
    "quick": Verb("quick", "Train a pipeline on your data: from files to a wheel."),
    "init": Verb("init", "Write a project that trains a pipeline on your data."),
    "convert": Verb("convert", "Convert a corpus, or data of your own, to spaCy's format."),
    "stats": Verb(
        "stats", "Count documents, labels, lengths and duplicates, and find likely faults."
    ),
    "backbone": Verb("backbone", "Fetch an encoder: config, weights, tokenizer."),
    "shrink-vocabulary": Verb(
        "shrink_vocabulary", "Cut an encoder's vocabulary to what some texts and alphabets need."
    ),
    "estimate": Verb("estimate", "Say how long a training will take on this machine."),
    "recipe": Verb("recipe", "Fit a config's settings to its corpora."),
    "teach": Verb("teach", "Ask trained pipelines what they believe of a corpus, and store it."),
    "train": Verb("train", "Train a pipeline; resume it, or share it among processes."),
    "extend": Verb("extend", "Teach a trained pipeline new labels, without its old data."),
    "evaluate": Verb("evaluate", "Score every task of a pipeline, with 95% intervals."),
    "summary": Verb("summary", "Say what a trained pipeline is worth, and what would help."),
    "visualize": Verb("visualize", "Draw a map of a corpus by the vectors of a pipeline."),
    "report": Verb(
        "report",
        "Show what a pipeline does, in one page: how good it is, where it errs, what to do next.",
    ),
    "find-label-errors": Verb(
        "find_label_errors", "Find annotations that are probably wrong, and take corrections back."
    ),
    "annotate": Verb("annotate", "Annotate many documents with a pipeline."),
    "calibrate": Verb("calibrate", "Fit temperatures and thresholds to held-out documents."),
    "optimize": Verb("optimize", "Find the fastest form of a pipeline that is as good."),
    "compare": Verb("compare", "Train and score every cell of a grid, and tabulate."),
    "joint-report": Verb("joint_report", "Compare joint training with each task alone."),
    "joint": Verb("joint", "Train a joint pipeline by teachers of its tasks, and compare."),
    "tune": Verb("tune", "Search the few settings that matter for the best dev score."),
    "export-tensorboard": Verb("export_tensorboard", "Write TensorBoard's curves as CSV."),
}
# What `pip install mtnlp` leaves out, and the extra that brings it.
EXTRAS = {
    "accelerate": "compare",
    "datasets": "hub",
    "matplotlib": "reports",
    "nncf": "openvino",
    "onnx": "onnxruntime",
    "onnxruntime": "onnxruntime",
    "openvino": "openvino",
    "optuna": "tune",
    "peft": "lora",
    "pyarrow": "parquet",
    "ray": "ray",
    "scipy": "reports",
    "tensorboard": "train",
    "vl_convert": "reports",
}


class Commands(Mapping[str, Any]):
    """The verbs' commands by name, each imported when it is looked up."""

    def __getitem__(self, name: str) -> Any:
        module = import_module(f".{VERBS[name].module}", __package__)
        command = get_command(module.app)
        command.name = name
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(VERBS)

    def __len__(self) -> int:
        return len(VERBS)


class VerbGroup(TyperGroup):
    """A group whose help imports no verb, and which prints mtnlp's errors without a traceback.

    Exit status 1: an error of mtnlp, of a file, or of a library that is not installed. Status 2:
    the command line cannot be understood.
    """

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**{**attributes, "commands": None})
        self.commands: Any = Commands()

    def list_commands(self, ctx: Any) -> List[str]:
        """The names, in the order of the table."""
        return list(VERBS)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The table in the help of the group."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.help) for name, verb in VERBS.items()])

    def invoke(self, ctx: Any) -> Any:
        """Run a verb."""
        try:
            return super().invoke(ctx)
        except MtnlpError as error:
            message = str(error)
        except ModuleNotFoundError as error:
            library = (error.name or "").partition(".")[0]
            if library not in EXTRAS:
                raise
            message = Errors.E002.format(library=library, extra=EXTRAS[library])
        except OSError as error:
            if error.filename is None:
                raise
            message = Errors.E001.format(path=error.filename, reason=error.strerror or error)
        msg.fail(message)
        raise typer.Exit(1)


app = typer.Typer(
    name="mtnlp",
    cls=VerbGroup,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def main() -> None:
    """Several tasks from one transformer pass: prepare data, train, score, calibrate, compare.

    For the arguments and options of a verb: mtnlp VERB --help.
    """
