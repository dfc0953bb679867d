"""Layers in sequence, each on the output of the one before."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import Any

from calculator.calculation import CALCULATIONS, quantity
from calculator.fields import Field, InvalidField, shape
from calculator.layer import Layer, Measured

MOST_LAYERS = 1000
MOST_CHARACTERS = 100_000


class Stack(Field):
    """Layers written as torch prints or constructs them, one a line."""

    kind = "lines"

    def read(self, text: str) -> tuple[tuple[str, dict[str, Any]], ...]:
        """Return (calculation name, fields) of each line.

        Accepts `Linear(128, 64)`, `nn.Conv2d(3, 32, kernel_size=3)`, and the lines of a printed
        `torch.nn.Sequential`, `(0): Linear(in_features=128, out_features=64, bias=True)`.
        """
        if len(text) > MOST_CHARACTERS:
            raise self.refuse(f"is longer than {MOST_CHARACTERS:,} characters", text)
        return self.check(
            tuple(
                self._layer(line, number)
                for number, line in enumerate(text.splitlines(), start=1)
                if line.strip().rstrip(",") not in ("", "Sequential(", "nn.Sequential(", ")")
            )
        )

    def _layer(self, line: str, number: int) -> tuple[str, dict[str, Any]]:
        written = line.strip().rstrip(",")
        if written.startswith("("):  # the index of a printed Sequential
            written = written.partition(":")[2].strip()
        where = f"line {number}"
        try:
            call = ast.parse(written, mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            raise self.refuse(f"{where} is not a layer such as Linear(128, 64)", line) from None
        if not isinstance(call, ast.Call):
            raise self.refuse(f"{where} is not a layer such as Linear(128, 64)", line)
        name = ast.unparse(call.func).removeprefix("torch.").removeprefix("nn.")
        layer = next((each for each in layers() if each.__name__ == name), None)
        if layer is None:
            known = ", ".join(each.__name__ for each in layers())
            raise self.refuse(f"{where}: {name[:40]} is not known here; use {known}", line)
        modules = [key for key, field in layer.fields.items() if field.role == "module"]
        if len(call.args) > len(modules):
            raise self.refuse(
                f"{where}: {name} takes {len(modules)} arguments, not {len(call.args)}", line
            )
        try:
            positional = [_literal(each) for each in call.args]
            named = {each.arg or "**": _literal(each.value) for each in call.keywords}
        except (ValueError, TypeError, MemoryError, RecursionError):
            raise self.refuse(f"{where}: arguments must be plain numbers or words", line) from None
        twice = named.keys() & set(modules[: len(positional)])
        if twice:
            raise self.refuse(f"{where}: {min(twice)} is given twice", line)
        fields = dict(zip(modules, positional, strict=False)) | {
            key: value for key, value in named.items() if (name, key) != ("ReLU", "inplace")
        }
        outside = fields.keys() - set(modules)
        if outside:
            raise self.refuse(f"{where}: {min(outside)} is no argument of torch.nn.{name}", line)
        for key in modules:
            if layer.fields[key].required and key not in fields:
                raise self.refuse(
                    f"{where}: {name}() missing 1 required positional argument: {key!r}", line
                )
        return layer.name, fields

    def check(self, value: Any) -> tuple[tuple[str, dict[str, Any]], ...]:
        if isinstance(value, str):
            return self.read(value)
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


class Sequential(Measured, name="sequential"):
    """Layers run one after another, as `torch.nn.Sequential`: counts add up.

    Bytes are those of the layers run apart: each reads its input and writes its output.
    """

    modules: Any = stack(
        default="Linear(128, 64)\nReLU()\nLinear(64, 10)", label="Layers",
        help="One a line, as torch constructs or prints them.",
    )  # fmt: skip
    input_shape: tuple[int, ...] = shape(
        "n", default=(32, 128), label="Input shape", role="input",
        help="Batch first: 32, 128 or 1, 3, 32, 32.",
    )  # fmt: skip

    def validate(self) -> None:
        built: list[Layer] = []
        size = self.input_shape
        for place, (name, fields) in enumerate(self.modules, start=1):
            layer = CALCULATIONS[name]
            try:
                built.append(layer.on(size, dtype=self.dtype, **fields))  # type: ignore[attr-defined]
            except InvalidField as error:
                about = "" if error.field == "input_shape" else f"{error.field}: "
                raise InvalidField(
                    "modules",
                    f"layer {place}, {layer.__name__}: {about}{error.message}",
                    given=call(layer.__name__, fields),
                ) from None
            size = built[-1].output_shape
        self.__dict__["layers"] = tuple(built)

    layers: tuple[Layer, ...]

    @cached_property
    def branches(self) -> tuple[object, ...]:
        return tuple((type(layer), layer.branches) for layer in self.layers)

    @quantity()
    def output_shape(self) -> tuple[int, ...]:
        """The shape that the last layer gives."""
        return self.layers[-1].output_shape

    @quantity()
    def macs(self) -> int:
        """The sum over the layers."""
        return sum(layer.macs for layer in self.layers)

    @quantity()
    def params(self) -> int:
        """The sum over the layers."""
        return sum(layer.params for layer in self.layers)

    @quantity()
    def operations(self) -> dict[str, int]:
        """The sum over the layers, kind by kind."""
        kinds = dict.fromkeys(kind for layer in self.layers for kind in layer.operations)
        return {kind: sum(layer.operations.get(kind, 0) for layer in self.layers) for kind in kinds}

    @quantity()
    def weight_bytes(self) -> int:
        """The sum over the layers."""
        return sum(layer.weight_bytes for layer in self.layers)

    @quantity()
    def input_bytes(self) -> int:
        """What each layer reads of its input, one after another, nothing fused."""
        return sum(layer.input_bytes for layer in self.layers)

    @quantity()
    def output_bytes(self) -> int:
        """What each layer writes, nothing fused."""
        return sum(layer.output_bytes for layer in self.layers)
