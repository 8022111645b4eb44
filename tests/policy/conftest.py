from __future__ import annotations

import pytest

from guiderail.policy import Pack
from tests.policy.calm import model_pack


@pytest.fixture(scope="session")
def pack() -> Pack:
    return model_pack()
