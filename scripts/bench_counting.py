"""Measure how soon a network is counted, against the tools that have to run it.

The convolutions of ResNet-50 as one stack; the tools' forward pass and trace included, imports
apart; each in turns, medians.
"""

import statistics
import time
from collections.abc import Callable

import thop
import torch
from fvcore.nn import FlopCountAnalysis

from calculator import Sequential

ROUNDS = 7
TARGET = 1000
SIZE = (1, 3, 224, 224)
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


def main() -> None:
    """Count in turns and print the ratios."""
    text = stack()
    layers = Sequential(modules=text, input_shape=SIZE).layers
    network = torch.nn.Sequential(
        *(getattr(torch.nn, type(each).__name__)(**each.module_arguments()) for each in layers)
    ).eval()
    image = torch.zeros(SIZE)
    counts: dict[str, Callable[[], object]] = {
        "ours": lambda: Sequential(modules=text, input_shape=SIZE).macs,
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
    print(f"\n{'a stack like ResNet-50':24}ratio  target       tool       ours (ms)")
    for name, each in taken.items():
        theirs = statistics.median(each)
        print(f"{name:24}{theirs / ours:5.0f}{TARGET:8d}{theirs:11,.0f}{ours:11,.2f}")


if __name__ == "__main__":
    main()
