"""What a device may be called: the very device, or an error that says what is near."""

import json
import re

import pytest

from calculator import Runtime, devices
from calculator.__main__ import main
from calculator.answers.evaluate import evaluate
from calculator.core.fields import InvalidField
from calculator.machines.devices import names
from calculator.web.machines_panel import render_machines

# What `torch.cuda.get_device_name()` prints is the name that the driver gives. Sources:
# README.md of NVIDIA/open-gpu-kernel-modules at 015742d, "Compatible GPUs" (Turing to Hopper);
# data/amdgpu.ids of libdrm (AMD); names of files under
# vllm/model_executor/layers/fused_moe/configs, which end in what torch printed (B200, GB200, 5090);
# sgl-project/sglang pull 30984 (MI355X); Slang's list of PCI IDs has the others, 15f9 for the P100,
# 1db5 and 1db6 for the V100.
PRINTED = {
    "Tesla P100-SXM2-16GB": "p100_sxm2",
    "Tesla V100-SXM2-32GB": "v100_sxm2_32gb",
    "Tesla V100-PCIE-32GB": "v100_pcie_32gb",
    "Tesla T4": "t4",
    "NVIDIA A10": "a10",
    "NVIDIA A30": "a30",
    "NVIDIA A40": "a40",
    "NVIDIA A100-SXM4-40GB": "a100_40gb_sxm",
    "NVIDIA A100-SXM4-80GB": "a100_80gb_sxm",
    "NVIDIA A100 80GB PCIe": "a100_80gb_pcie",
    "NVIDIA L4": "l4",
    "NVIDIA L40S": "l40s",
    "NVIDIA H100 80GB HBM3": "h100_sxm",
    "NVIDIA H100 PCIe": "h100_pcie",
    "NVIDIA H100 NVL": "h100_nvl",
    "NVIDIA H200": "h200_sxm",
    "NVIDIA B200": "b200_sxm",
    "NVIDIA GB200": "gb200",
    "NVIDIA GeForce RTX 2080 Ti": "rtx2080ti",
    "NVIDIA GeForce RTX 3090": "rtx3090",
    "NVIDIA GeForce RTX 4070": "rtx4070",
    "NVIDIA GeForce RTX 4080": "rtx4080",
    "NVIDIA GeForce RTX 4090": "rtx4090",
    "NVIDIA GeForce RTX 5080": "rtx5080",
    "NVIDIA GeForce RTX 5090": "rtx5090",
    "AMD Instinct MI100": "mi100",
    "AMD Instinct MI210": "mi210",
    "AMD Instinct MI250X": "mi250x",
    "AMD Instinct MI300X": "mi300x",
    "AMD Instinct MI325X": "mi325x",
    "AMD Instinct MI355X": "mi355x",
    "AMD Radeon RX 7900 XTX": "rx7900xtx",
}
# Devices that print nothing of their own: a Jetson prints its chip ("Orin"), which several boards
# have, and a GeForce RTX 3060 with 8 GB prints the same as one with 12.
WITHOUT_A_NAME = {
    "rtx3060_12gb", "jetson_nano", "jetson_agx_xavier", "jetson_agx_orin_64gb",
    "jetson_orin_nano_super_8gb",
}  # fmt: skip
GPUS = {"datacenter_gpu", "consumer_gpu", "edge"}


