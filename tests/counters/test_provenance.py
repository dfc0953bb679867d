"""What a published figure is traced to, against figures that people printed and asked about."""

import json
import subprocess
import sys

import pytest

from calculator import (
    CALCULATIONS,
    BatchNorm1d,
    Conv2d,
    ConvTranspose2d,
    InvalidField,
    Linear,
    Llama,
    LlamaDecoderLayer,
    Network,
    ScaledDotProductAttention,
    Sequential,
)
from calculator.answers.evaluate import evaluate, form_fields
from calculator.counters.explain import explained, explanations, remark
from calculator.counters.figure import figure
from calculator.layers.layer import Work
from calculator.web.counters_panel import render_explanations


def asked(*arguments):
    """Return what the command line answers, and its status."""
    command = [sys.executable, "-m", "calculator", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout or done.stderr, done.returncode


CONV = "conv2d --in-channels 3 --out-channels 64 --kernel-size"
LLAMA = "llama --sequence-length 8192 --batch-size 4"
MIXTRAL = (
    "llama --num-local-experts 8 --intermediate-size 14336 --num-key-value-heads 8 "
    "--sequence-length 1024"
)


@pytest.mark.parametrize(
    ("command", "text", "what", "value", "said"),
    [
        # 300 × 300 × 64 outputs of K = 27 products: 5 760 000 × (2 × 27 − 1)
        (
            f"{CONV} 3 --padding 1 --height 300 --width 300 --no-bias", "305 280 000",
            "exact count, 2K − 1 per output and 1 per bias", 305_280_000, "exactly",
        ),
        # 32 blocks × 4 sequences × 32 heads × 128 × 2 products × 8192 (8192 ± 1) / 2 pairs, and
        # 6 FLOPs for each of the 6 607 077 376 weights of projections and 32 768 tokens
        (
            LLAMA, "1510.1 T", "FLOPs of causal pairs only, forward and backward",
            1_510_136_271_077_376, "rounds to it",
        ),
        (LLAMA, "1721.2 T", "FLOPs, forward and backward", 1_721_216_733_806_592, "rounds to it"),
        # 6 × 32 768 tokens × (6 738 415 616 parameters − 131 072 000 of the embedding − 266 240 of
        # the norms), and 6 × 32 768 × 6 738 415 616
        (
            LLAMA, "1299.0 T", "FLOPs without attention products, forward and backward",
            1_299_004_268_740_608, "rounds to it",
        ),
        (
            LLAMA, "1324.8 T", "6 × parameters × tokens (6ND)", 1_324_826_417_430_528,
            "rounds to it",
        ),
        (
            MIXTRAL, "287.78 T", "FLOPs, forward and backward, of all experts",
            287_784_283_668_480, "rounds to it",
        ),
        (MIXTRAL, "79.98 T", "FLOPs, forward and backward", 79_976_586_018_816, "rounds to it"),
        (MIXTRAL, "12.9 G", "active parameters", 12_879_925_248, "rounds to it"),
        # 112 × 112 × 64 outputs of 147 products: 118 013 952 for one image
        (
            f"{CONV} 7 --stride 2 --padding 3 --height 224 --width 224 --no-bias", "1.18 G",
            "MACs, of a batch of 10", 1_180_139_520, "rounds to it",
        ),
        # 8 × 4 089 184 256
        ("network resnet50", "32.7 G", "MACs, of a batch of 8", 32_713_474_048, "rounds to it"),
        # github.com/Lyken17/pytorch-OpCounter/issues/17
        (
            "network resnet50", "3.858 G", "what thop of spring 2019 prints, divided by 1024³",
            4_142_713_856, "rounds to it",
        ),
        (
            "network resnet50", "4142713856", "what thop of spring 2019 prints", 4_142_713_856,
            "exactly",
        ),
        # github.com/sovrasov/flops-counter.pytorch/issues/33; 582 195 824 by torch on meta
        (
            "network mobilenet_v2", "610.1 M", "what torchstat (Flops), ptflops of 2020 or mmcv "
            "(get_model_complexity_info) prints, at width 1.4", 610_097_600, "rounds to it",
        ),
        (
            "network mobilenet_v2", "585 M", "MACs, at width 1.4", 582_195_824,
            "is 0.48 % off",
        ),
        # 64 × 256 weights and 256 biases
        (
            "linear --in-features 64 --out-features 256", "16 640", "parameters", 16_640,
            "exactly",
        ),
        # 640 × 360 × 64 outputs of 27 products and a bias: 2 × 27, or 27 + 1, for each
        (
            f"{CONV} 3 --padding 1 --height 360 --width 640", "796 262 400",
            "FLOPs, 2 × MACs", 796_262_400, "exactly",
        ),
        (
            f"{CONV} 3 --padding 1 --height 360 --width 640", "412 876 800",
            "what ptflops, ptflops-batch, ptflops-aten, torchinfo, torchstat (Flops), ptflops of "
            "2020, mmcv (get_model_complexity_info) or onnx-tool prints", 412_876_800, "exactly",
        ),
    ],
    ids=[
        *("B1 exact count", "B2 causal pairs", "B2 all pairs", "B2 without attention", "B2 6ND"),
        *("B3 all experts", "B3 chosen experts", "B3 active parameters", "B4 batch of 10"),
        *("B4 batch of 8", "B5 1024³", "B5 all digits", "B6 a tool at width 1.4"),
        *("B6 the paper at width 1.4", "B7 parameters", "B8 MAdd", "B8 Flops"),
    ],
)  # fmt: skip
def test_a_figure_that_people_asked_about_is_explained(command, text, what, value, said):
    answer, _ = asked(*command.split(), "--figure", text, "--json")
    first = json.loads(answer)["explanations"][0]
    assert (first["what"], first["value"], first["said"]) == (what, value, said)


@pytest.mark.parametrize(
    ("work", "text", "what", "value"),
    [
        # (2 × 512 − 1) × 1000
        (
            Linear(in_features=512, out_features=1000, bias=False), "1 023 000",
            "exact count, 2K − 1 per output and 1 per bias", 1_023_000,
        ),
        # a convolution of 4 × 4 × 2 outputs, 2 × 27 − 1 each, and then 8 × (2 × 32 − 1)
        (
            Sequential(
                modules="Conv2d(3, 2, 3, bias=False)\nFlatten()\nLinear(32, 8, bias=False)",
                input_shape=(1, 3, 6, 6),
            ),
            "2200", "exact count, 2K − 1 per output and 1 per bias", 32 * 53 + 8 * 63,
        ),
        # 12 heads × 64 × 2 products × 512 × 513 / 2 pairs
        (
            ScaledDotProductAttention(is_causal=True), "201 719 808",
            "MACs of causal pairs only", 201_719_808,
        ),
        # the mask is a switch: of a layer without one
        (
            ScaledDotProductAttention(), "201 719 808",
            "MACs of causal pairs only, with causal mask", 201_719_808,
        ),
        # 2 × 6 738 415 616 × 2048
        (Llama(), "27.6 T", "2 × parameters × tokens (2ND)", 27_600_550_363_136),
        # 6 738 415 616 − 32 000 × 4096
        (Llama(), "6 607 343 616", "parameters without the embedding", 6_607_343_616),
        # 3 × 4096 × 14 336 for each of 2 of 8 experts, a router of 8 × 4096, attention of
        # 2 × 4096² + 2 × 4096 × 1024, two norms
        (
            LlamaDecoderLayer(
                num_local_experts=8, intermediate_size=14336, num_key_value_heads=8
            ),
            "394 305 536", "active parameters", 394_305_536,
        ),
        # 32 × 128 × 64
        (
            Linear(in_features=128, out_features=64), "262 144", "MACs, of a batch of 32", 262_144,
        ),
        # 16 × 2 × 9 × 32 × 126 × 126 × 3 / 1
        (
            Conv2d(in_channels=3, out_channels=32, kernel_size=3, height=128, width=128),
            "438.9 MFLOPs", "FLOPs, 2 × MACs, of a batch of 16", 438_939_648,
        ),
        # 138 357 544 / 1024² = 131.95, 15 470 264 320 / 1024³ = 14.408
        (
            Network(architecture="vgg16"), "131.95 M", "parameters, divided by 1024²",
            138_357_544,
        ),
        (Network(architecture="vgg16"), "14.408 G", "MACs, divided by 1024³", 15_470_264_320),
        # torchvision.models.mobilenet_v2(width_mult=0.5): 97 131 840 by torch on meta
        (
            Network(architecture="mobilenet_v2"), "97.1 M", "MACs, at width 0.5", 97_131_840,
        ),
        # (100 + 1) × 10
        (Linear(in_features=100, out_features=10), "1010", "parameters", 1010),
        # 4 089 184 256 as torch has it, and 1000 biases
        (Network(), "4 089 185 256 MACs", "what ptflops-aten prints", 4_089_185_256),
        # the README of torchstat: its first convolution, 220 × 220 × 10 outputs of 75 and a bias
        (
            Conv2d(in_channels=3, out_channels=10, kernel_size=5, height=224, width=224),
            "36,784,000", "what ptflops, ptflops-batch, ptflops-aten, torchinfo, torchstat (Flops)"
            ", ptflops of 2020, mmcv (get_model_complexity_info) or onnx-tool prints", 36_784_000,
        ),
        # Six figures that are printed for ResNet-50; the counts are those of the tools' readings.
        (Network(), "3.8 G", "MACs, with stride in the 1×1", 3_857_973_248),
        (Network(), "4.09 G", "MACs", 4_089_184_256),
        (Network(), "4.11 GFLOPs", "what fvcore or fvcore-no-grad prints", 4_111_512_576),
        # a tie of the two thops and two ptflops: both round to it
        (Network(), "4.13e9", "what thop or ultralytics-thop prints", 4_133_742_592),
        (Network(), "8.2 GFLOPs", "FLOPs, 2 × MACs", 8_178_368_512),
        (
            Network(), "9.7 G", "FLOPs of all arithmetic, 1 per function, on 240×240",
            9_682_181_736,
        ),
        (Network(), "25.6M", "parameters", 25_557_032),
        (Network(), "25.6M params", "parameters", 25_557_032),
        (Network(), "4 089 184 256", "MACs", 4_089_184_256),
    ],
)  # fmt: skip
def test_a_figure_is_explained_by_its_cause(work, text, what, value):
    _, (first, *_) = explained(work, text)
    assert (first.what, first.value) == (what, value)


def test_equal_values_list_all_their_names():
    layer = Linear(in_features=64, out_features=256)
    assert explanations(layer, "16 640")[0].names == (
        "parameters",
        "what ptflops, ptflops-batch, ptflops-aten, torchinfo or onnx-tool prints",
        "MACs and biases",
    )


@pytest.mark.parametrize(("text", "exact"), [("4 089 184 256", True), ("4.089 G", False)])
def test_a_figure_with_all_digits_is_exact(text, exact):
    first = explanations(Network(), text)[0]
    assert (first.exact, first.said) == (exact, "exactly" if exact else "rounds to it")


def test_an_exact_count_stands_before_a_more_common_one_that_rounds():
    # 110 parameters; 108 MACs and the 2 biases, of a batch of 1
    layer = Linear(in_features=54, out_features=2)
    first = explanations(layer, "110")[0]
    assert (first.value, first.exact) == (110, True)


def test_what_several_tools_leave_out_has_their_names_and_its_own():
    # 2048 tokens × 6 607 077 376 weights of projections
    first = explanations(Llama(), "13 531 294 466 048")[0]
    assert first.names[0].startswith("what thop, fvcore")
    assert "MACs without attention products" in first.names


@pytest.mark.parametrize(
    ("text", "what", "value"),
    [
        # a rare cause and two digits
        ("5.3 G", "MACs, on 256×256", 5_340_348_416),
        ("9.7 G", "FLOPs of all arithmetic, 1 per function, on 240×240", 9_682_181_736),
        # the network as it is explains it
        ("3.858 G", "MACs, with stride in the 1×1", 3_857_973_248),
    ],
)
def test_a_coincidence_is_called_one(text, what, value):
    found = {each.what: each for each in explanations(Network(), text)}
    assert (found[what].value, found[what].coincidence) == (value, True)
    assert found[what].said == "may be a coincidence: rounds to it"


def test_one_digit_leaves_the_most_common_causes():
    found = explanations(Network(), "4 G")
    assert (found[0].what, found[0].coincidence) == ("MACs", False)
    assert all(each.coincidence for each in found[1:])


def test_what_is_near_is_named_only_if_nothing_fits():
    assert {each.fit for each in explanations(Network(), "4.09 G")} == {0}
    assert {each.fit for each in explanations(Network(), "4.234 G")} == {2}


def test_no_rare_cause_is_named_for_being_near():
    # 5 340 348 416 MACs on 256×256 are 0.2 % off, and nothing that is common is within 5 %
    assert explanations(Network(), "5.3512 G") == []


def test_the_unit_decides_between_operations_and_parameters():
    layer = Linear(in_features=64, out_features=256)
    assert explanations(layer, "16640 params")[0].what == "parameters"
    assert explanations(layer, "16640 MACs")[0].what.startswith("what ptflops")


@pytest.mark.parametrize(
    "text",
    [
        *("3.8 billion", "3.8B", "~3.8 G", "3.8 BFLOPs", "3.8 billion FLOPs", "3 800 M"),
        *("about 3.8 G", "3.8 bn", "3.8e9", "3,800,000,000", "approx. 3.8 GMACs", "3.8 GOPs"),
    ],
)
def test_a_figure_is_read_as_people_write_it(text):
    assert figure(text).value == 3_800_000_000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("4.1 GFLOPS", "is a rate, FLOPs per second; write FLOPs for a count"),
        ("4.1 GFLOP/s", "is a rate, FLOPs per second; write FLOPs for a count"),
        ("312 TOPS", "is a rate, FLOPs per second; write FLOPs for a count"),
        ("2,671 M", "is ambiguous; write 2.671 M with a point, or 2671 M"),
        ("4,089", "is ambiguous; write 4.089 with a point, or 4089"),
        ("4,1 G", "is ambiguous; write 4.1 G with a point"),
    ],
)
def test_what_may_mean_something_else_is_refused(text, message):
    with pytest.raises(InvalidField) as refused:
        figure(text)
    assert refused.value.message.startswith(message)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("4.09 GFLOPs", "It says FLOPs but counts MACs: at two FLOPs per MAC it is 8.18 GFLOPs."),
        ("8.18 GMACs", "It says MACs but counts FLOPs: there are 4.09 GMACs."),
        ("8.18 GMult-Adds", "It says MACs but counts FLOPs: there are 4.09 GMACs."),
        ("4.09 GOPs", "It says FLOPs but counts MACs: at two FLOPs per MAC it is 8.18 GFLOPs."),
        ("4.09 GMACs", ""),
        ("8.18 GFLOPs", ""),
        ("4.09 G", ""),
    ],
)
def test_a_wrong_unit_is_remarked(text, said):
    assert remark(*explained(Network(), text)) == said


