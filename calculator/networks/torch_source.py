"""A network as lines of Python: modules, modules used again, functions."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from keyword import iskeyword
from typing import Any, NamedTuple

from calculator import CALCULATIONS
from calculator.core.fields import Field, quoted
from calculator.layers.layer import Layer

MOST_LAYERS = 1000
MOST_WRITTEN = 1000
"""Characters of a line; torch prints none that is half as long."""
_MOST_NESTED = 50
_NESTING = re.compile(r"[^\w\s,='\")\]}]")
"""Whatever may make Python's parser go deeper: brackets, dots, signs."""
_PLAIN_WORDS = ("None", "True", "False")
_NO_LAYER = ("", "Sequential(", "nn.Sequential(", ")")
_INDEX = re.compile(r"\(\w+\):\s*")  # of a layer in a printed Sequential
_COMMENT = re.compile("#[^\n]*")
_FROZEN = ".requires_grad_(False)"
_SAME = (
    "elu gelu glu hardsigmoid hardswish leaky_relu local_response_norm log_softmax mish "
    "pixel_shuffle relu relu6 sigmoid silu softmax softplus tanh "
    "avg_pool1d avg_pool2d avg_pool3d max_pool1d max_pool2d max_pool3d "
    "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d "
    "adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d"
)
_FUNCTIONS = {
    "torch.flatten": "flatten",
    "F.interpolate": "upsample",
    **{f"F.{name}": name for name in _SAME.split()},
}
"""The layer that each function does the work of; its arguments begin as the module's do."""
_ALIKE = 4
"""So many arguments of a function stand as the module's; pools go on in another order."""
_DEFAULTS = {"flatten": {"start_dim": 0}}


class Line(NamedTuple):
    """A layer that is run: a module, or a function if `is_function`.

    `first` is the place of the line that makes the module, its own unless it is used again.
    """

    layer: str
    fields: dict[str, Any]
    first: int
    is_function: bool = False
    name: str = ""
    trained: bool = True

    @property
    def is_plain(self) -> bool:
        """Whether it may stand in a `torch.nn.Sequential` as it is."""
        return not (self.is_function or self.name) and self.trained

    @property
    def ending(self) -> str:
        """What follows the constructor."""
        return "" if self.trained else _FROZEN

    def written(self, place: int) -> str:
        """Return the line as Python has it."""
        if self.first != place:
            return self.name
        if self.is_function:
            function = next(key for key, value in _FUNCTIONS.items() if value == self.layer)
            return call(function, self.fields).replace("(", "(x, " if self.fields else "(x", 1)
        made = call(CALCULATIONS[self.layer].__name__, self.fields)
        return (f"{self.name} = " if self.name else "") + made + self.ending


