"""What every counting tool is read on: layers of each kind, and small networks.

Chosen, where `scripts.random_layers.draw` draws at random: sizes that people use, and each argument
that a tool is known to stumble over.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import product
from random import Random
from typing import Any

from calculator import CALCULATIONS, InvalidField
from scripts.random_layers.draw import Configuration
from scripts.tools.subjects import Subject

IMAGE = {"batch_size": 2, "height": 14, "width": 14}
VOLUME = {"batch_size": 1, "depth": 4, "height": 6, "width": 6}
TEXT = {"batch_size": 2, "length": 20}
SIZES = {1: TEXT, 2: IMAGE, 3: VOLUME}
CONV: dict[str, Any] = {"in_channels": 4, "out_channels": 8, "kernel_size": 3}
RECURRENT: dict[str, Any] = {"input_size": 12, "hidden_size": 10}
ATTENTION: dict[str, Any] = {"embed_dim": 16, "num_heads": 4, "batch_size": 2, "query_length": 6}
MODEL: dict[str, Any] = {"d_model": 16, "nhead": 4, "dim_feedforward": 24, "batch_size": 2}
DECODER: dict[str, Any] = {
    "hidden_size": 16, "num_attention_heads": 4, "batch_size": 2, "sequence_length": 5,
}  # fmt: skip
FEED: dict[str, Any] = {**DECODER, "intermediate_size": 24}
HEADS: dict[str, Any] = {"batch_size": 2, "query_length": 5, "key_length": 6, "head_dim": 8}

# Of each layer, what differs from one configuration to the next.
CHOSEN: dict[str, list[dict[str, Any]]] = {
    "linear": [
        {"in_features": 128, "out_features": 64, "batch_size": 32},
        {"in_features": 128, "out_features": 64, "bias": False},
        {"in_features": 512, "out_features": 1000, "batch_size": 8},
        {"in_features": 128, "out_features": 64, "batch_size": 4, "sequence_length": (10,)},
        {"in_features": 6, "out_features": 5, "batch_size": 2, "sequence_length": (3, 4)},
        {"in_features": 6, "out_features": 5, "batch_size": None},
    ],
    "conv2d": [
        {"in_channels": 3, "out_channels": 32, "kernel_size": 3, "height": 128, "width": 128},
        {"in_channels": 3, "out_channels": 64, "kernel_size": 7, "stride": 2, "padding": 3,
         "bias": False, "height": 64, "width": 64},
        *({**CONV, **IMAGE, **more} for more in (
            {}, {"bias": False}, {"padding": 1}, {"padding": "same"}, {"padding": "valid"},
            {"padding": "same", "kernel_size": 2}, {"stride": (2, 1)}, {"dilation": 2},
            {"groups": 4}, {"groups": 2, "padding": 1, "padding_mode": "circular"},
            {"kernel_size": 1}, {"kernel_size": (1, 3), "padding": (0, 1)},
            {"batch_size": None}, {"batch_size": None, "height": 4, "width": 5},
        )),
    ],
    **{f"conv{axes}d": [
        {**CONV, **SIZES[axes], **more} for more in (
            {}, {"bias": False, "groups": 2}, {"padding": "same"}, {"batch_size": None},
        )
    ] for axes in (1, 3)},
    **{f"conv_transpose{axes}d": [
        {**CONV, **SIZES[axes], **more} for more in (
            {}, {"stride": 2}, {"stride": 2, "padding": 1, "output_padding": 1},
            {"groups": 4, "bias": False}, {"batch_size": None}, {"dilation": 2},
        )
    ] for axes in (1, 2, 3)},
    **{f"{kind}_pool{axes}d": [
        {"kernel_size": 3, "stride": 2, "padding": 1, "channels": 4, **SIZES[axes]},
        {"kernel_size": 2, "channels": 4, **SIZES[axes], "ceil_mode": True},
    ] for kind, axes in product(("max", "avg"), (1, 2, 3))},
    **{f"adaptive_{kind}_pool{axes}d": [
        {"output_size": 1, "channels": 4, **SIZES[axes]},
        {"output_size": 3, "channels": 4, **SIZES[axes]},
    ] for kind, axes in product(("max", "avg"), (1, 2, 3))},
    **{f"batch_norm{axes}d": [
        {"num_features": 4, **SIZES[axes]},
        {"num_features": 4, **SIZES[axes], "affine": False},
        {"num_features": 4, **SIZES[axes], "track_running_stats": False},
    ] for axes in (1, 2, 3)},
    **{f"instance_norm{axes}d": [
        {"num_features": 4, **SIZES[axes]}, {"num_features": 4, **SIZES[axes], "affine": True},
    ] for axes in (1, 2, 3)},
    "layer_norm": [
        {"normalized_shape": (64,), "size": (4, 10, 64)},
        {"normalized_shape": (64,), "size": (4, 10, 64), "elementwise_affine": False},
        {"normalized_shape": (64,), "size": (4, 10, 64), "bias": False},
        {"normalized_shape": (64,), "size": (64,)},
    ],
    "group_norm": [
        {"num_groups": 2, "num_channels": 4, "size": (2, 4, 6, 6)},
        {"num_groups": 4, "num_channels": 4, "size": (2, 4, 6), "affine": False},
    ],
    "rms_norm": [
        {"normalized_shape": (64,), "size": (4, 10, 64)},
        {"normalized_shape": (64,), "size": (4, 64), "elementwise_affine": False},
    ],
    "local_response_norm": [{"size": 5, "tensor_size": (2, 6, 7, 7)}],
    **{name: [{"size": (4, 10, 16)}, {"size": (4, 10, 16), "inplace": True}] for name in (
        "relu", "relu6", "leaky_relu", "elu", "silu", "mish", "hardswish", "hardsigmoid",
    )},
    **{name: [{"size": (4, 10, 16)}] for name in ("sigmoid", "tanh", "softplus", "identity")},
    "gelu": [{"size": (4, 10, 16)}, {"size": (4, 10, 16), "approximate": "tanh"}],
    "prelu": [{"size": (4, 10, 16)}, {"size": (4, 10, 16), "num_parameters": 10}],
    "softmax": [{"dim": -1, "size": (4, 10, 16)}, {"dim": 1, "size": (4, 10, 16)},
                {"size": (4, 16)}],
    "log_softmax": [{"dim": -1, "size": (4, 10, 16)}],
    "glu": [{"size": (4, 10, 16)}],
    "dropout": [{"size": (4, 10, 16)}],
    "flatten": [{"size": (4, 10, 16)}],
    "pixel_shuffle": [{"upscale_factor": 2, "size": (1, 8, 3, 3)}],
    "upsample": [
        *({"shape": (2, 3, 5, 7), "mode": mode, "scale_factor": 2} for mode in (
            "nearest", "bilinear", "bicubic", "area", "nearest-exact",
        )),
        {"shape": (2, 3, 5, 7), "mode": "bilinear", "size": (9, 8)},
        {"shape": (2, 3, 5), "mode": "linear", "scale_factor": 1.5},
        {"shape": (1, 3, 2, 3, 4), "mode": "trilinear", "scale_factor": (2, 1, 1.5)},
    ],
    **{f"zero_pad{axes}d": [{"padding": 1, "size": (2, 3, *(6,) * axes)}] for axes in (1, 2, 3)},
    "embedding": [{"num_embeddings": 100, "embedding_dim": 16, "size": (4, 10)}],
    "embedding_bag": [{"num_embeddings": 100, "embedding_dim": 16, "bags": 4, "bag_size": 10}],
    "bilinear": [{"in1_features": 6, "in2_features": 5, "out_features": 4, "leading": (3,)}],
    **{name: [{**RECURRENT, "batch_size": 3, "sequence_length": 7, **more} for more in (
        {}, {"bias": False}, {"num_layers": 2, "bidirectional": True}, {"batch_first": True},
        {"batch_size": None},
    )] for name in ("rnn", "gru")},
    "lstm": [{**RECURRENT, "batch_size": 3, "sequence_length": 7, **more} for more in (
        {}, {"bias": False}, {"num_layers": 2, "bidirectional": True}, {"batch_first": True},
        {"batch_size": None}, {"proj_size": 4},
    )],
    **{name: [{**RECURRENT, "batch_size": 3}, {**RECURRENT, "batch_size": None}]
       for name in ("rnn_cell", "gru_cell", "lstm_cell")},
    "scaled_dot_product_attention": [
        {**HEADS, "num_heads": 4}, {**HEADS, "num_heads": 4, "is_causal": True},
        {**HEADS, "num_heads": 4, "num_kv_heads": 2}, {**HEADS, "num_heads": 4, "value_dim": 3},
    ],
    "multihead_attention": [{**ATTENTION, **more} for more in (
        {}, {"need_weights": False}, {"batch_first": True},
        {"batch_first": True, "need_weights": False}, {"key_length": 9}, {"is_causal": True},
        {"is_causal": True, "need_weights": False}, {"batch_size": None}, {"num_heads": 1},
        {"kdim": 5, "vdim": 3, "key_length": 9, "value_length": 9}, {"bias": False},
        {"add_bias_kv": True, "add_zero_attn": True},
    )],
    "transformer_encoder_layer": [{**MODEL, "sequence_length": 6, **more} for more in (
        {}, {"batch_first": True}, {"norm_first": True}, {"activation": "gelu"},
        {"batch_first": True, "is_causal": True}, {"batch_size": None}, {"bias": False},
    )],
    "transformer_decoder_layer": [{**MODEL, "target_length": 6, "memory_length": 9, **more}
                                  for more in ({}, {"batch_first": True})],
    "add": [{"size": (4, 10), "other_size": (4, 10)}, {"size": (4, 10), "other_size": (10,)}],
    "multiply": [{"size": (4, 10), "other_size": (4, 10)}],
    "cat": [{"sizes": ((4, 10), (4, 10))}],
    "rotary_embedding": [{"batch_size": 2, "num_heads": 4, "sequence_length": 5, "head_dim": 8}],
    "grouped_query_attention": [DECODER, {**DECODER, "num_key_value_heads": 2},
                                {**DECODER, "past_length": 4}],
    "llama_decoder_layer": [FEED, {**FEED, "num_key_value_heads": 2, "sliding_window": 3}],
    "llama": [{**FEED, "vocab_size": 30, "num_hidden_layers": 2},
              {**FEED, "vocab_size": 30, "num_hidden_layers": 1, "tie_word_embeddings": True}],
}  # fmt: skip

FROZEN = ("linear", "conv2d", "lstm", "multihead_attention", "transformer_encoder_layer")
"""Layers whose first configurations are read once more with nothing that learns."""

SEED_MLP = "Linear(128, 64)\nReLU()\nLinear(64, 10)"
CNN = (
    "Conv2d(3, 16, 3, padding=1, bias=False)\nBatchNorm2d(16)\nReLU()\nMaxPool2d(2)\n"
    "Conv2d(16, 32, 3, stride=2)\nBatchNorm2d(32)\nReLU6()\nAdaptiveAvgPool2d(1)\nFlatten()\n"
    "Linear(32, 10)"
)
FUNCTIONS = (
    "Conv2d(3, 8, 3)\nF.relu(x)\nF.max_pool2d(x, 2)\nConv2d(8, 8, 3)\nF.gelu(x)\n"
    "F.adaptive_avg_pool2d(x, 1)\ntorch.flatten(x, 1)\nLinear(8, 10)\nF.softmax(x, dim=1)"
)
NETWORKS: list[tuple[str, tuple[int, ...]]] = [
    (SEED_MLP, (32, 128)),
    (CNN, (2, 3, 16, 16)),
    (FUNCTIONS, (2, 3, 16, 16)),
    ("fc = Linear(64, 64)\nReLU()\nfc\nReLU()\nLinear(64, 4)", (8, 64)),
    ("c = Conv2d(4, 4, 3, padding=1)\nb = BatchNorm2d(4)\nc\nb\nF.relu(x)", (2, 4, 8, 8)),
    (
        "Conv2d(3, 8, 3).requires_grad_(False)\nBatchNorm2d(8).requires_grad_(False)\nReLU()\n"
        "AdaptiveAvgPool2d(1)\nFlatten()\nLinear(8, 4)",
        (2, 3, 10, 10),
    ),
    (
        "Conv2d(1, 8, 3, stride=2, padding=1)\nLeakyReLU(0.2)\n"
        "ConvTranspose2d(8, 4, 4, stride=2, padding=1)\nUpsample(scale_factor=2)\nTanh()",
        (2, 1, 12, 12),
    ),
    ("Embedding(50, 16)\nLSTM(16, 8, batch_first=True)", (3, 7)),
    (
        "Embedding(50, 16)\nTransformerEncoderLayer(16, 4, 32, batch_first=True)\nLayerNorm(16)\n"
        "Linear(16, 50)",
        (2, 6),
    ),
    ("GroupNorm(2, 4)\nRMSNorm(8)\nGELU()\nMish()\nHardswish()\nSoftmax(-1)", (2, 4, 8)),
    ("Conv1d(4, 8, 3, padding='same')\nPReLU()\nAvgPool1d(2)\nInstanceNorm1d(8)", (2, 4, 12)),
    ("F.interpolate(x, scale_factor=2)\nF.avg_pool2d(x, 2)\nF.silu(x)", (1, 2, 4, 4)),
    ("PixelShuffle(2)\nConv2d(2, 4, 1, groups=2)\nZeroPad2d(1)\nDropout(0.1)", (1, 8, 3, 3)),
]

ALONE = {
    **{f"F.{name}(x)": (4, 6) for name in (
        "elu", "gelu", "glu", "hardsigmoid", "hardswish", "leaky_relu", "mish", "relu", "relu6",
        "sigmoid", "silu", "softplus", "tanh",
    )},
    **{f"F.{name}(x, inplace=True)": (2, 3) for name in (
        "elu", "leaky_relu", "relu", "relu6", "silu",
    )},
    "F.softmax(x, 1)": (4, 6),
    "F.log_softmax(x, 1)": (4, 6),
    **{f"F.{kind}_pool{axes}d(x, 2)": (2, 4, *(6,) * axes)
       for kind in ("avg", "max", "adaptive_avg", "adaptive_max") for axes in (1, 2, 3)},
    **{f"F.interpolate(x, scale_factor=2, mode={mode!r})": (1, 2, 3, 4)
       for mode in ("nearest", "bilinear", "area", "bicubic")},
    "F.interpolate(x, size=5)": (2, 2, 3, 3),
    "F.interpolate(x, (5, 4))": (2, 2, 3, 3),
    "F.local_response_norm(x, 3)": (2, 4, 5, 5),
    "F.pixel_shuffle(x, 2)": (1, 8, 3, 3),
}  # fmt: skip
"""Every function that a network may hold, on what."""

PUBLISHED = ("alexnet", "resnet18", "resnet50", "mobilenet_v2")
"""Networks of torchvision."""


def battery() -> list[Subject]:
    """Return every subject: layers, frozen ones, networks, those of torchvision."""
    layers = {name: [_like(name, fields) for fields in rows] for name, rows in CHOSEN.items()}
    return [
        *(Subject(one) for rows in layers.values() for one in rows),
        *(Subject(one, frozen=True) for name in FROZEN for one in layers[name][:4]),
        *(
            Subject(network=lines, input_shape=shape, frozen=frozen)
            for lines, shape in NETWORKS
            for frozen in (False, True)
        ),
        *(Subject(network=f"PReLU()\n{line}", input_shape=ALONE[line]) for line in ALONE),
        *(Subject(network=name, input_shape=(2, 3, 224, 224)) for name in PUBLISHED),
    ]


def bare() -> list[Subject]:
    """Return subjects that are given a tensor where a tuple of tensors is meant."""
    image = _like("conv2d", CHOSEN["conv2d"][0])
    batch = _like("conv2d", CHOSEN["conv2d"][2])
    return [
        Subject(image, bare=True),
        Subject(batch, bare=True),
        Subject(_like("linear", CHOSEN["linear"][1]), bare=True),
        Subject(network=CNN, input_shape=(1, 3, 16, 16), bare=True),
        Subject(network=SEED_MLP, input_shape=(1, 128), bare=True),
        Subject(network=SEED_MLP, input_shape=(32, 128), bare=True),
    ]


def networks(count: int, seed: int = 0) -> list[Subject]:
    """Return so many random networks on images: modules, functions, modules used again, frozen."""
    rng = Random(seed)
    found: list[Subject] = []
    while len(found) < count:
        channels, size = rng.choice([2, 4]), rng.choice([6, 8])
        shape = (rng.randint(1, 3), channels, size, size)
        lines: list[str] = []
        for place in range(rng.randint(2, 7)):
            lines.append(_step(rng, channels, place, lines))
        if rng.random() < 0.5:
            lines += [rng.choice(["Flatten()", "torch.flatten(x, 1)"]), "ReLU()"]
        one = Subject(network="\n".join(lines), input_shape=shape, frozen=rng.random() < 0.2)
        with suppress(InvalidField):
            one.ours()
            found.append(one)
    return found


def _step(rng: Random, channels: int, place: int, lines: list[str]) -> str:
    """Return a line that keeps so many channels, or the name of one before it."""
    named = [line.partition(" = ")[0] for line in lines if " = " in line]
    if named and rng.random() < 0.3:
        return rng.choice(named)
    bias, groups = rng.random() < 0.5, rng.choice([1, 2])
    made = rng.choice([
        f"Conv2d({channels}, {channels}, 3, padding=1, bias={bias}, groups={groups})",
        f"Conv2d({channels}, {channels}, 3, padding='same', bias={bias})",
        f"ConvTranspose2d({channels}, {channels}, 2, stride=2, bias={bias}, groups={groups})",
        f"BatchNorm2d({channels}, affine={bias})", f"GroupNorm({groups}, {channels})",
        f"InstanceNorm2d({channels}, affine={bias})", "ReLU()", "ReLU(inplace=True)", "GELU()",
        "PReLU()", "MaxPool2d(2)", "AvgPool2d(3, 1, 1)", "Upsample(scale_factor=2)", "Dropout(0.5)",
        "AdaptiveAvgPool2d(4)", "LocalResponseNorm(3)", "Softmax(1)",
    ])  # fmt: skip
    if rng.random() < 0.3:
        return rng.choice([
            "F.relu(x)", "F.gelu(x)", "F.silu(x)", "F.relu6(x)", "F.max_pool2d(x, 2)",
            "F.avg_pool2d(x, 2)", "F.softmax(x, dim=1)", "F.interpolate(x, scale_factor=2)",
            "F.adaptive_avg_pool2d(x, 4)", "F.leaky_relu(x, 0.1)",
        ])  # fmt: skip
    ending = ".requires_grad_(False)" if rng.random() < 0.2 else ""
    name = f"m{place} = " if rng.random() < 0.4 else ""
    return f"{name}{made}{ending}"


def _like(name: str, fields: dict[str, Any]) -> Configuration:
    owner: Any = CALCULATIONS[name]
    return Configuration.like(owner(**fields))