def test_biases_are_not_doubled_as_macs_are():
    # 8 × 64 × 256 MACs and 8 × 256 biases: two FLOPs per MAC are 262 144 and not twice 133 120
    taken, found = explained(Linear(in_features=64, out_features=256), "133120 FLOPs")
    assert found[0].what == "MACs and biases, of a batch of 8"
    assert remark(taken, found) == ""


def test_what_is_cut_off_to_a_figure_is_said_to_be():
    assert explained(Network(), "3.8 G")[1][0].said == "is cut off to it"
    assert explained(Network(), "3.86 G")[1][0].said == "rounds to it"


def test_a_figure_without_a_prefix_is_taken_with_one():
    taken, found = explained(Network(), "4.09")
    assert (taken, found[0].value) == ("4.09 G", 4_089_184_256)


def test_the_figure_of_a_transposed_convolution_is_traced_to_two_tools():
    layer = ConvTranspose2d(
        in_channels=64, out_channels=32, kernel_size=2, stride=2, height=28, width=28
    )
    names = {name for each in explained(layer, "25 690 112")[1] for name in each.names}
    assert names == {"what thop or torchprofile prints"}


@pytest.mark.parametrize(
    "batch",
    [
        Linear(in_features=128, out_features=64, batch_size=32),
        Sequential(modules="Linear(128, 64)", input_shape=(32, 128)),
    ],
)
def test_a_batch_is_told_from_its_sample(batch):
    assert explained(batch, "8192")[1][0].what == "MACs, of one sample"


