"""The same rules in other policy engines: `python bench/bench_policy_engines.py`.

The rules of the model pack are translated to CEL, Cedar and Rego and decide about the same facts:
all known, some unknown, all unknown. Time runs from a Python mapping of facts to the list of rules
that are true and of rules that are unknown; parsing and compiling is done before. Printed are
processor time per decision, its ratio to ours in the same minute, and on how many rules the engine
agrees with us. What an engine cannot say stands below its line. Beside us none says tier, track,
reasons or what would be lighter; those are not in the time here, see `bench_decision.py`.

The engines are installed by `pip install --require-hashes -r requirements/bench.txt`, which
`make bench` does. One that is missing is named and skipped.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench_decision import AT, calm_facts, eighty_facts, forty_rules, values_of
from guiderail.policy import Pack, load_pack
from guiderail_verify.evaluate import UNKNOWN, Value
from guiderail_verify.judge import Rulebook

ROUNDS = 15
Facts = Mapping[str, Any]
"""Known facts under names without dots. An unknown fact is not there."""
Verdict = tuple[list[str], list[str]]
"""Rules that are true and rules that are unknown."""
Decide = Callable[[Facts], Verdict]


@dataclass(frozen=True)
class Rules:
    """trees: condition by rule. kinds: type of each fact under its name without dots."""

    trees: Mapping[str, Any]
    kinds: Mapping[str, str]


def plain(name: str) -> str:
    return name.replace(".", "_")


# Translations. One function for each language, over the tree that the pack is compiled to.


def to_cel(tree: Any, rules: Rules) -> str:
    match tree:
        case {"all": parts}:
            return "(" + " && ".join(to_cel(part, rules) for part in parts) + ")"
        case {"any": parts}:
            return "(" + " || ".join(to_cel(part, rules) for part in parts) + ")"
        case {"not": part}:
            return f"!{to_cel(part, rules)}"
        case {"fact": name}:
            return plain(name)
        case {"bool": value}:
            return str(value).lower()
        case {"compare": sign, "left": {"fact": name}, "right": {"text": text}, "order": order}:
            values = ", ".join(f'"{value}"' for value in ranked(sign, text, order))
            return f"({plain(name)} in [{values}])"
        case {"compare": sign, "left": {"fact": name}, "right": right}:
            return f"({plain(name)} {sign} {cel_operand(right, rules.kinds[plain(name)])})"
        case {"in": {"fact": name}, "items": items}:
            return f"({plain(name)} in [{', '.join(cel_operand(item, '') for item in items)}])"
    raise ValueError(f"no translation for {tree}")


def cel_operand(operand: Any, kind: str) -> str:
    match operand:
        case {"fact": name}:
            return plain(name)
        case {"text": text}:
            return f'"{text}"'
        case {"number": number}:
            return str(number) if kind == "integer" else f"{float(number)}"
    return str(operand["bool"]).lower()


def to_cedar(tree: Any, rules: Rules) -> str:
    match tree:
        case {"all": parts}:
            return "(" + " && ".join(to_cedar(part, rules) for part in parts) + ")"
        case {"any": parts}:
            return "(" + " || ".join(to_cedar(part, rules) for part in parts) + ")"
        case {"not": part}:
            return f"!({to_cedar(part, rules)})"
        case {"fact": name}:
            return f"context.{plain(name)}"
        case {"bool": value}:
            return str(value).lower()
        case {"compare": sign, "left": {"fact": name}, "right": {"text": text}, "order": order}:
            return cedar_in(name, list(ranked(sign, text, order)))
        case {"compare": sign, "left": {"fact": name}, "right": right}:
            return cedar_compare(sign, f"context.{plain(name)}", right, rules.kinds[plain(name)])
        case {"in": {"fact": name}, "items": items}:
            return cedar_in(name, [item["text"] for item in items])
    raise ValueError(f"no translation for {tree}")


def cedar_in(name: str, values: list[str]) -> str:
    listed = ", ".join(f'"{value}"' for value in values)
    return f"[{listed}].contains(context.{plain(name)})"


def cedar_compare(sign: str, left: str, right: Any, kind: str) -> str:
    """Cedar has whole numbers with signs and decimals with methods."""
    if "text" in right:
        return f'{left} {sign} "{right["text"]}"'
    if kind == "integer":
        return f"{left} {sign} {right['number']}"
    method = {"<": "lessThan", "<=": "lessThanOrEqual", ">": "greaterThan",
              ">=": "greaterThanOrEqual"}[sign]  # fmt: skip
    operand = (
        f"context.{plain(right['fact'])}"
        if "fact" in right
        else f'decimal("{float(right["number"]):.4f}")'
    )
    return f"{left}.{method}({operand})"


class Rego:
    """Rego has no `or` inside a rule: each alternative becomes a rule of its own."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.lines: list[str] = []
        self.made = 0

    def text(self) -> str:
        for rule, tree in self.rules.trees.items():
            condition = self.condition(tree)
            self.lines.append(f'hits contains "{rule}" if {{ {condition} }}')
        head = "package release\nimport rego.v1\n"
        return head + "\n".join(self.lines) + "\n"

    def condition(self, tree: Any) -> str:
        match tree:
            case {"all": parts}:
                return "; ".join(self.condition(part) for part in parts)
            case {"any": parts}:
                return self.named([self.condition(part) for part in parts])
            case {"not": {"fact": name}}:
                return f"input.{plain(name)} == false"
            case {"not": part}:
                return f"not {self.named([self.condition(part)])}"
            case {"fact": name}:
                return f"input.{plain(name)}"
            case {"bool": value}:
                return str(value).lower()
            case {"compare": sign, "left": {"fact": name}, "right": {"text": text}, "order": order}:
                return f"input.{plain(name)} in {set_text(ranked(sign, text, order))}"
            case {"compare": sign, "left": {"fact": name}, "right": {"fact": other}}:
                return f"input.{plain(name)} {sign} input.{plain(other)}"
            case {"compare": sign, "left": {"fact": name}, "right": right}:
                return f"input.{plain(name)} {sign} {cel_operand(right, 'integer')}"
            case {"in": {"fact": name}, "items": items}:
                return f"input.{plain(name)} in {set_text([item['text'] for item in items])}"
        raise ValueError(f"no translation for {tree}")

    def named(self, bodies: list[str]) -> str:
        self.made += 1
        name = f"part_{self.made}"
        self.lines += [f"{name} if {{ {body} }}" for body in bodies]
        return name


