"""What stops the build, each through MkDocs itself and a page that has it."""

import json
import logging
import os
import re
import subprocess
import sys
import time
from html import unescape
from io import StringIO
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from markdown import markdown
from mkdocs.commands.build import build
from mkdocs.config import load_config

from calculator import CALCULATIONS
from calculator.answers.evaluate import evaluate
from calculator.core.units import grouped
from scripts.site import readings_table
from scripts.site.examples import EVIDENCE, agrees, example, subject
from scripts.site.live import rebuild_pages
from scripts.site.steps import PACKAGES, ROOT, node, path_with_node
from scripts.site.vendor import licenses

CONFIG = """\
site_name: test
docs_dir: docs
strict: true
markdown_extensions:
  - pymdownx.arithmatex: {{generic: true}}
  - scripts.site.directives: {{evidence: '{evidence}'}}
theme: {{name: null, custom_dir: theme}}
"""
LINEAR = """\
/// example | linear
fields: {in_features: 4, out_features: 3, batch_size: 2}
expect: {macs: 24}
///
"""
PREDICTION = """\
/// prediction | linear
question: How many?
fields: {in_features: 4, out_features: 3, batch_size: 2}
expect: {macs: 24}
because: A multiply-accumulate for each weight and row.
///
"""
CALCULATOR = """
/// calculator | linear
fields: {}
///
"""


@pytest.fixture
def project(tmp_path):
    """An empty project whose record holds LINEAR, as torch would have it."""
    return prepared(tmp_path)


def prepared(folder):
    (folder / "docs").mkdir()
    (folder / "theme").mkdir()
    (folder / "theme" / "main.html").write_text("{{ page.content }}")
    (folder / "mkdocs.yml").write_text(CONFIG.format(evidence=folder / "evidence.json"))
    record(folder, macs=24, output_shape=[2, 3], thop={"macs": 24.0, "params": 0})
    return folder


def record(project, thop=None, **measured):
    wanted = example("linear", LINEAR.split("\n", 1)[1].rsplit("///", 1)[0])
    entry = {
        **subject("linear", wanted.evaluate()),
        "figures": measured,
        "witnesses": ["torch 0"],
        **({"thop": thop} if thop else {}),
    }
    (project / "evidence.json").write_text(json.dumps([entry]))


@pytest.fixture(scope="session")
def log():
    """What MkDocs says."""
    said = StringIO()
    logging.getLogger("mkdocs").addHandler(logging.StreamHandler(said))
    return said


@pytest.fixture
def built(project, log):
    """Build a page, and return its HTML; what is wrong is a ValueError with all that was said."""

    def build_page(text):
        (project / "docs" / "index.md").write_text(text)
        log.seek(0)
        log.truncate()
        try:
            build(load_config(str(project / "mkdocs.yml")))
        except Exception as error:
            raise ValueError(f"{log.getvalue()}{error}") from error
        return (project / "site" / "index.html").read_text("utf-8")

    return build_page


def test_a_right_example_builds_and_names_its_witness(built):
    assert "checked against torch 0" in built(LINEAR + CALCULATOR)


def test_a_wrong_number_ends_the_command_that_builds(project):
    (project / "docs" / "index.md").write_text(LINEAR.replace("24", "25") + CALCULATOR)
    command = [sys.executable, "-m", "mkdocs", "build", "-q"]
    path = {"PYTHONPATH": str(ROOT), "PATH": path_with_node()}
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, env=path)
    assert done.returncode != 0
    assert "index.md" in done.stderr


