"""fvcore's `FlopCountAnalysis`: one for each multiply-accumulate, by the operators of a trace."""

from __future__ import annotations

from functools import partial
from math import prod
from typing import Any

from calculator.counters.operators import Mode, Operator
from calculator.counters.tool import Counted, Raised, Reading, Rules, Tool
from calculator.counters.traced import read
from calculator.layers.layer import Work

RULES = Rules(
    otherwise="All operators that this runs are on its list of those that cost nothing: 0."
)
SILENT = (
    "cat", "dropout", "flatten", "floor_divide", "ones", "relu", "relu_", "remainder", "squeeze",
    "unbind", "unsqueeze", "unsqueeze_", "zeros_like",
)  # fmt: skip
"""What it ignores without a word, of what the traces of our layers hold."""


@RULES.rule("linear", "_convolution")
def product(operator: Operator) -> int:
    """Counts the MACs; biases count nothing."""
    taken, *weight = operator.inputs
    if operator.name == "linear":
        return prod(taken) * operator.output[-1]
    positions = (taken if operator.flag else operator.output)[2:]
    return taken[0] * prod(*weight) * prod(positions)


@RULES.rule("bmm")
def batched(operator: Operator) -> int:
    """Counts the MACs."""
    one, other = operator.inputs
    return prod(one) * other[-1]


def _estimated(operator: Operator) -> tuple[int, str]:
    """Return an estimate, and a sentence for it that may go on."""
    shape, *weight = operator.inputs
    if not 2 <= len(shape) <= 5:
        raise Raised(f"AssertionError: {[*shape]}: it takes 2 to 5 dimensions")
    each, has = (5, "a") if weight else (4, "no")
    why = f"Counts {each} for each element, a rough estimate: it has {has} weight"
    return each * prod(shape), why


@RULES.rule("layer_norm", "group_norm", "instance_norm")
def norm(operator: Operator) -> Counted:
    """Return 5 for each element, 4 without a weight."""
    count, why = _estimated(operator)
    return count, f"{why}."


@RULES.rule("batch_norm")
def batch_norm(operator: Operator) -> Counted:
    """Return 2 for each element, 1 without a weight, an estimate if statistics are taken."""
    if operator.flag:
        count, why = _estimated(operator)
        return count, f"{why}, and takes statistics of its own."
    shape, *weight = operator.inputs
    each, has = (2, "a") if weight else (1, "no")
    why = f"Counts {each} for each element: it has {has} weight, and its statistics are known."
    return each * prod(shape), why


@RULES.rule("upsample_nearest2d")
def nearest(operator: Operator) -> int:
    """Counts 1 for each element of the output, though it is a copy."""
    return prod(operator.output)


@RULES.rule("upsample_bilinear2d")
def bilinear(operator: Operator) -> int:
    """Counts 4 for each element of the output."""
    return 4 * prod(operator.output)


@RULES.rule("adaptive_avg_pool2d")
def adaptive(operator: Operator) -> int:
    """Counts 1 for each element of the input."""
    return prod(operator.inputs[0])


def _read(subject: Work, **how: Any) -> Reading:
    return read(subject, Mode(hooked=True, **how), RULES, SILENT)


def tool(name: str, call: str, **how: Any) -> Tool:
    """Return one way to call it."""
    return Tool(
        name=name, package="fvcore", version="0.1.5.post20221221", call=call, unit="flops",
        means="MACs, and estimates for norms, pooling and upsampling", read=partial(_read, **how),
    )  # fmt: skip


TOOLS = (
    tool("fvcore", "FlopCountAnalysis(model.eval(), inputs).total()"),
    tool("fvcore-train", "FlopCountAnalysis(model.train(), inputs).total()", training=True),
    tool(
        "fvcore-no-grad",
        "with torch.no_grad(): FlopCountAnalysis(model.eval(), inputs).total()",
        grad=False,
    ),
)