def test_one_sample_is_left_out_if_the_layer_does_not_take_it():
    # torch's norm wants two values per channel in training
    norm = BatchNorm1d(num_features=8, batch_size=4, training=True)
    assert explained(norm, "16")[1][0].what == "parameters"


@pytest.mark.parametrize("name", [name for name, owner in CALCULATIONS.items()
                                  if issubclass(owner, Work)])  # fmt: skip
def test_every_layer_has_causes(name):
    fields = form_fields(CALCULATIONS[name])
    work = evaluate(name, {key: field.write(field.start) for key, field in fields.items()})
    assert explained(work.calculation, str(max(work.calculation.params, 7)))


def test_nothing_is_found_when_nothing_is_near():
    assert explained(Network(), "1.234567 P") == ("1.234567 P", [])


@pytest.mark.parametrize(
    ("text", "last", "digits"),
    [
        ("4.09 G", 10**7, 3), ("4.1", 1 / 10, 2), ("4089184256", 1, 10), ("4089 M", 10**6, 4),
        ("8.20GFLOPs", 10**7, 3), ("1.5e9", 10**8, 2), ("120 kMACs", 1000, 3),
        ("0.045 M", 1000, 2), ("4,089,184,256", 1, 10),
        ("4.1×10^9", 10**8, 2), ("4.1 x 10^9", 10**8, 2), ("4.1 Billion", 10**8, 2),
        ("4.1 Bn", 10**8, 2), ("4.1 thousand", 100, 2), ("4.1 B parameters", 10**8, 2),
        ("4.09\u00a0G", 10**7, 3), ("4.09\u2009G", 10**7, 3), ("about 3.80 billion", 10**7, 3),
    ],
)  # fmt: skip
def test_the_last_digit_of_a_figure_says_how_far_it_may_be_off(text, last, digits):
    assert (float(figure(text).last_digit), figure(text).digits) == (last, digits)


