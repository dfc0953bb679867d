"""What a measured time is of, whether the work fits, and whose best case is shown."""

import json
import re

import pytest

from calculator import InvalidField, Linear, Llama, Network, Runtime, Sequential, how_to_report
from calculator.__main__ import main
from calculator.answers.evaluate import evaluate
from calculator.machines.work_runtime import runtime
from calculator.web.answer import figures, verdict
from calculator.web.machines_panel import render_machines
from calculator.web.page import example

RESNET_50 = 4_089_184_256  # MACs on 224 × 224: torchvision's own metadata says 4.089
LLAMA_70B = {
    "vocab_size": "32000", "hidden_size": "8192", "intermediate_size": "28672",
    "num_hidden_layers": "80", "num_attention_heads": "64", "num_key_value_heads": "8",
    "sequence_length": "1", "dtype": "bf16", "device": "rtx4090",
}  # fmt: skip


@pytest.fixture
def printed(capsys):
    def run(line, *words):
        assert main([*line.split(), *words, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return run


TRAINED = "network resnet50 --batch-size 256 --dtype fp16 --device a100_80gb_sxm"


def test_a_training_step_counts_three_times_the_forward_pass(printed):
    """A12: NVIDIA's 2470 images per second on an A100, 312 TFLOP/s: 3 × 8.178 GFLOP × 2470."""
    time = printed(f"{TRAINED} --training", "--measured-seconds", "103.6 ms")["time"]
    assert time["mfu"] == pytest.approx(3 * 2 * RESNET_50 * 256 / 0.1036 / 312e12)
    assert round(100 * time["mfu"], 1) == 19.4
    assert time["timed_pass"] == "training"


PASSES = [("forward", 1, 1), ("training", 3, 3), ("recomputed", 3, 4)]


@pytest.mark.parametrize(("said", "passes", "hardware_passes"), PASSES)
def test_what_was_timed_can_be_said(printed, said, passes, hardware_passes):
    line = f"{TRAINED} --training --measured-pass {said}"
    time = printed(line, "--measured-seconds", "103.6 ms")["time"]
    share = 2 * RESNET_50 * 256 / 0.1036 / 312e12
    assert time["mfu"] == pytest.approx(passes * share)
    assert time["hfu"] == pytest.approx(hardware_passes * share)


AGAIN = {"peak_flops_per_second": 10**9, "recomputed_flops": 2**20}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {},
            "does not belong to a forward pass; choose a training step with activations recomputed",
        ),
        ({"measured_pass": "forward", "measured_seconds": 1}, "does not belong to a forward pass"),
        (
            {"measured_pass": "training", "measured_seconds": 1},
            "does not belong to a training step",
        ),
        ({"measured_pass": "recomputed"}, "needs a measured time; enter one"),
    ],
    ids=["nothing else", "a forward pass", "a step that keeps all", "no time"],
)
def test_what_is_recomputed_is_of_a_measured_step_that_recomputes(more, said):
    with pytest.raises(InvalidField) as refused:
        runtime(Linear(), {**AGAIN, **more})
    assert refused.value.field == "recomputed_flops"
    assert refused.value.message.startswith(said)


def test_what_is_recomputed_in_part_counts_in_the_hfu():
    """64³ MACs: 2 × 64³ FLOPs forward and 4 × 64³ backward, and 2^20 = 4 × 64³ again."""
    layer = Linear(in_features=64, out_features=64, batch_size=64, bias=False)
    time = runtime(layer, {**AGAIN, "measured_pass": "recomputed", "measured_seconds": 1})
    assert (time.mfu, time.hfu) == (6 * 64**3 / 10**9, 10 * 64**3 / 10**9)


def test_a_runtime_recomputes_in_a_measured_time_alone():
    with pytest.raises(InvalidField, match="needs a measured time"):
        Runtime(**AGAIN)


def test_a_frozen_layer_has_no_gradient_of_its_weights():
    layer = Linear(in_features=64, out_features=64, batch_size=64, weight_requires_grad=False)
    given = {"peak_flops_per_second": 10**9, "measured_seconds": 1.0, "measured_pass": "training"}
    time = runtime(layer, given)
    assert time.mfu == 2 * 2 * 64**3 / 1e9  # forward, and the gradient of the input


@pytest.mark.parametrize(("said", "passes", "hardware_passes"), PASSES[1:])
def test_the_mfu_of_a_step_is_of_matrix_work_in_either_convention(said, passes, hardware_passes):
    """64³ MACs in the layer, thrice in a step; the 64² biases and activations are not in it."""
    network = Sequential(input_shape=(64, 64), modules="Linear(64, 64)\nReLU()", convention="all")
    given = {"peak_flops_per_second": 10**9, "measured_seconds": 1, "measured_pass": said}
    time = runtime(network, given)
    assert (time.mfu, time.hfu) == (passes * 2 * 64**3 / 1e9, hardware_passes * 2 * 64**3 / 1e9)
    assert "MFU and HFU of a training step count the FLOPs of matrix work." in verdict(time)