@pytest.mark.parametrize(
    ("page", "said"),
    [
        pytest.param(LINEAR.replace("24", "25"), ("25", "24"), id="a wrong number"),
        pytest.param(LINEAR.replace("expect", "expct"), ("expct",), id="a misspelt key"),
        pytest.param(
            LINEAR.replace("in_features", "in_feature"), ("in_feature",), id="a misspelt field"
        ),
        pytest.param(LINEAR.replace("macs", "mcas"), ("mcas",), id="a misspelt figure"),
        pytest.param(LINEAR.replace("example", "exampel"), ("exampel",), id="a misspelt directive"),
        pytest.param(
            LINEAR.replace("| linear", "| lineer"), ("lineer",), id="a misspelt calculation"
        ),
        pytest.param(LINEAR.replace("in_features: 4", "in_features: 0"), ("0",), id="a bad value"),
        pytest.param(LINEAR.replace("{macs: 24}", "{}"), ("figure",), id="nothing expected"),
        pytest.param(LINEAR.replace("{macs: 24}", "macs 24"), ("macs 24",), id="no mapping"),
        pytest.param(
            LINEAR.replace("batch_size: 2", "batch_size: 3").replace("24", "36"),
            ("make verify",),
            id="an example the record does not hold",
        ),
        pytest.param(
            LINEAR.replace("macs: 24", "params: 15"),
            ("make verify",),
            id="a figure it does not hold",
        ),
        pytest.param(
            LINEAR.replace("expect", "thop: {params: 15}\nexpect"),
            ("15", "0"),
            id="what thop does not print",
        ),
        pytest.param(
            LINEAR.replace("\n///\n", "\n\nMore text.\n"), ("example | linear",), id="one left open"
        ),
        pytest.param(LINEAR, ("no calculator",), id="an example with nothing to open it in"),
        pytest.param(PREDICTION.replace("24", "25"), ("25", "24"), id="a wrong prediction"),
        pytest.param(PREDICTION.replace("because", "why"), ("why",), id="a prediction's key"),
        pytest.param(
            PREDICTION.replace("question: How many?\n", ""), ("question",), id="nothing asked"
        ),
        pytest.param(
            PREDICTION.replace("macs: 24", "output_shape: [2, 3]"), ("guess",), id="a shape asked"
        ),
        pytest.param(LINEAR.replace("expect", "because: x\nexpect"), ("because",), id="not asked"),
        pytest.param("/// calculator | linear\nfield: {}\n///\n", ("field",), id="calculator key"),
        pytest.param("/// table | other\n///\n", ("readings, devices, runs, api",), id="a table"),
        pytest.param("/// table | devices\nt4\n///\n", ("with no body",), id="some devices"),
        pytest.param(
            "/// table | devices\n///\n", ("no calculator",), id="devices with nothing to open"
        ),
        pytest.param("/// chart | other\n///\n", ("roofline_rows",), id="another chart"),
        pytest.param(r"A $\fraq{1}{2}$ here.", ("fraq",), id="a formula KaTeX cannot set"),
    ],
)
def test_the_build_stops_and_says_why_and_where(built, page, said):
    with pytest.raises(ValueError) as stopped:  # noqa: PT011
        built(page)
    for words in ("index.md", *said):
        assert words in str(stopped.value)


def test_a_saved_page_is_built_again_and_a_faulty_one_stays_as_it_was(project, capsys):
    page, built = project / "docs" / "index.md", project / "site" / "index.html"
    texts = {"first": LINEAR + CALCULATOR, "second": "**Words**" + CALCULATOR, "faulty": LINEAR}
    seen = {}
    for later, (name, text) in enumerate(texts.items()):
        page.write_text(text)
        os.utime(page, (time.time() + later, time.time() + later))
        rebuild_pages(project / "mkdocs.yml", project / "site")
        seen[name] = built.read_text("utf-8")
    assert "checked against torch 0" in seen["first"]
    assert "<strong>Words</strong>" in seen["second"]
    assert seen["faulty"] == seen["second"]
    assert "no calculator" in capsys.readouterr().err


def test_a_stale_record_stops_the_build(project, built):
    record(project, macs=23)
    with pytest.raises(ValueError, match="23"):
        built(LINEAR)


def test_a_missing_record_stops_the_build(project, built):
    (project / "evidence.json").unlink()
    with pytest.raises(ValueError, match="make verify"):
        built(LINEAR)


def test_a_directive_shown_in_a_code_block_is_text(built):
    assert "example | linear" in built("```\n/// example | linear\n```\n")


