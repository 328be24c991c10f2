"""What the verbs share: how they are made, and settings of a config on the command line."""

from typing import Any, Dict, List

import typer

# Options that are not the verb's own are settings of the config.
OVERRIDES: Dict[str, Any] = {"allow_extra_args": True, "ignore_unknown_options": True}


def verb_app() -> typer.Typer:
    """The app of one verb. Help is plain text: rich would turn `500:100:0` into an emoji."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def config_overrides(arguments: List[str], *, environment: bool = False) -> Dict[str, Any]:
    """`--section.setting VALUE …` as values by dotted names, as spaCy reads them.

    arguments: what is left of the command line. environment: also read SPACY_CONFIG_OVERRIDES, as
    `spacy train` does.
    """
    import click
    from spacy.cli._util import ENV_VARS, parse_config_overrides

    variable = ENV_VARS.CONFIG_OVERRIDES if environment else None
    try:
        return parse_config_overrides(list(arguments), env_var=variable)
    except click.ClickException as error:
        # spaCy's click may be another one than Typer's, which would not know the exception.
        raise typer.BadParameter(error.format_message()) from None
