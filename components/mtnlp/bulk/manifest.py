"""What an output was made of, so that only the same run goes on with it."""

import json
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

from ..errors import Errors, MtnlpError
from ..files import write_json

Manifest = Dict[str, Any]
# Raised where shards or their files are laid out in another way.
LAYOUT = 1


def make_manifest(
    model: Dict[str, Any], options: Dict[str, Any], input: Dict[str, Any]
) -> Manifest:
    """What a run is made of: `model`, `options` and `input`, as each describes itself."""
    return {"layout": LAYOUT, "model": model, "options": options, "input": input}


def begin(path: Path, manifest: Manifest) -> None:
    """Write the manifest of a new output, or hold that of an earlier run against it.

    Raises: MtnlpError E600 where anything differs, E612 where the earlier one cannot be read.
    """
    if not path.exists():
        write_json(path, manifest)
        return
    try:
        earlier = json.loads(path.read_text(encoding="utf8"))
        found = differences(earlier, manifest)
    except (ValueError, AttributeError) as error:
        raise MtnlpError(Errors.E612.format(path=path, reason=error)) from error
    if found:
        raise MtnlpError(Errors.E600.format(path=path.parent, differences="; ".join(found)))


def differences(earlier: Manifest, now: Manifest) -> List[str]:
    """What differs, such as `options.shard_size (was 5000, is 100)`."""
    old, new = dict(_leaves(earlier)), dict(_leaves(now))
    names = [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]
    return [f"{name} (was {_show(old.get(name))}, is {_show(new.get(name))})" for name in names]


def _leaves(data: Dict[str, Any], prefix: str = "") -> Iterator[Tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _show(value: Any) -> str:
    """A value; of a digest the beginning."""
    is_digest = isinstance(value, str) and len(value) == 64
    return f"{value[:8]}…" if is_digest else "nothing" if value is None else str(value)
