"""Networks of named modules, functions and frozen layers, against torch running the same lines."""

import subprocess
import sys
from random import Random

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from calculator import InvalidField, Sequential
from calculator.answers.formats import python
from scripts.site.exercise import DEEP
from scripts.tools.subjects import Subject

NETWORKS = {
    "a module used twice": ("fc = Linear(6, 6)\nReLU()\nfc", (3, 6)),
    "functions between modules": (
        "Conv2d(2, 4, 3)\nF.relu(x)\nF.max_pool2d(x, 2)\ntorch.flatten(x, 1)\nLinear(16, 5)\n"
        "F.softmax(x, dim=1)",
        (2, 2, 6, 6),
    ),
    "a frozen layer in front": ("Linear(4, 5).requires_grad_(False)\nReLU()\nLinear(5, 2)", (3, 4)),
    "a frozen layer behind": (
        "Linear(4, 5)\nF.gelu(x)\nLinear(5, 2).requires_grad_(False)",
        (3, 4),
    ),
    "a frozen layer used twice": ("a = Linear(4, 4).requires_grad_(False); a; a", (3, 4)),
    "functions alone": ("F.interpolate(x, scale_factor=2)\nF.avg_pool2d(x, 2, 1)", (1, 2, 3, 3)),
    "flatten from the first axis": ("torch.flatten(x)", (2, 3)),
    "a name of its own for each": ("a = Linear(4, 4)\nb = Linear(4, 4)\na\nb", (3, 4)),
    "a name given twice": ("a = Linear(4, 5)\na = Linear(5, 4)\na = Linear(4, 4)\na", (3, 4)),
    "names of the program's own": (
        "x = Linear(4, 4)\nlayer = Linear(4, 4)\ntorch = Linear(4, 4)\nsum = Linear(4, 4)\n"
        "step6 = Linear(4, 4)\nLinear(4, 4)\nx\nlayer",
        (3, 4),
    ),
    "a name with an accent": ("café = Linear(4, 4)\ncafé", (3, 4)),
}


@pytest.mark.parametrize(("lines", "shape"), NETWORKS.values(), ids=NETWORKS)
def test_lines_count_as_torch_counts_them(lines, shape):
    ours = Sequential(modules=lines, input_shape=shape, input_requires_grad=False)
    subject = Subject(network=lines, input_shape=shape)
    with torch.device("meta"):
        module, given = subject.module(), subject.inputs()
        output = tuple(module(*given).shape)
        with FlopCounterMode(display=False) as counter:
            y = module(*given)
            forward = counter.get_total_flops()
            if y.requires_grad:
                y.sum().backward()
    assert ours.output_shape == output
    assert ours.params == sum(each.numel() for each in module.parameters())
    assert (2 * ours.macs, ours.training_flops) == (forward, counter.get_total_flops())


@pytest.mark.parametrize(
    "lines",
    [
        "# first; Linear(4, 9)\nLinear(4, 5)",
        "Linear(4, 5)  # wide; Linear(5, 9)",
        "ReLU(), # no bias; then\nLinear(4, 5)",
    ],
)
def test_a_semicolon_in_a_comment_starts_no_layer(lines):
    assert Sequential(modules=lines, input_shape=(3, 4)).params == 25  # 4 × 5 weights, 5 biases


@pytest.mark.parametrize(("lines", "shape"), NETWORKS.values(), ids=NETWORKS)
def test_the_program_to_copy_counts_the_same(lines, shape, capsys):
    ours = Sequential(modules=lines, input_shape=shape)
    exec(python(ours), {})
    said = dict(line.split(" ", 1) for line in capsys.readouterr().out.splitlines())
    assert said == {
        "output_shape": str(ours.output_shape),
        "params": str(ours.params),
        "flops": str(ours.flops),
        "macs": str(ours.macs),
    }


