"""The charts: what is drawn is what the numbers say, for every eye, hand and browser."""

import json
import math
import re
import subprocess
import sys
from base64 import b64encode
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from markdown import markdown
from pages import PHONE
from playwright.sync_api import expect

from calculator.charts import Bar, Case, Point, Roof, durations, element, measured, roofline
from calculator.drawing import COLOURS, DASHES, SHAPES
from scripts import charts
from scripts.chart_svg import svg
from scripts.examples import DirectiveError
from scripts.runtime import RUNTIMES, VERSION, in_pyodide
from scripts.steps import ROOT, node

pytestmark = pytest.mark.xdist_group("site")  # one builder of it at a time

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
    code = "from scripts.charts import *; print(svg(CHARTS['roofline_rows'](), 'x'), end='')"
    other = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert other.stdout == svg(EXAMPLES["rows"], "x")


def test_the_browsers_python_makes_the_same_charts(site):
    code = (
        "from calculator.charts import *\n"
        "print(element(roofline([Roof('A', 312e12, 2e12)], [Point('x', 9., 1e13, 'A')], 'T')))\n"
        "print(element(durations([Bar('a', 'b', 1e-6, 1e-7, 2e-6)], 'D')))\n"
        "print(element(measured([Case('a', 'f', 1e-6, 2e-6, 3e-6, 2e-6, 1e-6, 3e-6)], 'M')))\n"
    )
    rest = "from calculator import browser\nbrowser.extend('/rest.zip')\n"
    there = in_pyodide(rest + code, RUNTIMES / VERSION.read_text())
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
        markdown("/// chart | broken\n///", extensions=["scripts.markdown_calculators"])


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


CHARTS = ".directive-chart > flops-chart"  # those in panels wait until they are opened
CHART = f":nth-match({CHARTS}, 1)"
VEGA = "/vendor/vega.min.mjs"


def in_view(page, chart=CHART):
    """Scroll to a chart of a page and wait for the script to have drawn it."""
    page.locator(chart).scroll_into_view_if_needed()
    expect(page.locator(chart)).to_have_attribute("data-drawn", "")
    return page.locator(chart)


def fetched(page):
    return [url for url in page.requests if url.endswith(VEGA)]


def test_nothing_is_fetched_before_a_chart_is_in_view(open_page, site):
    page = open_page(site + "roofline/")
    page.wait_for_load_state("networkidle")
    assert not fetched(page)
    in_view(page)
    assert len(fetched(page)) == 1


def test_a_page_without_a_chart_fetches_nothing(open_page, site):
    page = open_page(site + "why/")
    page.keyboard.press("End")
    page.wait_for_load_state("networkidle")
    assert not fetched(page)


@pytest.mark.parametrize(
    ("options", "kind"),
    [({"viewport": PHONE}, "narrow"), ({}, "wide")],
    ids=["on a phone", "on a desktop"],
)
def test_a_chart_is_readable_without_javascript(open_page, site, options, kind):
    page = open_page(site + "roofline/", java_script_enabled=False, **options)
    svg = page.locator(f"{CHART} svg:visible")
    expect(svg).to_have_count(1)
    expect(svg).to_have_class(f"chart-{kind}")
    assert svg.locator("text", has_text="153 FLOP/B").bounding_box()["height"] >= 11


def test_the_drawing_that_can_be_walked_through_is_as_large_as_the_printed_one(open_page, site):
    page = open_page(site + "roofline/")
    before = page.locator(f"{CHART} .chart-wide").bounding_box()
    in_view(page)
    expect(page.locator(f"{CHART} .chart-wide")).to_have_count(0)
    after = page.locator(f"{CHART} svg").bounding_box()
    assert after["width"] == pytest.approx(before["width"], abs=2)
    assert after["height"] == pytest.approx(before["height"], abs=8)


def test_a_chart_becomes_as_narrow_as_its_column(open_page, site):
    page = open_page(site + "roofline/")
    chart = in_view(page)
    page.set_viewport_size(PHONE)
    expect(chart.locator("svg")).to_have_attribute("width", "358")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


