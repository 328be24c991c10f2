"""What the verbs share: how they are made, and settings of a config on the command line."""

from typing import Any, Dict, Optional

import typer

# Options that are not the verb's own are settings of the config.
OVERRIDES: Dict[str, Any] = {"allow_extra_args": True, "ignore_unknown_options": True}


def verb_app() -> typer.Typer:
    """The app of one verb. Help is plain text: rich would turn `500:100:0` into an emoji."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def path_overrides(**paths: Optional[str]) -> Dict[str, str]:
    """The paths that are given, as settings: `paths.train` and so on."""
    return {f"paths.{split}": path for split, path in paths.items() if path is not None}


def config_overrides(ctx: typer.Context, *, environment: bool = False) -> Dict[str, Any]:
    """`--section.setting VALUE …` as values by dotted names, as spaCy reads them.

    ctx: holds what is left of the command line; an option that is no setting ends the command with
    status 2. environment: also read SPACY_CONFIG_OVERRIDES, as `spacy train` does.
    """
    import click
    from spacy.cli._util import ENV_VARS, parse_config_overrides

    variable = ENV_VARS.CONFIG_OVERRIDES if environment else None
    try:
        return parse_config_overrides(list(ctx.args), env_var=variable)
    except click.ClickException as error:
        # spaCy's click may be another one than Typer's, which would not know the exception.
        reason = error.format_message()
    ctx.fail(f"{reason} Settings of the config have a dot: --training.dropout 0.2")
