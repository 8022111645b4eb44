"""The calibration kernel: a fixed piece of work that processor times are compared with.

A time in seconds says more about the machine and its other guests than about a model. The same
work, done again and again between the measurements, tells how fast this processor is just then;
what is kept is the ratio. The kernel mixes what scoring does: small matrix products, sorting, and
interpreted Python. Any change of it is a new version, and ratios of two versions do not compare.
"""

from __future__ import annotations

import time

import numpy as np

VERSION = 1
"""Goes into every result: ratios to another version of the kernel mean something else."""

_PRODUCTS, _SIZE, _SORTED, _STEPS = 40, 96, 40_000, 40_000


def kernel_seconds() -> float:
    """Processor seconds of this process for one run of the kernel, all its threads together."""
    matrix = np.linspace(-1.0, 1.0, _SIZE * _SIZE).reshape(_SIZE, _SIZE)
    numbers = np.arange(_SORTED, dtype=np.float64) * 7919 % 104729
    begun = time.process_time()
    product = matrix
    for _ in range(_PRODUCTS):
        product = product @ matrix
        product /= np.abs(product).max()
    np.sort(numbers)
    total = 0
    for step in range(_STEPS):
        total = (total * 31 + step) % 1_000_003
    return time.process_time() - begun
