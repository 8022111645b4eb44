"""Read a pickle, joblib's dialect included, into a neutral tree without executing it."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

from guiderail.sandbox.estimator_tree import Array, Obj
from guiderail.sandbox.pickle_machine import Global, Machine, Made, Pairs, UnsafePickleError


@dataclass(frozen=True, slots=True)
class ReadPickle:
    """root: the neutral tree. natives: native structures in it. joblib: joblib's dialect."""

    root: object
    natives: tuple[str, ...]
    joblib: bool


def read_pickle(data: bytes) -> ReadPickle:
    """Follow the opcodes of one pickle. Raises UnsafePickleError with the reason to refuse it."""
    machine = Machine(io.BytesIO(data))
    root = machine.run()
    trailing = len(data) - machine.stream.tell()
    if trailing:
        raise UnsafePickleError(f"{trailing} bytes follow the end of the pickle")
    return ReadPickle(
        root=_neutral(root, {}, 0),
        natives=tuple(sorted(machine.natives)),
        joblib=machine.wrapped,
    )


def _neutral(value: object, done: dict[int, object], depth: int) -> object:
    """The neutral tree of what the machine built; shared parts stay shared."""
    if isinstance(value, Global):
        return f"{value.module}.{value.name}"
    if not isinstance(value, Made | Pairs | list | tuple):
        return value
    if id(value) in done:
        return done[id(value)]
    if depth > 150:
        raise UnsafePickleError("objects are nested too deeply")
    done[id(value)] = None  # a cycle reads as nothing
    result: object
    if isinstance(value, Made):
        result = _neutral_made(value, done, depth)
    elif isinstance(value, Pairs):
        result = {
            str(key): _neutral(item, done, depth + 1)
            for key, item in value.pairs
            if isinstance(key, str | int | float)
        }
    else:
        result = [_neutral(item, done, depth + 1) for item in value]
    done[id(value)] = result
    return result


def _neutral_made(value: Made, done: dict[int, object], depth: int) -> object:
    name = value.made_by.name
    if name == "_reconstruct":
        parts = value.state if isinstance(value.state, tuple) else ()
        content = parts[4] if len(parts) == 5 else None
        if isinstance(content, list):
            return Array(tuple(content), "objects")
        raw = content if isinstance(content, bytes) else repr(content).encode()
        return Array(None, hashlib.sha256(raw).hexdigest())
    if name == "scalar":
        return {"scalar": _neutral(value.args[-1:], done, depth + 1)}
    owner = value.made_by
    if (
        name in ("_reconstructor", "__newobj__")
        and value.args
        and isinstance(value.args[0], Global)
    ):
        owner = value.args[0]
    state = _neutral(value.state, done, depth + 1)
    return Obj(owner.module, owner.name, state if isinstance(state, dict) else {})
