"""A symbolic machine that follows the opcodes of a pickle and executes nothing.

Every global that the pickle could reach is checked against the allow-list, and array data that
joblib writes between opcodes is stepped over exactly as joblib would, so nothing hides behind it.
"""

from __future__ import annotations

import hashlib
import io
import math
import pickletools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from guiderail.sandbox.estimator_tree import Array
from guiderail.sandbox.trusted_types import is_trusted_global, trust_of_type

MOST_OPCODES = 20_000_000
DEEPEST_NESTING = 16


class UnsafePickleError(ValueError):
    """The pickle must not be loaded; the text says why."""


@dataclass(frozen=True, slots=True)
class Global:
    """A name that the pickle looks up in a module."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(slots=True, eq=False)
class Made:
    """The result of calling a global: what was called, with what, and the state set on it."""

    made_by: Global
    args: tuple[object, ...]
    state: object = None
    pairs: list[tuple[object, object]] = field(default_factory=list)
    items: list[object] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Pairs:
    """A dictionary under construction; keys need not be hashable here."""

    pairs: list[tuple[object, object]] = field(default_factory=list)


_MARK = object()
_WRAPPER = Global("joblib.numpy_pickle", "NumpyArrayWrapper")
_DTYPE = re.compile(r"[|<>=]?([?bhilqBHILQefdgFDGiucfSUVMmOb])(\d*)\Z")
_CODE_SIZES = {
    **dict.fromkeys("?bB", 1),
    **dict.fromkeys("hHe", 2),
    **dict.fromkeys("iIf", 4),
    **dict.fromkeys("lLqQdF", 8),
    "D": 16,
}


class Machine:
    """One pickle stream. Nested streams of joblib run in a machine of their own."""

    def __init__(self, stream: io.BytesIO, depth: int = 0) -> None:
        if depth > DEEPEST_NESTING:
            raise UnsafePickleError("pickles are nested too deeply")
        self.stream = stream
        self.depth = depth
        self.stack: list[object] = []
        self.memo: dict[int, object] = {}
        self.natives: set[str] = set()
        self.wrapped = False
        self.frame_end: int | None = None

    def run(self) -> object:
        count = 0
        try:
            for opcode, argument, _ in pickletools.genops(self.stream):
                count += 1
                if count > MOST_OPCODES:
                    raise UnsafePickleError(f"it has more than {MOST_OPCODES} instructions")
                if opcode.name == "STOP":
                    break
                _STEPS.get(opcode.name, _refuse(opcode.name))(self, argument)
        except UnsafePickleError:
            raise
        except (ValueError, IndexError, KeyError, TypeError, OverflowError) as problem:
            raise UnsafePickleError(f"it is broken or cut off: {problem}") from problem
        self.leave_frame("the end of the pickle")
        if len(self.stack) != 1 or self.stack[0] is _MARK:
            raise UnsafePickleError("it does not end with exactly one object")
        return self.stack[0]

    def leave_frame(self, what: str) -> None:
        """Bytes of an unfinished frame would be read by nobody here and by somebody else there."""
        if self.frame_end is not None and self.stream.tell() != self.frame_end:
            raise UnsafePickleError(f"{what} lies inside a frame")
        self.frame_end = None

    def enter_frame(self, size: object) -> None:
        position = self.stream.tell()
        if self.frame_end is not None and position < self.frame_end:
            raise UnsafePickleError("a frame begins inside a frame")
        self.frame_end = position + int(str(size))

    def to_mark(self) -> list[object]:
        items: list[object] = []
        while (item := self.stack.pop()) is not _MARK:
            items.append(item)
        return items[::-1]

    def look_up(self, module: object, name: object) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise UnsafePickleError("it computes the name of what it calls")
        module = {"__builtin__": "builtins", "copy_reg": "copyreg"}.get(module, module)
        if not is_trusted_global(module, name):
            raise UnsafePickleError(f"it asks for {module}.{name}, which is not on the allow-list")
        if trust_of_type(module, name) == "allow_listed":
            self.natives.add(f"{module}.{name}")
        self.stack.append(Global(module, name))

    def call(self, function: object, arguments: object) -> None:
        if not isinstance(function, Global):
            raise UnsafePickleError("it calls something that is not a name on the allow-list")
        if not isinstance(arguments, tuple):
            raise UnsafePickleError(f"it calls {function} without a list of arguments")
        self.stack.append(Made(function, arguments))

    def build(self) -> None:
        state = self.stack.pop()
        target = self.stack[-1]
        if not isinstance(target, Made):
            raise UnsafePickleError("it changes something that it did not make")
        if _is_wrapper(target):
            self.stack[-1] = self.array(state)
        else:
            target.state = state

    def array(self, state: object) -> object:
        """Step over the array data that joblib keeps between the opcodes."""
        self.wrapped = True
        self.leave_frame("array data")
        described = _mapping(state)
        code = _dtype_code(described.get("dtype"))
        if code == "O":
            nested = Machine(self.stream, self.depth + 1)
            content = nested.run()
            self.natives |= nested.natives
            return content
        shape = described.get("shape")
        if not isinstance(shape, tuple) or not all(isinstance(n, int) and n >= 0 for n in shape):
            raise UnsafePickleError("an array has no usable shape")
        if described.get("numpy_array_alignment_bytes") is not None:
            self.take(self.take(1)[0])
        content = self.take(math.prod(shape) * _itemsize(code))
        return Array(None, hashlib.sha256(f"{code}{shape}".encode() + content).hexdigest())

    def take(self, count: int) -> bytes:
        content = self.stream.read(count)
        if len(content) != count:
            raise UnsafePickleError("array data is cut off")
        return content


_Step = Callable[[Machine, object], None]


def _refuse(name: str) -> _Step:
    def refuse(_machine: Machine, _argument: object) -> None:
        raise UnsafePickleError(f"it uses the instruction {name}, which is not allowed")

    return refuse


def _push(machine: Machine, argument: object) -> None:
    machine.stack.append(argument)


def _push_value(value: Callable[[], object]) -> _Step:
    return lambda machine, _argument: machine.stack.append(value())


def _tuple_of(count: int) -> _Step:
    def step(machine: Machine, _argument: object) -> None:
        items = tuple(machine.stack[-count:])
        if len(items) != count or _MARK in items:
            raise UnsafePickleError("a tuple has too few items")
        del machine.stack[-count:]
        machine.stack.append(items)

    return step


def _extend(machine: Machine, items: list[object]) -> None:
    target = machine.stack[-1]
    if isinstance(target, list):
        target.extend(items)
    elif isinstance(target, Made):
        target.items.extend(items)
    else:
        raise UnsafePickleError("it appends to something that is not a list")


def _set_items(machine: Machine, items: list[object]) -> None:
    target = machine.stack[-1]
    if not isinstance(target, Pairs | Made) or len(items) % 2:
        raise UnsafePickleError("it sets items of something that is not a dictionary")
    target.pairs.extend(zip(items[::2], items[1::2], strict=True))


def _append(machine: Machine, _argument: object) -> None:
    item = machine.stack.pop()
    _extend(machine, [item])


def _set_item(machine: Machine, _argument: object) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    _set_items(machine, [key, value])


def _pop(machine: Machine, _argument: object) -> None:
    machine.stack.pop()


def _pop_mark(machine: Machine, _argument: object) -> None:
    machine.to_mark()


def _put(machine: Machine, argument: object) -> None:
    machine.memo[int(str(argument))] = machine.stack[-1]


def _get(machine: Machine, argument: object) -> None:
    machine.stack.append(machine.memo[int(str(argument))])


def _memoize(machine: Machine, _argument: object) -> None:
    machine.memo[len(machine.memo)] = machine.stack[-1]


def _global(machine: Machine, argument: object) -> None:
    module, _, name = str(argument).partition(" ")
    machine.look_up(module, name)


def _stack_global(machine: Machine, _argument: object) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    machine.look_up(module, name)


def _reduce(machine: Machine, _argument: object) -> None:
    arguments, function = machine.stack.pop(), machine.stack.pop()
    machine.call(function, arguments)


def _newobj_ex(machine: Machine, _argument: object) -> None:
    keywords, arguments = machine.stack.pop(), machine.stack.pop()
    if not isinstance(keywords, Pairs) or keywords.pairs:
        raise UnsafePickleError("it makes an object with named arguments")
    machine.call(machine.stack.pop(), arguments)


def _obj(machine: Machine, _argument: object) -> None:
    function, *arguments = machine.to_mark()
    machine.call(function, tuple(arguments))


def _inst(machine: Machine, argument: object) -> None:
    arguments = tuple(machine.to_mark())
    _global(machine, argument)
    machine.call(machine.stack.pop(), arguments)


def _dict_of(items: list[object]) -> Pairs:
    if len(items) % 2:
        raise UnsafePickleError("a dictionary has a key without a value")
    return Pairs(list(zip(items[::2], items[1::2], strict=True)))


_STEPS: Mapping[str, _Step] = {
    **dict.fromkeys(
        (
            *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"),
            *("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
            *("BYTEARRAY8", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
            *("FLOAT", "BINFLOAT"),
        ),
        _push,
    ),
    "NONE": _push_value(lambda: None),
    "NEWTRUE": _push_value(lambda: True),
    "NEWFALSE": _push_value(lambda: False),
    "EMPTY_LIST": _push_value(list),
    "EMPTY_TUPLE": _push_value(tuple),
    "EMPTY_DICT": _push_value(Pairs),
    "EMPTY_SET": _push_value(list),
    "MARK": _push_value(lambda: _MARK),
    "APPEND": _append,
    "APPENDS": lambda machine, _argument: _extend(machine, machine.to_mark()),
    "ADDITEMS": lambda machine, _argument: _extend(machine, machine.to_mark()),
    "LIST": lambda machine, _argument: machine.stack.append(machine.to_mark()),
    "FROZENSET": lambda machine, _argument: machine.stack.append(machine.to_mark()),
    "TUPLE": lambda machine, _argument: machine.stack.append(tuple(machine.to_mark())),
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "DICT": lambda machine, _argument: machine.stack.append(_dict_of(machine.to_mark())),
    "SETITEM": _set_item,
    "SETITEMS": lambda machine, _argument: _set_items(machine, machine.to_mark()),
    "POP": _pop,
    "POP_MARK": _pop_mark,
    "DUP": lambda machine, _argument: machine.stack.append(machine.stack[-1]),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _get),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _put),
    "MEMOIZE": _memoize,
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "REDUCE": _reduce,
    "NEWOBJ": _reduce,
    "NEWOBJ_EX": _newobj_ex,
    "OBJ": _obj,
    "INST": _inst,
    "BUILD": lambda machine, _argument: machine.build(),
    "PROTO": lambda _machine, _argument: None,
    "FRAME": lambda machine, argument: machine.enter_frame(argument),
}


def _is_wrapper(made: Made) -> bool:
    """Whether building this object makes joblib read array data from the stream."""
    rebuilt = made.made_by.name == "_reconstructor" and made.args[:1] == (_WRAPPER,)
    return rebuilt or made.made_by == _WRAPPER


def _mapping(state: object) -> dict[str, object]:
    if not isinstance(state, Pairs):
        return {}
    return {key: value for key, value in state.pairs if isinstance(key, str)}


def _dtype_code(dtype: object) -> str:
    """The type code of a pickled numpy dtype, `O` for one that holds Python objects."""
    code = dtype.args[0] if isinstance(dtype, Made) and dtype.args else None
    if not isinstance(dtype, Made) or str(dtype.made_by) != "numpy.dtype":
        raise UnsafePickleError("an array has no usable type")
    if not isinstance(code, str) or _DTYPE.match(code) is None:
        raise UnsafePickleError(f"an array has the unusual type {code!r}")
    if code.lstrip("|<>=").startswith("O"):
        return "O"
    if code.lstrip("|<>=").startswith("V") and _holds_objects(dtype.state, 0):
        raise UnsafePickleError("an array of records holds Python objects")
    _check_size(code, dtype.state)
    return code


def _check_size(code: str, state: object) -> None:
    """The size that numpy would take from the state must be the one that the code says."""
    size = state[5] if isinstance(state, tuple) and len(state) > 5 else -1
    fixed = code.lstrip("|<>=")[:1] not in ("S", "U", "V")
    if size != _itemsize(code) and not (fixed and size == -1):
        raise UnsafePickleError(f"an array of type {code!r} says that an item has {size} bytes")


def _holds_objects(value: object, depth: int) -> bool:
    if depth > 8:
        return True
    if isinstance(value, Made):
        first = value.args[0] if value.args else None
        if isinstance(first, str) and first.lstrip("|<>=").startswith("O"):
            return True
        return _holds_objects(value.state, depth + 1)
    if isinstance(value, list | tuple):
        return any(_holds_objects(item, depth + 1) for item in value)
    if isinstance(value, Pairs):
        return any(_holds_objects(item, depth + 1) for _, item in value.pairs)
    return False


def _itemsize(code: str) -> int:
    found = _DTYPE.match(code)
    if found is None:
        raise UnsafePickleError(f"an array has the unusual type {code!r}")
    letter, digits = found.groups()
    if digits:
        return int(digits) * (4 if letter == "U" else 1)
    if letter in _CODE_SIZES:
        return _CODE_SIZES[letter]
    raise UnsafePickleError(f"an array has the unusual type {code!r}")
