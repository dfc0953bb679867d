"""What the panel of machines says of some work."""

import json
import re
from pathlib import Path

import pytest

from calculator.answers.evaluate import evaluate
from calculator.web.machines_panel import render_machines, rooflines

DEVICES = json.loads(
    (Path(__file__).parents[2] / "calculator" / "machines" / "devices.json").read_text("utf-8")
)
OF_64_ROWS = {
    "in_features": "4096", "out_features": "11008", "bias": "false", "sequence_length": "",
    "batch_size": "64", "dtype": "bf16",
}  # fmt: skip
CELLS = {
    "Bound by": "memory",
    "Compute time": "18.5 µs",
    "Memory time": "45.2 µs",
    "Lower bound (floor)": "45.2 µs",
    "One after the other": "63.7 µs",
    "Launch overhead": "2.1 µs",
    # 45.2 / 0.834; 18.5 / 0.869 + 45.2 / 0.834 + 2.1
    "Best case in practice": "54.2 µs to 77.6 µs",
    "Compute-bound from batch size": "162",
    "Ridge point": "153 FLOP/B",
    "Energy of the best case, full overlap": "21.7 mJ",
    "Energy of the best case, no overlap": "31.0 mJ",
}


def panel(calculator, compare="", **fields):
    return render_machines(evaluate(calculator, fields), calculator, fields, compare)


def row(html, label):
    """Return the cells of a row of the table, from the HTML."""
    found = re.search(rf'<th scope="row">{re.escape(label)}</th>(.*?)</tr>', html)
    return re.findall(r"<td>(.*?)</td>", found[1])


def test_without_a_machine_one_is_asked_for():
    assert "Choose a device" in panel("linear")


def test_two_machines_stand_side_by_side():
    html = panel("linear", "h100_sxm", device="a100_80gb_sxm", dtype="bf16")
    assert row(html, "Bandwidth") == ["2.04 TB/s", "3.35 TB/s"]  # 2.039 and 3.35, data sheets


def test_the_other_machine_is_asked_with_its_own_rates():
    html = panel("linear", "t4", peak_flops_per_second="1T", bandwidth_bytes_per_second="1T")
    assert row(html, "Peak") == ["1 TFLOP/s", "8.1 TFLOP/s (dense fp32)"]


def test_the_other_machine_is_asked_for_the_same_pass():
    """Llama 2 7B in bf16: 2 × 6,738,415,616 B of weights, and as much of gradients."""
    html = panel(
        "llama", "h100_sxm", device="a100_80gb_sxm", dtype="bf16", sequence_length="1",
        measured_pass="recomputed", measured_seconds="1 s", recomputed_flops="1T",
    )  # fmt: skip
    cells = row(html, "Memory needed, at least")
    assert [cell.partition(" = ")[2] for cell in cells] == ["27.0 GB = 25.1 GiB"] * 2


def test_the_other_machine_is_asked_with_its_own_efficiency():
    """At 1 % of peak and bandwidth, 1 s per launch; H100 SXM: 2.1 µs, and see hardware.json."""
    html = panel(
        "linear", "h100_sxm", device="a100_80gb_sxm", dtype="bf16", launches="3",
        utilization="1 %", bandwidth_utilization="1 %", launch_seconds="1 s",
    )  # fmt: skip
    assert row(html, "Launch overhead") == ["3 s", "6.30 µs"]
    assert html.count("Achieved share of the peak: 1 %, your figure.") == 1
    assert html.count("Achieved share of the bandwidth: 1 %, your figure.") == 1


def test_a_runtime_stands_beside_that_of_another_machine():
    html = panel("runtime", "h100_sxm", flops="1T", bytes_moved="1 GB", device="t4")
    assert row(html, "Bandwidth") == ["320 GB/s", "3.35 TB/s"]  # data sheets