@pytest.mark.parametrize("options", [{"viewport": PHONE}, {}], ids=["on a phone", "on a desktop"])
@pytest.mark.parametrize(
    ("path", "place"),
    [("roofline/", 1), ("roofline/", 2), ("runtime/", 1), ("runtime/", 2), ("runtime/", 3)],
    ids=["rows", "layers", "time of rows", "time of batches", "time of kinds"],
)
def test_no_text_of_a_chart_covers_another_or_is_cut(open_page, site, path, place, options):
    page = open_page(site + path, **options)
    chart = in_view(page, f":nth-match({CHARTS}, {place})")
    frame = chart.bounding_box()
    boxes = [text.bounding_box() for text in chart.locator("svg text").all()]
    assert len(boxes) > 15
    for box in boxes:
        assert frame["x"] <= box["x"]
        assert box["x"] + box["width"] <= frame["x"] + frame["width"]
    for one, other in combinations(boxes, 2):
        across = one["x"] < other["x"] + other["width"] and other["x"] < one["x"] + one["width"]
        down = (
            one["y"] + 3 < other["y"] + other["height"]
            and other["y"] + 3 < one["y"] + one["height"]
        )
        assert not (across and down), (one, other)


def test_the_keyboard_walks_through_the_points_and_each_is_announced(open_page, site):
    page = open_page(site + "roofline/")
    chart = in_view(page)
    said = chart.get_by_role("status")
    page.evaluate(
        "[...document.querySelectorAll('a')].filter(link => link.compareDocumentPosition("
        "document.querySelector('.directive-chart > flops-chart')) & 4).at(-1).focus()"
    )
    page.keyboard.press("Tab")
    expect(said).to_contain_text("Ridge point, NVIDIA A100")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(said).to_have_text(
        "64 rows, NVIDIA A100 80GB SXM4, bf16: 62.7 FLOP/B, 128 TFLOP/s; "
        "at least 45.2 µs, memory binds"
    )
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("End")
    expect(said).to_contain_text("512 rows, NVIDIA H100")
    page.keyboard.press("Tab")
    expect(chart.get_by_role("button", name="Save as SVG")).to_be_focused()
    expect(said).to_be_empty()
    page.keyboard.press("Shift+Tab")
    expect(said).to_contain_text("512 rows, NVIDIA H100")


def test_the_keyboard_saves_the_drawing(open_page, site):
    page = open_page(site + "roofline/")
    chart = in_view(page)
    chart.get_by_role("button", name="Save as SVG").focus()
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert "<svg" in open(download.value.path(), encoding="utf-8").read()  # noqa: SIM115


CORNER = """async (data) => {
    const image = await createImageBitmap(await (await fetch(data)).blob());
    const context = new OffscreenCanvas(1, 1).getContext("2d");
    context.drawImage(image, 0, 0);
    return [...context.getImageData(0, 0, 1, 1).data];
}"""


def test_a_picture_that_is_saved_has_a_white_ground_and_the_page_keeps_its_own(open_page, site):
    page = open_page(site + "roofline/")
    chart = in_view(page)
    with page.expect_download() as download:
        chart.get_by_role("button", name="Save as PNG").click()
    picture = b64encode(Path(download.value.path()).read_bytes()).decode()
    assert page.evaluate(CORNER, f"data:image/png;base64,{picture}") == [255, 255, 255, 255]
    expect(chart.locator("svg.marks")).to_have_css("background-color", "rgba(0, 0, 0, 0)")


def test_a_chart_works_where_no_text_may_be_run(open_page, site):
    policy = (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'"
    )

    def answer(route):
        response = route.fetch()
        headers = {**response.headers, "content-security-policy": policy}
        route.fulfill(response=response, headers=headers)

    page = open_page(site + "why/")
    page.route("**/roofline/", answer)
    page.goto(site + "roofline/")
    in_view(page)
    refused = open_page(site + "why/", quiet=False)
    refused.route("**/roofline/", answer)
    refused.goto(site + "roofline/")
    assert refused.evaluate(
        "new Promise(done => setTimeout(() => { try { Function('')(); done(false) }"
        " catch { done(true) } }))"
    )


