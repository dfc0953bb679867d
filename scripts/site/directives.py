"""A Python-Markdown extension: calculators, verified examples and formulas, all set at build time.

    /// calculator | conv2d conv_transpose2d
    fields: {in_channels: 3, device: a100_80gb_sxm}
    ///

    /// example | conv2d
    fields: {in_channels: 3, out_channels: 32, kernel_size: 3, height: 128, width: 128}
    expect: {macs: 13_716_864}
    thop: {macs: 13_716_864, params: 0}
    ///

    /// figure | convolution
    ///

    /// chart | roofline_rows
    ///

    /// table | devices
    ///

Whatever is wrong in one stops the build: a figure that the formula, the page and the committed
record do not agree on, an unknown key, field or directive, a formula that KaTeX cannot set, a chart
that Vega-Lite cannot draw.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape, unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

from markdown import Extension, Markdown
from markdown.postprocessors import Postprocessor
from pymdownx.blocks import BlocksExtension
from pymdownx.blocks.block import Block

from calculator.answers import guess
from calculator.answers.evaluate import Evaluation, evaluate, form_fields
from calculator.core.units import grouped
from calculator.web import page
from scripts.site import api_reference, charts, device_table, measured_page, readings_table
from scripts.site.examples import EVIDENCE, DirectiveError, Example, check, example, read, texts
from scripts.site.figures import FIGURES
from scripts.site.steps import ROOT
from scripts.site.typesetting import Formula, set_formulas

RUNTIME_VERSION = ROOT / "build" / "runtime" / "VERSION"


def runtime_version() -> str:
    """Return the folder that the browser finds Python in, or nothing before it is built."""
    return RUNTIME_VERSION.read_text("utf-8").strip() if RUNTIME_VERSION.exists() else ""


_OPEN = "data-open"  # marks a directive whose closing line has not been met


class _Raw(Block):  # type: ignore[misc]
    """A directive whose body is ours to read, and whose result is ready HTML."""

    ARGUMENT = True
    SEARCHED = True

    def on_create(self, parent: ElementTree.Element) -> ElementTree.Element:
        said = f"{self.NAME} | {self.argument}"
        attributes = {"class": f"directive-{self.NAME}", _OPEN: said}
        if self.SEARCHED:
            return ElementTree.SubElement(parent, "div", attributes)
        # The search takes the first end of a tag of this name for the end of what it leaves out.
        return ElementTree.SubElement(parent, "section", {**attributes, "data-search-exclude": ""})

    def on_markdown(self) -> str:
        return "raw"

    def on_end(self, block: ElementTree.Element) -> None:
        del block.attrib[_OPEN]
        fragment = self.fragment(self.argument.strip(), block.text or "")
        block.text = self.md.htmlStash.store(fragment)

    def fragment(self, argument: str, body: str) -> str:
        raise NotImplementedError


class CalculatorBlock(_Raw):
    """`/// calculator | NAME …`: the form of the first, its answer, the others to choose from."""

    NAME = "calculator"

    def fragment(self, argument: str, body: str) -> str:
        options = read("calculator", argument, body, {"fields", "formulas"})
        names = argument.split()
        fields = texts(options.get("fields", {}))
        outcome = evaluate(names[0], fields)
        for error in outcome.errors.values():
            raise DirectiveError(f"calculator | {argument}: {error}")
        assert outcome.calculation is not None
        folded = options.get("formulas") == "folded"
        result = outcome.calculation, outcome.time
        return page.element(names, fields, result, runtime_version(), folded)


class ExampleBlock(_Raw):
    """`/// example | NAME`: fields, the figures the author expects, who checked them."""

    NAME = "example"
    SEARCHED = False  # all say the same, of other figures

    def fragment(self, argument: str, body: str) -> str:
        return self.answer(example(argument, body, self.NAME))[0]

    def answer(self, wanted: Example) -> tuple[str, Evaluation]:
        """Return what is shown of an example, and its evaluation."""
        outcome, witnesses = check(wanted, Path(self.config["evidence"]))
        assert outcome.calculation is not None
        shown = page.example(outcome.calculation, outcome.time, wanted.fields, list(wanted.expect))
        thop = " and ".join(
            f"{grouped(int(value))} {_THOP_UNITS[name]}" for name, value in wanted.thop.items()
        )
        said = f'<p class="example-thop">thop itself prints {thop}.</p>' if thop else ""
        query = {
            name: wanted.fields.get(name, field.write(field.default))
            for name, field in form_fields(type(outcome.calculation)).items()
        }
        link = escape(urlencode({"calculator": wanted.calculator, **query}))
        fragment = (
            f'{shown}{said}<p class="example-proof"><span class="example-badge">checked against '
            f"{escape(witnesses)}</span> "
            f'<a href="?{link}#{_OFFER}{wanted.calculator}">Open in the calculator</a></p>'
        )
        return fragment, outcome


class PredictionBlock(ExampleBlock):
    """`/// prediction | NAME`: a `question`, and its answer, an example with `because` behind it.

    The first figure that the author expects is the one that is asked for.
    """

    NAME = "prediction"

    def fragment(self, argument: str, body: str) -> str:
        wanted = example(argument, body, self.NAME)
        if not wanted.question or not wanted.because:
            raise DirectiveError(f"prediction | {argument}: write a question and a because")
        shown, outcome = self.answer(wanted)
        answer = f"{shown}<p>{escape(wanted.because)}</p>"
        name = next(iter(wanted.expect))
        subject = {"calculator": argument, "fields": dict(wanted.fields), "quantity": name}
        try:
            declared, _ = guess.find_quantity(outcome, name)
        except ValueError as error:
            raise DirectiveError(f"prediction | {argument}: {error}") from error
        return page.prediction(wanted.question, subject, declared, answer, runtime_version())


class FigureBlock(_Raw):
    """`/// figure | NAME`: a drawing whose parts say more when they are pointed at."""

    NAME = "figure"

    def fragment(self, argument: str, body: str) -> str:
        if argument not in FIGURES:
            raise DirectiveError(f"figure | {argument}: there are {', '.join(FIGURES)}")
        return f'<div class="figure-frame">{FIGURES[argument]()}</div>'


class ChartBlock(_Raw):
    """`/// chart | NAME`: a chart, drawn, and drawn again by the browser that can."""

    NAME = "chart"

    def fragment(self, argument: str, body: str) -> str:
        if argument not in charts.CHARTS or body.strip():
            raise DirectiveError(f"chart | {argument}: there are {', '.join(charts.CHARTS)}")
        try:
            return charts.fragment(argument)
        except ValueError as error:
            raise DirectiveError(f"chart | {argument}: {error}") from error


class TableBlock(_Raw):
    """`/// table | NAME`: readings of every tool, every device, every run, every public name."""

    NAME = "table"

    def fragment(self, argument: str, body: str) -> str:
        if argument not in TABLES or body.strip():
            raise DirectiveError(f"table | {argument}: there are {', '.join(TABLES)}, with no body")
        return TABLES[argument]()


_THOP_UNITS = {"macs": "MACs", "params": "parameters"}
_OFFER = "calculator-that-offers-"
TABLES: dict[str, Callable[[], str]] = {
    "readings": lambda: readings_table.table(_OFFER),
    "devices": lambda: device_table.table(_OFFER),
    "runs": measured_page.page,
    "api": api_reference.reference,
}
_LINK = re.compile(rf"#{_OFFER}(\w+)")
_ELEMENT = re.compile(r'<flops-calculator id="([^"]+)"[^>]* data-offers="([^"]+)"')
_FORMULA = re.compile(
    r'(<(span|div) class="arithmatex"[^>]*>)(?:\\\((.*?)\\\)|\\\[(.*?)\\\])(</\2>)', re.DOTALL
)
_STRAY = re.compile(rf'^\s*(?:<\w+>)?\s*(/{{3,}}.*)$| {_OPEN}="([^"]*)"', re.MULTILINE)
_LITERAL = re.compile(r"<(pre|code|textarea)\b.*?</\1>", re.DOTALL)


class Finish(Postprocessor):
    """Set every formula of the finished page, and refuse a directive that was left as text."""

    def run(self, text: str) -> str:
        stray = _STRAY.search(_LITERAL.sub("", text))
        if stray:
            raise DirectiveError(
                f"unknown or unfinished directive: {unescape(stray[1] or stray[2])}"
            )
        homes = {
            name: identity
            for identity, offers in reversed(_ELEMENT.findall(text))
            for name in offers.split()
        }
        text = _LINK.sub(lambda match: f"#{self._home(homes, match[1])}", text)
        found = [
            Formula(unescape(inline or block), bool(block))
            for _, _, inline, block, _ in _FORMULA.findall(text)
        ]
        try:
            ready = iter(set_formulas(found))
        except ValueError as error:
            raise DirectiveError(str(error)) from error
        return _FORMULA.sub(lambda match: self._formula(match, next(ready)), text)

    @staticmethod
    def _formula(match: re.Match[str], markup: str) -> str:
        """Return a formula with its markup, which the search leaves out, in place of its TeX.

        Within a line it has a tag of its own, for the reason above: there are spans in it.
        """
        start, tag, end = match[1], match[2], match[5]
        if "data-tex" in start:  # in a calculator, which the search leaves out as a whole
            return start + markup + end
        name = "flops-formula" if tag == "span" else tag
        return f'<{name} class="arithmatex" data-search-exclude="">{markup}</{name}>'

    @staticmethod
    def _home(homes: Mapping[str, str], calculator: str) -> str:
        """Return the id of the page's first calculator that an example can be opened in."""
        if calculator not in homes:
            raise DirectiveError(f"example | {calculator}: no calculator on this page offers it")
        return homes[calculator]


class MarkdownCalculators(BlocksExtension):  # type: ignore[misc]
    """The directives and the finishing pass."""

    def __init__(self, **options: Any) -> None:
        self.config = {"evidence": [str(EVIDENCE), "the record that examples are held against"]}
        super().__init__(**options)

    def extendMarkdownBlocks(self, md: Markdown, block_mgr: Any) -> None:  # noqa: N802
        block_mgr.register(CalculatorBlock, self.getConfigs())
        block_mgr.register(ExampleBlock, self.getConfigs())
        block_mgr.register(PredictionBlock, self.getConfigs())
        block_mgr.register(FigureBlock, self.getConfigs())
        block_mgr.register(ChartBlock, self.getConfigs())
        block_mgr.register(TableBlock, self.getConfigs())
        md.postprocessors.register(Finish(md), "calculators", 1)


def makeExtension(**options: Any) -> Extension:  # noqa: N802
    """Return the extension."""
    return MarkdownCalculators(**options)
