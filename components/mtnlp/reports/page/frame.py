"""The frame of every page: one HTML file with its styles, scripts and charts inside.

No request leaves it: the policy in its head allows the scripts written here, by their digests, and
no others.
"""

import re
from base64 import b64encode
from functools import lru_cache
from hashlib import sha256
from typing import Any, List, Sequence, Union

from ...errors import Errors, MtnlpError
from .blocks import Group, Section
from .cells import cell
from .vega import chart_library

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


def render_page(
    title: str, sections: Sequence[Section], *, lead: str = "", lang: str = "en"
) -> str:
    """A whole page.

    title: the heading, and the name of the browser's tab. lead: a line below it.
    lang: the language of the page itself, not of the texts shown.
    Raises: MtnlpError E710 where two parts or tables have one name, or one that no link can hold.
        ModuleNotFoundError without vl_convert, where there is a chart.
    """
    blocks = [block for section in sections for block in section.every]
    parts: List[Union[Group, Section]] = []
    for section in sections:
        parts += [section, *section.groups]
    _check_names([part.name for part in parts], "part")
    _check_names([name for block in blocks for name in block.tables], "table")
    files = dict.fromkeys(name for block in blocks for name in block.scripts)
    if any(block.spec is not None for block in blocks):
        files = {"charts.js": None, **files}
    scripts = [chart_library()] if "charts.js" in files else []
    scripts += [_source(name) for name in ("page.js", *files)]
    return (
        environment()
        .get_template("page.html")
        .render(
            title=title,
            lead=lead,
            lang=lang,
            sections=sections,
            style=_source("style.css"),
            scripts=scripts,
            digests=[digest(script) for script in scripts],
        )
    )


def digest(script: str) -> str:
    """A script's source expression in a Content-Security-Policy."""
    return f"'sha256-{b64encode(sha256(script.encode('utf8')).digest()).decode()}'"


@lru_cache(maxsize=1)
def environment() -> Any:
    """The jinja2 environment of the templates; it escapes every value."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("mtnlp.reports.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = cell
    environment.filters["prose"] = prose
    return environment


def prose(text: str) -> Any:
    """A sentence as HTML: escaped, and what stands between backticks as code."""
    from markupsafe import Markup, escape

    parts = re.split(r"`([^`]+)`", text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )


def _source(name: str) -> str:
    """A file of styles or scripts, as it is."""
    env = environment()
    return str(env.loader.get_source(env, name)[0])


def _check_names(names: List[str], what: str) -> None:
    for name in names:
        if not _NAME.fullmatch(name) or names.count(name) > 1:
            raise MtnlpError(Errors.E710.format(what=what, name=name))