@pytest.mark.parametrize("text", ["x", "-3 G", "0", "", "4.1 GB", "1e999", "4.1 m", "G"])
def test_what_is_no_figure_is_refused_in_words(text):
    with pytest.raises(InvalidField, match="Write a figure such as"):
        figure(text)


def test_the_command_line_explains_a_figure():
    said, _ = asked("network", "resnet50", "--figure", "8.2", "--json")
    first = json.loads(said)["explanations"][0]
    assert first["what"] == "FLOPs, 2 × MACs"
    assert {"fit", "steps", "off", "value", "said", "exact", "coincidence", "names"} < {*first}
    said, _ = asked("network", "resnet50", "--figure", "8.2")
    lines = said.replace("\u202f", " ").splitlines()
    assert (
        "      8 178 368 512  FLOPs, 2 × MACs; what torch-cpu, torch-cpu-no-grad or "
        "torch-meta prints: rounds to it"
    ) in lines[lines.index("8.2, read as 8.2 G, may be") + 1]


def test_the_command_line_says_that_no_count_matches():
    said, status = asked("linear", "--in-features", "3", "--out-features", "4", "--figure", "7 T")
    assert "No known count matches 7 T." in said
    assert status == 0


def test_the_command_line_refuses_a_figure_that_is_none():
    said, status = asked("linear", "--in-features", "3", "--out-features", "4", "--figure", "many")
    assert status == 2
    assert said.startswith("linear: figure: must be a number")


def test_a_page_says_what_it_cannot_explain():
    assert "No known count matches 1.234567 P" in render_explanations(Network(), "1.234567 P")
    refused = "The figure is a rate, FLOPs per second; write FLOPs for a count"
    assert refused in render_explanations(Network(), "4 GFLOPS")
    assert "<td>exactly</td>" in render_explanations(Network(), "4 089 184 256")