def test_the_printed_drawing_stays_where_the_script_fails(open_page, site):
    page = open_page(site + "why/", quiet=False)
    page.route(f"**{VEGA}", lambda route: route.abort())
    page.goto(site + "roofline/")
    with page.expect_console_message(lambda message: "as it was printed" in message.text):
        page.locator(CHART).scroll_into_view_if_needed()
    expect(page.locator(f"{CHART} .chart-wide")).to_be_visible()
    # What was printed is no picture of other figures.
    page.locator(CHART).evaluate("chart => chart.dataset.spec = '{}'")
    expect(page.locator(f"{CHART} .chart-wide")).to_have_count(0)
    assert page.locator(f"{CHART} .chart-table").count() == 1


def spec_of(rates):
    points = [Point(NASTY, 10.0, rate, "A100", NASTY) for rate in rates]
    return json.dumps(roofline([A100], points, "Typed").spec)


def test_a_chart_follows_its_figures_and_only_the_last_of_them(open_page, site):
    page = open_page(site + "roofline/")
    chart = in_view(page)
    for count in (3, 5, 2):
        chart.evaluate("(chart, spec) => chart.dataset.spec = spec", spec_of([1e12] * count))
    marks = chart.locator("svg [role=graphics-symbol][aria-label]")
    expect(marks).to_have_count(1 + 2)
    marks.last.hover()
    expect(page.locator("#vg-tooltip-element")).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.locator("#vg-tooltip-element img").count() == 0


ANSWER = """
async (chart, [html, module]) => {
  const { become } = await import(module);
  const svg = chart.querySelector("svg");
  const range = document.createRange();
  range.selectNodeContents(chart.parentElement);
  const next = document.createElement("div");
  next.append(range.createContextualFragment(html));
  if (!chart.parentElement.matches("[data-test]")) {
    const place = Object.assign(document.createElement("div"), { id: "test" });
    place.dataset.test = "";
    place.className = chart.parentElement.className;
    chart.replaceWith(place);
    place.append(chart);
  }
  become(chart.parentElement, next);
  return chart.isConnected && chart.contains(svg);
}
"""


def test_an_answer_leaves_the_drawing_until_there_is_another(open_page, site):
    page = open_page(site + "runtime/")
    chart = in_view(page)
    module = site + "assets/page.js"
    page.route(module, lambda route: route.fulfill(path=ROOT / "docs" / "assets" / "page.js"))
    marks = chart.locator("svg [role=graphics-symbol][aria-label]")
    assert chart.evaluate(ANSWER, [element(EXAMPLES["bars"]), module])
    expect(marks).to_have_count(3)


def test_a_chart_is_drawn_again_after_instant_navigation(open_page, site):
    page = open_page(site + "roofline/")
    in_view(page)
    page.get_by_role("link", name="Convolution").first.click()
    expect(page.locator("h1")).to_contain_text("Convolution")  # the page has been exchanged
    page.go_back()
    expect(page.locator("h1")).to_contain_text("roofline")
    in_view(page)
    expect(page.locator(f"{CHART} svg")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_in_a_drawn_chart(open_page, site, scheme):
    page = open_page(site + "roofline/", color_scheme=scheme)
    chart = in_view(page)
    chart.locator("summary").click()
    page.add_script_tag(path=ROOT / "node_modules" / "axe-core" / "axe.min.js")
    found = page.evaluate("axe.run('.directive-chart').then((result) => result.violations)")
    assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found] == []


def test_a_chart_is_ink_on_the_page_whatever_its_colour(open_page, site):
    page = open_page(site + "roofline/", color_scheme="dark")
    chart = in_view(page)
    ink = "text => getComputedStyle(text).fill"
    dark = chart.locator("svg text").first.evaluate(ink)
    page.get_by_title("Switch to light mode").click()
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "default")
    assert chart.locator("svg text").first.evaluate(ink) != dark
