"""Random layers: what a caller may write to torch.nn, right and wrong."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

AXES = {"1": ("length",), "2": ("height", "width"), "3": ("depth", "height", "width")}
CONVOLUTIONS = [f"Conv{n}d" for n in AXES]
TRANSPOSED = [f"ConvTranspose{n}d" for n in AXES]
LAYERS = ["Linear", *CONVOLUTIONS, *TRANSPOSED]
SPATIAL = [
    "in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups",
    "padding_mode",
]  # fmt: skip
ARGUMENTS = {
    "Linear": ["in_features", "out_features"],
    **dict.fromkeys(CONVOLUTIONS, SPATIAL),
    **{name: [*SPATIAL, "output_padding"] for name in TRANSPOSED},
}
PADDING_MODES = ["zeros", "reflect", "replicate", "circular"]


@dataclass(frozen=True)
class Configuration:
    """A layer to construct, by its name in torch.nn, and the input it is run on."""

    name: str
    arguments: dict[str, Any]
    sizes: dict[str, int | None]
    input_shape: tuple[int, ...]


def per_axis(axes: int, least: int, most: int) -> st.SearchStrategy[Any]:
    """An int, or a tuple or list with one for each axis."""
    number = st.integers(least, most)
    each = st.lists(number, min_size=axes, max_size=axes)
    return number | each.map(tuple) | each


def odd_per_axis(axes: int, *, lone: bool = True) -> st.SearchStrategy[Any]:
    """What is wrong or unusual: zero, negative, fractional, tuples of a wrong length.

    `lone` says whether a tuple of one is among them where there are more axes.
    """
    number = st.sampled_from([1, 0, -1, 2, 3, -2])
    each = st.lists(number, min_size=axes, max_size=axes)
    lengths = st.sampled_from([0, 1, axes + 1, axes + 2] if lone else [0, axes + 1, axes + 2])
    wrong = lengths.flatmap(lambda n: st.lists(number, min_size=n, max_size=n))
    return number | each.map(tuple) | each | wrong.map(tuple) | st.sampled_from([1.0, 1.5])


@st.composite
def convolutions(draw: st.DrawFn, name: str, *, odd: str = "") -> Configuration:
    """A convolution, forward or transposed, in which the argument `odd` may be unusual."""
    axes = AXES[name[-2]]
    transposed = name in TRANSPOSED
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    usual: dict[str, Any] = {
        "in_channels": st.integers(1, 2).map(lambda each: each * groups),
        "out_channels": st.integers(1, 2).map(lambda each: each * groups),
        "kernel_size": per_axis(len(axes), 1, 3),
        "stride": per_axis(len(axes), 1, 3),
        "padding": per_axis(len(axes), 0, 1 if transposed else 2),
        "dilation": per_axis(len(axes), 1, 2),
        "groups": st.just(groups),
        "bias": st.booleans(),
        "padding_mode": st.just("zeros") if transposed else st.sampled_from(PADDING_MODES),
    }
    if transposed:
        usual["output_padding"] = st.sampled_from([0, 0, 0, 1]) | per_axis(len(axes), 0, 1)
    elif draw(st.sampled_from([False, False, True])):
        usual |= {"padding": st.sampled_from(["same", "valid"]), "stride": st.just(1)}
    unusual = {
        "in_channels": st.integers(-1, 4).filter(bool),
        "out_channels": st.integers(-1, 4).filter(bool),
        "groups": st.integers(-1, 4) | st.just(1.0),
        "padding": odd_per_axis(len(axes), lone=False)
        | st.sampled_from(["same", "valid", "full", "Same", ""]),
        "padding_mode": st.sampled_from([*PADDING_MODES, "constant"]),
        "dilation": odd_per_axis(len(axes), lone=False),
        **dict.fromkeys(("kernel_size", "stride"), odd_per_axis(len(axes))),
        **({"output_padding": odd_per_axis(len(axes))} if transposed else {}),
    }
    arguments = {key: draw(strategy) for key, strategy in usual.items()}
    if odd:
        arguments[odd] = draw(unusual[odd])
    batch_size = draw(st.integers(1, 2))
    sizes = {axis: draw(st.sampled_from([5, 7, 6, 4, 3, 2, 1])) for axis in axes}
    channels = max(1, arguments["in_channels"])
    return Configuration(
        name,
        arguments,
        {"batch_size": batch_size, **sizes},
        (batch_size, channels, *sizes.values()),
    )


@st.composite
def linears(draw: st.DrawFn, *, odd: str = "") -> Configuration:
    """A Linear on rows or on sequences of rows."""
    feature = st.integers(1, 12)
    arguments = {
        "in_features": draw(feature),
        "out_features": draw(feature),
        "bias": draw(st.booleans()),
    }
    if odd:
        arguments[odd] = draw(feature | st.sampled_from([-1, 1.0, None, "3"]))
    batch_size, sequence_length = draw(st.integers(1, 5)), draw(st.none() | st.integers(1, 5))
    leading = [each for each in (batch_size, sequence_length) if each is not None]
    given = arguments["in_features"]
    features = given if isinstance(given, int) and given > 0 else 3
    return Configuration(
        "Linear",
        arguments,
        {"batch_size": batch_size, "sequence_length": sequence_length},
        (*leading, features),
    )


def layers(name: str, *, odd: str = "") -> st.SearchStrategy[Configuration]:
    """The layer of a name: as it is meant, but for the argument `odd`, which may be anything."""
    if name == "Linear":
        return linears(odd=odd)
    return convolutions(name, odd=odd)
