"""The charts: what is drawn is what the numbers say, for every eye."""

import json
import math
import re
import subprocess
import sys
from itertools import combinations
from xml.etree import ElementTree

import pytest
from markdown import markdown

from calculator.web.charts.roofline import (
    Bar,
    Case,
    Point,
    Roof,
    durations,
    element,
    measured,
    roofline,
)
from calculator.web.charts.vega import COLOURS, DASHES, SHAPES
from scripts.site import charts
from scripts.site.chart_svg import svg
from scripts.site.examples import DirectiveError
from scripts.site.runtime import in_pyodide
from scripts.site.steps import ROOT, node

A100 = Roof("A100", 312e12, 2.039e12)
H100 = Roof("H100", 989.5e12, 3.35e12)
NASTY = "<img src=x onerror=alert(1)> \"'&</flops-chart>"
BARS = [
    Bar("1 row", "compute", 2.9e-7),
    Bar("1 row", "measured", 6e-5, 5.5e-5, 7e-5),
    Bar("64 rows", "compute", 3e-5),
]
CASES = [
    Case("1 row", "linear", 4e-5, 5e-5, 6e-5, 5.5e-5, 5.2e-5, 6.2e-5),
    Case("3×3", "conv2d", 1e-5, 2e-5, 3e-5, 2.5e-5, 2e-5, 3.1e-5),
    Case("view", "reshape", 0.0, 0.0, 0.0, 1e-6, 9e-7, 2e-6),
]
EXAMPLES = {
    "rows": charts.roofline_rows(),
    "dense and sparse": charts.dense_and_sparse(),
    "precision": charts.precision_floors(),
    "layers": charts.roofline_resnet50(),
    "time of rows": charts.time_rows(),
    "time of batches": charts.time_batches(),
    "time of kinds": charts.time_kinds(),
    "a roof without points": roofline([A100], [], "Bare"),
    "more roofs than colours": roofline(
        [Roof(f"{n}", n * 1e12, 1e12) for n in range(1, 8)], [], ""
    ),
    "nasty names": roofline(
        [A100._replace(name=NASTY)], [Point(NASTY, 2.0, 1e12, NASTY, NASTY)], NASTY
    ),
    "bars": durations(BARS, "Bars"),
    "bars, logarithmic": durations(BARS, "Bars", logarithmic=True),
    "bars of nothing": durations([Bar("view", "compute", 0.0)], "Bars"),
    "measured": measured(CASES, "Cases"),
}

CHECK = """
import Ajv from "ajv";
import { readFileSync } from "node:fs";
import { compile } from "vega-lite";
const schema = JSON.parse(readFileSync("node_modules/vega-lite/build/vega-lite-schema.json"));
const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema);
const spec = JSON.parse(readFileSync(0));
const said = [];
if (!validate(spec)) said.push(...validate.errors.map((error) => JSON.stringify(error)));
const quiet = () => logger;
const note = (...words) => (said.push(words.join(" ")), logger);
const logger = { level: quiet, warn: note, error: note, info: quiet, debug: quiet };
if (said.length === 0) compile(spec, { logger });
console.log(JSON.stringify(said));
"""


def drawn(chart, kind="wide"):
    """Return one drawing of a chart, without the namespaces that inline SVG does not need."""
    found = re.search(rf'<svg class="chart-{kind}".*?</svg>', svg(chart, "test"), re.DOTALL)
    return ElementTree.fromstring(found[0])


def spots(svg):
    """Return where the points of a drawing stand, by what is said of each up to its figures."""
    return {
        path.get("aria-label").partition(":")[0]: place(path)
        for path in svg.iter("path")
        if path.get("aria-label")
    }


def place(shape):
    return [float(number) for number in re.findall(r"-?[\d.]+", shape.get("transform"))][:2]


def axes(svg):
    """Return two functions, across and down, from a number to the place the ticks give it."""
    labels = svg.findall(".//g[@class='mark-text role-axis-label']/text")
    marks = svg.findall(".//g[@class='mark-rule role-axis-tick']/line")
    powers = {"1": 0, "10": 1, "100": 2, "1000": 3, "1T": 12, "10T": 13, "100T": 14, "1P": 15}

    def axis(anchor, side):
        known = [
            (powers[text.text], place(mark)[side])
            for text, mark in zip(labels, marks, strict=True)
            if text.get("text-anchor") == anchor
        ]
        (first, start), *_, (last, end) = known
        step = (end - start) / (last - first)
        return lambda value: start + step * (math.log10(value) - first)

    return axis("middle", 0), axis("end", 1)


