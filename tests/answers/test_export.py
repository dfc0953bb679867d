"""What is copied from an answer works where it is pasted."""

import html
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO

import markdown as python_markdown
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calculator import (
    Conv1d,
    Conv2d,
    Conv3d,
    Conversion,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    Flatten,
    GroupedQueryAttention,
    Linear,
    ModelMemory,
    ReLU,
    Runtime,
    Sequential,
    TrainingCost,
)
from calculator.answers.formats import equations, latex, markdown, python
from calculator.core.calculation import Calculation
from calculator.machines.work_runtime import runtime
from calculator.web.markup import escape
from scripts.site.typesetting import Formula, set_formulas

LAYERS = [
    Linear(in_features=5, out_features=3, bias=False, batch_size=2, sequence_length=4),
    Conv1d(in_channels=2, out_channels=4, kernel_size=3, stride=2, padding=1, length=9),
    Conv2d(
        in_channels=4, out_channels=6, kernel_size=(3, 1), padding=(1, 0), dilation=(2, 1),
        groups=2, bias=False, padding_mode="circular", batch_size=2, height=9, width=7,
    ),
    Conv2d(in_channels=3, out_channels=2, padding="same", height=5, width=6),
    Conv3d(in_channels=1, out_channels=2, stride=(1, 2, 2), depth=3, height=5, width=5),
    ConvTranspose1d(in_channels=2, out_channels=3, stride=3, output_padding=2, length=4),
    ConvTranspose2d(
        in_channels=4, out_channels=2, kernel_size=(3, 4), stride=2, padding=1, groups=2,
        output_padding=(1, 0), dilation=2, bias=False, height=5, width=6,
    ),
    ConvTranspose3d(in_channels=2, out_channels=1, kernel_size=2, depth=2, height=3, width=4),
    ReLU(size=(2, 3, 4)),
    Flatten(size=(2, 3, 4)),
    Sequential(
        modules="Conv2d(3, 4, 3, padding='same', bias=False)\nReLU()\nFlatten()\nLinear(100, 2)",
        input_shape=(2, 3, 5, 5),
    ),
]  # fmt: skip
OTHERS = [
    GroupedQueryAttention(hidden_size=8, num_attention_heads=2, sequence_length=3),
    Conversion(count=4_090_000_000),
    Conversion(count=8, counts="flops"),
    Runtime(flops=10**12, bytes_moved=10**9, device="h100_sxm", dtype="bf16", utilization=0.4),
    Runtime(flops=10**12, peak_flops_per_second=1.5e12),
    TrainingCost(),
    TrainingCost(device="h100_sxm", dtype="fp8", utilization=0.3, devices=64, recompute="full"),
    TrainingCost(peak_flops_per_second=10**15, measured_device_hours=10**5),
    ModelMemory(),
    ModelMemory(zero_stage="3", devices=64, activation_bytes=10**10, optimizer="sgd_momentum"),
    ModelMemory(optimizer="none", weight_dtype="int8"),
]
ALL = LAYERS + OTHERS


def run(program: str) -> dict[str, str]:
    """Run a program and return the lines that it prints, by their first word."""
    printed = StringIO()
    with redirect_stdout(printed):
        exec(compile(program, "<copied>", "exec"), {})
    return dict(line.split(" ", 1) for line in printed.getvalue().splitlines())


def timed(calculation: Calculation) -> Runtime | None:
    if calculation in OTHERS:
        return None
    return runtime(calculation, {"peak_flops_per_second": 10**12, "bandwidth_bytes_per_second": 10})


@pytest.mark.parametrize("calculation", LAYERS, ids=repr)
def test_the_copied_program_prints_what_torch_counts(calculation):
    printed = run(python(calculation))
    counts = {name: str(getattr(calculation, name)) for name in printed}
    assert printed == counts


