"""Layers in sequence, each on the output of the one before."""

from __future__ import annotations

import ast
import re
from functools import cached_property, lru_cache
from typing import Any

from calculator import CALCULATIONS
from calculator.axes import shape
from calculator.calculation import quantity
from calculator.chain import Chain
from calculator.fields import Field, InvalidField, flag, quoted
from calculator.layer import Layer, Measured

MOST_LAYERS = 1000
_NO_LAYER = ("", "Sequential(", "nn.Sequential(", ")")


class Stack(Field):
    """Layers written as torch prints or constructs them, one a line or parted by semicolons."""

    kind = "lines"
    longest = 100_000

    def read(self, text: str) -> tuple[tuple[str, dict[str, Any]], ...]:
        """Return (calculation name, fields) of each line.

        Accepts `Linear(128, 64)`, `nn.Conv2d(3, 32, kernel_size=3)`, and the lines of a printed
        `torch.nn.Sequential`, `(0): Linear(in_features=128, out_features=64, bias=True)`.
        """
        found = []
        for number, line in enumerate(re.split("[\n;]", text), start=1):
            written = line.strip().rstrip(",")
            if written.startswith("("):  # the index of a printed Sequential
                written = written.partition(":")[2].strip()
            if written in _NO_LAYER or written.startswith("#"):
                continue
            try:
                found.append(_layer(written))
            except ValueError as error:
                raise self.refuse(f"line {number}: {error}", line) from None
        return self.check(tuple(found))

    def check(self, value: Any) -> tuple[tuple[str, dict[str, Any]], ...]:
        if isinstance(value, str):
            return self.accept(value)
        if not value:
            raise self.refuse("holds no layer; write one a line, such as Linear(128, 64)", "")
        if len(value) > MOST_LAYERS:
            raise self.refuse(f"holds more than {MOST_LAYERS:,} layers", f"{len(value)} layers")
        return tuple(value)

    def write(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        return "\n".join(call(CALCULATIONS[name].__name__, fields) for name, fields in value)

    def python(self, value: Any) -> str:
        return self.write(value)


@lru_cache(maxsize=MOST_LAYERS)  # a network repeats its lines, and an edit leaves most as they are
def _layer(written: str) -> tuple[str, dict[str, Any]]:
    """Return (calculation name, fields) of one constructor call; raise ValueError if it is none."""
    try:
        parsed = ast.parse(written, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        parsed = None
    if not isinstance(parsed, ast.Call):
        raise ValueError("is not a layer such as Linear(128, 64)")
    known = {layer.__name__: layer for layer in layers()}
    name = ast.unparse(parsed.func).removeprefix("torch.").removeprefix("nn.")
    if name not in known:
        raise ValueError(f"{quoted(name)} is not known here; use {', '.join(known)}")
    layer = known[name]
    modules = [key for key, field in layer.fields.items() if field.role == "module"]
    places = [key for key in modules if not layer.fields[key].keyword]
    if len(parsed.args) > len(places):
        raise ValueError(f"{name} takes {len(places)} arguments, not {len(parsed.args)}")
    try:
        positional = [_literal(each) for each in parsed.args]
        named = {each.arg or "**": _literal(each.value) for each in parsed.keywords}
    except (ValueError, TypeError, MemoryError, RecursionError):
        raise ValueError("arguments must be plain numbers or words") from None
    fields = dict(zip(places, positional, strict=False))
    for key in named:
        if key in fields:
            raise ValueError(f"{key} is given twice")
        if key not in modules:
            raise ValueError(f"{quoted(key)} is no argument of {name} here")
    fields |= named
    for key, value in fields.items():
        layer.fields[key].check(value)
    for key in modules:
        if layer.fields[key].required and key not in fields:
            raise ValueError(f"{name}() missing 1 required positional argument: {key!r}")
    return layer.name, fields


def _literal(node: ast.expr) -> Any:
    """Return the value of a literal; torch prints words, such as padding=same, without quotes."""
    return node.id if isinstance(node, ast.Name) else ast.literal_eval(node)


def call(name: str, fields: dict[str, Any]) -> str:
    """Return a constructor call as Python source."""
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in fields.items())})"


