"""Which permits the breaker has taken out of service: one small file per workload."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from guiderail.rollout.folder import write_atomically


@dataclass(frozen=True, slots=True)
class Trip:
    """One opened breaker. at: RFC 3339. Only a new permit, after a new review, clears it."""

    permit: str
    digest: str
    at: str
    reason: str


def read_trips(path: Path) -> Mapping[str, Trip]:
    """Trips by permit id. Raises OSError or ValueError when the file is there and unreadable."""
    try:
        rows = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    try:
        trips = [Trip(**row) for row in rows]
    except TypeError as error:
        raise ValueError(f"{path} is not a breaker file") from error
    return {trip.permit: trip for trip in trips}


def write_trips(path: Path, trips: Mapping[str, Trip]) -> None:
    rows = [
        {"permit": trip.permit, "digest": trip.digest, "at": trip.at, "reason": trip.reason}
        for trip in trips.values()
    ]
    write_atomically(path, (json.dumps(rows, indent=1) + "\n").encode())
