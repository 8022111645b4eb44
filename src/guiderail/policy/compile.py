"""Write the compiled form of the packs that ship: `python -m guiderail.policy.compile`."""

from __future__ import annotations

import sys
from pathlib import Path

from guiderail.policy.pack import COMPILED_FILE, SHIPPED, compiled_text, load_pack_directory
from guiderail.policy.problem import PackError


def compile_shipped(shipped: Path = SHIPPED) -> list[Path]:
    """Compile every pack below a directory. Raises PackError for the first that has problems."""
    written: list[Path] = []
    for source in sorted(shipped.glob("*/pack.yaml")):
        target = source.with_name(COMPILED_FILE)
        target.write_text(compiled_text(load_pack_directory(source.parent)), "utf-8")
        written.append(target)
    return written


def main() -> int:
    try:
        for path in compile_shipped():
            sys.stdout.write(f"{path}\n")
    except PackError as error:
        for problem in error.problems:
            sys.stderr.write(f"{problem.place}: {problem.message} {problem.hint}\n")
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
