"""Figures of the pages, as SVG that works without a script.

Each part of a figure that can be looked at is a group that takes the focus: what it shows is shown
on hover and on focus by the stylesheet, and in print for the first of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from typing import Any

from calculator.answers.evaluate import evaluate
from calculator.core.units import rounded, seconds
from calculator.machines.runtime import Runtime

SIDE = 34  # of a cell, in units of the drawing
SMALL = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def _text(x: float, y: float, words: str, kind: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{kind}">{escape(words)}</text>'


def _cell(x: float, y: float, kind: str, words: str = "") -> str:
    square = f'<rect x="{x:g}" y="{y:g}" width="{SIDE}" height="{SIDE}" class="{kind}"/>'
    return square + (_text(x + SIDE / 2, y + SIDE / 2, words, "figure-name") if words else "")


def _grid(left: float, top: float, rows: int, columns: int, name: str) -> str:
    return "".join(
        _cell(left + column * SIDE, top + row * SIDE, "figure-cell", _at(name, rows, row, column))
        for row in range(rows)
        for column in range(columns)
    )


def _at(name: str, rows: int, row: int, column: int) -> str:
    return name + (f"{row}{column}" if rows > 1 else f"{column}").translate(SMALL)


def _part(said: str, hit: str, shown: str) -> str:
    """Return what can be pointed at, and what is shown then; `said` is for those who listen."""
    return (
        f'<g class="figure-part" tabindex="0" role="img" aria-label="{escape(said)}">'
        f'{hit}<g class="figure-shown" aria-hidden="true">{shown}</g></g>'
    )


def _figure(width: float, height: float, title: str, still: str, parts: Iterator[str]) -> str:
    return (
        f'<svg class="figure" viewBox="-1 0 {width + 2:g} {height:g}" role="group" '
        f'aria-label="{escape(title)}" '
        f'style="max-inline-size: {width:g}px; min-inline-size: min(24rem, {width:g}px)">'
        f"{still}{''.join(parts)}</svg>"
    )


def convolution() -> str:
    """A 3×3 kernel on a 5×5 input: each output and the nine products that it sums."""
    size, kernel, top = 5, 3, 26
    outputs = size - kernel + 1
    weights, y = (size + 1) * SIDE, (size + kernel + 2) * SIDE
    below = top + size * SIDE + 30
    still = "".join(
        [
            _text(0, 14, f"input, {size} × {size}", "figure-title"),
            _text(weights, 14, "kernel", "figure-title"),
            _text(y, 14, "output: point at a cell", "figure-title"),
            _grid(0, top, size, size, "x"),
            _grid(weights, top, kernel, kernel, "w"),
        ]
    )

    def part(row: int, column: int) -> str:
        steps = range(kernel)
        products = [
            " + ".join(f"{_at('x', 2, row + i, column + j)}·{_at('w', 2, i, j)}" for j in steps)
            for i in steps
        ]
        name = _at("y", 2, row, column)
        lines = [f"{name} = {products[0]}", *(f"+ {each}" for each in products[1:])]
        window = "".join(
            _cell((column + j) * SIDE, top + (row + i) * SIDE, "figure-lit")
            for i in steps
            for j in steps
        )
        said = f"{' '.join(lines)}: {kernel**2} products, {kernel**2} multiply-accumulates"
        shown = window + "".join(
            _text(0 if place == 0 else 27, below + 20 * place, line, "figure-sum")
            for place, line in enumerate(lines)
        )
        shown += _text(weights + 40, below, f"{kernel**2} products", "figure-count")
        hit = _cell(y + column * SIDE, top + row * SIDE, "figure-cell figure-target", name)
        return _part(said, hit, shown)

    parts = (part(row, column) for row in range(outputs) for column in range(outputs))
    title = f"A {kernel}×{kernel} kernel on a {size}×{size} input: what each output sums"
    return _figure(y + outputs * SIDE + 60, below + 50, title, still, parts)


def linear() -> str:
    """A row of four numbers times a 4×3 matrix: each output and the four products it sums."""
    inputs, outputs, top = 4, 3, 26
    weights, y = (inputs + 1) * SIDE, (inputs + outputs + 2) * SIDE
    below = top + inputs * SIDE + 30
    still = "".join(
        [
            _text(0, 14, "a row of the input", "figure-title"),
            _text(weights, 14, "weights", "figure-title"),
            _text(y, 14, "output: point at a cell", "figure-title"),
            _grid(0, top, 1, inputs, "x"),
            _grid(weights, top, inputs, outputs, "w"),
        ]
    )

    def part(column: int) -> str:
        products = " + ".join(
            f"{_at('x', 1, 0, i)}·{_at('w', 2, i, column)}" for i in range(inputs)
        )
        name = _at("y", 1, 0, column)
        lit = "".join(
            _cell(i * SIDE, top, "figure-lit")
            + _cell(weights + column * SIDE, top + i * SIDE, "figure-lit")
            for i in range(inputs)
        )
        line = f"{name} = {products}"
        shown = lit + _text(0, below, line, "figure-sum")
        shown += _text(y, below, f"{inputs} products", "figure-count")
        hit = _cell(y + column * SIDE, top, "figure-cell figure-target", name)
        return _part(f"{line}: {inputs} multiply-accumulates", hit, shown)

    title = "One row times a 4×3 matrix: what each output sums"
    return _figure(
        y + outputs * SIDE + 60, below + 12, title, still, (part(each) for each in range(outputs))
    )


def attention() -> str:
    """The causal mask of eight positions: the keys that each query sees, and how many they are."""
    length, left, top, side = 8, 30, 48, 30
    keys = "".join(
        _text(left + (key + 0.5) * side, top - 12, _at("k", 1, 0, key), "figure-name")
        for key in range(length)
    )
    still = _text(0, 14, "queries: point at a row", "figure-title") + keys

    def square(row: int, key: int, kind: str) -> str:
        x, y = left + key * side, top + row * side
        return f'<rect x="{x}" y="{y}" width="{side}" height="{side}" class="{kind}"/>'

    def part(row: int) -> str:
        seen, name = row + 1, _at("q", 1, 0, row)
        middle = top + (row + 0.5) * side
        hit = _text(left - 18, middle, name, "figure-name") + "".join(
            square(row, key, "figure-cell figure-target" if key < seen else "figure-cell")
            for key in range(length)
        )
        shown = "".join(square(row, key, "figure-lit") for key in range(seen))
        shown += "".join(
            square(above, key, "figure-past") for above in range(row) for key in range(above + 1)
        )
        so_far, pairs = (rows * (rows + 1) // 2 for rows in (seen, length))
        below, right = top + length * side + 24, left + length * side + 10
        count = f"{name} sees {seen} of {length} keys"
        total = f"{so_far} of {pairs} pairs so far"
        shown += _text(right, middle + 4, f"{seen} of {length}", "figure-count")
        shown += _text(left, below, f"{count}: {total}", "figure-sum")
        return _part(f"{count}: {total}", hit, shown)

    title = f"The causal mask of {length} positions: row by row, the pairs that are used"
    return _figure(
        left + length * side + 60,
        top + length * side + 36,
        title,
        still,
        (part(row) for row in range(length)),
    )


PROMPT, WORDS = 512, 12
LLAMA_2_7B = {
    "vocab_size": "32000",
    "hidden_size": "4096",
    "intermediate_size": "11008",
    "num_hidden_layers": "32",
    "num_attention_heads": "32",
    "dtype": "fp16",
    "device": "a100_80gb_sxm",
}


def decode() -> str:
    """A prompt and the words of its answer on one line of time, each as long as its floor."""
    top, height, scale = 28, 44, 6.5e3  # units a second

    def run(tokens: int, past: int) -> tuple[Any, Runtime]:
        fields = {**LLAMA_2_7B, "sequence_length": str(tokens), "past_length": str(past)}
        outcome = evaluate("llama", fields)
        assert outcome.time is not None
        return outcome.calculation, outcome.time

    steps = [("prompt", *run(PROMPT, 0))]
    steps += [(f"{word}", *run(1, PROMPT + word - 2)) for word in range(2, WORDS + 1)]
    floors = [time.floor_seconds for _, _, time in steps]
    starts = [sum(floors[:place]) * scale for place in range(len(floors))]
    width = sum(floors) * scale

    def part(place: int) -> str:
        name, work, time = steps[place]
        x, wide = starts[place], floors[place] * scale
        block = f'x="{x:.1f}" y="{top}" width="{wide:.1f}" height="{height}"'
        what = f"{PROMPT} tokens of the prompt, and word 1" if place == 0 else f"word {name}"
        lines = [
            f"{what}: {seconds(time.floor_seconds)}, {time.bound}-bound",
            f"{rounded(work.macs, 'MACs')}; moves {rounded(work.bytes_moved, 'B')}, of it "
            f"{rounded(work.kv_cache_bytes, 'B')} keys and values; "
            f"{rounded(work.arithmetic_intensity)} FLOP/B",
        ]
        hit = f'<rect {block} class="figure-cell figure-target"/>'
        hit += _text(x + wide / 2, top + height / 2, name, "figure-name")
        shown = f'<rect {block} class="figure-lit"/>'
        shown += "".join(
            _text(0, top + height + 48 + 20 * row, line, "figure-sum")
            for row, line in enumerate(lines)
        )
        return _part(" ".join(lines), hit, shown)

    ticks = "".join(
        _text(mark * scale / 1000, top + height + 18, f"{mark} ms", "figure-count")
        for mark in range(0, int(width / scale * 1000) + 1, 20)
    )
    still = _text(0, 14, "time: point at a step", "figure-title") + ticks
    title = f"Llama 2 7B on an A100: a prompt of {PROMPT} tokens and {WORDS} words, step by step"
    parts = (part(place) for place in range(len(steps)))
    return _figure(width, top + height + 80, title, still, parts)


FIGURES: dict[str, Callable[[], str]] = {
    "attention": attention,
    "convolution": convolution,
    "decode": decode,
    "linear": linear,
}
"""Every figure, by the name that a page asks for it."""
