"""Proofs about packs: what holds for every release that could ever be handed in.

The questions (`properties`) are Boolean formulas (`formula`) over what can be asked about the facts
of a release. A compiled pack becomes such formulas in `kleene` (one condition) and `verdicts` (the
whole decision). Two engines look for a release that makes a formula true: `solver` with Z3, and
`boundary` by trying every combination of boundary values. Whatever they find is decided again by
the real evaluator (`counterexample`) before anybody is told.
"""
