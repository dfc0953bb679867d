"""One layer checked in seconds, by torch and by its definition: `make layer NAME=relu`.

python -m scripts.random_layers.check [--count 300] LAYER …
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import islice

import torch

from calculator.layers.layer import Layer
from scripts.random_layers.compare import configurations, disagreement, report, we_say
from scripts.random_layers.draw import LAYERS, Configuration, accepted
from scripts.torch_layers.definitions import computed
from scripts.torch_layers.run import Answer, first, inputs, module

_MOST_OPERATIONS = 20_000  # a count one by one takes about a microsecond each
_SEED = 0


def small(name: str) -> Iterator[tuple[Configuration, Layer]]:
    """Yield random layers of one kind that a definition computes in a moment."""
    pairs = accepted(name)
    return (pair for pair in pairs if sum(pair[1].operations.values()) < _MOST_OPERATIONS)


def find_wrong_operations(one: Configuration, ours: Layer) -> str | None:
    """Return how our operations differ from those that the definition takes, None if they agree."""
    _, tally = computed(module(one), *inputs(one))
    counted = {kind: count for kind, count in ours.operations.items() if count}
    return None if counted == tally else f"{one}\n    definition {tally}\n    ours {counted}"


def find_wrong_result(one: Configuration, ours: Layer) -> str | None:
    """Return how the definition's result differs from torch's, None if it is the same."""
    layer, given = module(one).double(), inputs(one, random=True)
    y, _ = computed(layer, *given)
    if y.shape != ours.output_shape:
        return f"{one}\n    definition {y.shape}\n    ours {ours.output_shape}"
    with torch.no_grad():
        theirs = first(layer(*given))
    result = torch.tensor(y.astype(float), dtype=torch.float64)
    try:
        torch.testing.assert_close(result, theirs, check_dtype=False)
    except AssertionError as error:
        return f"{one}\n    {error}"
    return None


def find_faults(name: str, count: int) -> Iterator[str]:
    """Yield what is wrong with a layer: against torch, then against its definition."""
    accepted_count = 0
    for one, grads in islice(configurations(name, _SEED), count):
        accepted_count += isinstance(we_say(one, grads), Answer)
        if disagreement(one, grads):
            yield report(one, grads)
    if 3 * accepted_count <= count:
        yield f"only {accepted_count} of {count} random layers are accepted: say how it is drawn"
    torch.manual_seed(_SEED)
    for find in (find_wrong_operations, find_wrong_result):
        faults = (find(*pair) for pair in islice(small(name), count // 10))
        yield from filter(None, faults)


def main(arguments: list[str] | None = None) -> int:
    """Print the first faults of each layer; return 1 if there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="random layers, default 300")
    parser.add_argument("layers", nargs="+", choices=[*LAYERS], metavar="LAYER")
    options = parser.parse_args(arguments)
    is_wrong = False
    for name in options.layers:
        faults = [*islice(find_faults(name, options.count), 3)]
        print(*faults, f"{name}: {'wrong' if faults else 'agrees'}", sep="\n", flush=True)
        is_wrong = is_wrong or bool(faults)
    return int(is_wrong)


if __name__ == "__main__":
    sys.exit(main())