class Stack(Field):
    """Layers as torch prints or constructs them, one per line or separated by semicolons."""

    kind = "lines"
    longest = 100_000

    def read(self, text: str) -> tuple[Line, ...]:
        """Return what each line holds.

        Accepts `Linear(128, 64)`, `nn.Conv2d(3, 32, kernel_size=3)`, and the lines of a printed
        `torch.nn.Sequential`, `(0): Linear(in_features=128, out_features=64, bias=True)`. A module
        that is used again has a name, `fc = Linear(64, 64)`, and then stands as `fc`; one that
        does not learn ends in `.requires_grad_(False)`; a function is called on x, `F.relu(x)`.
        """
        found: list[Line] = []
        named: dict[str, Line] = {}
        for number, line in enumerate(re.split("[\n;]", _COMMENT.sub("", text)), start=1):
            written = line.strip().rstrip(",")
            written = _INDEX.sub("", written, count=1) if written.startswith("(") else written
            if written in _NO_LAYER:
                continue
            try:
                found.append(named.get(written) or _line(written, len(found)))
            except ValueError as error:
                raise self.refuse(f"line {number}: {error}", line) from None
            if found[-1].name:
                named[found[-1].name] = found[-1]
        return self.check(tuple(found))

    def check(self, value: Any) -> tuple[Line, ...]:
        if isinstance(value, str):
            return self.accept(value)
        if not value:
            raise self.refuse("has no layer; write one per line, such as Linear(128, 64)", "")
        if len(value) > MOST_LAYERS:
            reason = f"has more than {MOST_LAYERS:,} layers; write fewer"
            raise self.refuse(reason, f"{len(value)} layers")
        return tuple(value)

    def write(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        return "\n".join(line.written(place) for place, line in enumerate(value))

    def python(self, value: Any) -> str:
        return self.write(value)


def _line(written: str, place: int) -> Line:
    """Return what one line holds; raise ValueError if it is not a layer."""
    name, made = "", written
    assigned = re.fullmatch(r"(\w+) *= *(.*)", written)
    if assigned:
        name, made = assigned.groups()
        if not _is_name(name):
            raise ValueError(f"{quoted(name)} cannot be a name in Python; write one such as fc1")
    trained = not made.endswith(_FROZEN)
    layer, fields, is_function = _layer(made.removesuffix(_FROZEN))
    if is_function and name == "x":  # as in a model's own forward
        name = ""
    if is_function and (name or not trained):
        raise ValueError(
            "a function has no parameters; write it without a name and without requires_grad_"
        )
    return Line(layer, fields, place, is_function, name, trained)


def _is_name(word: str) -> bool:
    """Return whether Python takes a word as the name of a module."""
    return word.isidentifier() and not iskeyword(word) and word != "__debug__"


def _parsed(written: str) -> ast.expr | None:
    """Return the expression of a line, None if it is none.

    Raises ValueError before Python parses what is nested deeply: a browser's stack is small, and
    its overflow ends Python.
    """
    if len(written) > MOST_WRITTEN:
        raise ValueError(f"is {len(written):,} characters long; write at most {MOST_WRITTEN:,}")
    if len(_NESTING.findall(written)) > _MOST_NESTED:
        raise ValueError("is nested too deeply; write a layer such as Linear(128, 64)")
    words = {*re.findall(r"\w+", written)} - {*_PLAIN_WORDS}
    if "\\" in written or any(map(iskeyword, words)):
        return None
    try:
        return ast.parse(written, mode="eval").body
    except (SyntaxError, ValueError):
        return None


@lru_cache(maxsize=MOST_LAYERS)  # a network repeats its lines, and an edit leaves most as they are
def _layer(written: str) -> tuple[str, dict[str, Any], bool]:
    """Return (calculation name, fields, whether a function) of one call."""
    parsed = _parsed(written)
    if not isinstance(parsed, ast.Call):
        raise ValueError("is not a layer; write one such as Linear(128, 64)")
    called = re.sub(r"^(torch\.)?nn\.functional\.", "F.", ast.unparse(parsed.func))
    is_function = called in _FUNCTIONS or called.startswith("F.")
    layer = _function(called) if is_function else _module(called)
    name = called if is_function else layer.__name__
    modules = [key for key, field in layer.fields.items() if field.role == "module"]
    places = [key for key in modules if not layer.fields[key].keyword]
    given = parsed.args
    if is_function:
        if not given or not isinstance(given[0], ast.Name) or given[0].id != "x":
            raise ValueError(f"a function needs its input; write {called}(x)")
        given, places = given[1:], places[:_ALIKE]
    if len(given) > len(places):
        most = f"{len(places)} argument{'s' * (len(places) != 1)}"
        raise ValueError(f"{name} takes at most {most}, not {len(given)}")
    try:
        positional = [_literal(each) for each in given]
        named = {each.arg or "**": _literal(each.value) for each in parsed.keywords}
    except (ValueError, TypeError):
        raise ValueError(
            "has an argument that is not a plain number or word; write its value"
        ) from None
    fields = dict(zip(places, positional, strict=False))
    for key, value in named.items():
        if key in fields:
            raise ValueError(f"{key} is given twice; write it once")
        is_printed = getattr(layer, key, None) == value  # as torch prints the mode of an upsampling
        if key not in modules and not is_printed:
            raise ValueError(f"{name} has no argument {quoted(key)}; leave it out")
    fields |= {key: value for key, value in named.items() if key in modules}
    if is_function:
        fields = {**_DEFAULTS.get(layer.name, {}), **fields}
    for key, value in fields.items():
        layer.fields[key].check(value)
    for key in modules:
        if layer.fields[key].required and key not in fields:
            raise ValueError(f"{name}() missing 1 required positional argument: {key!r}")
    return layer.name, fields, is_function


def _module(called: str) -> type[Layer]:
    known = {layer.__name__: layer for layer in layers()}
    name = called.removeprefix("torch.").removeprefix("nn.")
    if name not in known:
        raise ValueError(f"unknown layer {quoted(name)}; use one of {', '.join(known)}")
    return known[name]


def _function(called: str) -> Any:
    if called not in _FUNCTIONS:
        raise ValueError(f"unknown function {quoted(called)}; use one of {', '.join(_FUNCTIONS)}")
    return CALCULATIONS[_FUNCTIONS[called]]


def _literal(node: ast.expr) -> Any:
    """Return the value of a literal; torch prints words, such as padding=same, without quotes."""
    return node.id if isinstance(node, ast.Name) else ast.literal_eval(node)


def call(name: str, fields: dict[str, Any]) -> str:
    """Return a constructor call as Python source."""
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in fields.items())})"


def layers() -> list[type[Layer]]:
    """Return every layer that has a name."""
    return [each for each in CALCULATIONS.values() if issubclass(each, Layer)]


stack: Any = Stack
