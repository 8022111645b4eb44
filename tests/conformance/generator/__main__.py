"""Write every case anew: `python -m tests.conformance.generator`. The same bytes each time."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.conformance.generator import checkpoints, envelopes, notes, packs, permits, proofs
from tests.conformance.generator.case import Case, write

CASES = Path(__file__).parents[1] / "cases"


def all_cases() -> list[Case]:
    """Every case, kind by kind."""
    parts = (notes, checkpoints, proofs, envelopes, permits, packs)
    return [case for part in parts for case in part.cases()]


def main() -> None:
    shutil.rmtree(CASES, ignore_errors=True)
    write(all_cases(), CASES)


if __name__ == "__main__":
    main()
