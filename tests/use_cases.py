"""Every place in the product that opens a writing transaction, found in the source itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

APPENDS = frozenset({"guiderail.ledger.append.append", "guiderail.ledger.append.append_all"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """name: dotted. names: what an import or a definition calls something -> its dotted name."""

    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def names(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                found |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
            elif isinstance(node, ast.Import):
                found |= {one.asname or one.name: one.name for one in node.names}
        return found | {name: f"{self.name}.{name}" for name in self.functions}

    @cached_property
    def functions(self) -> Mapping[str, Function]:
        """Functions of the module and methods of its classes, by their bare names."""
        return {
            node.name: node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }

    def calls(self, node: ast.AST) -> Iterator[str]:
        """Dotted names of what is called or handed on below a node, as far as names tell."""
        for one in ast.walk(node):
            match one:
                case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in self.names:
                    yield f"{self.names[owner]}.{name}"
                case ast.Name(id=name) if name in self.names:
                    yield self.names[name]


@dataclass(frozen=True)
class Site:
    """name: module and function. appends: whether what the block calls can reach the ledger."""

    name: str
    appends: bool


def modules(*roots: Path) -> dict[str, Module]:
    """Every module below the directories that hold packages."""
    found = {}
    for root in roots:
        for path in sorted(root.rglob("*.py")):
            name = ".".join(path.relative_to(root).with_suffix("").parts)
            found[name] = Module(name, path.read_text("utf-8"))
    return found


def writing_sites(source: Mapping[str, Module]) -> list[Site]:
    """Every function that opens a transaction, and whether an event can come out of each block."""
    found = []
    for module in source.values():
        functions = module.functions if "transaction" in module.text else {}
        for name, function in functions.items():
            blocks = [node for node in ast.walk(function) if _opens(node)]
            # A transaction that is opened in another way than by `with` counts as one without.
            others = _transactions(function) - sum(_transactions(*_items(one)) for one in blocks)
            if blocks or others:
                reaches = [_reaches(module, block, source) for block in blocks]
                found.append(Site(f"{module.name}.{name}", not others and all(reaches)))
    return sorted(found, key=lambda site: site.name)


def _opens(node: ast.AST) -> bool:
    return isinstance(node, ast.With | ast.AsyncWith) and _transactions(*_items(node)) > 0


def _items(node: ast.AST) -> list[ast.expr]:
    return [item.context_expr for item in getattr(node, "items", [])]


def _transactions(*nodes: ast.AST) -> int:
    return sum(
        (isinstance(one, ast.Attribute) and one.attr == "transaction")
        or (isinstance(one, ast.Name) and one.id == "transaction")
        for node in nodes
        for one in ast.walk(node)
    )


def _reaches(module: Module, block: ast.AST, source: Mapping[str, Module]) -> bool:
    waiting, seen = list(module.calls(block)), set[str]()
    while waiting:
        name = waiting.pop()
        if name in APPENDS:
            return True
        if name in seen:
            continue
        seen.add(name)
        owner, _, bare = name.rpartition(".")
        called = source.get(owner)
        if called is not None and bare in called.functions:
            waiting.extend(called.calls(called.functions[bare]))
    return False
