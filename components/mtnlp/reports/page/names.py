"""Names that can stand behind the `#` of a link and in the name of a file."""

import re
from typing import Dict, Iterable


def slugs(names: Iterable[str]) -> Dict[str, str]:
    """For each name one of lower-case letters, digits and hyphens, no two alike."""
    found: Dict[str, str] = {}
    for name in names:
        plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "part"
        slug, count = plain, 1
        while slug in found.values():
            count += 1
            slug = f"{plain}-{count}"
        found[name] = slug
    return found