def layers() -> list[type[Layer]]:
    """Return every layer that has a name."""
    return [each for each in CALCULATIONS.values() if issubclass(each, Layer)]


def _unfit(owner: Any, before: Layer | None) -> str:
    """Return why a layer cannot stand behind another, or in a sequence at all."""
    beside = before.gives_beside() if before else ""
    if beside:
        return (
            f"input must be Tensor, not tuple. {type(before).__name__} gives {beside} beside its "
            "output: end the sequence with it"
        )
    if before is not None and owner.takes_indices:
        return (
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
            "Long, Int; but got torch.FloatTensor instead. Begin the sequence with it"
        )
    if owner.more_inputs:
        missing = " and ".join(map(repr, owner.more_inputs))
        plural = "s" if len(owner.more_inputs) > 1 else ""
        return (
            f"forward() missing {len(owner.more_inputs)} required positional argument{plural}: "
            f"{missing}. A sequence has one tensor to give"
        )
    return ""


def _refused(place: int, module: tuple[str, dict[str, Any]], reason: str) -> InvalidField:
    name, fields = module
    title = CALCULATIONS[name].__name__
    return InvalidField("modules", f"layer {place}, {title}: {reason}", given=call(title, fields))


stack: Any = Stack


class Sequential(Chain, name="sequential"):
    """Layers run one after another, as `torch.nn.Sequential`: counts add up."""

    modules: Any = stack(
        default="Linear(128, 64)\nReLU()\nLinear(64, 10)", label="Layers",
        help="One a line, as torch constructs or prints them.",
    )  # fmt: skip
    input_shape: tuple[int, ...] = shape(
        "n", default=(32, 128), label="Input shape", role="input",
        help="Batch first: 32, 128 or 1, 3, 32, 32.",
    )  # fmt: skip
    training: bool = flag(default=False, label="In training", role="input")

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Each layer on the output of the one before."""
        built: list[Layer] = []
        known: dict[tuple[int, tuple[int, ...], bool], Layer] = {}  # a network repeats its layers
        size, differentiable = self.input_shape, self.input_requires_grad
        for place, module in enumerate(self.modules, start=1):
            key = (id(module), size, differentiable)
            reason = _unfit(CALCULATIONS[module[0]], built[-1] if built else None)
            if reason:
                raise _refused(place, module, reason)
            if key not in known:
                known[key] = self._layer(place, module, size, differentiable)
            built.append(known[key])
            size = built[-1].output_shape
            differentiable &= not built[-1].takes_indices
            differentiable |= self.weight_requires_grad and built[-1].params > 0
        return tuple(built)

    def _layer(
        self,
        place: int,
        module: tuple[str, dict[str, Any]],
        size: tuple[int, ...],
        differentiable: bool,
    ) -> Layer:
        """Return the layer at a place, on an input of this size."""
        name, fields = module
        owner: Any = CALCULATIONS[name]
        shared = {field: getattr(self, field) for field in Measured.fields}
        shared["input_requires_grad"] = differentiable
        if "training" in owner.fields:
            shared["training"] = self.training
        try:
            return owner.on(size, **shared, **fields)
        except InvalidField as error:
            about = "" if error.field == "input_shape" else f"{error.field}: "
            raise _refused(place, module, f"{about}{error.message}") from None

    @cached_property
    def tensors(self) -> tuple[tuple[int, int], ...]:
        """The input is tensor 0, and every layer that gives no view adds one."""
        found, last = [], 0
        for layer in self.layers:
            found.append((last, last if layer.gives_a_view() else last + 1))
            last = found[-1][1]
        return tuple(found)

    @property
    def labels(self) -> tuple[str, ...]:
        """Each layer as it was given."""
        return tuple(call(CALCULATIONS[name].__name__, given) for name, given in self.modules)

    def validate(self) -> None:
        assert self.layers  # built now, so that what does not fit is refused now

    @cached_property
    def branches(self) -> tuple[object, ...]:
        return tuple((type(layer), layer.branches) for layer in self.layers)

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The shape that the last layer gives."""
        return self.layers[-1].output_shape