def set_text(values: list[str]) -> str:
    return "{" + ", ".join(f'"{value}"' for value in values) + "}"


def ranked(sign: str, text: str, order: list[str]) -> list[str]:
    """The values of a scale for which a comparison along it is true."""
    limit = order.index(text)
    true_at = {"<": lambda rank: rank < limit, "<=": lambda rank: rank <= limit,
               ">": lambda rank: rank > limit, ">=": lambda rank: rank >= limit,
               "==": lambda rank: rank == limit, "!=": lambda rank: rank != limit}  # fmt: skip
    return [value for rank, value in enumerate(order) if true_at[sign](rank)]


# Engines. Each is prepared once and returns the function that decides.


def ours(book: Rulebook, values: Mapping[str, Value]) -> Callable[[], Verdict]:
    """`Rulebook.judge`, which computes the tier as well; the others are given it."""

    def decide() -> Verdict:
        judged = book.judge(values, {})
        hits = (*judged.tier_hits, *judged.track_hits)
        true = [f"{hit.rule.id}-{hit.rule.level}" for hit in hits if hit.truth is True]
        unknown = [f"{hit.rule.id}-{hit.rule.level}" for hit in hits if hit.truth is UNKNOWN]
        return true, unknown

    return decide


def cel_python(rules: Rules) -> Decide:
    celpy = importlib.import_module("celpy")
    environment = celpy.Environment()
    programs = {
        rule: environment.program(environment.compile(to_cel(tree, rules)))
        for rule, tree in rules.trees.items()
    }

    def decide(facts: Facts) -> Verdict:
        given = {name: celpy.json_to_cel(value) for name, value in facts.items()}
        true, unknown = [], []
        for rule, program in programs.items():
            try:
                if program.evaluate(given):
                    true.append(rule)
            except celpy.CELEvalError:
                unknown.append(rule)
        return true, unknown

    return decide


