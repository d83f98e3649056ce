"""Small faults put into Python source on purpose, one at a time.

In: the text of a module. Out: `Mutant`s, each the text with one place changed: a bound of a comparison, a sign, a
constant by one, a floor for a ceiling, the least for the largest, and for or, a negated condition, a statement or an
argument left out. Texts, messages of errors, annotations, imports and assertions (`assert`, `strict`) stay as they are.

So does what changes no value by the rules of numpy: `copy` (a copy costs time alone), a result's place `out` (where the
call is a statement, the fault that leaves it out is the same one), and the number in `reshape(-1)`, since any negative
number stands for the length that numpy finds itself.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

COMPARISONS: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
SIGNS: Mapping[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult, ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult, ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
NAMES = {
    "min": "max", "minimum": "maximum", "any": "all", "floor": "ceil", "argmin": "argmax", "rint": "floor",
    "isdisjoint": "issuperset",
}  # fmt: skip
NAMES |= {other: one for one, other in NAMES.items() if one != "rint"}


@dataclass(frozen=True)
class Mutant:
    """A module with one fault.

    Attributes:
        module: its path.
        line: of the fault, from 1.
        function: in which it is; empty: at the top.
        text: of the whole module.
        was, now: the lines that differ, without indentation.
    """

    module: str
    line: int
    function: str
    text: str
    was: str
    now: str


def mutants(module: str, text: str) -> list[Mutant]:
    """All of them, in the order of the source; none twice, and none that means the same to Python."""
    found: dict[str, Mutant] = {}
    for node, function in _places(ast.parse(text), ""):
        for place, new in _changed(node):
            mutated = _replaced(text, place, new)
            if mutated not in found and (new is None or _parsed(new) != _parsed(place)):
                found[mutated] = Mutant(module, node.lineno, function, mutated, *_difference(text, mutated))
    return list(found.values())


def _parsed(node: ast.AST) -> str:
    """What a node is once it is written: -1 is a sign and a number."""
    return ast.dump(ast.parse(ast.unparse(node)))


Place = ast.expr | ast.stmt
_SKIPPED = (ast.JoinedStr, ast.Raise, ast.Import, ast.ImportFrom, ast.Assert)


def _places(node: ast.AST, function: str) -> Iterator[tuple[Place, str]]:
    """Every expression and statement that may be changed, and the function that it is in."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "bases", "format_spec", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, _SKIPPED) or _is_note(child) or _is_idle(child):
                continue
            if _is_free_length(node, child):
                yield child, function
                continue
            inner = child.name if isinstance(child, ast.FunctionDef) else function
            if isinstance(child, ast.expr | ast.stmt):
                yield child, inner
            yield from _places(child, inner)


def _is_note(node: ast.AST) -> bool:
    """A docstring, or the text below an attribute."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_idle(node: ast.AST) -> bool:
    """`strict` of `zip`, which is an assertion, too, and `copy` of an array."""
    return isinstance(node, ast.keyword) and node.arg in ("strict", "copy")


def _is_free_length(call: ast.AST, argument: ast.AST) -> bool:
    """A negative argument of `reshape`."""
    reshapes = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "reshape"
    return reshapes and isinstance(argument, ast.UnaryOp) and isinstance(argument.op, ast.USub)


def _changed(node: Place) -> Iterator[tuple[Place, ast.AST | None]]:
    """What may stand in place of a node, or of the condition in it; None: nothing."""
    for kind, change in _CHANGES:
        if isinstance(node, kind):
            yield from ((node, new) for new in change(copy.deepcopy(node)))
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        yield node.test, ast.UnaryOp(ast.Not(), node.test)


def _comparison(node: ast.Compare) -> Iterator[ast.AST]:
    for place, op in enumerate(node.ops):
        new = copy.deepcopy(node)
        new.ops[place] = COMPARISONS[type(op)]()
        yield new


def _sign(node: ast.BinOp) -> Iterator[ast.AST]:
    if type(node.op) in SIGNS:
        yield ast.BinOp(node.left, SIGNS[type(node.op)](), node.right)
    if isinstance(node.op, ast.FloorDiv):  # rounded up instead
        yield ast.UnaryOp(ast.USub(), ast.BinOp(ast.UnaryOp(ast.USub(), node.left), ast.FloorDiv(), node.right))


def _unary(node: ast.UnaryOp) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.Not | ast.USub | ast.Invert):
        yield node.operand
    inner = node.operand
    if isinstance(node.op, ast.USub) and isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.FloorDiv):
        left = inner.left.operand if isinstance(inner.left, ast.UnaryOp) else inner.left
        yield ast.BinOp(left, ast.FloorDiv(), inner.right)  # a ceiling becomes a floor


def _constant(node: ast.Constant) -> Iterator[ast.AST]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield ast.Constant(node.value + 1)
        yield ast.Constant(node.value - 1)
    elif isinstance(node.value, float):
        yield ast.Constant(node.value * 2 or 1.0)


def _bool(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    for place in range(len(node.values)):
        rest = node.values[:place] + node.values[place + 1 :]
        yield ast.BoolOp(node.op, rest) if len(rest) > 1 else rest[0]


def _call(node: ast.Call) -> Iterator[ast.AST]:
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    if name in NAMES:
        new = copy.deepcopy(node)
        setattr(new.func, "id" if isinstance(new.func, ast.Name) else "attr", NAMES[name])
        yield new
    if name == "abs" and len(node.args) == 1:
        yield node.args[0]
    for place, argument in enumerate(node.keywords):
        if argument.arg not in (None, "out") and not _is_idle(argument):
            yield ast.Call(node.func, node.args, node.keywords[:place] + node.keywords[place + 1 :])


def _left_out(node: ast.stmt) -> Iterator[ast.AST | None]:
    yield None


_CHANGES: tuple[tuple[type[ast.AST] | tuple[type[ast.AST], ...], Callable[..., Iterator[ast.AST | None]]], ...] = (
    (ast.Compare, _comparison),
    (ast.BinOp, _sign),
    (ast.UnaryOp, _unary),
    (ast.Constant, _constant),
    (ast.BoolOp, _bool),
    (ast.Call, _call),
    ((ast.Expr, ast.AugAssign, ast.Continue, ast.Break), _left_out),
)


def _replaced(text: str, node: Place, new: ast.AST | None) -> str:
    """The text with another expression, in parentheses where it could bind otherwise, or with `pass`."""
    written = "pass" if new is None else ast.unparse(new)
    if not isinstance(new, ast.Constant | ast.Call | ast.Name | None) or written.startswith("-"):
        written = f"({written})"
    data, lines = text.encode(), text.encode().splitlines(keepends=True)
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    begin = sum(map(len, lines[: node.lineno - 1])) + node.col_offset
    end = sum(map(len, lines[: node.end_lineno - 1])) + node.end_col_offset
    return (data[:begin] + written.encode() + data[end:]).decode()


def _difference(text: str, mutated: str) -> tuple[str, str]:
    """The lines that were, and those that are, each without indentation, joined by spaces."""
    was, now = text.splitlines(), mutated.splitlines()
    shortest = min(len(was), len(now))
    first = next((at for at in range(shortest) if was[at] != now[at]), shortest)
    rest = next((at for at in range(shortest - first) if was[-1 - at] != now[-1 - at]), shortest - first)
    before, after = (" ".join(line.strip() for line in lines[first : len(lines) - rest]) for lines in (was, now))
    return before, after