def test_several_devices_share_the_peak(printed):
    """8 H100 on one step of a Llama 2 7B: the MFU is an eighth of that of one."""
    line = "llama --sequence-length 2048 --dtype bf16 --device h100_sxm --measured-pass training"
    one, eight = (
        printed(line + more, "--measured-seconds", "500 ms")["time"]
        for more in ("", " --devices 8")
    )
    assert eight["mfu"] == pytest.approx(one["mfu"] / 8)
    assert eight["floor_seconds"] == pytest.approx(one["floor_seconds"] / 8)
    assert eight["capacity_bytes"] == 8 * one["capacity_bytes"]


def test_the_bandwidth_of_two_devices_is_twice_that_of_one(printed):
    """A20: Qwen2.5-72B in bf16, 30.9 ms per token on two H100; 145.4 GB over 2 × 3.35 TB/s."""
    line = "runtime --flops 145.4G --bytes-moved 145.4GB --dtype bf16 --device h100_sxm --devices 2"
    found = printed(line, "--measured-seconds", "30.9 ms")
    assert found["mbu"] == pytest.approx(145.4e9 / 0.0309 / 6.7e12)
    assert found["mbu"] < 1


def test_a_time_below_the_bound_may_be_that_of_more_devices(printed):
    line = "runtime --flops 145.4G --bytes-moved 145.4GB --dtype bf16 --device h100_sxm"
    remarks = " ".join(printed(line, "--measured-seconds", "30.9 ms")["remarks"])
    assert "Either more devices than 1 shared the work" in remarks


def test_a_training_step_has_no_mbu_and_says_why(printed):
    found = printed(f"{TRAINED} --training", "--measured-seconds", "103.6 ms")["time"]
    assert "mbu" not in found
    assert "There is no MBU: the bytes of the backward pass are not counted." in found["remarks"]


def test_a_step_below_the_peak_is_below_its_own_bound(printed):
    """All FLOPs of the step at 312 TFLOP/s take 20.1 ms, the forward pass alone 6.71 ms."""
    line = f"{TRAINED} --training --bandwidth 1000T"
    step, forward = (
        printed(line + more, "--measured-seconds", "15 ms")["time"]
        for more in ("", " --measured-pass forward")
    )
    assert any("below the bound" in remark for remark in step["remarks"])
    assert not any("below the bound" in remark for remark in forward["remarks"])


def test_the_page_says_what_the_measured_time_is_of():
    outcome = evaluate("network", {"architecture": "resnet18", "training": "true",
                                   "device": "t4", "measured_seconds": "1 s"})  # fmt: skip
    said = verdict(outcome.time)
    assert "Your 1 s is taken as the time of a training step on 1 device." in said
    assert "a lower bound of a forward pass" in said


def test_what_does_not_fit_is_said_in_the_headline():
    """A13: Llama 2 70B has 68,976,648,192 parameters, 137,953,296,384 B in bf16; 24 GB."""
    outcome = evaluate("llama", LLAMA_70B)
    assert not outcome.time.fits
    headline = figures(outcome.calculation, outcome.time).partition("</dl>")[0]
    assert "does not fit" in headline
    assert re.search(r'data-quantity="needed_devices" value="6"', headline)  # 137.95 / 24 = 5.75
    assert ">138 GB</data>" in headline
    assert "of 24 GB" in headline


def test_the_memory_that_is_needed_holds_weights_cache_and_activations():
    """Llama 2 70B, 4096 tokens in the cache: 2 × 80 × 8 × 128 × 2 B per token."""
    outcome = evaluate("llama", {**LLAMA_70B, "past_length": "4095"})
    weights, cache = 137_953_296_384, 2 * 80 * 8 * 128 * 2 * 4096
    held = outcome.time
    assert (held.weight_bytes, held.kv_cache_bytes) == (weights, cache)
    # the widest layer is SiLU: 28672 numbers in, and as many out, in 2 bytes
    assert held.activation_bytes == 2 * (28672 + 28672)
    assert outcome.time.needed_bytes == weights + cache + held.activation_bytes


@pytest.mark.parametrize(
    ("rows", "larger"), [(16, 64 * 64), (64, 2 * 64 * 64)], ids=["gradients", "activations"]
)
def test_a_training_step_holds_gradients_or_what_autograd_keeps(rows, larger):
    """torch: Linear keeps its input and ReLU its output; 64 × 64 weights, no bias, fp32."""
    network = Sequential(input_shape=(rows, 64), modules="Linear(64, 64, bias=False)\nReLU()")
    time = runtime(network, {"device": "t4", "measured_pass": "training"})
    assert time.needed_bytes == 4 * (64 * 64 + larger)