@pytest.fixture
def refusal(capsys):
    """Run a command with a device, and return the line with which it is refused."""

    def run(text, command="linear"):
        assert main([command, f"--device={text}"]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        (line,) = captured.err.splitlines()
        return line.removeprefix(f"{command}: ")

    return run


def test_every_card_of_nvidia_and_amd_is_looked_up_by_what_torch_prints():
    cards = {
        key
        for key, device in devices().items()
        if device["kind"] in GPUS and device["vendor"] != "Intel" and "part_of" not in device
    }
    assert {*PRINTED.values()} | WITHOUT_A_NAME == cards


@pytest.mark.parametrize(("printed", "key"), PRINTED.items(), ids=PRINTED.keys())
def test_what_torch_prints_is_the_device(capsys, printed, key):
    assert main(["linear", f"--device={printed}", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["time"]["device"] == key


@pytest.mark.parametrize("key", names())
def test_a_device_is_found_by_its_key_and_by_its_full_name(key):
    dtype = next(iter(devices()[key]["peak"])).partition("_")[0]
    found = {Runtime(device=text, dtype=dtype).device for text in (key, names()[key])}
    assert found == {key}


WRITTEN = {
    "h100 sxm": "h100_sxm",
    "H100 SXM5 80GB": "h100_sxm",
    "H100 SXM5 80 GB": "h100_sxm",
    "h100-nvl": "h100_nvl",
    "a100_80gb_sxm": "a100_80gb_sxm",
    "A100 SXM4 80 GB": "a100_80gb_sxm",
    "A100-SXM4-40GB": "a100_40gb_sxm",  # drivers before 470 left the vendor out
    "a100 80g sxm": "a100_80gb_sxm",
    "4090": "rtx4090",
    "RTX 4090": "rtx4090",
    "RTX 4090 24GB": "rtx4090",
    "geforce rtx 4090": "rtx4090",
    "geforce rtx4090": "rtx4090",
    "2080 Ti": "rtx2080ti",
    "GeForce RTX 2080 Ti": "rtx2080ti",
    "RTX 3060 12GB": "rtx3060_12gb",
    "nvidia t4": "t4",
    "tesla t4": "t4",
    "  t4  ": "t4",
    "mi300x": "mi300x",
    "Radeon RX 7900 XTX": "rx7900xtx",
    "7900xtx": "rx7900xtx",
    "Xeon Platinum 8480+": "xeon_8480plus",
    "Intel(R) Data Center GPU Max 1550": "max1550",
    "gaudi 2": "gaudi2",
    "inferentia 2": "inferentia2",
    "TPU v3 32 GiB": "tpu_v3",
    "google tpu v5e": "tpu_v5e",
    "tpu7x": "tpu_v7x",
    "Raspberry Pi 4": "rpi4",
    "mi250x gcd": "mi250x_gcd",
}


@pytest.mark.parametrize(("text", "key"), WRITTEN.items(), ids=WRITTEN.keys())
def test_a_device_is_found_however_its_name_is_written(text, key):
    dtype = next(iter(devices()[key]["peak"])).partition("_")[0]
    assert Runtime(device=text, dtype=dtype).device == key


OTHER_CHIPS = {
    "h20": ["h200_sxm"],  # 148 TFLOP/s in bf16 where an H200 has 990
    "NVIDIA H20": ["h200_sxm"],
    "H200 NVL": ["h200_sxm"],
    "NVIDIA H800": None,
    "NVIDIA GH200 480GB": None,
    "l40": ["l4", "l40s"],
    "NVIDIA L40": ["l4", "l40s"],
    "a10g": ["a10"],
    "NVIDIA A10G": ["a10"],
    "rtx 2080": ["rtx2080ti"],
    "rtx 4090 d": ["rtx4090"],
    "rtx 4080 super": ["rtx4080"],
    "rtx 4070 ti": ["rtx4070"],
    "NVIDIA GeForce RTX 4070 Ti SUPER": ["rtx4070"],
    "NVIDIA GeForce RTX 4090 Laptop GPU": ["rtx4090"],
    "rtx 4090 д": ["rtx4090"],  # a letter that is not Latin is a letter all the same
    "rx 7900 xt": ["rx7900xtx"],
    "mi250": ["mi250x", "mi250x_gcd"],
    "AMD Instinct MI250X / MI250": ["mi250x", "mi250x_gcd"],  # what both print, PCI ID 740C
    "mi300": ["mi300x"],
    "mi300a": ["mi300x"],
    "MI350X": ["mi355x"],
    "jetson orin nano": ["jetson_orin_nano_super_8gb"],
    "jetson orin nano 8gb": ["jetson_orin_nano_super_8gb"],
    "Xavier": ["jetson_agx_xavier"],
    "NVIDIA Tegra X1": [],
    "inferentia": ["inferentia2", "inferentia2_core"],
    "AWS Trainium": ["trainium1", "trainium1_core", "trainium2"],
    "tpu v5": ["tpu_v5e", "tpu_v5p"],
    "p100": ["p100_sxm2"],  # the PCIe card has other rates
    "NVIDIA GeForce RTX 3060": ["rtx3060_12gb"],
    "rtx 3060 8gb": ["rtx3060_12gb"],
    "v100_pcie": ["v100_pcie_32gb"],  # sold with 16 GB too
    "Tesla V100-SXM2-16GB": ["v100_sxm2_32gb", "v100_pcie_32gb"],
    "Tesla V100-PCIE-16GB": ["v100_pcie_32gb", "v100_sxm2_32gb"],
    "Tesla V100S-PCIE-32GB": None,
    "NVIDIA A100-PCIE-40GB": ["a100_80gb_pcie", "a100_40gb_sxm", "a100_80gb_sxm"],
    "NVIDIA A100-SXM4-80GB MIG 1g.10gb": ["a100_80gb_sxm", "a100_40gb_sxm", "a100_80gb_pcie"],
    "NVIDIA H100 80GB HBM3 MIG 1g.10gb": None,
    "H100 SXM 96GB": ["h100_sxm", "h100_pcie", "h100_nvl"],
    "amd h100": ["h100_sxm", "h100_pcie", "h100_nvl"],  # contradicts itself
    "dgx h100": ["h100_sxm", "h100_pcie", "h100_nvl"],
    "h100_sxn": ["h100_sxm", "h100_pcie", "h100_nvl"],
    "gtx 1080 ti": ["rtx2080ti"],
    "xeon 8480": ["xeon_8480plus"],
    "voodoo2": [],
}


@pytest.mark.parametrize(("text", "near"), OTHER_CHIPS.items(), ids=OTHER_CHIPS.keys())
def test_another_chip_is_refused_with_what_is_near(refusal, text, near):
    line = refusal(text)
    said = re.fullmatch(
        r"device: Unknown device\. Leave it empty and enter peak FLOP/s and bandwidth"
        r"(?:, or pick (?:one of )?([\w, ]+))? \(given: .*\)",
        line,
    )
    assert said
    if near is not None:  # where None, any suggestion will do
        assert (said[1].split(", ") if said[1] else []) == near


# More that the table lacks: names in the same lists of drivers, and on vendors' pages.
LACKED = """
NVIDIA GeForce RTX 2080 Super, NVIDIA GeForce RTX 2080 with Max-Q Design, NVIDIA T1000,
NVIDIA T400 4GB, NVIDIA T4G, NVIDIA A2, NVIDIA A16, NVIDIA A10M, NVIDIA A10-24Q, GRID T4-16Q,
NVIDIA A100-PG509-200, NVIDIA PG509-210, NVIDIA A100-SXM-64GB, NVIDIA A800-SXM4-40GB,
NVIDIA A800-SXM4-80GB, NVIDIA A800 80GB PCIe, NVIDIA A800 80GB PCIe LC, NVIDIA A800 40GB Active,
NVIDIA AX800, NVIDIA H20-3e, NVIDIA H800 PCIe, NVIDIA H800 NVL, NVIDIA GH200 120GB, NVIDIA L2,
NVIDIA L20, NVIDIA L40G, NVIDIA B100, NVIDIA B300 SXM6 AC, NVIDIA GB300, NVIDIA GB10, NVIDIA Thor,
NVIDIA GeForce RTX 3060 Ti, NVIDIA GeForce RTX 3060 Laptop GPU, NVIDIA GeForce RTX 3090 Ti,
NVIDIA GeForce RTX 4070 SUPER, NVIDIA GeForce RTX 4070 Laptop GPU, NVIDIA GeForce RTX 4080 SUPER,
NVIDIA GeForce RTX 4080 Laptop GPU, NVIDIA GeForce RTX 4090 D, NVIDIA GeForce RTX 5080 Laptop GPU,
NVIDIA GeForce RTX 5090 D, NVIDIA GeForce RTX 5090 Laptop GPU, NVIDIA GeForce GTX 1080 Ti,
NVIDIA RTX A4000, NVIDIA RTX 6000 Ada Generation, NVIDIA RTX 4000 SFF Ada Generation,
Quadro RTX 5000, NVIDIA TITAN V, Tesla P40, Tesla P4, Tesla P100-PCIE-16GB, Tesla P100-PCIE-12GB,
Tesla V100-DGXS-32GB, Tesla V100-SXM3-32GB, Tesla V100-FHHL-16GB, AMD Radeon Graphics,
AMD Instinct MI60, AMD Instinct MI300A, AMD Instinct MI300X VF, AMD Instinct MI300X HF,
AMD Instinct MI308X, AMD Instinct MI350X, AMD Radeon RX 7900 XT, AMD Radeon RX 7900 GRE,
AMD Radeon RX 7900M, AMD Radeon RX 9070 XT, AMD Radeon Pro W7900, Apple M1 Pro, Apple M2 Max,
Intel Arc B580, Intel Data Center GPU Max 1100, TPU v4i, TPU v7, Trainium3, Inferentia1,
EPYC 9654P, EPYC 9754, Xeon Platinum 8480C, Raspberry Pi 3, Raspberry Pi 400, Jetson AGX Orin 32GB,
Jetson Orin NX, Jetson AGX Xavier Industrial
""".replace("\n", " ").strip()


@pytest.mark.parametrize("text", LACKED.split(", "))
def test_a_chip_that_the_table_lacks_is_refused(refusal, text):
    assert refusal(text).startswith("device: Unknown device.")


def test_a_digit_alone_suggests_no_other_family(refusal):
    assert "pick one of rpi4, rpi5 (" in refusal("Raspberry Pi 3")


SHARED = {
    "h100": "h100_sxm, h100_pcie or h100_nvl",
    "NVIDIA H100": "h100_sxm, h100_pcie or h100_nvl",  # PCI ID 2339 prints so
    "H100 80GB": "h100_sxm or h100_pcie",
    "a100": "a100_40gb_sxm, a100_80gb_sxm or a100_80gb_pcie",
    "a100 sxm": "a100_40gb_sxm or a100_80gb_sxm",
    "v100": "v100_sxm2_32gb or v100_pcie_32gb",
    "Orin": "jetson_agx_orin_64gb or jetson_orin_nano_super_8gb",
    "nano": "jetson_nano or jetson_orin_nano_super_8gb",
    "gaudi": "gaudi2 or gaudi3",
}


@pytest.mark.parametrize(("text", "several"), SHARED.items(), ids=SHARED.keys())
def test_a_name_of_several_devices_is_refused_with_each_of_them(refusal, text, several):
    assert refusal(text) == (
        f"device: Could be several devices: {several}. Pick one, or leave it empty and enter "
        f"peak FLOP/s and bandwidth (given: {text})"
    )


def test_of_more_than_three_devices_three_are_named_and_the_others_counted(refusal):
    assert "apple_m1_gpu8, apple_m1_max_gpu32 or apple_m2_gpu10." in refusal("apple")
    more = sum(device["vendor"] == "Intel" for device in devices().values()) - 3
    assert f"gaudi2, gaudi3, max1550 and {more} more" in refusal("intel")


def test_the_calculator_of_peaks_asks_for_units_and_clock(refusal):
    line = refusal("voodoo2", "peak")
    assert line.startswith("device: Unknown device. Leave it empty and enter units, engines, FMAs")


HOSTILE = {
    "HTML": "<script>alert(1)</script>",
    "a NUL": "a100\0sxm\0",
    "punctuation": "___",
    "a long text": "h100 " * 2000,
    "a long word": "h" * 10_000,
    "digits": "9" * 10_000,
    "brackets": "(" * 10_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_nonsense_is_refused_in_a_short_line(text):
    with pytest.raises(InvalidField) as caught:
        Runtime(device=text)
    assert caught.value.field == "device"
    assert len(str(caught.value)) < 300


def test_a_text_longer_than_any_name_is_compared_with_none(refusal):
    assert "pick" not in refusal(HOSTILE["a long text"]).lower()


@pytest.mark.parametrize("text", ["", "   ", "none"])
def test_no_name_is_no_device(text):
    assert evaluate("linear", {"device": text}).time is None


def test_the_machine_to_compare_with_is_named_the_same_way():
    fields = {"device": "t4"}

    def compared(text):
        return render_machines(evaluate("linear", fields), "linear", fields, text)

    assert "NVIDIA H100 SXM5 80GB" in compared("NVIDIA H100 80GB HBM3")
    assert "h20: Unknown device." in compared("h20")
    assert '<th scope="col">NVIDIA H200' not in compared("h20")
