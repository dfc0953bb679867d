"""Training cost and memory of whole models, against figures that others published."""

import re

import pytest

from calculator import InvalidField, ModelMemory
from calculator import TrainingCost as Cost
from calculator.web.answer import figures
from scripts.witnesses import by_pint

A100, H800_FP8, TPU_V4 = 312 * 10**12, 1979 * 10**12, 275 * 10**12  # FLOP/s, dense
LLAMA_2_7B = {"params": 6_738_415_616, "tokens": 2 * 10**12}


def test_gpt_3_takes_what_its_paper_says():
    # arXiv:2005.14165, table D.1: 174,600 M parameters, 300 B tokens, 3.14E+23 FLOPs
    assert f"{Cost(params=174_600_000_000, tokens=300 * 10**9).flops:.2E}" == "3.14E+23"


SHARES = {
    # arXiv:2307.09288, table 2: 184,320 hours on A100-80GB for 2.0 T tokens
    "Llama 2 7B": (LLAMA_2_7B, 184_320, A100, 39.1),
    # arXiv:2412.19437, table 1: 2,664 K H800 hours for 14.8 T tokens, 37 B active parameters
    "DeepSeek-V3": ({"params": 37 * 10**9, "tokens": 148 * 10**11}, 2_664_000, H800_FP8, 17.3),
    # arXiv:2204.02311, section 4.1: 238.3 K tokens/s on 6144 chips, 45.7 % without attention
    "an hour of PaLM": (
        {"params": 540_350_000_000, "tokens": 238_300 * 3600}, 6144, TPU_V4, 45.7,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("model", "hours", "peak", "percent"), SHARES.values(), ids=SHARES.keys())
def test_the_utilization_is_the_published_one(model, hours, peak, percent):
    cost = Cost(**model, measured_device_hours=hours, peak_flops_per_second=peak)
    assert round(100 * cost.mfu, 1) == percent


def test_recomputation_adds_a_forward_pass_to_what_the_hardware_does():
    cost = Cost(params=10, tokens=10, recompute="full")
    assert (cost.flops, cost.hardware_flops) == (600, 800)


def test_recomputation_does_not_count_as_the_models_work():
    measured = {"measured_device_hours": 184_320, "peak_flops_per_second": A100}
    kept, recomputed = (Cost(**LLAMA_2_7B, **measured, recompute=each) for each in ("none", "full"))
    assert (kept.mfu, kept.hfu, recomputed.hfu) == pytest.approx(
        (recomputed.mfu, kept.mfu, recomputed.mfu * 8 / 6)
    )


def test_the_hours_of_an_assumed_utilization_have_that_utilization():
    assumed = Cost(peak_flops_per_second=A100, utilization=0.4)
    measured = Cost(peak_flops_per_second=A100, measured_device_hours=assumed.device_hours)
    assert measured.mfu == pytest.approx(0.4)


def test_twice_the_devices_take_half_the_time():
    one, two = (Cost(peak_flops_per_second=A100, utilization=1, devices=n) for n in (1, 2))
    assert one.training_seconds == 2 * two.training_seconds


REFUSED = {
    "hours and a share": ({"measured_device_hours": 1e6, "utilization": 0.5}, "utilization"),
    "more than the peak": ({"measured_device_hours": 1000}, "measured_device_hours"),
    "a share that leaves no time to recompute": (
        {"utilization": 0.8, "recompute": "full"},
        "utilization",
    ),
    "hours of no machine": (
        {"measured_device_hours": 1e6, "peak_flops_per_second": None},
        "peak_flops_per_second",
    ),
}


@pytest.mark.parametrize(("fields", "refused"), REFUSED.values(), ids=REFUSED.keys())
def test_what_does_not_fit_together_is_refused(fields, refused):
    with pytest.raises(InvalidField) as caught:
        Cost(**{"peak_flops_per_second": A100} | fields)
    assert caught.value.field == refused


def test_the_whole_peak_can_be_assumed():
    cost = Cost(peak_flops_per_second=A100, utilization=0.75, recompute="full")
    assert cost.hfu == pytest.approx(1)


def test_seven_billion_may_be_written_as_everybody_does():
    assert Cost.fields["params"].read("7B") == 7 * 10**9


def test_mixed_precision_adam_takes_16_bytes_for_each_parameter():
    # arXiv:1910.02054, section 3.1: 2 + 2 + 4 + 4 + 4
    memory = ModelMemory(params=6_738_415_616)
    assert (memory.bytes_per_param, memory.total_bytes) == (16, 107_814_649_856)


# arXiv:1910.02054, figure 1: 7.5 B parameters, 64 devices, GB on each
ZERO = {"0": 120, "1": 31.4, "2": 16.6, "3": 1.9}


@pytest.mark.parametrize(("stage", "gigabytes"), ZERO.items())
def test_zero_leaves_on_a_device_what_its_paper_says(stage, gigabytes):
    memory = ModelMemory(params=7_500_000_000, zero_stage=stage, devices=64)
    assert round(memory.total_bytes / 1e9, 1) == gigabytes


def test_shards_that_do_not_come_out_even_are_as_large_as_the_largest():
    assert ModelMemory(params=10, zero_stage="3", devices=4).shard_params == 3


def test_to_run_a_model_takes_its_weights_alone():
    assert ModelMemory(params=100, optimizer="none", weight_dtype="int8").total_bytes == 100


def test_activations_are_added_as_they_are_given():
    assert ModelMemory(params=1, activation_bytes=5).total_bytes == 16 + 5


@pytest.mark.parametrize(("optimizer", "numbers"), {"sgd": 0, "sgd_momentum": 1, "adam": 2}.items())
def test_an_optimizer_keeps_as_many_numbers_as_torchs(optimizer, numbers):
    memory = ModelMemory(params=1, optimizer=optimizer, state_dtype="int8")
    assert (by_pint.states(optimizer), memory.optimizer_bytes) == (numbers, numbers)


def bar(memory: ModelMemory) -> list[tuple[float, float]]:
    """Return where each part of the drawn bar begins and how long it is, in percent."""
    drawn = re.findall(r'<rect [^>]*x="([\d.]+)" width="([\d.]+)"', figures(memory, None))
    return [(float(start), float(width)) for start, width in drawn]


def test_the_bar_is_as_long_as_the_parts_are_large():
    # 2, 2, 4 and 8 bytes of 16
    assert bar(ModelMemory()) == [(0, 12.5), (12.5, 12.5), (25, 25), (50, 50)]


def test_a_part_that_is_not_there_is_not_drawn():
    assert bar(ModelMemory(optimizer="none")) == [(0, 100)]


def test_the_bar_says_its_parts_in_words():
    page = figures(ModelMemory(), None)
    assert "Optimizer states <b>53.9 GB</b> 50.0 %" in page


def test_what_has_no_parts_has_no_bar():
    assert "calculator-bar" not in figures(Cost(), None)
