"""The shapes of tensors that fit a layer, at random.

`SHAPES` says it where the shape of an input follows from the arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from calculator.layers.inputs import Shaped, Spatial
from calculator.layers.layer import Layer
from scripts.random_layers.arguments import FOR_ITS_AXES, Arguments, divisor

Sizes = tuple[int, ...]


def fitting(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    """Return a shape for each input of a layer with these arguments."""
    return SHAPES.get(owner.name, _shapes)(rng, owner, arguments)


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


def odd_shapes(rng: Random, shapes: tuple[Sizes, ...]) -> tuple[Sizes, ...]:
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
    shared = divisor(rng, heads)
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


def _squares(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    r = arguments["downscale_factor"]
    side = r if isinstance(r, int) and r > 0 and rng.random() < 0.9 else 3
    leading = [rng.randint(1, 3) for _ in range(rng.choice([1, 2, 2, 3]))]
    return ((*leading, side * rng.randint(1, 3), side * rng.randint(1, 3)),)


def _shuffled(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    groups = arguments["groups"]
    each = groups if isinstance(groups, int) and groups > 0 and rng.random() < 0.9 else 3
    positions = [rng.randint(1, 4) for _ in range(rng.randint(1, 3))]
    return ((rng.randint(1, 3), each * rng.randint(1, 3), *positions),)


def _edged(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    """Return a shape with as many axes as are padded, behind the channels."""
    given = arguments["padding"]
    axes = len(given) // 2 if isinstance(given, (tuple, list)) else len(owner.axes)
    leading = [rng.randint(1, 3) for _ in range(rng.choice([1, 2]))]
    return ((*leading, *(rng.randint(3, 5) for _ in range(axes))),)


def _between(least: int, most: int) -> Callable[..., tuple[Sizes, ...]]:
    """Return how to draw a shape of at least and at most so many dimensions."""
    return lambda rng, owner, arguments: (
        tuple(rng.randint(1, 4) for _ in range(rng.randint(least, most))),
    )


def _upsampled(rng: Random, owner: type[Layer], arguments: Arguments) -> tuple[Sizes, ...]:
    """Return a shape for the mode, and make most of the other arguments fit both."""
    needs = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}
    mode = arguments.get("mode", getattr(owner, "mode", "nearest"))
    axes = needs.get(mode, rng.choice([1, 2, 3]))
    has_mode = "mode" in owner.fields
    if has_mode and mode not in needs and rng.random() < 0.9:
        arguments["align_corners"] = None
    if has_mode and arguments.get("size") and rng.random() < 0.9:
        arguments["recompute_scale_factor"] = None
    factors = [0.29, 0.5, 0.7, 1, 1.0, 1.1, 4 / 3, 1.5, 2, 2.0, 3, rng.uniform(0.5, 3)]
    for name, numbers in (("size", range(1, 9)), ("scale_factor", factors)):
        if arguments.get(name) == FOR_ITS_AXES:
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
    "local_response_norm": _between(3, 5),
    "rotary_embedding": lambda rng, owner, given: (
        (rng.randint(1, 3), rng.randint(1, 4), rng.randint(1, 5), rng.choice([2, 4, 6, 8])),
    ),
    **dict.fromkeys(("rnn", "lstm", "gru"), _sequence),
    **dict.fromkeys(("rnn_cell", "lstm_cell", "gru_cell"), _step),
    "multihead_attention": _multihead,
    "multiply": _pair,
    "rms_norm": _trailing,
    "softmax2d": _between(3, 4),
    "scaled_dot_product_attention": _attention,
    **dict.fromkeys(("transformer_encoder_layer", "transformer_decoder_layer"), _model),
    "channel_shuffle": _shuffled,
    **{
        f"{kind}_pad{axes}d": _edged
        for kind in ("reflection", "replication", "circular")
        for axes in (1, 2, 3)
    },
    "dropout1d": _between(2, 3),
    "dropout2d": _between(1, 5),
    "dropout3d": _between(1, 5),
    "pixel_shuffle": _pixels,
    "pixel_unshuffle": _squares,
    **dict.fromkeys(("upsample", "upsampling_nearest2d", "upsampling_bilinear2d"), _upsampled),
}
