"""Guiderail's measuring side by side with other libraries: `python bench/beside_others.py`.

Each library answers the same question about the same Parquet files, in a process of its own and a
rival in an environment of its own (`bench/environments/*.txt`, made under build/ on first use).
Printed are tables in Markdown: processor seconds from the files to the figures, the part of them
that reading took in parentheses, and the peak of memory, libraries included; then whether the
figures agree with ours. The quickest of three rounds counts, or the only one where it took long.
A process is ended at 4 GB and at 120 processor seconds (900 for the suite). Where the next smaller
size was ended, or took so long that in proportion this one must be, it is not tried.

Answers are kept under build/beside/answers, so that an interrupted run goes on; `--again` asks
everything anew, and `--again WORD` what has this word in its name. Linux only.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from beside.environments import BUILD, python_of
from beside.processes import Found, ask, found_in
from beside.questions import COMPARED, SUITE, WIDER, Asked, Compared, Size
from beside.tables import Answers, computed, conditions, main_table, suite_tables

ANSWERS = BUILD / "answers"
DATA = BUILD / "data"


def answered(compared: tuple[Compared, ...]) -> Answers:
    """Every question at every size; data are made where an answer is missing, and deleted."""
    found: Answers = {}
    for data in dict.fromkeys(size.data for one in compared for size in one.sizes):
        for one in compared:
            for size in one.sizes:
                if size.data == data:
                    for asked in one.asked:
                        found[one.name, asked.library, size.label] = _answer(
                            one, asked, size, found
                        )
        shutil.rmtree(DATA / data, ignore_errors=True)
    return found


def _answer(one: Compared, asked: Asked, size: Size, found: Answers) -> Found:
    kept = ANSWERS / f"{size.data}-{asked.package or 'guiderail'}-{asked.question}.json"
    if kept.exists():
        return found_in(kept)
    if _too_long(one, asked, size, found):
        return Found(reason="not tried")
    python = Path(sys.executable) if asked.package is None else python_of(asked.package)
    if isinstance(python, str):
        return Found(reason=f"not installed: {python}")
    folder = DATA / size.data
    if not folder.exists():
        print(f"making {size.data} ...", file=sys.stderr, flush=True)
        folder.mkdir(parents=True)
        size.make(folder)
    print(f"{one.name}, {size.label}: {asked.library} ...", file=sys.stderr, flush=True)
    return ask(python, asked.worker, asked.question, folder, kept, one.limit)


def _too_long(one: Compared, asked: Asked, size: Size, found: Answers) -> bool:
    """Whether the next smaller size was stopped, or took so long that this one must be."""
    place = one.sizes.index(size)
    if place == 0:
        return False
    smaller = one.sizes[place - 1]
    before = found[one.name, asked.library, smaller.label].seconds
    return before is None or before * size.amount / smaller.amount > one.limit


def main(arguments: list[str]) -> None:
    ANSWERS.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(DATA, ignore_errors=True)
    if arguments[:1] == ["--again"]:
        for kept in ANSWERS.glob(f"*{arguments[1] if len(arguments) > 1 else ''}*.json"):
            kept.unlink()
    everything = (*COMPARED, *WIDER, SUITE)
    found = answered(everything)
    print("\n".join(conditions()))
    print("\n".join(main_table(COMPARED, found)))
    print("\n".join(main_table(WIDER, found)))
    print("\n".join(computed((*COMPARED, *WIDER))))
    print("\n".join(suite_tables(SUITE, found)))


if __name__ == "__main__":
    main(sys.argv[1:])
