"""torchprofile's `profile_macs`: multiply-accumulates, by the operators of a trace."""

from __future__ import annotations

from math import prod

from calculator.counters.operators import Mode, Operator
from calculator.counters.tool import Counted, Raised, Reading, Rules, Tool, on_axes
from calculator.counters.traced import read
from calculator.layers.layer import Work

RULES = Rules(
    otherwise="All operators that this runs are on its list of those that cost nothing: 0."
)
SILENT = (
    "abs", "add", "add_", "alpha_dropout", "cat", "cos", "div", "dropout", "dropout_", "embedding",
    "feature_dropout", "flatten", "floor_divide", "gelu", "hardtanh", "hardtanh_",
    "log_softmax", "neg", "pow", "relu", "relu_", "sigmoid", "silu", "sin", "softmax", "softshrink",
    "squeeze", "sub", "sum", "tanh", "threshold", "unflatten", "unsqueeze", "upsample_nearest2d",
    *on_axes("adaptive_max_pool", "max_pool"),
    *(f"{name}_with_indices" for name in on_axes("max_pool")),
)  # fmt: skip
"""What it knows to cost nothing, of what the traces of our layers hold."""


@RULES.rule("linear")
def linear(operator: Operator) -> int:
    """Counts the MACs; biases count nothing."""
    return prod(operator.output) * operator.inputs[0][-1]


@RULES.rule("_convolution")
def convolution(operator: Operator) -> Counted:
    """Counts the MACs; biases count nothing."""
    made, (_, weight) = operator.output, operator.inputs
    channels = weight[1] if made[1] == weight[0] else weight[0]
    value = prod(made) * channels * prod(weight[2:])
    if not operator.flag:
        return value
    groups = "" if made[1] in weight[:2] else " It forgets the groups."
    return value, (
        "Counts a kernel for each position of the output, but a transposed convolution has one "
        f"for each of the input; biases count nothing.{groups}"
    )


@RULES.rule("bmm", "baddbmm")
def batched(operator: Operator) -> int:
    """Counts the MACs."""
    one, other = operator.inputs
    return prod(one) * other[-1]


@RULES.rule("mul", "mul_")
def multiplication(operator: Operator) -> Counted:
    """Counts 1 for each element."""
    if not operator.output:
        return 1, "Counts 1 for a product of sizes, which are tensors in a trace."
    return prod(operator.output)


@RULES.rule("batch_norm", "instance_norm", "layer_norm", "group_norm")
def norm(operator: Operator) -> Counted:
    """Counts 1 for each element: it has a weight."""
    if len(operator.inputs) == 1:
        return 0, "Counts nothing, because it has no weight: 0."
    return prod(operator.output)


@RULES.rule(*on_axes("avg_pool", "adaptive_avg_pool"), "mean", "leaky_relu")
def elementwise(operator: Operator) -> int:
    """Counts 1 for each element of the output."""
    return prod(operator.output)


@RULES.rule("upsample_bilinear2d")
def bilinear(operator: Operator) -> int:
    """Counts 4 for each element of the output."""
    return 4 * prod(operator.output)


@RULES.rule("lstm")
def lstm(operator: Operator) -> int:
    """Counts the MACs of 4 gates, if they are as wide as the output: proj_size is not known."""
    taken, (cells, _, size) = operator.inputs
    directions = operator.output[-1] // size
    above = cells // directions - 1
    weights = 4 * size * (taken[-1] + size + above * (directions * size + size))
    return prod(operator.output[:2]) * directions * weights


@RULES.rule("scaled_dot_product_attention")
def attention(operator: Operator) -> int:
    """Counts the MACs of both products, masked pairs too."""
    query, key, value = operator.inputs
    if query[1] != key[1]:
        raise Raised("AssertionError: it needs the same number of heads for keys and queries")
    return prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


@RULES.rule("_native_multi_head_attention")
def fused(operator: Operator) -> int:
    """Torch's fused kernel returns no weights, and it asks what type they have."""
    raise Raised("AttributeError: 'NoneType' object has no attribute 'lower'")


def _read(subject: Work) -> Reading:
    return read(subject, Mode(), RULES, SILENT)


TOOLS = (
    Tool(
        name="torchprofile", package="torchprofile", version="0.1.0",
        call="profile_macs(model.eval(), inputs)", unit="MACs",
        means="MACs, and one for each other multiplication and mean", read=_read,
    ),
)  # fmt: skip
