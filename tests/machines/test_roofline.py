"""From counts to seconds: what follows from dividing, and what no time may undercut."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calculator import (
    CALCULATIONS,
    Conv2d,
    Flatten,
    InvalidField,
    Linear,
    Llama,
    Network,
    ReLU,
    Runtime,
    Sequential,
)
from calculator.machines.crossover import flip_batch_size
from calculator.machines.work_runtime import runtime
from calculator.web.answer import verdict

RATE = st.integers(1, 10**16)
SHARES = st.lists(st.floats(0.01, 1), min_size=2, max_size=2).map(sorted)
MACHINES = st.fixed_dictionaries(
    {
        "peak_flops_per_second": RATE,
        "bandwidth_bytes_per_second": RATE,
        "utilization": SHARES,
        "bandwidth_utilization": SHARES,
        "launch_seconds": st.floats(0, 1e-3),
    }
)
WORK = {"flops": st.integers(0, 10**20), "bytes_moved": st.integers(0, 10**15)}
ELEMENTS = 3072 * 768 + 3072 + 768 + 3072  # of weight, bias, input and output
SEPARABLE = "Conv2d(64, 64, 3, padding=1, groups=64, bias=False)\nConv2d(64, 128, 1, bias=False)"


@given(machine=MACHINES, **WORK)
def test_half_the_peak_takes_twice_the_compute_time(machine, **work):
    slow, fast = (
        Runtime(**work, **machine | {"peak_flops_per_second": peak})
        for peak in (10**12, 2 * 10**12)
    )
    assert slow.compute_seconds == 2 * fast.compute_seconds


@given(machine=MACHINES, **WORK)
def test_half_the_bandwidth_takes_twice_the_memory_time(machine, **work):
    slow, fast = (
        Runtime(**work, **machine | {"bandwidth_bytes_per_second": speed}) for speed in (10**9, 2e9)
    )
    assert slow.memory_seconds == 2 * fast.memory_seconds


@given(machine=MACHINES, **WORK)
def test_a_floor_is_at_most_the_sum_and_at_least_half_of_it(machine, **work):
    time = Runtime(**work, **machine)
    assert time.serial_seconds / 2 <= time.floor_seconds <= time.serial_seconds


@given(machine=MACHINES, **WORK)
def test_the_best_case_is_not_below_the_floor(machine, **work):
    time = Runtime(**work, **machine)
    least, most = time.best_case
    assert time.floor_seconds <= least <= most * (1 + 1e-12)


@given(machine=MACHINES, size=st.integers(1, 10**6))
def test_twice_the_batch_takes_at_most_twice_the_floor(machine, size):
    one, two = (runtime(Linear(batch_size=each), machine) for each in (size, 2 * size))
    assert one.floor_seconds <= two.floor_seconds <= 2 * one.floor_seconds * (1 + 1e-12)


@given(machine=MACHINES)
def test_the_floor_of_layers_in_a_row_is_the_sum_of_their_own(machine):
    network = Network(architecture="resnet18", image_size=32, dtype="bf16")
    alone = [
        Runtime(flops=each.flops, bytes_moved=each.bytes_moved, dtype="bf16", **machine)
        for each in network.layers
    ]
    assert runtime(network, machine).floor_seconds == pytest.approx(
        sum(each.floor_seconds for each in alone)
    )


@given(machine=MACHINES)
def test_the_floor_of_a_decoder_is_the_sum_over_all_that_is_in_it(machine):
    llama = CALCULATIONS["llama"](num_hidden_layers=3, sequence_length=7)
    alone = [
        count * Runtime(flops=each.flops, bytes_moved=each.bytes_moved, **machine).floor_seconds
        for count, each in llama.leaves()
    ]
    assert runtime(llama, machine).floor_seconds == pytest.approx(sum(alone))


def test_a_decoder_holds_every_block_as_often_as_it_runs():
    llama = CALCULATIONS["llama"](num_hidden_layers=3)
    assert sum(count * each.macs for count, each in llama.leaves()) == llama.macs


def test_compute_and_memory_share_out_the_floor():
    time = runtime(Network(architecture="vgg16", dtype="fp16"), {"device": "t4"})
    assert time.bound_by("compute") + time.bound_by("memory") == pytest.approx(time.floor_seconds)


def test_what_moves_nothing_launches_nothing():
    network = Sequential(modules="Linear(4, 4)\nIdentity()\nFlatten()\nReLU()", input_shape=(2, 4))
    assert runtime(network, {"device": "h100_sxm"}).launches == 2


A100 = {"device": "a100_80gb_sxm"}
LLAMA = {"in_features": 4096, "out_features": 11008, "bias": False, "dtype": "bf16"}


def test_a_matrix_of_llama_is_bound_by_compute_from_162_rows_on():
    # facts: the A100's ridge is 153 FLOP/B, and the bound flips near 161 rows
    work = Linear(**LLAMA)
    assert flip_batch_size(work, runtime(work, A100)) == 162


CONV = {"in_channels": 512, "out_channels": 512, "kernel_size": 3, "height": 7, "width": 7}
MIXTRAL = {"num_local_experts": 8, "num_experts_per_tok": 2, "sequence_length": 1, "dtype": "bf16"}


def sequence(modules, shape, **fields):
    """Return the function from a batch to a sequence on a shape, whose batch is None."""
    return lambda batch: Sequential(
        modules=modules,
        input_shape=tuple(batch if size is None else size for size in shape),
        **fields,
    )


FLIPS = {
    "a linear layer": lambda batch: Linear(**LLAMA, batch_size=batch),
    "with bias": lambda batch: Linear(in_features=768, out_features=3072, batch_size=batch),
    "all arithmetic": lambda batch: Linear(in_features=768, out_features=768, batch_size=batch,
                                           convention="all"),
    "a convolution": lambda batch: Conv2d(**CONV, batch_size=batch),
    "a network": lambda batch: Network(architecture="alexnet", dtype="fp16", batch_size=batch),
    "experts": lambda batch: Llama(**MIXTRAL, batch_size=batch),
    "a tensor": lambda batch: ReLU(size=(batch, 64)),
    "a sequence": sequence("Linear(2048, 512)\nLinear(512, 64)", (None, 2048)),
    "batch second": sequence("LSTM(512, 1024)", (100, None, 512)),
    "normalised in training": sequence("BatchNorm1d(512)\nLinear(512, 512)", (None, 512),
                                       training=True),
}  # fmt: skip


@pytest.mark.parametrize("device", ["t4", "a100_80gb_sxm", "rpi5", "rtx4090"])
@pytest.mark.parametrize("at", FLIPS.values(), ids=FLIPS.keys())
def test_compute_binds_from_the_flip_on_and_not_before(at, device):
    machine = {"device": device}

    def bound(batch):
        return runtime(at(batch), machine).bound

    size = flip_batch_size(at(3), runtime(at(3), machine))
    if size == math.inf:
        assert {bound(batch) for batch in (2, 7, 64, 10**6)} == {"memory"}
    else:
        assert bound(size) == bound(10**6) == "compute"
        assert size <= 2 or bound(size - 1) == "memory"


def test_an_input_without_a_batch_is_given_one():
    at = sequence("Conv2d(512, 512, 3)", (None, 512, 7, 7), dtype="bf16")
    work = Sequential(modules="Conv2d(512, 512, 3)", input_shape=(512, 7, 7), dtype="bf16")
    size = flip_batch_size(work, runtime(work, A100))
    assert size == flip_batch_size(at(1), runtime(at(1), A100)) > 1


def test_what_moves_nothing_or_has_no_bandwidth_has_no_known_flip():
    view, work = Flatten(), Linear(**LLAMA)
    assert flip_batch_size(view, runtime(view, A100)) is None
    assert flip_batch_size(work, runtime(work, {"peak_flops_per_second": 10**12})) is None


def test_no_batch_is_large_enough_for_a_depthwise_convolution():
    depthwise = Conv2d(in_channels=64, out_channels=64, groups=64, kernel_size=3, padding=1,
                       height=56, width=56, dtype="fp16")  # fmt: skip
    assert flip_batch_size(depthwise, runtime(depthwise, A100)) == math.inf


def test_a_separable_convolution_does_8_times_less_in_a_floor_only_4_times_lower():
    # facts, page 12: a T4 in fp32, 8.4 times fewer FLOPs, floor 4.5 times lower
    full = Conv2d(in_channels=64, out_channels=128, kernel_size=3, padding=1, bias=False,
                  height=56, width=56)  # fmt: skip
    pair = Sequential(modules=SEPARABLE, input_shape=(1, 64, 56, 56))
    times = [runtime(work, {"device": "t4"}).floor_seconds for work in (full, pair)]
    assert (round(full.flops / pair.flops, 1), round(times[0] / times[1], 1)) == (8.4, 4.5)


ROWS = {  # the rows of the data sheets: which units a type is multiplied by
    "bf16 on a T4, which has no such unit": ("t4", "bf16", "fp32", 8.1e12),
    "tf32 on a V100, which has no such unit": ("v100_sxm2_32gb", "tf32", "fp32", 15.7e12),
    "fp64 on an A100, by tensor cores": ("a100_80gb_sxm", "fp64", "fp64_tensor", 19.5e12),
    "fp32 on an MI250X, by matrix cores": ("mi250x", "fp32", "fp32_matrix", 95.7e12),
    "bf16 on an A100": ("a100_80gb_sxm", "bf16", "bf16", 312e12),
}


@pytest.mark.parametrize(("device", "dtype", "row", "rate"), ROWS.values(), ids=ROWS.keys())
def test_a_type_is_multiplied_by_the_units_that_the_device_has(device, dtype, row, rate):
    time = Runtime(flops=1, device=device, dtype=dtype)
    assert (time.peak.row, time.peak_flops_per_second) == (row, rate)


def test_a_type_without_units_says_so():
    assert Runtime(flops=1, device="t4", dtype="bf16").peak.because


def test_the_bytes_of_a_type_without_units_stay_its_own():
    work = Linear(dtype="bf16")
    assert runtime(work, {"device": "t4"}).bytes_moved == work.bytes_moved == 2 * ELEMENTS


KINDS = {  # H100 data sheet: "with sparsity"; Ada white paper, appendix A: FP16 accumulate
    "sparse": ("h100_sxm", "bf16", "sparse", 1979e12),
    "dense": ("h100_sxm", "bf16", "dense", 1979e12 / 2),
    "accumulated in FP16": ("rtx4090", "fp16", "fp16_accumulate", 330.3e12),
    "accumulated in FP32": ("rtx4090", "fp16", "dense", 165.2e12),
}


@pytest.mark.parametrize(("device", "dtype", "kind", "rate"), KINDS.values(), ids=KINDS.keys())
def test_a_device_has_several_peaks_of_one_type(device, dtype, kind, rate):
    assert (
        Runtime(flops=1, device=device, dtype=dtype, peak_kind=kind).peak_flops_per_second == rate
    )


REFUSED = {
    "a kind that the device has not": ({"device": "t4", "dtype": "fp16", "peak_kind": "sparse"},
                                       "peak_kind", "choose dense"),
    "a kind of another device": ({"device": "h100_sxm", "dtype": "fp16",
                                  "peak_kind": "fp16_accumulate"}, "peak_kind", "dense or sparse"),
    "a type that nothing multiplies": ({"device": "tpu_v5e", "dtype": "fp64"}, "dtype", "bf16"),
    "a name of several": ({"device": "h100"}, "device", "h100_sxm, h100_pcie or h100_nvl"),
    "a misspelt name": ({"device": "h100_sxn"}, "device", "h100_sxm"),
}  # fmt: skip


@pytest.mark.parametrize(("machine", "field", "named"), REFUSED.values(), ids=REFUSED.keys())
def test_what_a_device_has_not_is_refused_and_what_it_has_is_named(machine, field, named):
    with pytest.raises(InvalidField, match=named) as caught:
        Runtime(flops=1, **machine)
    assert caught.value.field == field


@pytest.mark.parametrize("name", ["NVIDIA H100 PCIe 80GB", "nvidia h100 pcie 80gb", "h100_pcie"])
def test_a_device_may_be_named_in_full(name):
    assert Runtime(flops=1, device=name, dtype="bf16").device == "h100_pcie"


def test_a_part_of_a_name_that_only_one_device_has_is_enough():
    assert Runtime(device="4090").device == "rtx4090"


def test_a_copy_on_another_device_has_its_rates():
    """Data sheet of the H100 SXM5: 989.5 TFLOP/s in bf16, 67 in fp32, 3.35 TB/s, 700 W."""
    one = Runtime(device="a100_80gb_sxm", dtype="bf16").replace(device="h100_sxm")
    assert one.peak_flops_per_second == 989.5e12
    assert one.bandwidth_bytes_per_second == 3.35e12
    assert one.power_watts == 700
    assert one.replace(dtype="fp32").peak_flops_per_second == 67e12


def test_a_copy_keeps_the_rates_that_were_given():
    one = Runtime(device="t4", peak_flops_per_second=10**12).replace(flops=5)
    assert one.peak_flops_per_second == 10**12


def test_a_network_says_which_part_of_its_floor_is_bound_by_which_rate():
    """AlexNet at batch 8: memory takes longer in all, compute for more of the floor."""
    machine = {"device": "apple_m2_gpu10", "dtype": "fp32"}
    time = runtime(Network(architecture="alexnet", batch_size=8), machine)
    assert time.memory_seconds > time.compute_seconds
    bound = sum(
        count * each.flops / time.peak_flops_per_second
        for count, each in time.steps
        if each.flops / time.peak_flops_per_second
        >= each.bytes_moved / time.bandwidth_bytes_per_second
    )
    share = f"{100 * bound / time.floor_seconds:.1f} %"
    assert f"<strong>Compute-bound</strong> for {share} of the floor" in verdict(time)


TIMES = {
    "a power of ten": ("1e-3 ms", 1e-6),
    "without a space": ("250ns", 250e-9),
    "picoseconds": ("1000 ps", 1e-9),
    "the micro sign": ("48 \u00b5s", 48e-6),
    "the Greek letter": ("48 \u03bcs", 48e-6),
    "a plain u": ("48us", 48e-6),
    "as torch's profiler might": ("48 usec", 48e-6),
    "minutes": ("2 min", 120),
    "minutes in full": ("2 minutes", 120),
    "hours": ("1.5 h", 5400),
    "days": ("3 d", 259_200),
}


@pytest.mark.parametrize(("text", "seconds"), TIMES.values(), ids=TIMES.keys())
def test_a_time_may_be_written_as_people_do(text, seconds):
    values, errors = Runtime.read({"measured_seconds": text})
    assert (values, errors) == ({"measured_seconds": seconds}, {})


@pytest.mark.parametrize(
    ("text", "said"),
    [("5 m", "write min or ms"), ("5 Ms", "such as 48 µs"), ("5 mB", "such as 48 µs")],
)
def test_what_is_no_time_is_told_how_times_end(text, said):
    _, errors = Runtime.read({"measured_seconds": text})
    assert errors["measured_seconds"].message.endswith(said)


WRONG = {
    "no time": ("measured_seconds", "0", "must be at least 0.001 ns (given: 0)"),
    "a negative share": ("utilization", "-5 %", "must be at least 0.0001 % (given: -5 %)"),
    "a comma": ("utilization", "0,5", "write 0.5 with a point (given: 0,5)"),
}


@pytest.mark.parametrize(("name", "text", "said"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_with_a_time_or_a_share_is_told(name, text, said):
    assert said in str(Runtime.read({name: text})[1][name])


def test_a_share_without_a_machine_is_refused():
    with pytest.raises(InvalidField, match="choose a device"):
        runtime(Linear(), {"utilization": (0.4, 0.4)})


def test_a_megaflop_that_takes_a_second_is_a_share_of_the_peak():
    time = Runtime(flops=10**6, bytes_moved=10**5, recomputed_flops=10**6, measured_seconds=1,
                   peak_flops_per_second=10**7, bandwidth_bytes_per_second=10**6)  # fmt: skip
    assert (time.mfu, time.hfu, time.mbu) == (0.1, 0.2, 0.1)


def test_power_times_the_best_case_is_its_energy():
    time = Runtime(flops=10**12, peak_flops_per_second=10**12, utilization=(0.25, 0.5),
                   power_watts=300)  # fmt: skip
    assert (time.best_case_joules, time.best_case_serial_joules) == (
        600,
        1200,
    )  # 2 s and 4 s of 300 W


def test_the_time_of_layers_on_another_machine_is_that_of_the_same_layers():
    network = Sequential(input_shape=(64, 1024), modules="Linear(1024, 1024)\nReLU()", dtype="bf16")
    here, there = (runtime(network, {"device": device}) for device in ("a100_80gb_sxm", "t4"))
    moved = here.replace(device="t4")
    assert moved.floor_seconds == there.floor_seconds != here.floor_seconds
    assert [time.bound for time in moved.layers] == [time.bound for time in there.layers]
    assert moved.replace(launches=1).floor_seconds == there.floor_seconds
    with pytest.raises(InvalidField, match="is given by the layers; change the layers"):
        here.replace(flops=1)