def cel_cpp(rules: Rules) -> Decide:
    cel = importlib.import_module("cel_expr_python.cel")
    types = {
        "bool": cel.Type.BOOL,
        "integer": cel.Type.INT,
        "number": cel.Type.DOUBLE,
        "interval": cel.Type.DOUBLE,
        "enum": cel.Type.STRING,
        "text": cel.Type.STRING,
    }
    variables = {name: types[kind] for name, kind in rules.kinds.items() if kind in types}
    environment = cel.NewEnv(variables=variables)
    programs = {
        rule: environment.compile(to_cel(tree, rules)) for rule, tree in rules.trees.items()
    }

    def decide(facts: Facts) -> Verdict:
        activation = environment.Activation(facts)
        true, unknown = [], []
        for rule, program in programs.items():
            result = program.eval(activation).value()
            if result is True:
                true.append(rule)
            elif result is not False:
                unknown.append(rule)
        return true, unknown

    return decide


def cedar_decimal(value: float) -> dict[str, Any]:
    return {"__extn": {"fn": "decimal", "arg": f"{value:.4f}"}}


def cedar(rules: Rules) -> Decide:
    cedarpy = importlib.import_module("cedarpy")
    names = list(rules.trees)
    policies = cedarpy.PolicySet.from_str(
        "\n".join(
            f"permit(principal, action, resource) when {{ {to_cedar(tree, rules)} }};"
            for tree in rules.trees.values()
        )
    )
    entities = cedarpy.Entities.from_json_str("[]")
    fractions = {name for name, kind in rules.kinds.items() if kind in ("number", "interval")}

    def decide(facts: Facts) -> Verdict:
        context = {
            name: {"__extn": {"fn": "decimal", "arg": f"{value:.4f}"}}
            if name in fractions
            else value
            for name, value in facts.items()
        }
        request = {"principal": 'User::"a"', "action": 'Action::"b"', "resource": 'Release::"c"',
                   "context": context}  # fmt: skip
        found = cedarpy.is_authorized(request, policies, entities).diagnostics
        true = [names[int(reason.removeprefix("policy"))] for reason in found.reasons]
        unknown = [names[int(error.split("`policy")[1].split("`")[0])] for error in found.errors]
        return true, unknown

    return decide


def rego(rules: Rules) -> Decide:
    regopy = importlib.import_module("regopy")
    interpreter = regopy.Interpreter()
    interpreter.add_module("release", Rego(rules).text())
    bundle = interpreter.build("x = data.release.hits")

    def decide(facts: Facts) -> Verdict:
        interpreter.set_input(regopy.Input(facts))
        # The output owns the memory of its bindings; it must live until they are read.
        output = interpreter.query_bundle(bundle)
        return json.loads(output.binding("x").json()), []

    return decide


ENGINES: tuple[tuple[str, Callable[[Rules], Decide], str], ...] = (
    ("cel-python", cel_python, "unknown is an error that is raised, so it costs an exception"),
    ("cel-expr-python", cel_cpp, "unknown is an error value; CEL absorbs it as we do"),
    ("cedarpy", cedar, "unknown is an error that skips the policy; nothing after it is looked at"),
    ("regopy", rego, "unknown cannot be told from false: the rule silently does not fire"),
)


def measured(work: Callable[[], object], against: Callable[[], object]) -> tuple[float, float]:
    """The quickest of the rounds in microseconds, and how many times `against` that is."""
    work()
    against()
    pairs = [(seconds_each(work), seconds_each(against)) for _ in range(ROUNDS)]
    own, other = (min(times) for times in zip(*pairs, strict=True))
    return own * 1e6, own / other