def test_the_record_is_committed():
    assert Path(ROOT, "docs", "evidence.json") == EVIDENCE
    assert json.loads(EVIDENCE.read_text("utf-8"))


@pytest.mark.parametrize(
    ("written", "figure", "same"),
    [
        pytest.param("2.73e-06", 2.7306666e-06, True, id="three digits of a float"),
        pytest.param("2.74e-06", 2.7306666e-06, False, id="a wrong third digit"),
        pytest.param("0.119", 0.11892, True, id="a leading zero is no digit"),
        pytest.param("153", 153.02, True, id="a float written without a point"),
        pytest.param("13_716_864", 13716864, True, id="a count with underscores"),
        pytest.param("13.7e6", 13716864, False, id="a rounded count"),
        pytest.param(["1", "32"], (1, 32), True, id="a shape"),
        pytest.param(["1"], (1, 32), False, id="a shape cut short"),
        pytest.param({"additions": "3"}, {"additions": 3}, True, id="operations by kind"),
        pytest.param("memory", "memory", True, id="a word"),
    ],
)
def test_a_written_figure_agrees_where_it_is_the_same_number(written, figure, same):
    assert agrees(written, figure) is same


@pytest.mark.parametrize("entry", ["docs/assets/site.js", "scripts/site/vega.mjs"])
def test_every_package_that_is_served_is_served_with_its_licence(tmp_path, entry):
    command = [PACKAGES / ".bin" / "esbuild", entry, "--bundle", "--external:./vendor/*"]
    subprocess.run(
        [*command, f"--outfile={tmp_path / 'out.js'}", f"--metafile={tmp_path / 'meta.json'}"],
        cwd=ROOT, env={**os.environ, "PATH": path_with_node()}, capture_output=True, check=True,
    )  # fmt: skip
    files = json.loads((tmp_path / "meta.json").read_text())["inputs"]
    used = {name[0] for file in files if (name := re.match(r".*node_modules/(@.*?/)?[^/]*", file))}
    assert used
    served = licenses()
    for name in used:
        (text,) = [file for file in (ROOT / name).iterdir() if "license" in file.name.lower()]
        assert text.read_text("utf-8").strip() in served


