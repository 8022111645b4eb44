"""One copy of one name: resolved, downloaded beside its place, digested, put there in one step."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from guiderail.core.digest import path_digest
from guiderail.core.errors import IntegrityError
from guiderail.fetch.download import Budget, download
from guiderail.fetch.resolve import Stores, resolve
from guiderail.manifest.mlflow_uri import parse_uri
from guiderail.manifest.pins import Pin


def keep(
    name: str, target: Path, stores: Stores, pin: Pin | None = None, budget: Budget | None = None
) -> Pin:
    """Copy what a name stands for to `target`, replacing what lies there, and say what it was.

    pin: what the name was before; the same version is fetched then, wherever an alias points now,
    and must have the same digest. Raises InputError, and IntegrityError for another digest.
    """
    found = resolve(parse_uri(pin.pinned if pin is not None else name), stores)
    folder = target.parent
    building = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    shutil.rmtree(building, ignore_errors=True)
    copy = building / target.name
    try:
        if found.record is not None:
            building.mkdir(parents=True)
            copy.write_bytes(found.record)
        else:
            download(found.store, found.location, copy, budget)
        digest = path_digest(copy)
        if pin is not None and digest != pin.digest:
            raise IntegrityError(
                f"{pin.pinned} has other bytes than when it was pinned as {name}.",
                code="mlflow/changed",
                advice="Find out who replaced it. `guiderail fetch --update` pins what is there "
                "now, as another release.",
            )
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(building, folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return Pin(found.pinned, found.model, found.run, found.store.address, digest)
