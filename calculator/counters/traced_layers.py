"""What torch runs of layers one by one, of those that are not one operator of their own name."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

from calculator.counters.operators import Mode, Operator, Shape, Traced, Traces, named
from calculator.counters.tool import (
    UPSAMPLES,
    Raised,
    on_axes,
)

TRACES = Traces()


@TRACES.of("identity")
def _identity(layer: Any, mode: Mode) -> Traced:
    return ()


@TRACES.of("softsign", "softmin", "tanhshrink")
def _composed(layer: Any, mode: Mode) -> Traced:
    return named(_COMPOSED[layer.name])


_COMPOSED = {"softsign": "abs add div", "softmin": "neg softmax", "tanhshrink": "tanh sub"}


@TRACES.of(*on_axes("dropout"))
def _channel_dropout(layer: Any, mode: Mode) -> Iterator[Operator]:
    in_place = "_" if layer.inplace else ""
    alone = layer.leading == 1  # without a batch
    yield from named(f"unsqueeze{in_place}" if alone else "")
    yield Operator(f"feature_dropout{in_place}")
    yield from named(f"squeeze{in_place}" if alone else "")


@TRACES.of("alpha_dropout")
def _alpha_dropout(layer: Any, mode: Mode) -> Traced:
    return named("alpha_dropout")


@TRACES.of(*on_axes("conv"))
def _convolution(layer: Any, mode: Mode) -> Iterator[Operator]:
    if layer.padding_mode != "zeros":
        yield Operator("pad")
    worded = isinstance(layer.padding, str) and layer.padding_mode == "zeros"
    weight = layer.out_channels, layer.in_channels // layer.groups, *layer.kernel_size
    yield _convolved(layer, "_convolution_mode" if worded else "_convolution", weight)


@TRACES.of(*on_axes("conv_transpose"))
def _transposed(layer: Any, mode: Mode) -> Iterator[Operator]:
    weight = layer.in_channels, layer.out_channels // layer.groups, *layer.kernel_size
    yield _convolved(layer, "_convolution", weight, flag=True)


def _convolved(layer: Any, name: str, weight: Shape, *, flag: bool = False) -> Operator:
    taken = layer.samples(), layer.in_channels, *layer.input_size()
    made = layer.samples(), layer.out_channels, *layer.output_size
    return Operator(name, made, (taken, weight), flag)


@TRACES.of(*on_axes("max_pool"))
def _max_pool(layer: Any, mode: Mode) -> Iterator[Operator]:
    yield Operator(f"{layer.name}_with_indices" if layer.return_indices else layer.name)


@TRACES.of(*UPSAMPLES)
def _upsample(layer: Any, mode: Mode) -> Iterator[Operator]:
    axes = len(layer.shape) - 2
    averages = layer.mode == "area" and layer.size is None
    if layer.recompute_scale_factor or averages:  # each size times its factor
        yield Operator("mul", times=axes)
    name = {
        "area": f"adaptive_avg_pool{axes}d",
        "nearest": f"upsample_nearest{axes}d",
        "nearest-exact": f"_upsample_nearest_exact{axes}d",
    }.get(layer.mode, f"upsample_{layer.mode}{axes}d")
    yield Operator(name, layer.output_shape, (layer.shape,))


@TRACES.of("local_response_norm")
def _local_response(layer: Any, mode: Mode) -> Iterator[Operator]:
    shape = layer.input_shape
    pool = "avg_pool2d" if len(shape) == 3 else "avg_pool3d"
    yield Operator("mul", shape, times=2)
    yield Operator(pool, shape)
    yield from named("pad add pow div")


@TRACES.of("layer_norm", "group_norm")
def _norm(layer: Any, mode: Mode) -> Iterator[Operator]:
    yield _normalised(layer)


def _normalised(layer: Any, *, flag: bool = False) -> Operator:
    weight = ((layer.weight_size(),),) if layer.scales() else ()
    name = layer.name.removesuffix("1d").removesuffix("2d").removesuffix("3d")
    return Operator(name, layer.output_shape, (layer.input_shape, *weight), flag)


@TRACES.of(*on_axes("batch_norm"))
def _batch_norm(layer: Any, mode: Mode) -> Iterator[Operator]:
    if mode.training and layer.track_running_stats:  # the batches are counted
        yield Operator("add_")
    own = mode.training or not layer.track_running_stats
    if own and prod(layer.input_shape) == layer.input_shape[1]:
        raise Raised(
            "ValueError: Expected more than 1 value per channel when training, got input size "
            f"torch.Size({[*layer.input_shape]})"
        )
    yield _normalised(layer, flag=own)


@TRACES.of(*on_axes("instance_norm"))
def _instance_norm(layer: Any, mode: Mode) -> Iterator[Operator]:
    own = mode.training or not layer.track_running_stats
    if own and prod(layer.input_size()) == 1:
        raise Raised("ValueError: Expected more than 1 spatial element when training")
    yield _normalised(layer)


@TRACES.of("embedding", "embedding_bag")
def _embedding(layer: Any, mode: Mode) -> Iterator[Operator]:
    if layer.name == "embedding_bag":
        yield Operator("numel")
    if layer.max_norm is not None:
        yield Operator("embedding_renorm_")
    yield Operator(layer.name)


@TRACES.of("rnn", "gru", "lstm")
def _recurrent(layer: Any, mode: Mode) -> Iterator[Operator]:
    name = f"rnn_{layer.nonlinearity}" if layer.name == "rnn" else layer.name
    leading = layer.sequence_length, layer.samples()
    taken = *leading, layer.input_size
    made = *leading, layer.directions() * layer.state_size()
    state = layer.directions() * layer.num_layers, layer.samples(), layer.state_size()
    yield Operator(name, made, (taken, state))


@TRACES.of("rnn_cell", "gru_cell", "lstm_cell")
def _cell(layer: Any, mode: Mode) -> Iterator[Operator]:
    rows, units = layer.samples(), layer.hidden_size
    gates = rows, layer.gates * units
    yield Operator("linear", gates, ((rows, layer.input_size),))
    yield Operator("linear", gates, ((rows, units),))
    yield from named("add_")
    if layer.name == "rnn_cell":
        yield from named(layer.nonlinearity)
        return
    yield from named("unsafe_chunk sigmoid_ tanh_")
    if layer.name == "gru_cell":
        yield Operator("mul_", (rows, units), times=2)
        yield from named("add sub")
    else:
        yield Operator("mul", (rows, units), times=3)
        yield from named("tanh")