def test_gradients_replace_activations_in_what_a_step_needs(capsys):
    """Llama 2 7B in bf16: 6,738,415,616 × 2 B of weights, with as much of gradients 88.2 GB."""
    line = "llama --sequence-length 9000 --dtype bf16 --device a100_80gb_sxm"
    assert main([*line.split(), "--measured-pass", "training"]) == 0
    needs = "Needs at least 74.7 GB of 80 GB (weights 13.5 GB, activations 61.2 GB; gradients"
    assert needs in capsys.readouterr().out


def test_a_machine_of_ones_own_has_the_memory_that_is_given():
    own = {"peak_flops_per_second": 10**12, "memory_bytes": 10**6}
    time = runtime(Linear(in_features=1024, out_features=1024, bias=False), own)
    assert (time.fits, time.needed_devices) == (False, 5)  # 4 × 1024² + 2 × 4 × 1024 B
    assert runtime(Linear(), {"peak_flops_per_second": 10**12}).fits is None


def test_a_machine_of_ones_own_has_no_best_case_of_other_machines(printed):
    time = printed("linear --peak-flops 10T --bandwidth 1T")["time"]
    assert time["best_case"] is None
    assert "best_case_seconds" not in time
    asked = printed("linear --peak-flops 10T --bandwidth 1T --utilization 0.5 "
                    "--bandwidth-utilization 0.5")["time"]  # fmt: skip
    assert asked["best_case"][0] == pytest.approx(2 * asked["floor_seconds"])


def test_rates_of_ones_own_do_not_take_the_share_of_the_device():
    assert Runtime(device="h100_sxm", dtype="bf16", peak_flops_per_second=10**12).best_case is None


def test_a_processor_does_not_take_the_share_of_an_accelerator():
    """Both are Intel's: Gaudi 2 reached 96.9 % of its peak; nobody measured the Xeon."""
    assert Runtime(device="xeon_8480plus", dtype="bf16").best_case is None


def test_a_share_measured_in_another_type_is_said(printed):
    remarks = printed("linear --device a100_80gb_sxm --dtype fp16")["time"]["best_case_basis"]
    assert "achieved that share of the peak in bf16, not in fp16" in remarks


def test_a_share_measured_on_another_device_is_said(printed):
    remarks = printed("linear --device t4 --dtype fp16")["time"]["best_case_basis"]
    assert "achieved that share of the peak on other NVIDIA GPUs in bf16" in remarks


def test_the_old_keys_of_a_time_stand_for_one_release(printed):
    time = printed("linear --device a100_80gb_sxm --dtype bf16")["time"]
    assert time["interval"] == [time["least_seconds"], time["most_seconds"]] == time["best_case"]
    assert time["least_joules"] == time["best_case_joules"]
    assert time["most_joules"] == time["best_case_serial_joules"]


def test_a_machine_of_ones_own_can_have_a_name(printed, capsys):
    assert main(["linear", "--peak-flops", "10T", "--machine-name", "lab server"]) == 0
    assert "lab server, 10 TFLOP/s" in capsys.readouterr().out


def test_a_page_says_the_name_of_a_machine_of_ones_own():
    given = {"peak_flops_per_second": "10T", "machine_name": "lab server"}
    outcome = evaluate("linear", given)
    assert "Compute time only on lab server, at 10 TFLOP/s." in verdict(outcome.time)
    assert "lab server: 10 TFLOP/s" in example(*outcome[:2], given, ["macs"])


@pytest.mark.parametrize("name", ["a\nb", "x" * 61, "\x00"], ids=["two lines", "long", "control"])
def test_a_name_is_a_few_words_on_one_line(name):
    with pytest.raises(InvalidField) as caught:
        Runtime(peak_flops_per_second=1, machine_name=name)
    assert caught.value.field == "machine_name"


def test_a_name_cannot_bring_markup():
    outcome = evaluate("linear", {"peak_flops_per_second": "1T", "machine_name": "<b>x</b>"})
    assert "<b>" not in figures(outcome.calculation, outcome.time)


def test_integers_are_counted_in_operations_not_in_flops(capsys):
    assert main(["linear", "--dtype", "int8", "--device", "a100_80gb_sxm"]) == 0
    said = capsys.readouterr().out
    assert "FLOP" not in said.replace("peak_flops", "")
    assert "624 TOP/s (dense int8)" in said


def test_the_page_of_an_integer_layer_says_ops():
    outcome = evaluate("linear", {"dtype": "int8", "device": "a100_80gb_sxm"})
    assert "FLOP" not in figures(outcome.calculation, outcome.time)


