"""Read a skops file (a zip with a JSON tree and arrays) without executing it."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from dataclasses import dataclass

from guiderail.sandbox.estimator_tree import Array, Obj
from guiderail.sandbox.trusted_types import is_trusted_function, trust_of_type

MOST_MEMBERS = 20_000
LARGEST_CONTENT = 2 * 1024**3
LARGEST_SCHEMA = 256 * 1024**2
DEEPEST_NESTING = 150
_CHUNK = 1024 * 1024


class UnsafeSkopsError(ValueError):
    """The file must not be loaded; the text says why."""


@dataclass(frozen=True, slots=True)
class ReadSkops:
    """root: the neutral tree. natives: native structures in it, by full name."""

    root: object
    natives: tuple[str, ...]


_LOADERS = frozenset(
    {
        "BytearrayNode",
        "BytesNode",
        "CachedNode",
        "ConstructorFromReduceNode",
        "DTypeNode",
        "DefaultDictNode",
        "DictNode",
        "FunctionNode",
        "JsonNode",
        "ListNode",
        "LossNode",
        "MaskedArrayNode",
        "NdArrayNode",
        "ObjectNode",
        "RandomGeneratorNode",
        "RandomStateNode",
        "SetNode",
        "SliceNode",
        "SparseMatrixNode",
        "TreeNode",
        "TupleNode",
        "TypeNode",
    }
)
"""Kinds of node that build values. Nodes that bind methods or partial calls are not among them."""


def read_skops(data: bytes) -> ReadSkops:
    """Check the archive and every type in its tree.

    Raises UnsafeSkopsError with the reason to refuse it.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            checksums = _check_archive(archive)
            schema = json.loads(archive.read("schema.json"))
    except UnsafeSkopsError:
        raise
    except RecursionError as problem:
        raise UnsafeSkopsError("its tree is nested too deeply") from problem
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as problem:
        raise UnsafeSkopsError(f"the archive is broken or cut off: {problem}") from problem
    reader = _Reader(checksums)
    root = reader.read(schema, 0)
    return ReadSkops(root, tuple(sorted(reader.natives)))


def _check_archive(archive: zipfile.ZipFile) -> dict[str, int]:
    """Names, number, size and checksums of the members; returns name -> CRC-32."""
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise UnsafeSkopsError(f"the archive has more than {MOST_MEMBERS} members")
    if archive.comment:
        raise UnsafeSkopsError("the archive carries extra bytes in its comment")
    if "schema.json" not in archive.namelist():
        raise UnsafeSkopsError("the archive has no schema.json, so it is no skops file")
    total = 0
    checksums: dict[str, int] = {}
    for member in members:
        name = member.filename
        if name in checksums:
            raise UnsafeSkopsError(f"the archive holds {name} twice")
        if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
            raise UnsafeSkopsError(f"the archive member {name!r} points outside the archive")
        if member.flag_bits & 1:
            raise UnsafeSkopsError(f"the archive member {name} is encrypted")
        total += _stream(archive, member, LARGEST_CONTENT - total)
        checksums[name] = member.CRC
    if archive.getinfo("schema.json").file_size > LARGEST_SCHEMA:
        raise UnsafeSkopsError(f"its tree is larger than {LARGEST_SCHEMA} bytes")
    return checksums


def _stream(archive: zipfile.ZipFile, member: zipfile.ZipInfo, allowed: int) -> int:
    """Read a member through, which checks its CRC-32; its real size counts, not the stated one."""
    size = 0
    with archive.open(member) as stream:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size > allowed:
                raise UnsafeSkopsError(f"the archive expands to more than {LARGEST_CONTENT} bytes")
    return size