def test_the_cells_of_a_machine_are_its_times():
    """5.77e9 FLOPs and 92.1e6 bytes, at 312e12 and 2.039e12, 86.9 and 83.4 % of them, 400 W."""
    fields = {**OF_64_ROWS, "device": "a100_80gb_sxm"}
    html = render_machines(evaluate("linear", fields), "linear", fields, whole=False)
    assert {label: row(html, label) for label in CELLS} == {
        label: [cell] for label, cell in CELLS.items()
    }


def test_the_chart_places_the_work_and_what_was_measured():
    outcome = evaluate(
        "linear", {**OF_64_ROWS, "device": "a100_80gb_sxm", "measured_seconds": "100 µs"}
    )
    _, work, measured = rooflines(outcome.calculation, [outcome.time]).rows
    assert work[2:4] == ("62.7", "128 TFLOP/s")  # 5.77e9 / 92.1e6, and that times 2.039e12
    assert measured[2:4] == ("62.7", "57.7 TFLOP/s")  # 5.77e9 / 100e-6


def test_the_bound_is_given_by_its_share_of_the_floor():
    """2.15 ms of products, and 8.39 µs to read and write 2 × 4 MiB at 1 TB/s."""
    html = panel(
        "sequential", input_shape="1024, 1024", modules="Linear(1024, 1024)\nReLU()",
        peak_flops_per_second="1T", bandwidth_bytes_per_second="1T",
    )  # fmt: skip
    assert "Compute-bound for 99.6 % of the floor, memory-bound for 0.4 %." in html


def test_a_share_that_nobody_measured_on_a_device_is_that_of_other_gpus_of_its_vendor():
    html = panel("linear", device="t4", dtype="fp16")
    # devices.json: GB200 72.9 % and A100 80GB 86.9 % are the ends; Gaudi's 96.9 % is not NVIDIA's
    assert "72.9 – 86.9 %, measured in bf16, dense on other NVIDIA GPUs: " in html
    assert "MI300X" not in html
    assert "Gaudi" not in html


def test_a_launch_is_said_to_be_of_another_device():
    assert "Time per kernel launch: 2.1 µs, measured on NVIDIA H100 SXM5" in panel(
        "linear", device="t4"
    )


def test_work_that_takes_no_other_batch_has_no_flip():
    html = panel(
        "sequential", input_shape="32, 64", modules="Flatten(0)\nLinear(2048, 64)", device="t4"
    )
    assert row(html, "Compute-bound from batch size") == ["–"]


def test_a_machine_that_is_not_known_is_refused_and_the_first_stays():
    html = panel("linear", "h100", device="t4")
    assert "h100: Could be several devices: h100_sxm, h100_pcie or h100_nvl." in html
    assert len(row(html, "Bandwidth")) == 1


def test_a_machine_is_not_set_beside_itself():
    html = panel("linear", "t4", device="t4")
    assert len(row(html, "Bandwidth")) == 1
    assert "NVIDIA T4 is the current machine" in html


def test_the_sparse_peak_stands_beside_the_dense_one():
    cells = row(panel("linear", device="h100_sxm", dtype="bf16"), "Peak")
    assert cells == ["990 TFLOP/s (dense bf16); structured sparsity: 1.98 PFLOP/s"]


def test_every_layer_of_a_network_has_its_row():
    html = panel("network", architecture="alexnet", device="t4")
    assert html.count("<code>") == 22  # modules of torchvision's AlexNet, flatten among them


@pytest.mark.parametrize("device", DEVICES)
def test_the_source_of_a_machine_is_linked(device):
    dtype = next(iter(DEVICES[device]["peak"])).partition("_")[0]
    assert DEVICES[device]["source_url"] in panel("relu", device=device, dtype=dtype)


def test_a_device_with_rates_of_ones_own_is_not_called_by_its_name_alone():
    html = panel("linear", device="t4", bandwidth_bytes_per_second="1T")
    assert "NVIDIA T4, your rates" in html
