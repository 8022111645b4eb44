"""Who acts is what the operating system says, not what an environment variable claims."""

from __future__ import annotations

import os
import pwd

import pytest

from guiderail.service.workspace import operating_system_user


@pytest.mark.parametrize("variable", ["LOGNAME", "USER", "LNAME", "USERNAME"])
def test_an_environment_variable_makes_nobody_somebody_else(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "rita")
    assert operating_system_user() == pwd.getpwuid(os.getuid()).pw_name != "rita"
