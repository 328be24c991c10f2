"""The library that draws the charts, as one script."""

from functools import lru_cache

SNIPPET = "window.vegaEmbed = vegaEmbed;"


@lru_cache(maxsize=1)
def chart_library() -> str:
    """Vega, Vega-Lite and Vega-Embed in one script of some 900 kB, which sets `vegaEmbed`.

    Raises: ModuleNotFoundError without vl_convert (extra `reports`).
    """
    from vl_convert import javascript_bundle

    return str(javascript_bundle(SNIPPET))
