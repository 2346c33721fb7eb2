"""``--notices``: one issue per vendor that can't be followed, changed in place, closed when it is well."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from upstreamsync.forge.rules.marker import text_hash
from upstreamsync.forge.state import Forge
from upstreamsync.forge.text.notices import notice
from upstreamsync.model import Failure


def write_notices(
    forge: Forge, *, failures: Mapping[str, Failure], healthy: Collection[str]
) -> tuple[str, ...]:
    """Bring the notices in line; says what was done, a sentence each. Vendors in neither are left alone."""
    present = forge.notices()
    said = []
    for vendor in sorted(failures):
        title, body = notice(vendor, failures[vendor])
        found = present.get(vendor)
        if found is not None and text_hash(found.body) == text_hash(body):
            continue
        written = forge.write_notice(vendor, title, body, found)
        said.append(f"{'opened' if found is None else 'updated'} notice #{written.number} about {vendor}")
    for vendor in sorted(set(present) & set(healthy) - failures.keys()):
        forge.close_notice(present[vendor], f"{vendor} can be followed again.")
        said.append(f"closed notice #{present[vendor].number} about {vendor}")
    return tuple(said)