def seconds_each(work: Callable[[], object]) -> float:
    """Processor time of one call, over at least 10 ms of calls."""
    times, begin = 0, time.process_time()
    while (spent := time.process_time() - begin) < 0.01:
        work()
        times += 1
    return spent / times


def cases(pack: Pack, book: Rulebook) -> dict[str, Mapping[str, Value]]:
    """Values of 80 facts: all known, ten of those that rules read unknown, all unknown."""
    names = eighty_facts(pack, book)
    calm = values_of(names, pack.readings(calm_facts()))
    lost = {key for name in names[:40:4] for key in (name, f"{name}.low", f"{name}.high")}
    some = {name: UNKNOWN if name in lost else value for name, value in calm.items()}
    nothing: dict[str, Value] = dict.fromkeys(calm, UNKNOWN)
    return {"all known": calm, "ten unknown": some, "all unknown": nothing}


def given(values: Mapping[str, Value]) -> dict[str, Any]:
    """Known facts for an engine, with lists for sets."""
    return {
        plain(name): list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if value is not UNKNOWN
    }


def translated(pack: Pack, book: Rulebook) -> Rules:
    wanted = {(rule.id, rule.level) for rule in (*book.tiers, *book.tracks)}
    trees = {
        f"{part['id']}-{part['level']}": part["when"]
        for part in (*pack.tree["tiers"], *pack.tree["tracks"])
        if (part["id"], part["level"]) in wanted
    }
    kinds = {"tier": "enum", "evidence_weak": "bool"}
    for name in eighty_facts(pack, book):
        kind = pack.vocabulary.named(name)
        for key in (name, f"{name}.low", f"{name}.high") if kind is not None else ():
            kinds[plain(key)] = kind.type
    return Rules(trees, kinds)


def truths(book: Rulebook, seen: Mapping[str, Value]) -> Verdict:
    """What each condition says, before a rule counts one of true and unknown only."""
    said = {f"{rule.id}-{rule.level}": rule.when(seen) for rule in (*book.tiers, *book.tracks)}
    return ([rule for rule, truth in said.items() if truth is True],
            [rule for rule, truth in said.items() if truth is UNKNOWN])  # fmt: skip


def agreement(found: Verdict, expected: Verdict, rules: Rules) -> int:
    """On how many rules two engines say the same: true, false or unknown."""

    def said(verdict: Verdict, rule: str) -> int:
        return 1 if rule in verdict[0] else 2 if rule in verdict[1] else 0

    return sum(1 for rule in rules.trees if said(found, rule) == said(expected, rule))


def main() -> None:
    pack = load_pack("model")
    book = forty_rules(pack.rulebook("model", AT))
    rules = translated(pack, book)
    facts = len(eighty_facts(pack, book))
    print(
        f"{len(rules.trees)} rules of the pack {pack.id} {pack.version} x {facts} facts, CPU time"
    )
    for case, values in cases(pack, book).items():
        print(f"\n{case}")
        mine = ours(book, values)
        micros, _ = measured(mine, mine)
        print(f"  {'guiderail':<16} {micros:10.1f} us       1.0 x")
        seen = book.judge(values, {}).values
        expected = truths(book, seen)
        release = given(seen)
        for name, prepare, _ in ENGINES:
            try:
                decide = prepare(rules)
            except ImportError as missing:
                print(f"  {name:<16} SKIPPED, not installed: {missing}", file=sys.stderr)
                continue
            micros, ratio = measured(partial(decide, release), mine)
            same = agreement(decide(release), expected, rules)
            print(f"  {name:<16} {micros:10.1f} us  {ratio:8.1f} x   agrees on {same} rules")
    print()
    for name, _, note in ENGINES:
        print(f"{name}: {note}")


if __name__ == "__main__":
    main()
