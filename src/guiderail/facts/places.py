"""Where a manifest key is written, as facts name it: the same on every machine."""

from __future__ import annotations

from pathlib import PurePath

from guiderail.manifest.release import Release


def written_at(release: Release, key: str) -> str:
    """For example `guiderail.yaml:14`: the file's name without its directory, and the line."""
    place = release.place(key)
    name = PurePath(place.file).name
    return name if place.line is None else f"{name}:{place.line}"