class _Reader:
    """Turns the JSON tree into the neutral tree, checking each node on the way."""

    def __init__(self, checksums: dict[str, int]) -> None:
        self.checksums = checksums
        self.natives: set[str] = set()
        self.seen: dict[object, tuple[object, ...]] = {}
        self.built: dict[object, object] = {}

    def read(self, node: object, depth: int) -> object:
        if depth > DEEPEST_NESTING:
            raise UnsafeSkopsError("its tree is nested too deeply")
        if not isinstance(node, dict):
            raise UnsafeSkopsError("its tree holds something that is not a node")
        module, name, loader = (node.get(f"__{key}__") for key in ("module", "class", "loader"))
        if not (isinstance(module, str) and isinstance(name, str) and isinstance(loader, str)):
            raise UnsafeSkopsError("its tree holds a node without a type")
        self.check(module, name, loader)
        identity = node.get("__id__")
        if identity is not None and self.is_repeated(identity, node, (module, name, loader)):
            return self.built.get(identity)
        value = self.value(node, module, name, loader, depth)
        if identity is not None:
            self.built[identity] = value
        return value

    def check(self, module: str, name: str, loader: str) -> None:
        if loader not in _LOADERS:
            raise UnsafeSkopsError(f"it builds {module}.{name} with {loader}, which is not allowed")
        if loader == "FunctionNode":
            if not is_trusted_function(module, name):
                raise UnsafeSkopsError(
                    f"it holds the function {module}.{name}, which is not on the allow-list"
                )
            return
        trust = trust_of_type(module, name)
        if trust == "unsafe":
            raise UnsafeSkopsError(
                f"it holds the type {module}.{name}, which is not on the allow-list"
            )
        if trust == "allow_listed":
            self.natives.add(f"{module}.{name}")

    def is_repeated(
        self, identity: object, node: dict[str, object], kind: tuple[object, ...]
    ) -> bool:
        """Loaders take the first node of an identity; a second one must say the same."""
        if not isinstance(identity, int | str):
            raise UnsafeSkopsError("its tree holds a node with an unusable identity")
        says = (*kind, node.get("content") if kind[2] == "JsonNode" else None)
        first = self.seen.setdefault(identity, says)
        if kind[2] == "CachedNode":
            if identity not in self.built:
                raise UnsafeSkopsError("its tree refers to a node that does not exist")
            return True
        if first is says:
            return False
        if first != says:
            raise UnsafeSkopsError("its tree gives two different nodes the same identity")
        return True

    def value(
        self, node: dict[str, object], module: str, name: str, loader: str, depth: int
    ) -> object:
        content = node.get("content")
        match loader:
            case "JsonNode":
                return _json_value(content)
            case "ListNode" | "TupleNode" | "SetNode" if isinstance(content, list):
                return [self.read(item, depth + 1) for item in content]
            case "DictNode" | "DefaultDictNode" if isinstance(content, dict):
                self.nested(node.get("key_types"), depth)
                self.nested(node.get("default_factory"), depth)
                return {key: self.read(item, depth + 1) for key, item in content.items()}
            case "NdArrayNode" if node.get("type") == "json" and isinstance(content, list):
                self.nested(node.get("shape"), depth)
                return Array(tuple(self.read(item, depth + 1) for item in content), "objects")
            case "NdArrayNode" | "SparseMatrixNode":
                return Array(None, self.member(node))
            case "TypeNode" | "FunctionNode":
                return f"{module}.{name}"
            case "ObjectNode" | "TreeNode" | "LossNode" | "ConstructorFromReduceNode":
                return self.instance(node, module, name, depth)
        for key in sorted(node):
            self.nested(node[key], depth)
        return {"class": f"{module}.{name}"}

    def instance(self, node: dict[str, object], module: str, name: str, depth: int) -> object:
        state: object = {}
        for key in sorted(node):
            part = node[key]
            if isinstance(part, dict) and "__loader__" in part:
                read = self.read(part, depth + 1)
                state = read if key == "content" else state
            else:
                self.nested(part, depth)
        return Obj(module, name, state if isinstance(state, dict) else {})

    def nested(self, part: object, depth: int) -> None:
        """Check every node below a part whose value is not needed."""
        if depth > DEEPEST_NESTING:
            raise UnsafeSkopsError("its tree is nested too deeply")
        if isinstance(part, dict):
            if "__loader__" in part:
                self.read(part, depth + 1)
            else:
                for item in part.values():
                    self.nested(item, depth + 1)
        elif isinstance(part, list):
            for item in part:
                self.nested(item, depth + 1)

    def member(self, node: dict[str, object]) -> str:
        name = node.get("file")
        if not isinstance(name, str) or name not in self.checksums:
            raise UnsafeSkopsError("its tree names an array that is not in the archive")
        return f"crc32:{self.checksums[name]:08x}"


def _json_value(content: object) -> object:
    if not isinstance(content, str):
        return None
    try:
        value: object = json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise UnsafeSkopsError("its tree holds a value that cannot be read") from problem
    return value