def checked(spec):
    done = subprocess.run(
        [node(), "--input-type=module", "--eval", CHECK],
        cwd=ROOT, input=json.dumps(spec), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", [name for name in EXAMPLES if EXAMPLES[name].spec])
def test_vega_lite_finds_nothing_wrong_with_a_chart(name):
    assert checked(EXAMPLES[name].spec) == []


def test_vega_lite_would_find_what_is_wrong():
    spec = EXAMPLES["rows"].spec
    wrong = {**spec, "layer": [{**spec["layer"][0], "mark": "sausage"}]}
    assert checked({**spec, "hight": 3})
    assert checked({**wrong, "width": 300})


def test_points_and_ridges_stand_where_the_axes_say():
    svg = drawn(EXAMPLES["rows"])
    across, down = axes(svg)
    # FLOP/B of 2 * 4096 * 11008 * n / (2 * (4096 n + 11008 n + 4096 * 11008)), times 2.039 TB/s
    # or 312 TFLOP/s at most: docs/roofline.md, where torch and the record agree on each
    figures = {
        "Ridge point, NVIDIA A100 80GB SXM4, bf16": (153.02, 312e12),
        "1 row, NVIDIA A100 80GB SXM4, bf16": (0.99966, 2.03831e12),
        "64 rows, NVIDIA A100 80GB SXM4, bf16": (62.744, 127.93e12),
        "512 rows, NVIDIA A100 80GB SXM4, bf16": (437.01, 312e12),
        "256 rows, NVIDIA H100 SXM5 80GB, bf16": (235.79, 789.9e12),
    }
    shown = spots(svg)
    for name, (intensity, rate) in figures.items():
        # ticks are moved to whole pixels
        assert shown[name] == pytest.approx([across(intensity), down(rate)], abs=1)


# In fp16 a 3×3 convolution of c channels on s × s, of which 64 are in the batch, moves
# 2 (2 · 64 c s² + 9 c²) bytes for 2 · 64 · 9 c² s² FLOPs: 287.59 for 64 channels on 56 × 56.
# Of a linear layer: 1 / (1 / 64 + 1 / 2048 + 1 / 1000), and a bias. A ReLU compares once for four
# bytes, an addition adds once for six.
LAYERS = {"3×3, 64 → 64": 287.59, "Linear": 58.42, "ReLU": 0.25, "Addition": 1 / 6}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_of_a_network_has_the_intensity_of_its_shape(name):
    found = [row for row in EXAMPLES["layers"].rows if row[0] == name]
    assert [float(row[2]) for row in found] == pytest.approx([LAYERS[name]], rel=3e-3)


def test_layers_that_are_alike_are_one_point_and_none_is_left_out():
    rows = EXAMPLES["layers"].rows[1:]
    counted = [int(row[4].split()[0]) for row in rows]
    # ResNet-50: 53 convolutions with a norm each, 49 ReLUs, 16 additions, 2 poolings, 1 linear
    assert sum(counted) == 53 + 53 + 49 + 16 + 2 + 1
    assert len({row[:3] for row in rows}) == len(rows)


def test_the_floors_of_the_kinds_are_the_bytes_of_the_network():
    found = {row[0]: row[2] for row in EXAMPLES["time of kinds"].rows}
    # Radosavovic et al., "Designing Network Design Spaces", arXiv:2003.13678: ResNet-50 has 11.1 M
    # activations, the outputs of its convolutions; a norm reads and writes them: 64 · 4 bytes each
    milliseconds, unit = found["BatchNorm2d"].split()
    assert unit == "ms"
    assert float(milliseconds) == pytest.approx(11.1e6 * 64 * 4 / 2.039e12 * 1e3, rel=6e-3)


def test_each_picture_of_a_batch_has_its_share_of_the_launches():
    launches = [row[2] for row in EXAMPLES["time of batches"].rows if row[1] == "launches"]
    # 174 layers, 2.1 µs each, shared by 1, 8 and 64
    assert launches == ["365 µs", "45.7 µs", "5.71 µs"]


def test_every_roof_and_point_is_drawn():
    svg = drawn(EXAMPLES["rows"])
    assert len(spots(svg)) == 2 + 8
    assert len(svg.findall(".//g[@class='mark-line role-mark layer_0_marks']/path")) == 1
    assert len(svg.findall(".//g[@class='mark-line role-mark layer_1_marks']/path")) == 1


def test_a_roof_turns_at_its_ridge():
    svg = drawn(EXAMPLES["rows"])
    line = svg.find(".//g[@class='mark-line role-mark layer_0_marks']/path").get("d")
    corners = [tuple(map(float, each)) for each in re.findall(r"([\d.]+),([\d.]+)", line)]
    assert len(corners) == 3
    ridge = spots(svg)["Ridge point, NVIDIA A100 80GB SXM4, bf16"]
    assert corners[1] == pytest.approx(ridge, abs=0.01)
    assert corners[1][1] == pytest.approx(corners[2][1])


@pytest.mark.parametrize(
    ("intensity", "rate"), [(0.0, 0.0), (math.inf, 1e12), (2.0, math.inf), (math.nan, 1e12)]
)
def test_what_has_no_place_on_a_logarithmic_axis_is_in_the_table_alone(intensity, rate):
    chart = roofline([A100], [Point("view", intensity, rate, "A100", "moves only")], "A view")
    assert [*spots(drawn(chart))] == ["Ridge point, A100"]
    row = next(row for row in chart.rows if row[0] == "view")
    assert row[4] == "moves only; not drawn: no place on a logarithmic axis"
    element(chart)


def test_without_a_roof_there_is_a_table_and_no_drawing():
    chart = roofline([], [], "Nothing")
    assert chart.spec == {}
    assert "chart-drawing" not in element(chart)


@pytest.mark.parametrize(
    "make",
    [
        lambda: roofline([A100, A100], [], ""),
        lambda: roofline([A100], [Point("x", 1.0, 1.0, "B200")], ""),
        lambda: durations([BARS[0], BARS[0]], ""),
    ],
    ids=["two roofs of one name", "a point under no roof", "two bars of one kind"],
)
def test_what_could_not_be_told_apart_is_refused(make):
    with pytest.raises(ValueError, match=r"twice|not here"):
        make()


def test_bars_are_as_long_as_their_times():
    rects = [path for path in drawn(EXAMPLES["bars"]).iter("path") if path.get("aria-label")]
    wide = [float(re.match(r"M0,[\d.]+h([\d.]+)", rect.get("d"))[1]) for rect in rects]
    # 0.29, 60 and 30 µs
    assert [each / wide[1] for each in wide] == pytest.approx([0.29 / 60, 1, 0.5])


def test_a_part_of_a_time_has_one_colour_whatever_stands_beside_it():
    floor = Bar("1 row", "floor", 1e-6)
    beside = [Bar("1 row", part, 1e-6) for part in ("compute", "memory", "launches")]
    colours = [
        shape.get("fill")
        for bars in ([floor], [*beside, floor], [beside[2], floor])
        for shape in drawn(durations(bars, "Bars")).iter("path")
        if (shape.get("aria-label") or "").startswith("1 row, floor")
    ]
    assert len(colours) == 3
    assert len(set(colours)) == 1


def test_a_dense_peak_and_what_sparsity_adds_to_it_lie_end_to_end():
    found = drawn(EXAMPLES["dense and sparse"]).findall(
        ".//g[@class='mark-rect role-mark layer_0_marks']/path"
    )
    boxes = [re.match(r"M([\d.]+),[\d.]+h([\d.]+)", path.get("d")).groups() for path in found]
    spans = {(float(left), float(left) + float(wide)) for left, wide in boxes}
    rate = max(right for _, right in spans) / 4500  # of the B200, the largest
    # printed by their vendors, in TFLOP/s: NVIDIA H100, dense and sparse; AWS Trainium2
    for low, high in ((0, 989.5), (989.5, 1979), (0, 667), (667, 2563)):
        assert any((low * rate, high * rate) == pytest.approx(span, abs=0.6) for span in spans)


def test_a_measured_case_stands_between_its_percentiles_and_beside_its_floor():
    svg = drawn(EXAMPLES["measured"])

    def layer(kind, number):
        group = svg.find(f".//g[@class='mark-{kind} role-mark layer_{number}_marks']")
        return list(group)

    bars, floors, spreads = layer("rect", 0), layer("symbol", 1), layer("rule", 2)
    dots = layer("symbol", 3)
    # the view has neither a floor nor an interval above zero
    assert list(map(len, (bars, floors, spreads, dots))) == [2, 2, 3, 3]
    start, wide = map(float, re.match(r"M([\d.]+),[\d.]+h([\d.]+)", bars[0].get("d")).groups())
    decade = wide / math.log10(6 / 5)  # expected: 50 to 60 µs
    assert start - place(floors[0])[0] == pytest.approx(decade * math.log10(5 / 4))
    assert place(dots[0])[0] - start == pytest.approx(decade * math.log10(5.5 / 5))
    assert place(spreads[0])[0] - start == pytest.approx(decade * math.log10(5.2 / 5))
    assert float(spreads[0].get("x2")) == pytest.approx(decade * math.log10(6.2 / 5.2))


def test_a_drawing_is_the_same_wherever_it_is_made():
    code = "from scripts.site.charts import *; print(svg(CHARTS['roofline_rows'](), 'x'), end='')"
    other = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert other.stdout == svg(EXAMPLES["rows"], "x")


def test_the_browsers_python_makes_the_same_charts(runtime):
    code = (
        "from calculator.web.charts.roofline import *\n"
        "print(element(roofline([Roof('A', 312e12, 2e12)], [Point('x', 9., 1e13, 'A')], 'T')))\n"
        "print(element(durations([Bar('a', 'b', 1e-6, 1e-7, 2e-6)], 'D')))\n"
        "print(element(measured([Case('a', 'f', 1e-6, 2e-6, 3e-6, 2e-6, 1e-6, 3e-6)], 'M')))\n"
    )
    rest = "from calculator.web import worker\nworker.extend('/rest.zip')\n"
    there = in_pyodide(rest + code, runtime)
    here = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert there.strip() == here.stdout.strip() != ""


def test_the_ids_of_two_drawings_differ():
    chart = EXAMPLES["rows"]
    first = {**chart.spec["layer"][0], "mark": {"type": "line", "clip": True}}
    clipped = chart._replace(spec={**chart.spec, "layer": [first]})
    both = svg(clipped, "one") + svg(clipped, "two")
    ids = re.findall(r'\bid="([^"]+)"', both)
    assert len(ids) == len(set(ids)) == 4
    assert {*re.findall(r"url\(#([^)]+)\)", both)} == {*ids}


def test_the_build_stops_at_a_chart_that_vega_lite_refuses_and_names_it(monkeypatch):
    broken = EXAMPLES["rows"]._replace(spec={"mark": "sausage", "height": 1})
    monkeypatch.setitem(charts.CHARTS, "broken", lambda: broken)
    with pytest.raises(DirectiveError, match=r"chart \| broken: Vega-Lite"):
        markdown("/// chart | broken\n///", extensions=["scripts.site.directives"])


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_name_becomes_markup(name):
    chart = EXAMPLES[name]
    html = element(chart, svg(chart, "x") if chart.spec else "")
    root = ElementTree.fromstring(html.replace(" data-kept ", " "))
    assert not [each.tag for each in root.iter() if each.tag in ("img", "script")]
    assert json.loads(root.get("data-spec") or "{}") == chart.spec
    cells = [["".join(cell.itertext()) for cell in row] for row in root.iterfind(".//tbody/tr")]
    assert cells == [list(row) for row in chart.rows]


# WCAG 2.2: relative luminance and contrast; 1.4.11 asks for 3 between a graphic and what it is on.
WHITE, SLATE = "#ffffff", "#1e2729"  # Material's slate is hsl(hue, 15%, 14%); our hue is 190


def linear(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def luminance(colour):
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("background", [WHITE, SLATE], ids=["light", "dark"])
@pytest.mark.parametrize("colour", COLOURS)
def test_a_series_stands_out_from_the_page(colour, background):
    low, high = sorted((luminance(colour), luminance(background)))
    assert (high + 0.05) / (low + 0.05) >= 3


# G. M. Machado, M. M. Oliveira and L. A. F. Fernandes, "A Physiologically-based Model for
# Simulation of Color Vision Deficiency", IEEE TVCG 15(6), 2009: severity 1.0.
EYES = {
    "all three cones": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}


def seen(colour, eye):
    """Return a colour in CIELAB (D65) as an eye has it."""
    parts = [sum(map(float.__mul__, map(float, row), linear(colour))) for row in EYES[eye]]
    red, green, blue = (min(1.0, max(0.0, part)) for part in parts)
    xyz = (
        (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047,
        0.2126 * red + 0.7152 * green + 0.0722 * blue,
        (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883,
    )
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("eye", EYES)
def test_two_series_differ_for_every_eye(eye):
    # 2.3 is a difference that is just seen; ten of them leave no doubt
    assert min(math.dist(seen(a, eye), seen(b, eye)) for a, b in combinations(COLOURS, 2)) > 23


def test_series_differ_without_colour_too():
    count = len(COLOURS)
    assert len(set(SHAPES[:count])) == len({tuple(dash) for dash in DASHES[:count]}) == count