@pytest.mark.parametrize("calculation", LAYERS, ids=repr)
def test_the_copied_program_does_not_ask_this_package(calculation):
    assert "calculator" not in python(calculation)


@pytest.mark.parametrize("calculation", OTHERS, ids=repr)
def test_the_copied_program_of_what_has_no_layer_repeats_its_quantities(calculation):
    printed = run(python(calculation))
    assert printed == {name: str(getattr(calculation, name)) for name in calculation.quantities}


@pytest.mark.parametrize("calculation", ALL, ids=repr)
def test_the_representation_makes_the_calculation_again(calculation):
    names = {type(calculation).__name__: type(calculation)}
    assert eval(repr(calculation), names) == calculation


def cells(text: str) -> list[list[str]]:
    """Return the rows of the table that Markdown makes of a text."""
    page = python_markdown.markdown(text, extensions=["tables"])
    rows = page.split("<tbody>")[1].split("<tr>")[1:]
    return [[each.split("</td>")[0] for each in row.split("<td>")[1:]] for row in rows]


@pytest.mark.parametrize("calculation", ALL, ids=repr)
def test_the_copied_markdown_is_a_table_of_every_quantity(calculation):
    labels = [
        declared.label
        for name, declared in calculation.quantities.items()
        if getattr(calculation, name) is not None
    ]
    rows = cells(markdown(calculation))
    assert [row[0] for row in rows if len(row) == 2][: len(labels)] == labels


def test_the_copied_markdown_holds_the_count_in_full():
    rows = dict(cells(markdown(Conv2d(in_channels=3, out_channels=32))))
    assert rows["Multiply-accumulates"].replace("\u202f", "").startswith("13716864 ")


def test_the_copied_markdown_of_a_timed_layer_says_on_which_machine():
    machine = {"peak_flops_per_second": 10**12, "utilization": (0.25, 0.5)}
    text = markdown(LAYERS[1], runtime(LAYERS[1], machine))
    assert all(each in text for each in ("=1000000000000,", " utilization=(0.25, 0.5),"))


def test_the_copied_markdown_of_a_timed_layer_says_its_bound():
    assert ["Bound by", "memory"] in cells(markdown(LAYERS[1], timed(LAYERS[1])))


@pytest.mark.parametrize("of_layer", [True, False], ids=["a layer", "a runtime"])
def test_the_copied_markdown_says_that_another_type_is_computed_with(of_layer):
    machine = {"device": "t4", "dtype": "bf16"}
    work = Linear(dtype="bf16") if of_layer else Runtime(**machine)
    text = markdown(work, runtime(work, machine) if of_layer else None)
    assert "| Note | The rate is that of fp32, not of bf16, because Turing has no BF16" in text


def test_katex_sets_the_copied_latex_of_everything():
    set_formulas([Formula(latex(each, timed(each)), True) for each in ALL])


def test_katex_sets_every_formula_alone():
    formulas = [
        Formula(f"{left} = {right}", True)
        for each in ALL
        for declared in each.quantities.values()
        if getattr(each, declared.name) is not None
        for left, _, right in equations(each, declared)
    ]
    set_formulas(formulas)


def test_katex_stops_at_what_is_wrong():
    with pytest.raises(ValueError, match="KaTeX"):
        set_formulas([Formula(r"\frac{1", True)])


def test_the_copied_program_runs_in_a_python_of_its_own(tmp_path):
    (tmp_path / "copied.py").write_text(python(LAYERS[1]))
    command = [sys.executable, "copied.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert f"macs {LAYERS[1].macs}" in done.stdout.splitlines()


def test_the_copied_program_needs_no_memory_for_a_large_layer():
    printed = run(python(Linear(in_features=10**6, out_features=10**6)))
    assert printed["macs"] == str(10**12)


@given(st.text() | st.text("<>&\"'"))
def test_what_a_reader_typed_is_escaped_as_pythons_library_does(text):
    assert escape(text) == html.escape(text)
