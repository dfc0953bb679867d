"""What a caller may give as a layer's arguments, right and wrong, at random.

Fields are drawn by their kind; `USUAL` and `ODD` say it better where a name tells more. A new layer
needs a line only where its arguments hang together.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from calculator.core.fields import Choice, Decision, Field, Flag, Size
from calculator.core.measure_fields import Real
from calculator.core.tensor_fields import Extent, Factor, PerAxis, Shape
from calculator.layers.layer import Layer
from calculator.layers.windows import Windows

Arguments = dict[str, Any]


def value(
    rng: Random, owner: type[Layer], field: Field, arguments: Arguments, strange: bool
) -> Any:
    """Return what a field is given, after the arguments before it; odd where it is `strange`."""
    if strange:
        odd = ODD.get(field.name)
        return odd(rng, owner) if odd else _odd(rng, field)
    usual = USUAL.get(field.name)
    return usual(rng, owner, arguments) if usual else _usual(rng, field)


def _usual(rng: Random, field: Field) -> Any:
    if isinstance(field, Flag):
        return rng.random() < 0.5
    if isinstance(field, Decision):
        return rng.choice([None, True, False])
    if isinstance(field, Choice):
        return rng.choice(list(field.options))
    if isinstance(field, PerAxis):
        return per_axis(rng, len(field.axes), max(1, field.minimum), 3)
    if isinstance(field, Size):
        return rng.randint(max(1, field.minimum), 4)
    if isinstance(field, Real):
        return rng.choice([field.default, 0.1, 0.75, 1])
    return field.default


def _odd(rng: Random, field: Field) -> Any:
    if isinstance(field, (Flag, Decision)):
        return _usual(rng, field)
    if isinstance(field, Choice):
        return rng.choice([*field.options, "other", ""])
    if isinstance(field, Factor):
        one = [-1, -1.5, 0, 0.1, 0.29, 1 / 3, 2, 2.5]
        return rng.choice([*one, tuple(rng.choice(one) for _ in range(rng.randint(0, 4))), [2, 2]])
    if isinstance(field, Extent):
        return odd_per_axis(rng, rng.choice([1, 2, 3]))
    if isinstance(field, PerAxis):
        return odd_per_axis(rng, len(field.axes))
    if isinstance(field, Shape):
        return rng.choice([(), (2,), 3, [2, 3], -1, (0,), 1.5])
    if isinstance(field, Size):
        return rng.choice([-2, -1, 0, 1, 2, 3, 5, 1.0, 1.5, "3", None])
    if isinstance(field, Real):
        return rng.choice([-1, 0, 0.5, 1, 1.5, 3, "3", None])
    return field.default


def per_axis(rng: Random, axes: int, least: int, most: int) -> Any:
    """Return an int, or a tuple or list with one for each axis."""
    each = [rng.randint(least, most) for _ in range(axes)]
    return rng.choice([each[0], tuple(each), each])


def sizes_as_given(rng: Random, least: int, most: int) -> Any:
    """Return so many sizes, an int being one, in a tuple or a list."""
    each = [rng.randint(1, 4) for _ in range(rng.randint(least, most))]
    return rng.choice([tuple(each), each, each[0]])


def odd_per_axis(rng: Random, axes: int) -> Any:
    """Return what is wrong or unusual: zero, negative, fractional, a wrong number of numbers."""
    length = rng.choice([axes, axes, 0, 1, axes + 1, axes + 2])
    each = [rng.choice([1, 0, -1, 2, 3, -2]) for _ in range(length)]
    return rng.choice([rng.choice([1, 0, -1, 2, 3, -2, 1.0, 1.5]), tuple(each), each])


def divisor(rng: Random, *numbers: Any) -> int:
    """Return 1, 2 or 3, one that divides all of the numbers."""
    fits = [
        n for n in (1, 2, 3) if all(isinstance(each, int) and each % n == 0 for each in numbers)
    ]
    return rng.choice(fits or [1])


def _below(rng: Random, number: Any) -> int:
    return rng.randrange(number) if isinstance(number, int) and number > 0 else 0


def _padding(rng: Random, owner: type[Layer], arguments: Arguments) -> Any:
    axes, field = len(owner.axes), owner.fields["padding"]
    if isinstance(field, Extent):
        edges = [rng.choice([0, 1, 2, -1]) for _ in range(2 * rng.randint(0, axes))]
        return rng.choice([rng.choice([0, 1, 2, -1]), tuple(edges), edges])
    if issubclass(owner, Windows):
        kernel = arguments["kernel_size"]
        sizes = kernel if isinstance(kernel, (list, tuple)) else [kernel] * axes
        halves = [each // 2 if isinstance(each, int) and each > 0 else 0 for each in sizes]
        each = [rng.randint(0, half) for half in (halves if len(halves) == axes else [0] * axes)]
        return rng.choice([min(each), tuple(each), each])
    if isinstance(field, PerAxis) and "same" in field.words and rng.random() < 0.3:
        arguments["stride"] = 1
        return rng.choice(["same", "valid"])
    return per_axis(rng, axes, 0, 1)


def _dim(rng: Random, owner: type[Layer], arguments: Arguments) -> int | None:
    field = owner.fields["dim"]
    left_out = [None] if isinstance(field, Size) and field.optional else []
    return rng.choice([-2, -1, 0, 1, *left_out])


def _target(rng: Random, owner: type[Layer]) -> Any:
    """Return an int, or a tuple with a number for each axis, of several axes None too."""
    axes = len(owner.axes)
    each = [rng.choice([1, 1, 2, 3, 4, 7, *([None] if axes > 1 else [])]) for _ in range(axes)]
    return rng.choice([rng.randint(1, 5), 1, tuple(each), each])


FOR_ITS_AXES = "one for all or one each"  # drawn with the shape


def _embedding(arguments: Arguments) -> int:
    each = arguments["embed_dim"]
    return each if type(each) is int and each > 0 else 4


USUAL: dict[str, Callable[[Random, type[Layer], Arguments], Any]] = {
    "in_channels": lambda rng, owner, given: rng.choice([1, 2, 3, 4, 6]),
    "out_channels": lambda rng, owner, given: rng.choice([1, 2, 3, 4, 6]),
    "groups": lambda rng, owner, given: (
        divisor(rng, given["in_channels"], given["out_channels"])
        if "in_channels" in owner.fields
        else rng.randint(1, 4)
    ),
    "num_channels": lambda rng, owner, given: rng.choice([1, 2, 3, 4, 6]),
    "num_groups": lambda rng, owner, given: rng.choice([1, 1, 2, 3]),
    "num_parameters": lambda rng, owner, given: rng.choice([1, 1, 2, 3]),
    "padding": _padding,
    "output_padding": lambda rng, owner, given: rng.choice([0, 0, 1]),
    "dim": _dim,
    "normalized_shape": lambda rng, owner, given: sizes_as_given(rng, 1, 3),
    "hidden_size": lambda rng, owner, given: (
        rng.choice([8, 16]) if "num_attention_heads" in owner.fields else rng.randint(1, 4)
    ),
    "num_attention_heads": lambda rng, owner, given: rng.choice([1, 2, 4]),
    "num_experts_per_tok": lambda rng, owner, given: rng.choice([1, 2, 2]),
    "num_hidden_layers": lambda rng, owner, given: rng.choice([1, 1, 2]),
    "num_local_experts": lambda rng, owner, given: rng.choice([None, 2, 3, 4]),
    "num_key_value_heads": lambda rng, owner, given: rng.choice(
        [None, 1, divisor(rng, given["num_attention_heads"])]
    ),
    "head_dim": lambda rng, owner, given: rng.choice([None, 2, 4]),
    "sliding_window": lambda rng, owner, given: rng.choice([None, 1, 2, 3, 9]),
    "divisor_override": lambda rng, owner, given: rng.choice([None, 1, 3, -2]),
    "output_size": lambda rng, owner, given: _target(rng, owner),
    "size": lambda rng, owner, given: (
        rng.choice([None, FOR_ITS_AXES]) if "scale_factor" in owner.fields else rng.randint(1, 5)
    ),
    "scale_factor": lambda rng, owner, given: None if given.get("size") else FOR_ITS_AXES,
    "start_dim": lambda rng, owner, given: rng.randint(-3, 2),
    "end_dim": lambda rng, owner, given: rng.randint(-3, 2),
    "embed_dim": lambda rng, owner, given: rng.choice([2, 4, 6, 8]),
    "num_heads": lambda rng, owner, given: divisor(rng, given["embed_dim"]),
    "d_model": lambda rng, owner, given: rng.choice([2, 4, 6, 8]),
    "nhead": lambda rng, owner, given: divisor(rng, given["d_model"]),
    "dim_feedforward": lambda rng, owner, given: rng.randint(1, 9),
    "kdim": lambda rng, owner, given: rng.choice([None, None, _embedding(given), 3]),
    "vdim": lambda rng, owner, given: rng.choice([None, _embedding(given), given.get("kdim"), 5]),
    "dropout_p": lambda rng, owner, given: rng.choice([0, 0.0, 0.1, 1.0]),
    "scale": lambda rng, owner, given: rng.choice([None, 0.5, 2]),
    "window_size": lambda rng, owner, given: (
        rng.choice([None, 1, 2, 3, 9]) if given.get("is_causal") else None
    ),
    "dropout": lambda rng, owner, given: rng.choice([0, 0.0, 0.5, 1.0]),
    "padding_idx": lambda rng, owner, given: (
        rng.choice([None, _below(rng, given["num_embeddings"])]) or None
    ),
    "max_norm": lambda rng, owner, given: rng.choice([None, None, 1, 0.5]),
    "norm_type": lambda rng, owner, given: rng.choice([2.0, 1, 3.0]),
    "num_layers": lambda rng, owner, given: rng.choice([1, 1, 2, 3]),
    "proj_size": lambda rng, owner, given: _below(rng, given["hidden_size"]),
}
ODD: dict[str, Callable[[Random, type[Layer]], Any]] = {
    "normalized_shape": lambda rng, owner: rng.choice([(), 0, -1, 2, [3, 2], (2, 0), 1.5, None]),
    "max_norm": lambda rng, owner: rng.choice([-1, 0, "1", None, 1e9]),
    "norm_type": lambda rng, owner: rng.choice([0.5, 4, 1e9]),
    "dropout": lambda rng, owner: rng.choice([-0.5, 1.5, 2, 0.25, None, True, "0.5"]),
    "padding": lambda rng, owner: (
        rng.choice(["same", "valid", "full", "Same", ""])
        if getattr(owner.fields["padding"], "words", None) and rng.random() < 0.5
        else odd_per_axis(rng, len(owner.axes) * (1 + isinstance(owner.fields["padding"], Extent)))
    ),
    "dropout_p": lambda rng, owner: rng.choice([-0.5, 1.5, 1, "0.5", None]),
    "scale": lambda rng, owner: rng.choice([0, -1.5, "0.5", None]),
    "mode": lambda rng, owner: rng.choice(["lanczos", "other", ""]),
}
