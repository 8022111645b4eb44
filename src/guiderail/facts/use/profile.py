"""The use profile that a risk officer confirms once."""

from __future__ import annotations

from collections.abc import Mapping

from guiderail.core.digest import Digest, json_digest
from guiderail.manifest.release import Release


def use_profile_digest(release: Release, answered: Mapping[str, object] | None = None) -> Digest:
    """Digest over what a confirmation rests on: who is served, what for, and how it is used.

    answered: what people answered beyond the manifest, fact name -> stored value.
    It changes with the endpoint, the purpose, the forbidden uses and every answer under `use`;
    it does not change with a new model, new data or a new version.
    """
    manifest = release.manifest
    profile: dict[str, object] = {
        "kind": manifest.kind,
        "workload": manifest.served_as,
        "purpose": manifest.purpose,
        "forbidden_uses": list(manifest.forbidden_uses),
        "use": manifest.use.model_dump(mode="json"),
    }
    return json_digest({**profile, "answered": dict(answered)} if answered else profile)
