"""The command line and the README's Python: contracts that others script against."""

import doctest
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from calculator import CALCULATIONS, Layer, Linear
from calculator.__main__ import main

ROOT = Path(__file__).parents[2]
LAYER_KEYS = {
    "layer", "output_shape", "params", "macs", "flops", "operations", "weight_bytes",
    "input_bytes", "output_bytes", "bytes_moved", "arithmetic_intensity", "fields",
}  # fmt: skip
TIME_KEYS = {
    "compute_seconds", "memory_seconds", "floor_seconds", "bound", "device",
    "peak_flops_per_second", "bandwidth_bytes_per_second", "utilization",
}  # fmt: skip


@pytest.fixture
def printed(capsys):
    """Run a command, and return the JSON that it prints."""

    def run(line: str) -> dict:
        assert main([*shlex.split(line), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return run


# Each figure was counted by torch 2.13.0: FlopCounterMode on meta, numel, the shape of the output.
LAYERS = {
    "linear": (
        "linear --in-features 128 --out-features 64 --batch-size 32",
        {"macs": 262_144, "flops": 524_288, "params": 8256, "output_shape": [32, 64]},
    ),
    "linear on a sequence, without bias": (
        "linear --in-features 8 --out-features 4 --batch-size 2 --sequence-length 3 --no-bias",
        {"macs": 192, "flops": 384, "params": 32, "output_shape": [2, 3, 4]},
    ),
    "conv1d": (
        "conv1d --in-channels 3 --out-channels 8 --kernel-size 5 --stride 2 --length 100",
        {"macs": 5760, "flops": 11_520, "params": 128, "output_shape": [1, 8, 48]},
    ),
    "conv2d": (
        "conv2d --in-channels 3 --out-channels 32 --kernel-size 3 --height 128 --width 128",
        {
            "macs": 13_716_864,
            "flops": 27_433_728,
            "params": 896,
            "output_shape": [1, 32, 126, 126],
        },
    ),
    "conv2d, same, with a tuple": (
        "conv2d --in-channels 2 --out-channels 4 --groups 2 --kernel-size 3,1 --padding same"
        " --padding-mode circular --height 9 --width 7 --no-bias",
        {"macs": 756, "flops": 1512, "params": 12, "output_shape": [1, 4, 9, 7]},
    ),
    "conv3d": (
        "conv3d --in-channels 3 --out-channels 4 --kernel-size 3 --depth 8 --height 10 --width 12",
        {"macs": 155_520, "flops": 311_040, "params": 328, "output_shape": [1, 4, 6, 8, 10]},
    ),
    "conv_transpose1d": (
        "conv_transpose1d --in-channels 4 --out-channels 2 --kernel-size 4 --stride 2 --length 9",
        {"macs": 288, "flops": 576, "params": 34, "output_shape": [1, 2, 20]},
    ),
    "conv_transpose2d": (
        "conv_transpose2d --in-channels 4 --out-channels 2 --kernel-size 3 --stride 2 --padding 1"
        " --output-padding 1 --height 8 --width 8",
        {"macs": 4608, "flops": 9216, "params": 74, "output_shape": [1, 2, 16, 16]},
    ),
    "conv_transpose3d": (
        "conv_transpose3d --in-channels 2 --out-channels 2 --kernel-size 2 --stride 2"
        " --depth 3 --height 3 --width 3",
        {"macs": 864, "flops": 1728, "params": 34, "output_shape": [1, 2, 6, 6, 6]},
    ),
}


@pytest.mark.parametrize(("line", "figures"), LAYERS.values(), ids=LAYERS.keys())
def test_a_layer_is_counted(printed, line, figures):
    record = printed(line)
    assert {key: record[key] for key in figures} == figures


@pytest.mark.parametrize("line", [line for line, _ in LAYERS.values()], ids=LAYERS.keys())
def test_a_layer_gives_every_quantity_that_others_script_against(printed, line):
    assert printed(line).keys() >= LAYER_KEYS


@pytest.mark.parametrize("line", [line for line, _ in LAYERS.values()], ids=LAYERS.keys())
def test_a_layer_names_itself(printed, line):
    assert printed(line)["layer"] == line.split()[0]


def test_a_sequence_is_counted(printed):
    record = printed("sequential --modules 'Linear(128, 64)\nReLU()\nLinear(64, 10)'")
    assert record["macs"] == 282_624


def test_a_conversion_gives_twice_as_many_flops(printed):
    assert printed("conversion --count 4.09G --counts macs")["flops"] == 8_180_000_000


def test_a_conversion_gives_half_as_many_macs(printed):
    assert printed("conversion --count 8.18G --counts flops")["macs"] == 4_090_000_000


def test_a_runtime_is_the_longer_of_two_times(printed):
    record = printed("runtime --flops 1G --bytes-moved 1G --peak-flops 10T --bandwidth 1T")
    assert record["floor_seconds"] == 1e9 / 1e12


def test_the_time_of_a_layer_has_the_agreed_keys(printed):
    record = printed("linear --peak-flops 19.5T --bandwidth 1.555T")
    assert record["time"].keys() >= TIME_KEYS


def test_a_layer_without_a_machine_has_no_time(printed):
    assert "time" not in printed("linear")


def test_the_time_of_a_layer_is_its_work_over_the_rates(printed):
    # 27,433,728 FLOP / 19.5e12 FLOP/s; (896 + 49,152 + 508,032) * 4 B / 1.555e12 B/s
    line = LAYERS["conv2d"][0] + " --peak-flops 19.5T --bandwidth 1.555T"
    time = printed(line)["time"]
    assert (time["compute_seconds"], time["memory_seconds"]) == pytest.approx(
        (1.40685785e-06, 1.43557556e-06), rel=1e-8
    )


def test_a_runtime_says_what_it_was_computed_with(printed):
    found = printed("runtime --flops 1P --device t4 --dtype bf16")
    assert found["best_case"] == [
        found["best_case_seconds"],
        found["best_case_serial_seconds"],
    ]
    assert found["remarks"][0] == "Memory is not considered: there are no bytes."
    assert "The rate is that of fp32, not of bf16" in found["remarks"][1]


REMARKS = {
    "no bandwidth": ("linear --peak-flops 1T", "Memory is not considered: there is no bandwidth."),
    "no prefix": ("linear --peak-flops 19.5 --bandwidth 1T", "19.5 FLOP/s has no prefix"),
    "no work": ("flatten --device t4", "Nothing is computed and nothing is moved"),
}


@pytest.mark.parametrize(("line", "remark"), REMARKS.values(), ids=REMARKS.keys())
def test_a_time_says_what_a_reader_would_not_expect(printed, line, remark):
    assert any(each.startswith(remark) for each in printed(line)["time"]["remarks"])


def test_a_rate_may_be_given_under_its_full_name(printed):
    short = printed("linear --peak-flops 19.5T --bandwidth 1T")
    full = "linear --peak-flops-per-second 19.5T --bandwidth-bytes-per-second 1T"
    assert printed(full) == short


def test_a_device_brings_its_rates(printed):
    # NVIDIA H100 data sheet: 1,979 TFLOP/s in bf16 with sparsity, half of it dense; 3.35 TB/s
    time = printed("linear --device h100_sxm --dtype bf16")["time"]
    assert (time["peak_flops_per_second"], time["bandwidth_bytes_per_second"]) == (
        989_500_000_000_000,
        3_350_000_000_000,
    )


def test_a_peak_of_ones_own_goes_before_the_devices(printed):
    time = printed("linear --device h100_sxm --peak-flops 1T")["time"]
    assert time["peak_flops_per_second"] == 10**12


def test_a_dtype_may_be_called_as_in_torch(printed):
    assert printed("linear --dtype bfloat16")["fields"]["dtype"] == "bf16"


def test_a_layer_without_matrix_work_has_a_time_on_a_device(printed):
    # 2 * 32 * 64 elements of 4 B over 3.35e12 B/s
    time = printed("relu --size 32,64 --device h100_sxm")["time"]
    assert time["floor_seconds"] == pytest.approx(16_384 / 3.35e12)


REFUSED = {
    "a stride of zero": ("conv2d --stride 0", "stride"),
    "a kernel larger than its input": ("conv2d --kernel-size 200", "kernel_size"),
    "a tuple of a wrong length": ("conv3d --stride 2,2", "stride"),
    "groups that do not divide": ("conv2d --in-channels 4 --groups 3", "groups"),
    "an output padding as large as the stride": (
        "conv_transpose2d --stride 2 --output-padding 2",
        "output_padding",
    ),
    "an unknown padding word": ("conv1d --padding full", "padding"),
    "half a feature": ("linear --in-features 1.5", "in_features"),
    "a size of zero": ("linear --batch-size 0", "batch_size"),
    "an unknown device": ("linear --device h1000", "device"),
    "an unknown dtype": ("linear --dtype fp4", "dtype"),
    "a dtype that the device has not": ("linear --device v100_sxm2_32gb --dtype fp8", "dtype"),
    "a rate of MACs": ("linear --peak-flops 4TMAC/s", "peak_flops_per_second"),
    "a rate of bits": ("linear --bandwidth 5Tb/s", "bandwidth_bytes_per_second"),
    "a bandwidth without a peak": ("linear --bandwidth 5T", "peak_flops_per_second"),
    "a utilization above one": ("linear --utilization 2", "utilization"),
    "a utilization of no machine": ("linear --utilization 0.5", "utilization"),
    "an unknown layer in a sequence": ("sequential --modules Foo(3)", "modules"),
    "an odd number of FLOPs": ("conversion --count 3 --counts flops", "count"),
    "MACs that are said to be FLOPs": ("conversion --count 4GMACs --counts flops", "counts"),
    "MAdds that are said to be FLOPs": ("conversion --count 4GMAdds --counts flops", "counts"),
    "multiply-adds that are said to be FLOPs": (
        "conversion --count 4Gmultiply-adds --counts flops",
        "counts",
    ),
    "FLOPs of an unsaid kind": ("conversion --count 4GFLOPs", "counts"),
    "operations of an unsaid kind": ("conversion --count 4.1GOPs", "counts"),
    "two sizes for one": ("linear --in-features 3,3", "in_features"),
    "work below nothing": ("runtime --flops=-1 --peak-flops 1T", "flops"),
    "a tuple of one number": ("conv2d --kernel-size 3,", "kernel_size"),
    "a comma alone": ("conv2d --kernel-size ,", "kernel_size"),
    "an unknown mode": ("upsample --mode cubic --scale-factor 2", "mode"),
    "an unknown option": ("linear --in-feature-s 3", "--in-feature-s"),
    "a shortened option": ("linear --in-f 3", "--in-f"),
    "a value without an option": ("linear 3", "3"),
    "an unknown command": ("LSTM --json", "LSTM"),
}


@pytest.mark.parametrize(("line", "field"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused_exits_with_two(line, field):
    assert main(line.split()) == 2


@pytest.mark.parametrize(("line", "field"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused_is_one_line_that_names_the_field(capsys, line, field):
    main(line.split())
    lines = capsys.readouterr().err.splitlines()
    assert [each.split(": ")[1] for each in lines] == [field]


def test_a_network_takes_an_oblong_image(printed):
    # derived in test_networks.py
    assert printed("network resnet50 --image-size 256,128")["macs"] == 2_671_198_208


def test_what_is_refused_prints_nothing_else(capsys):
    main(["conv2d", "--stride", "0", "--json"])
    assert capsys.readouterr().out == ""


def test_a_negative_number_is_refused_by_the_field(capsys):
    assert main(["conv2d", "--stride", "-1"]) == 2


HINTS = {
    "an option": ("linear --in-feature-s 3", "did you mean --in-features?"),
    "an option of the machine": ("linear --devise h100_sxm", "did you mean --device?"),
    "an option that is like no other": ("devices --all", "use one of --json"),
    "a command": ("LSTM", "did you mean lstm?"),
    "a command that is like no other": ("?", "python -m calculator --help"),
    "a comma before the unit": ("linear --peak-flops 19,5T", "write 19.5T with a point"),
    "a comma before three digits": ("linear --peak-flops 1,555T", "1.555T with a point, or 1555T"),
    "a comma behind a zero": ("linear --device t4 --measured-seconds 0,048", "write 0.048 with a"),
    "bytes for a rate": ("linear --peak-flops 1T --bandwidth 900GB", "write bytes per second"),
    "a rate of MACs": ("linear --peak-flops 19.5TMACs", "write twice the figure"),
    "a mode": ("upsample --mode cubic --scale-factor 2", "Use one of nearest, nearest-exact"),
    "a word": ("embedding_bag --mode median", "Use one of sum, mean, max"),
    "a tuple of one number": ("conv2d --kernel-size 3,", "Give one number, or 2"),
    "an image for a size": (
        "conv2d --height 224,224",
        "write 224224 without the comma if you mean one, or only 224",
    ),
    "thousands of a size": ("linear --in-features 4,096", "write 4096 without the comma"),
    "a rate for a count": ("linear --device t4 --recomputed-flops 90GFLOPS", "write FLOPs for a"),
    "a comma alone": ("conv2d --kernel-size ,", "write a whole number"),
    "a hexadecimal size": ("linear --in-features 0x10", "is hexadecimal; write a decimal"),
    "a hexadecimal size in a list": (
        "conv3d --padding 1,0x10,1",
        "is hexadecimal; write a decimal",
    ),
    "a hexadecimal rate": ("linear --peak-flops 0x10", "is hexadecimal; write a decimal"),
    "thousands in a list": (
        "conv3d --stride 1,000,2",
        "write thousands in one piece, such as 1000, without zeros before",
    ),
    "a zero before a number in a list": ("conv2d --stride 1,02", "is ambiguous; write 2 ("),
}


@pytest.mark.parametrize(("line", "hint"), HINTS.values(), ids=HINTS.keys())
def test_what_is_refused_says_what_to_write_instead_of(capsys, line, hint):
    main(line.split())
    assert hint in capsys.readouterr().err


def test_a_value_that_is_missing_is_refused_in_one_line(capsys):
    with pytest.raises(SystemExit):
        main(["conv2d", "--padding", "-1,1"])
    assert capsys.readouterr().err.startswith("conv2d: --padding: expected one argument; write")


TWICE = {
    "by its option": ("linear --in-features 5 --in-features 6", "linear: in_features"),
    "by two names": ("linear --peak-flops 1T --peak-flops-per-second 2T",
                     "linear: peak_flops_per_second"),
    "by its place": ("network resnet18 --architecture resnet50", "network: architecture"),
    "on and off": ("linear --bias --no-bias", "linear: bias"),
    "a figure": ("linear --figure 4G --figure 5G", "linear: figure"),
}  # fmt: skip


@pytest.mark.parametrize(("line", "named"), TWICE.values(), ids=TWICE.keys())
def test_what_is_given_twice_is_refused_in_one_line(capsys, line, named):
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"{named}: is given twice; write it once\n"


@pytest.mark.parametrize(
    "name", [name for name, owner in CALCULATIONS.items() if issubclass(owner, Layer)]
)
def test_every_layer_answers_bare(printed, name):
    assert printed(name)["layer"] == name


def test_a_bare_layer_answers_for_what_its_form_begins_with(printed):
    assert printed("upsample")["output_shape"] == [1, 64, 56, 56]


def test_with_any_field_given_the_others_have_torchs_defaults():
    assert main(["upsample", "--mode", "bilinear"]) == 2


HELP = {
    "the help of a field": (
        "linear",
        "Batch size. Leave empty for an unbatched input. default: 1",
    ),
    "the labels of options": (
        "linear",
        "one of matrix (2 × MACs of the matrix work), all (all arithmetic)",
    ),
    "a label that is the word": ("rnn", "Non-linearity. one of tanh, relu. default: tanh"),
    "a label that begins with the word": ("gelu", "one of none (erf), tanh. default: none"),
    "what a form begins with": ("upsample", "default: none, or 2 if no field is given"),
}


@pytest.mark.parametrize(("name", "words"), HELP.values(), ids=HELP.keys())
def test_the_help_of_a_command_has(capsys, name, words):
    with pytest.raises(SystemExit):
        main([name, "--help"])
    assert words in " ".join(capsys.readouterr().out.split())


def test_devices_are_listed_by_the_names_that_device_takes(printed):
    assert {"h100_sxm", "a100_80gb_sxm", "rtx4090"} <= printed("devices").keys()


def test_every_device_is_listed_with_its_peaks_and_bandwidth(printed):
    assert all(
        {"peak", "bandwidth_bytes_per_s"} <= each.keys() for each in printed("devices").values()
    )


def test_a_part_of_a_device_is_listed_with_its_own_rates(printed):
    table = printed("devices")
    assert table["mi250x_gcd"]["part_of"] == "mi250x"
    assert table["mi250x_gcd"]["peak"]["fp16"] == 191.5e12  # half of the 383 that AMD prints


def test_a_core_of_a_tpu_v3_is_measured_against_its_own_peak(printed):
    # 123 TFLOP/s a chip of two cores: 36.72 / 61.5 = 59.7 %
    found = printed("runtime --flops 36.72T --measured-seconds 1 --dtype bf16 --device tpu_v3_core")
    assert found["mfu"] == pytest.approx(0.597, abs=0.0005)


# Devices of one chip as software shows them: the sources stand in tests/test_hardware.py.
SEVERAL = {
    "mi250x": "AMD Instinct MI250X shows as 2 devices: the rates are of the whole, and "
    "mi250x_gcd is one GCD.",
    "max1550": "shows as 2 devices: the rates are of the whole, and max1550_tile is one tile.",
    "tpu_v2": "shows as 2 devices: the rates are of the whole, and tpu_v2_core is one TensorCore.",
    "tpu_v3": "shows as 2 devices: the rates are of the whole, and tpu_v3_core is one TensorCore.",
    "tpu_v7x": "shows as 2 devices: the rates are of the whole, and tpu_v7x_core is one ",
    "trainium1": "shows as 2 devices: the rates are of the whole, and trainium1_core is one ",
    "trainium2": "shows as 8 devices (as 4 where two cores are joined to one logical core): ",
    "inferentia2": "shows as 2 devices: the rates are of the whole, and inferentia2_core is one ",
}


@pytest.mark.parametrize(("device", "sentence"), SEVERAL.items(), ids=SEVERAL.keys())
def test_a_device_that_shows_as_several_says_so(printed, device, sentence):
    found = printed(f"runtime --flops 1P --dtype bf16 --device {device}")
    assert any(sentence in remark for remark in found["remarks"])


@pytest.mark.parametrize("device", ["mi300x", "tpu_v4", "mi250x_gcd", "h100_nvl"])
def test_a_device_that_shows_as_one_says_nothing_of_it(printed, device):
    found = printed(f"runtime --flops 1P --dtype bf16 --device {device}")
    assert not any("shows as" in remark for remark in found["remarks"])


def test_without_json_a_person_reads_the_same_count(capsys):
    main(LAYERS["conv2d"][0].split())
    assert "13\u202f716\u202f864" in capsys.readouterr().out


def test_the_module_runs_as_a_program():
    command = [sys.executable, "-m", "calculator", *LAYERS["linear"][0].split(), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["macs"] == 262_144


def test_a_pipe_that_nobody_reads_any_more_ends_the_program_without_a_word():
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "calculator", "devices"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert done.stderr == b""


def test_the_program_exits_with_two():
    command = [sys.executable, "-m", "calculator", "conv2d", "--stride", "0"]
    assert subprocess.run(command, capture_output=True).returncode == 2


def test_the_python_of_the_readme_answers_what_it_says():
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner()
    for block in blocks:
        runner.run(parser.get_doctest(block, {}, "README.md", None, None))
    assert blocks
    assert runner.summarize(verbose=False).failed == 0


def test_layers_of_a_sequence_may_stand_on_one_line(printed):
    on_one = printed("sequential --modules 'Linear(128, 64); ReLU(); Linear(64, 10)'")
    assert on_one == printed("sequential --modules 'Linear(128, 64)\nReLU()\nLinear(64, 10)'")


def test_fields_without_a_name_are_refused_in_a_sentence():
    with pytest.raises(TypeError, match="Linear takes its fields by name: in_features=5"):
        Linear(5)


def test_a_frozen_model_says_at_its_figures_why_nothing_is_saved(capsys):  # issue 14, A19
    assert main(["llama", "--no-weight-requires-grad"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "Saved for the backward pass 0 B" in lines
    assert any(line.startswith("Every weight is frozen") for line in lines)
