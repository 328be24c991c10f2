"""The options that `mtnlp init` and `mtnlp quick` share, made of the fields of `ProjectOptions`."""

import inspect
from dataclasses import fields
from functools import wraps
from typing import Annotated, Any, Callable, Dict, List, Tuple, get_type_hints

import typer
from typer.core import TyperCommand

from ..recipes.options import ProjectOptions


class GroupedCommand(TyperCommand):
    """A command whose help has a heading per group of options (their `rich_help_panel`)."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments and own options first, then a section per group."""
        groups: Dict[str, List[Tuple[str, str]]] = {"Arguments": [], "Options": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                kind = f"{parameter.param_type_name.capitalize()}s"
                panel = getattr(parameter, "rich_help_panel", None) or kind
                groups.setdefault(panel, []).append(record)
        for heading, rows in groups.items():
            with formatter.section(heading):
                formatter.write_dl(rows)


def takes_project_options(command: Callable[..., None]) -> Callable[..., None]:
    """A command with every field of `ProjectOptions` as an option.

    command: has a parameter `options`, which gets them as one `ProjectOptions`.
    """
    hints = get_type_hints(ProjectOptions)
    shared = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=Annotated[hints[field.name], _option(dict(field.metadata))],
        )
        for field in fields(ProjectOptions)
    ]
    own = inspect.signature(command)
    kept = [
        item.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for item in own.parameters.values()
        if item.name != "options"
    ]

    @wraps(command)
    def run(**given: Any) -> None:
        values = {item.name: given.pop(item.name) for item in shared}
        command(**given, options=ProjectOptions(**values))

    del run.__wrapped__  # Typer would read its signature
    parameters = [*kept, *shared]
    run.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {item.name: item.annotation for item in parameters}
    return run


def _option(metadata: Dict[str, Any]) -> Any:
    names = metadata.pop("names", ())
    return typer.Option(*names, rich_help_panel=metadata.pop("group"), **metadata)