def test_a_network_in_floats_says_flops():
    network = Network(architecture="alexnet")
    assert "FLOPs" in figures(network, None)


def test_the_memory_of_a_cache_grows_with_every_token():
    """Llama 2 7B: 2 × 32 × 4096 × 2 B = 524,288 B per token and sequence."""
    few, more = (
        runtime(Llama(sequence_length=1, past_length=past, dtype="bf16"), {"device": "t4"})
        for past in (0, 999)
    )
    assert more.needed_bytes - few.needed_bytes == 999 * 524_288


@pytest.mark.parametrize("whole", [True, False], ids=["with charts", "without"])
def test_the_panel_of_an_integer_layer_says_ops(whole):
    fields = {"dtype": "int8", "device": "a100_80gb_sxm", "measured_seconds": "1 ms"}
    html = render_machines(evaluate("linear", fields), "linear", fields, whole=whole)
    assert "FLOP" not in re.sub("<a .*?</a>", "", html)  # titles of sources stay as they are
    assert "OP/s" in html


def test_an_integer_layer_is_reported_in_ops():
    layer = Linear(in_features=512, out_features=1000, dtype="int8")
    assert how_to_report(layer).startswith("512 kMACs (1.02 MOPs, 1 MAC = 2 OPs)")


def test_a_share_measured_of_the_dense_peak_is_said_at_the_sparse_one(printed):
    line = "linear --device h100_sxm --dtype bf16 --peak-kind sparse"
    remarks = printed(line)["time"]["best_case_basis"]
    assert "in bf16, of the dense peak with FP32 accumulation; other work" in remarks


def test_what_holds_nothing_lists_no_parts(capsys):
    line = "flatten --device h100_sxm --measured-pass training"
    assert main(line.split()) == 0
    said = "Needs at least 0 B of 80 GB (optimizer states are not counted)."
    assert said in capsys.readouterr().out


def test_recomputed_activations_are_not_held():
    """Weights and the widest layer alone: 64 × 64 weights, 320 × 64 in and out, fp32."""
    network = Sequential(input_shape=(320, 64), modules="Linear(64, 64, bias=False)\nReLU()")
    time = runtime(network, {"device": "t4", "measured_pass": "recomputed"})
    assert time.needed_bytes == 4 * (64 * 64 + 2 * 320 * 64)
    deep = Sequential(input_shape=(320, 64), modules="Linear(64, 64, bias=False)\n" * 9)
    kept, recomputed = (
        runtime(deep, {"device": "t4", "measured_pass": said}).needed_bytes
        for said in ("training", "recomputed")
    )
    assert kept - recomputed == 4 * 320 * 64 * (9 - 2)  # nine inputs, or one and its output


def test_a_training_step_needs_no_cache():
    time = runtime(Llama(dtype="bf16"), {"device": "t4", "measured_pass": "training"})
    assert time.kv_cache_bytes is None


GIGABYTES = {
    "below": (79.9e9, True),
    "between GB and GiB": (82e9, None),
    "above": (86e9, False),  # 80 GiB are 85.9e9 B
}


@pytest.mark.parametrize(("needed", "fits"), GIGABYTES.values(), ids=GIGABYTES.keys())
def test_what_does_not_fit_is_certain(needed, fits):
    """Vendors print 80 GB for what torch reports as 79.3 GiB, which is 85.1e9 B."""
    rows = round(needed / 2 / 100_000)
    layer = Linear(in_features=100_000, out_features=rows, bias=False, dtype="bf16")
    time = runtime(layer, {"device": "a100_80gb_sxm"})
    assert time.fits is fits
    said = figures(layer, time)
    assert ("does not fit" in said, "may not fit" in said) == (fits is False, fits is None)


def test_a_memory_of_ones_own_is_exact():
    own = {"device": "a100_80gb_sxm", "memory_bytes": 10**6}
    assert runtime(Linear(), own).fits is False


def test_the_memory_of_a_training_run_says_what_is_not_counted(capsys):
    """70e9 parameters: 140 GB of weights and as much of gradients in bf16, on 80 GB."""
    line = "training_cost --params 70B --tokens 1T --device a100_80gb_sxm --dtype bf16"
    assert main([*line.split(), "--utilization", "0.4"]) == 0
    said = capsys.readouterr().out
    assert "Does not fit: needs at least 280 GB of 80 GB (weights 140 GB, gradients 140 GB" in said
    assert "optimizer states and activations are not counted" in said


def test_a_typed_share_is_not_called_measured(printed):
    time = printed("linear --dtype bf16 --device a100_80gb_sxm --utilization 1")["time"]
    assert time["best_case_basis"].startswith("at your share of the peak (100 % of the peak and")
