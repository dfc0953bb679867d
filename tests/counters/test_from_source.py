"""Tools whose rules are read from their sources, against what those sources returned when run.

Each tool's module was taken from its repository, at the commit that `from_source` names, and run on
the model with torch 2.13.0. mmcv's was given empty classes for its own layers.
"""

import pytest

from calculator import Llama, Network, Sequential
from calculator.counters.from_source import sourced_readings

MADD, FLOPS, THOP = "torchstat (MAdd)", "torchstat (Flops)", "thop of spring 2019"
PTFLOPS, MMCV, ONNX = "ptflops of 2020", "mmcv (get_model_complexity_info)", "onnx-tool"


def lines(text, *shape):
    return Sequential(modules=text, input_shape=(1, *shape))


@pytest.mark.parametrize(
    ("model", "readings"),
    [
        (
            Network(),
            {
                MADD: 8_219_637_272, FLOPS: 4_118_537_216, PTFLOPS: 4_121_924_096,
                MMCV: 4_121_924_096, THOP: 4_142_713_856,
            },
        ),
        (
            Network(architecture="vgg11"),
            {
                MADD: 15_230_196_248, FLOPS: 7_630_071_808, PTFLOPS: 7_630_096_896,
                MMCV: 7_630_096_896, THOP: 8_574_977_024,
            },
        ),
        (
            Network(architecture="mobilenet_v2"),
            {
                MADD: 627_687_672, FLOPS: 320_236_288, PTFLOPS: 320_236_288,
                MMCV: 320_236_288, THOP: 334_871_520,
            },
        ),
        (
            lines(
                "Conv2d(4, 8, 3, groups=2)\nBatchNorm2d(8, affine=False)\nLeakyReLU()\n"
                "AvgPool2d(2)\nConvTranspose2d(8, 6, 3, stride=2, groups=2)\nSoftmax(1)\n"
                "Upsample(scale_factor=2)",
                4, 20, 20,
            ),
            {MADD: 147_761, FLOPS: 58_468, MMCV: 85_350, THOP: 534_600},
        ),
        (
            lines(
                "Conv2d(4, 8, 3)\nGroupNorm(2, 8)\nInstanceNorm2d(8)\nAdaptiveAvgPool2d(3)\n"
                "PReLU()\nELU()\nLayerNorm([8, 3, 3])",
                4, 20, 20,
            ),
            {MADD: 186_624, FLOPS: 96_048, PTFLOPS: 98_640, MMCV: 106_560, THOP: 106_344},
        ),
        # README of torchstat, "A Simple Example": its two convolutions and linear layers
        (
            lines(
                "Conv2d(3, 10, 5)\nF.max_pool2d(x, 2)\nF.relu(x)\nConv2d(10, 20, 5)\n"
                "Dropout()\nF.max_pool2d(x, 2)\nF.relu(x)\ntorch.flatten(x, 1)\n"
                "Linear(56180, 50)\nF.relu(x)\nLinear(50, 10)",
                3, 224, 224,
            ),
            {MADD: 190_578_940, FLOPS: 95_998_220},
        ),
        # 4 × 4 × 2 outputs of 27 products and a bias, 8 of 32 and a bias
        (
            lines("Conv2d(3, 2, 3)\nFlatten()\nLinear(32, 8)", 3, 6, 6),
            {ONNX: 32 * 28 + 8 * 33},
        ),
    ],
    ids=["resnet50", "vgg11", "mobilenet_v2", "pools", "norms", "torchstat's README", "onnx-tool"],
)  # fmt: skip
def test_a_tool_returned_what_its_rules_say(model, readings):
    found = dict(sourced_readings(model))
    assert {tool: found.get(tool) for tool in readings} == readings


@pytest.mark.parametrize(
    ("model", "tools"),
    [
        # a width for a whole number of heads, a state beside the output: nothing is certain
        (Llama(num_hidden_layers=1), set()),
        (lines("LSTM(3, 4)", 5, 3), set()),
        # torchstat wants two axes of a linear layer's input, thop's softmax had no rule
        (lines("Linear(3, 4)", 5, 3), set()),
        # what an exporter does with a norm is its own decision
        (lines("Conv2d(3, 2, 3)\nBatchNorm2d(2)", 3, 6, 6), {MADD, FLOPS, PTFLOPS, MMCV, THOP}),
        (lines("Conv2d(3, 2, 3)\nAdaptiveMaxPool2d(2)", 3, 6, 6), {MADD, FLOPS, PTFLOPS, MMCV}),
    ],
)
def test_nothing_is_said_of_a_layer_that_is_not_certain(model, tools):
    assert {*dict(sourced_readings(model))} == tools


def test_a_tool_reads_one_sample_of_a_batch():
    assert [*sourced_readings(Network(batch_size=8))] == [*sourced_readings(Network())]


def test_a_module_that_runs_twice_counts_once_in_torchstat():
    # 3 × 3 weights and no bias: one call of 2 × 3 − 1 for each of 3 outputs, or MACs of both
    twice = dict(sourced_readings(lines("fc = Linear(3, 3, bias=False)\nfc", 3)))
    assert (twice[MADD], twice[MMCV]) == (15, 18)