@pytest.mark.parametrize(("lines", "shape"), NETWORKS.values(), ids=NETWORKS)
def test_lines_are_written_as_they_are_read(lines, shape):
    ours = Sequential(modules=lines, input_shape=shape)
    assert Sequential(modules=ours.values()["modules"], input_shape=shape) == ours


def test_a_module_used_twice_has_its_parameters_once():
    twice = Sequential(modules="fc = Linear(6, 4)\nLinear(4, 6)\nfc", input_shape=(3, 6))
    assert twice.params == 6 * 4 + 4 + 4 * 6 + 6
    assert twice.weight_bytes == 4 * twice.params
    assert twice.macs == 3 * (24 + 24 + 24)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("F.relu()", "a function needs its input; write F.relu(x)"),
        ("F.relu(y)", "a function needs its input"),
        ("F.conv2d(x)", "unknown function F.conv2d; use one of "),
        ("r = F.relu(x)", "a function has no parameters"),
        ("F.relu(x).requires_grad_(False)", "a function has no parameters"),
        ("F.softmax(x, 1, 2)", "F.softmax takes at most 1 argument, not 2"),
        ("F.max_pool2d(x)", "F.max_pool2d() missing 1 required positional argument: 'kernel_size'"),
        ("fc", "is not a layer; write one such as Linear(128, 64)"),
    ],
)
def test_a_line_that_is_none_is_refused_in_words(line, words):
    with pytest.raises(InvalidField) as refused:
        Sequential(modules=f"Linear(4, 4)\n{line}", input_shape=(1, 4))
    assert f"line 2: {words}" in refused.value.message


@pytest.mark.parametrize("text", DEEP, ids=lambda text: f"{text[:12]} {len(text)}")
def test_what_is_nested_deeply_is_refused_by_its_line(text):
    with pytest.raises(InvalidField, match="line 2: ") as refused:
        Sequential(modules=f"Linear(4, 4)\n{text}", input_shape=(1, 4))
    assert refused.value.field == "modules"


def test_the_command_line_refuses_what_is_nested_deeply_in_one_line():
    command = [sys.executable, "-m", "calculator", "sequential", "--modules", DEEP[0]]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("sequential: modules: line 1: is 1,003 characters long")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["for", "None", "True", "__debug__", "a²", "1a", "lambda"])
def test_what_is_no_name_in_python_is_refused(name):
    with pytest.raises(InvalidField, match=f"line 1: {name} cannot be a name in Python"):
        Sequential(modules=f"{name} = Linear(4, 4)", input_shape=(1, 4))


def test_nothing_in_brackets_is_dropped():
    with pytest.raises(InvalidField, match="line 2: is not a layer"):
        Sequential(modules="Linear(4, 4)\n(Linear(4, 4)", input_shape=(1, 4))


PIECES = [
    *("Linear(4, 4)", "fc = ", "fc", "x = ", "layer = ", "for = ", "F.relu(x)", "torch.flatten(x)"),
    *("Softmax(dim=1)", "Softmax(1)", "GELU(approximate=tanh)", "GELU(approximate='tanh')"),
    *(".requires_grad_(False)", "Dropout(0.5)", "LeakyReLU(-1e-3)", "LayerNorm((4,))", "print = "),
    *(
        "\n",
        "\n",
        "\n",
        "; ",
        "(0): ",
        "step2 = ",
        "ﬁ = ",
        "fi = ",
        "\t",
        " ",
        ",",
        "# no",
        "²",
        "é",
    ),
    *("Linear(4, 4, bias=False)", "Linear(in_features=4, out_features=4)", "nn.", "torch.nn."),
]


def test_whatever_is_accepted_is_copied_as_python_that_compiles():
    draw, accepted = Random(14), 0
    for _ in range(20_000):
        text = "".join(draw.choices(PIECES, k=draw.randint(1, 8)))
        try:
            network = Sequential(modules=text, input_shape=(2, 4))
        except InvalidField:
            continue
        compile(python(network), text, "exec")
        accepted += 1
    assert accepted > 500
