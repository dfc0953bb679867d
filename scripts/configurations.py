"""Random layers: what a caller may write to torch, right and wrong, on what tensors.

Fields are drawn by their kind; `USUAL` and `ODD` say it better where a name tells more, `SHAPES`
where the shape of an input follows from the arguments. A new layer needs a line only where its
arguments hang together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from calculator import CALCULATIONS
from calculator.axes import PerAxis, Shape
from calculator.extents import Extent, Factor
from calculator.fields import Choice, Decision, Field, Flag, Size
from calculator.layer import Layer
from calculator.rates import Real
from calculator.shaped import Shaped
from calculator.spatial import Spatial
from calculator.windows import Windows

Arguments = dict[str, Any]
Sizes = tuple[int, ...]


@dataclass(frozen=True)
class Configuration:
    """A layer to construct, how it is called, and the shapes of its inputs.

    `wrong` names what was drawn from odd values; nothing else is meant to be refused.
    """

    layer: str
    arguments: Arguments
    call: Arguments
    shapes: tuple[Sizes, ...]
    wrong: tuple[str, ...] = ()

    @classmethod
    def like(cls, layer: Layer) -> Configuration:
        """Return the configuration that a layer of ours was made of."""
        call = {field.name: getattr(layer, field.name) for field in _called(type(layer))}
        return cls(layer.name, layer.module_arguments(), call, layer.input_shapes())

    @property
    def owner(self) -> type[Layer]:
        """Our class."""
        return LAYERS[self.layer]

    def ours(self, **more: Any) -> Layer:
        """Return our layer; raise InvalidField where it is refused."""
        return self.owner.on(*self.shapes, **self.arguments, **self.call, **more)

    def simpler(self) -> Iterator[Configuration]:
        """Yield what is like this one but for one thing that is usual or smaller."""
        for name in self.arguments:
            field = self.owner.fields[name]
            if not field.required and self.arguments[name] != field.default:
                yield replace(self, arguments={**self.arguments, name: field.default})
        for place, shape in enumerate(self.shapes):
            for axis, size in enumerate(shape):
                if size > 1:
                    less = (*shape[:axis], size - 1, *shape[axis + 1 :])
                    shapes = (*self.shapes[:place], less, *self.shapes[place + 1 :])
                    yield replace(self, shapes=shapes)


LAYERS: dict[str, type[Layer]] = {
    name: owner for name, owner in CALCULATIONS.items() if issubclass(owner, Layer)
}


def draw(rng: Random, layer: str, odd: bool = False) -> Configuration:
    """Return a random configuration of a layer, with one odd argument or shape where `odd`."""
    owner = LAYERS[layer]
    fields = [field for field in owner.fields.values() if field.role == "module"]
    strange = rng.choice([*(field.name for field in fields), "shape"]) if odd else ""
    arguments: Arguments = {}
    for field in fields:
        if not field.required and field.name != strange and rng.random() < 0.25:
            continue  # torch's own default
        arguments[field.name] = _value(rng, owner, field, arguments, field.name == strange)
    call = {
        field.name: _value(rng, owner, field, arguments, strange=False) for field in _called(owner)
    }
    shapes = SHAPES.get(layer, _shapes)(rng, owner, arguments)
    if strange == "shape":
        shapes = _odd_shapes(rng, shapes)
    return Configuration(layer, arguments, call, shapes, (strange,) if strange else ())


def _called(owner: type[Layer]) -> list[Field]:
    """Return the fields that say how a module is called, the shapes of its inputs apart."""
    fields = owner.fields.values()
    return [each for each in fields if each.role == "input" and isinstance(each, (Flag, Choice))]


def _value(
    rng: Random, owner: type[Layer], field: Field, arguments: Arguments, strange: bool
) -> Any:
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
    if isinstance(field, Flag):
        return rng.random() < 0.5
    if isinstance(field, Decision):
        return rng.choice([None, True, False])
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


def _divisor(rng: Random, *numbers: Any) -> int:
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


_FOR_ITS_AXES = "one for all or one each"  # drawn with the shape

USUAL: dict[str, Callable[[Random, type[Layer], Arguments], Any]] = {
    "in_channels": lambda rng, owner, given: rng.choice([1, 2, 3, 4, 6]),
    "out_channels": lambda rng, owner, given: rng.choice([1, 2, 3, 4, 6]),
    "groups": lambda rng, owner, given: _divisor(rng, given["in_channels"], given["out_channels"]),
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
        [None, 1, _divisor(rng, given["num_attention_heads"])]
    ),
    "head_dim": lambda rng, owner, given: rng.choice([None, 2, 4]),
    "sliding_window": lambda rng, owner, given: rng.choice([None, 1, 2, 3, 9]),
    "divisor_override": lambda rng, owner, given: rng.choice([None, 1, 3, -2]),
    "output_size": lambda rng, owner, given: _target(rng, owner),
    "size": lambda rng, owner, given: (
        rng.choice([None, _FOR_ITS_AXES]) if "scale_factor" in owner.fields else rng.randint(1, 5)
    ),
    "scale_factor": lambda rng, owner, given: None if given.get("size") else _FOR_ITS_AXES,
    "start_dim": lambda rng, owner, given: rng.randint(-3, 2),
    "end_dim": lambda rng, owner, given: rng.randint(-3, 2),
    "embed_dim": lambda rng, owner, given: rng.choice([2, 4, 6, 8]),
    "num_heads": lambda rng, owner, given: _divisor(rng, given["embed_dim"]),
    "d_model": lambda rng, owner, given: rng.choice([2, 4, 6, 8]),
    "nhead": lambda rng, owner, given: _divisor(rng, given["d_model"]),
    "dim_feedforward": lambda rng, owner, given: rng.randint(1, 9),
    "kdim": lambda rng, owner, given: rng.choice([None, None, given["embed_dim"], 3]),
    "vdim": lambda rng, owner, given: rng.choice([None, given["embed_dim"], given.get("kdim"), 5]),
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
}


def _shapes(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    if issubclass(owner, Shaped):
        return (tuple(rng.randint(1, 4) for _ in range(rng.randint(1, 4))),)
    if issubclass(owner, Spatial):
        channels = arguments.get(owner.channels_field, rng.randint(1, 4))
        known = isinstance(channels, int) and channels > 0
        sizes = [rng.choice([5, 7, 6, 4, 3, 2, 1]) for _ in owner.axes]
        leading = rng.choice([[], [1], [2]])
        return ((*leading, channels if known else 3, *sizes),)
    raise KeyError(f"no shape is known for {owner.__name__}: add a line to SHAPES")


def _odd_shapes(rng: Random, shapes: tuple[Sizes, ...]) -> tuple[Sizes, ...]:
    """Return the shapes with one dimension more, less or larger in one of them."""
    place = rng.randrange(len(shapes))
    shape = list(shapes[place])
    change = rng.choice(["more", "less", "larger"])
    if change == "more":
        shape.insert(rng.randint(0, len(shape)), rng.randint(1, 3))
    elif change == "less" and len(shape) > 1:
        shape.pop(rng.randrange(len(shape)))
    else:
        shape[rng.randrange(len(shape))] += rng.randint(1, 3)
    return (*shapes[:place], tuple(shape), *shapes[place + 1 :])


def _linear(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    features = arguments["in_features"]
    known = isinstance(features, int) and features > 0
    leading = [rng.randint(1, 4) for _ in range(rng.randint(0, 3))]
    return ((*leading, features if known else 3),)


def _attention(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    batch, heads, queries, keys, each, value = (rng.randint(1, 4) for _ in range(6))
    shared = _divisor(rng, heads)
    return (
        (batch, heads, queries, each),
        (batch, heads // shared, keys, each),
        (batch, heads // shared, keys, rng.choice([each, value])),
    )


def _multihead(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    """A query alone, with a memory, or with a key and a value."""
    embedding, key, value = (arguments.get(name) for name in ("embed_dim", "kdim", "vdim"))
    each = _known(embedding, 4)
    batch, queries, keys = rng.choice([None, 1, 2, 3]), rng.randint(1, 5), rng.randint(1, 5)

    def sized(length: int, features: int) -> Sizes:
        if batch is None:
            return (length, features)
        first = arguments.get("batch_first") is True
        return (batch, length, features) if first else (length, batch, features)

    shapes = sized(queries, each), sized(keys, _known(key, each)), sized(keys, _known(value, each))
    return shapes[: rng.choice([1, 2, 3] if key == value == embedding else [3, 3, 3, 2, 1])]


def _model(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    """A sequence, and a memory for the layers that read one."""
    given = {"embed_dim": arguments["d_model"], "batch_first": arguments.get("batch_first")}
    shapes = _multihead(rng, owner, given)
    wanted = 1 + len(owner.more_inputs)
    return (*shapes, *shapes[-1:])[:wanted]


def _known(size: Any, otherwise: int) -> int:
    return size if type(size) is int and size > 0 else otherwise


def _sequence(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    return _features(rng, arguments, rng.choice([1, 2]))


def _step(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    return _features(rng, arguments, rng.choice([0, 1]))


def _features(rng: Random, arguments: Arguments, leading: int) -> tuple[Sizes, ...]:
    features = arguments["input_size"]
    known = isinstance(features, int) and features > 0
    return ((*(rng.randint(1, 4) for _ in range(leading)), features if known else 3),)


def _trailing(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    wanted = arguments["normalized_shape"]
    sizes = wanted if isinstance(wanted, (tuple, list)) else [wanted]
    known = [size if isinstance(size, int) and size > 0 else 2 for size in sizes]
    leading = [rng.randint(1, 3) for _ in range(rng.randint(0 if known else 1, 2))]
    return ((*leading, *known),)


def _even(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    return (tuple(rng.choice([2, 4, 6, 1, 3]) for _ in range(rng.randint(1, 4))),)


def _pair(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    full = [rng.randint(1, 4) for _ in range(rng.randint(1, 4))]
    repeated = [[rng.choice([size, size, 1]) for size in full] for _ in range(2)]
    cut = [shape[rng.choice([0, 0, rng.randrange(len(full))]) :] for shape in repeated]
    return tuple(map(tuple, cut))


def _normalized(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    if owner.axes == "L" and rng.random() < 0.3:
        return ((rng.randint(1, 3), *_channels(arguments, "num_features")),)
    shape = _shapes(rng, owner, arguments)[0]
    return (shape if len(shape) == len(owner.axes) + 2 else (rng.randint(1, 3), *shape),)


def _grouped(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    positions = [rng.randint(1, 4) for _ in range(rng.randint(0, 3))]
    return ((rng.randint(1, 3), *_channels(arguments, "num_channels"), *positions),)


def _channels(arguments: Arguments, name: str) -> list[int]:
    channels = arguments[name]
    return [channels if isinstance(channels, int) and channels > 0 else 3]


def _high(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    return (tuple(rng.randint(1, 4) for _ in range(rng.randint(3, 5))),)


def _alike(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    dim = arguments.get("dim", 0)
    shape = [rng.randint(1, 4) for _ in range(rng.randint(1, 4))]
    many = [list(shape) for _ in range(rng.randint(1, 4))]
    if isinstance(dim, int) and -len(shape) <= dim < len(shape):
        for each in many:
            each[dim] = rng.randint(1, 4)
    return tuple(map(tuple, many))


def _tokens(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    """New tokens, and the keys and values of those before them where there are any."""
    hidden, heads, shared, each = (
        arguments.get(name, owner.fields[name].default)
        for name in ("hidden_size", "num_attention_heads", "num_key_value_heads", "head_dim")
    )
    known = all(type(size) is int and size > 0 for size in (hidden, heads))
    shared = shared if type(shared) is int and shared > 0 else heads
    each = each if type(each) is int and each > 0 else hidden // heads if known else 2
    batch, length, past = (
        rng.randint(1, 3),
        rng.choice([1, 1, 2, 3, 5]),
        rng.choice([0, 0, 1, 2, 4]),
    )
    cache = (batch, shared if known else 1, past, max(each, 1))
    return ((batch, length, hidden if known else 8), *((cache, cache) if past else ()))


def _words(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    """New words, and a cache for each block."""
    tokens, *caches = _tokens(rng, owner, arguments)
    blocks = arguments["num_hidden_layers"]
    return (tokens[:2], *(caches * (blocks if isinstance(blocks, int) else 1)))


def _bags(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    return ((rng.randint(1, 4), rng.randint(1, 4)),)


def _two_inputs(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    leading = tuple(rng.randint(1, 4) for _ in range(rng.randint(0, 2)))
    given = (arguments[name] for name in ("in1_features", "in2_features"))
    known = (each if isinstance(each, int) and each > 0 else 3 for each in given)
    return tuple((*leading, features) for features in known)


def _indices(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    return (tuple(rng.randint(1, 4) for _ in range(rng.randint(1, 3))),)


def _pixels(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    r = arguments["upscale_factor"]
    square = r * r if isinstance(r, int) and rng.random() < 0.9 else 3
    leading = [rng.randint(1, 3) for _ in range(rng.choice([0, 1, 1, 2]))]
    return ((*leading, square * rng.randint(1, 2), rng.randint(1, 4), rng.randint(1, 4)),)


def _upsampled(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    """Return a shape for the mode, and make most of the other arguments fit both."""
    needs = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}
    mode = arguments.get("mode", "nearest")
    axes = needs.get(mode, rng.choice([1, 2, 3]))
    if mode not in needs and rng.random() < 0.9:
        arguments["align_corners"] = None
    if arguments.get("size") and rng.random() < 0.9:
        arguments["recompute_scale_factor"] = None
    factors = [0.29, 0.5, 0.7, 1, 1.0, 1.1, 4 / 3, 1.5, 2, 2.0, 3, rng.uniform(0.5, 3)]
    for name, numbers in (("size", range(1, 9)), ("scale_factor", factors)):
        if arguments.get(name) == _FOR_ITS_AXES:
            each = [rng.choice(numbers) for _ in range(axes)]
            arguments[name] = rng.choice(
                [each[0], tuple(each), *([each] if name == "size" else [])]
            )
    return ((rng.randint(1, 2), rng.randint(1, 2), *(rng.randint(1, 6) for _ in range(axes))),)


SHAPES: dict[str, Callable[[Random, type[Layer], Arguments], tuple[Sizes, ...]]] = {
    "add": _pair,
    **{f"batch_norm{axes}d": _normalized for axes in (1, 2, 3)},
    "cat": _alike,
    "grouped_query_attention": _tokens,
    "bilinear": _two_inputs,
    "embedding": _indices,
    "embedding_bag": _bags,
    "glu": _even,
    "group_norm": _grouped,
    "layer_norm": _trailing,
    "llama": _words,
    "llama_decoder_layer": _tokens,
    "linear": _linear,
    "local_response_norm": _high,
    "rotary_embedding": lambda rng, owner, given: (
        (rng.randint(1, 3), rng.randint(1, 4), rng.randint(1, 5), rng.choice([2, 4, 6, 8])),
    ),
    **dict.fromkeys(("rnn", "lstm", "gru"), _sequence),
    **dict.fromkeys(("rnn_cell", "lstm_cell", "gru_cell"), _step),
    "multihead_attention": _multihead,
    "multiply": _pair,
    "rms_norm": _trailing,
    "scaled_dot_product_attention": _attention,
    **dict.fromkeys(("transformer_encoder_layer", "transformer_decoder_layer"), _model),
    "pixel_shuffle": _pixels,
    "upsample": _upsampled,
}
