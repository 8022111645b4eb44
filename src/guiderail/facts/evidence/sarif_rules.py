"""Which rules a result of a SARIF run is about (SARIF 2.1.0, 3.27.5 to 3.27.7 and 3.52)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Part = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one run. components: the driver, then the extensions in their order."""

    components: tuple[Part, ...]

    @classmethod
    def of(cls, run: Part) -> Rules:
        tool = as_mapping(run.get("tool"))
        extensions = map(as_mapping, as_list(tool.get("extensions")))
        return cls((as_mapping(tool.get("driver")), *extensions))

    def of_result(self, result: Part) -> tuple[Part, ...]:
        """Every rule that the result names, by id, index or guid; none where none can be found.

        There can be several where a report contradicts itself or two components share an id; the
        most severe one is to count.
        """
        named = as_mapping(result.get("rule"))
        found = [
            *self._by_index(result.get("ruleIndex"), named),
            *self._by_index(named.get("index"), named),
            *self._by_id(result.get("ruleId")),
            *self._by_id(named.get("id")),
            *self._by("guid", named.get("guid")),
        ]
        return tuple(found)

    def _by_index(self, index: object, named: Part) -> Iterator[Part]:
        place = as_mapping(named.get("toolComponent"))
        for component in self._component(place):
            rule = _item(as_list(component.get("rules")), index)
            if _is_rule(rule):
                yield as_mapping(rule)

    def _component(self, place: Part) -> tuple[Part, ...]:
        """The extension that a reference names by index, guid or name; the driver by default."""
        extension = _item(list(self.components[1:]), place.get("index"))
        if extension is not None:
            return (as_mapping(extension),)
        keys = [key for key in ("guid", "name") if place.get(key) is not None]
        if keys:
            return tuple(one for one in self.components if one.get(keys[0]) == place[keys[0]])
        return self.components[:1] if place.get("index") in (None, -1) else ()

    def _by_id(self, name: object) -> tuple[Part, ...]:
        """The rules with this id; of a hierarchical id `a/b/c` the longest beginning that is one.

        Rules with the id stand in any component, because a reference need not name one.
        """
        while isinstance(name, str) and name:
            found = self._by("id", name)
            if found:
                return found
            name = name.rpartition("/")[0]
        return ()

    def _by(self, key: str, value: object) -> tuple[Part, ...]:
        if value is None:
            return ()
        return tuple(
            as_mapping(rule)
            for component in self.components
            for rule in as_list(component.get("rules"))
            if _is_rule(rule) and as_mapping(rule).get(key) == value
        )


def as_mapping(value: object) -> Part:
    """The value where it is an object, otherwise an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: object) -> list[object]:
    """The value where it is an array, otherwise an empty one."""
    return value if isinstance(value, list) else []


def _is_rule(value: object) -> bool:
    return isinstance(as_mapping(value).get("id"), str)


def _item(items: list[object], index: object) -> object:
    """The item at an index of SARIF, where -1 and anything else that is no place means none."""
    if not isinstance(index, int) or isinstance(index, bool):
        return None
    return items[index] if 0 <= index < len(items) else None
