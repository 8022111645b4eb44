"""Where the examples and their scripts are, which are no package."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
VERSIONS = {"credit": ("v1", "v2", "v3", "v4"), "mail-sorting": ("v1", "v2", "v3")}
ALL = [(example, version) for example, versions in VERSIONS.items() for version in versions]


def script(name: str) -> ModuleType:
    """Load a script of the examples, which are not a package."""
    path = EXAMPLES / name
    alias = "example_" + path.with_suffix("").as_posix().replace("/", "_").replace("-", "_")
    spec = importlib.util.spec_from_file_location(alias, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[alias] = module
    spec.loader.exec_module(module)
    return module