def test_the_modules_of_the_page_pass_the_type_checker():
    compiler = PACKAGES / "typescript" / "bin" / "tsc"
    done = subprocess.run([node(), compiler], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == ""


PAGES = sorted((ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_no_line_begins_with_a_year_which_would_be_a_list(page):
    assert not re.findall(r"^ *\d{3,}\. .*", page.read_text("utf-8"), re.MULTILINE)


def test_the_battery_is_a_row_for_each_subject_of_the_record():
    readings = json.loads(Path(ROOT, "docs", "readings.json").read_text("utf-8"))["readings"]
    table = readings_table.table("calculator-")
    assert table.count('<th scope="row">') == len(readings)
    assert table.count('<th scope="col">') == 2 + 15


@pytest.mark.parametrize(
    ("row", "said"),
    [
        # on (2, 4, 14, 14): 112,896 MACs, and 484,416 by thop
        ("ConvTranspose2d(in_channels=4, out_channels=8, kernel_size=3, stride=2)", "4.291"),
        ("LSTM(input_size=12, hidden_size=10)", '<td data-kind="nothing" title="0">0</td>'),
        ("MultiheadAttention(embed_dim=16, num_heads=4)", '<td data-kind="raises"'),
        ("resnet50", '<td data-kind="flops"'),
    ],
)
def test_a_row_says_what_the_tools_said(row, said):
    rows = readings_table.table("calculator-").split("<tr>")
    assert any(f"<code>{row}</code>" in each and said in each for each in rows)


def test_a_row_opens_the_very_layer_that_it_is_about():
    rows = readings_table.table("calculator-").split('<th scope="row">')[1:]
    for row in rows:
        link, macs = re.match(r'<a href="\?([^#]+)#.*?</th><td>(.*?)</td>', row, re.DOTALL).groups()
        fields = dict(parse_qsl(unescape(link), keep_blank_values=True))
        name = fields.pop("calculator")
        fields.pop("counters")
        # over a form that shows something else in every field that the link leaves alone
        assert {*fields} >= {
            key
            for key, field in CALCULATIONS[name].fields.items()
            if field.role in ("module", "input")
        }
        assert grouped(evaluate(name, fields).calculation.macs) == macs


DEVICES = json.loads(Path(ROOT, "calculator", "machines", "devices.json").read_text("utf-8"))
every_device = pytest.mark.parametrize("name", DEVICES)


@pytest.fixture(scope="module")
def device_rows():
    """The rows of a page, by the device that each is about."""
    offers = "/// calculator | peak runtime\n///\n\n"
    page = markdown(offers + "/// table | devices\n///\n", extensions=["scripts.site.directives"])
    found = re.findall(r'<tr data-device="(\w+)"[^>]*>(.*?)</tr>', page, re.DOTALL)
    assert len(found) == len(dict(found))
    return dict(found)


def test_the_devices_are_a_row_for_each_that_is_known(device_rows):
    assert device_rows.keys() == DEVICES.keys()


@every_device
def test_a_device_is_named_with_its_year_and_every_source(device_rows, name):
    device, row = DEVICES[name], unescape(device_rows[name])
    assert f">{device['name']}</a>, {device['year']}" in row
    assert f'<a href="{device["source_url"]}">{device["source_title"]}</a>' in row
    if "power" in device:
        assert f'<a href="{device["power"]["source_url"]}"' in row


@every_device
def test_a_device_is_marked_where_it_is_doubtful_and_says_why(device_rows, name):
    device, row = DEVICES[name], unescape(device_rows[name])
    marked = re.findall(r"<strong>(\w+) confidence</strong>", row)
    assert marked == ([] if device["confidence"] == "high" else [device["confidence"]])
    assert device.get("note", "") in row


@pytest.mark.parametrize("name", [name for name in DEVICES if "parts" in DEVICES[name]])
def test_a_device_that_shows_as_several_names_its_part_and_the_source(device_rows, name):
    parts, row = DEVICES[name]["parts"], unescape(device_rows[name])
    assert f"shows as {parts['count']} devices" in row
    assert f"{parts['key']} is one {parts['name']}." in row
    assert f'<a href="{parts["source_url"]}">{parts["source_title"]}</a>' in row


@every_device
@pytest.mark.parametrize(
    ("column", "types"),
    [(0, {"fp32"}), (1, {"tf32"}), (2, {"bf16", "fp16"}), (3, {"fp8"}), (4, {"int8"})],
    ids=["fp32", "tf32", "16-bit", "fp8", "int8"],
)
def test_a_device_has_the_rates_of_its_record_and_no_other(device_rows, name, column, types):
    cell = re.findall("<td>.*?</td>", device_rows[name], re.DOTALL)[column]
    shown = re.sub(r"<[^>]*>|\b(fp|bf|tf)\d+\b|FP16 acc", " ", cell)
    rates = DEVICES[name]["peak"]
    units = [{f"{each}{unit}" for unit in ("", "_tensor", "_matrix")} for each in types]
    expected = {max(rates[row] for row in rows & {*rates}) for rows in units if rows & {*rates}}
    for kind in ("sparse", "fp16_accumulate"):
        known = DEVICES[name].get(kind, {})
        expected |= {known[each] for each in types if each in known}
    figures = {float(figure) for figure in re.findall(r"\d[\d.]*", shown)}
    assert figures == {round(rate / 1e12, 6) for rate in expected}


@every_device
def test_a_device_opens_in_a_calculator_that_takes_it(device_rows, name):
    link, calculator = re.match(
        r'<th scope="row"[^>]*><a href="\?([^#]+)#calculator-(\w+)">', device_rows[name]
    ).groups()
    fields = dict(parse_qsl(unescape(link), keep_blank_values=True))
    assert calculator == "peak"  # the element of the page that offers both
    opened = evaluate(fields.pop("calculator"), fields)
    assert opened.errors == {}
    assert opened.calculation.device == name
