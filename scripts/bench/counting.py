"""Measure how soon a network is counted, against the tools that have to run it.

The convolutions of ResNet-50 as one stack, already read by all; the tools' forward pass and trace
included, imports apart; each in turns, medians.
"""

import statistics
import time
from collections.abc import Callable

import thop
import torch
from fvcore.nn import FlopCountAnalysis

from calculator.networks.sequential import Sequential

ROUNDS = 7
TARGET = 1000
SIZES = [(1, 3, 224, 224), (8, 3, 224, 224)]
BLOCKS = [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)]  # He et al., 2015, table 1


def stack() -> str:
    """Return the convolutions of ResNet-50, one after another, as lines for Sequential."""
    lines = ["Conv2d(3, 64, 7, stride=2, padding=3, bias=False)", "ReLU()"]
    channels = 64
    for width, blocks, first_stride in BLOCKS:
        for block in range(blocks):
            stride = 1 if block else first_stride
            middle = f"Conv2d({width}, {width}, 3, stride={stride}, padding=1, bias=False)"
            narrow = f"Conv2d({channels}, {width}, 1, bias=False)"
            channels = 4 * width
            wide = f"Conv2d({width}, {channels}, 1, bias=False)"
            lines += [narrow, "ReLU()", middle, "ReLU()", wide, "ReLU()"]
    return "\n".join(lines)


def compare(size: tuple[int, ...]) -> None:
    """Count in turns on an input of this size and print the ratios."""
    stacked = Sequential(modules=stack(), input_shape=size)
    network = torch.nn.Sequential(
        *(
            getattr(torch.nn, type(each).__name__)(**each.module_arguments())
            for each in stacked.layers
        )
    ).eval()
    image = torch.zeros(size)
    counts: dict[str, Callable[[], object]] = {
        "ours": lambda: Sequential(modules=stacked.modules, input_shape=size).macs,
        "thop": lambda: thop.profile(network, (image,), verbose=False),
        "fvcore": lambda: FlopCountAnalysis(network, image).unsupported_ops_warnings(False).total(),
    }
    taken: dict[str, list[float]] = {name: [] for name in counts}
    for _ in range(ROUNDS):
        for name, count in counts.items():
            started = time.perf_counter()
            count()
            taken[name].append((time.perf_counter() - started) * 1000)
    ours = statistics.median(taken.pop("ours"))
    for name, each in taken.items():
        theirs = statistics.median(each)
        title = f"{name}, batch {size[0]}"
        print(f"{title:24}{theirs / ours:5.0f}{TARGET:8d}{theirs:11,.0f}{ours:11,.2f}", flush=True)


def main() -> None:
    """Compare on each size."""
    print(f"\n{'a stack like ResNet-50':24}ratio  target       tool       ours (ms)")
    for size in SIZES:
        compare(size)


if __name__ == "__main__":
    main()
