"""`make verify`: ask the witnesses about every example of the pages, and write what they say.

The record, docs/evidence.json, holds one entry an example. No figure in it comes from a formula of
ours; where a witness and a formula differ, both numbers are shown and nothing is written.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from math import isclose
from pathlib import Path
from typing import Any

from calculator.answers.evaluate import form_fields
from calculator.blocks.chain import Chain
from calculator.budgets.conversion import Conversion
from calculator.budgets.model_memory import ModelMemory
from calculator.budgets.training_cost import TrainingCost
from calculator.core.calculation import Calculation
from calculator.layers.layer import Layer, Work
from calculator.machines.peak import Peak
from calculator.networks.published import Network
from calculator.networks.sequential import Sequential
from scripts.random_layers.compare import GRADS
from scripts.random_layers.draw import Configuration
from scripts.site.examples import EVIDENCE, DirectiveError, Example, examples, key, subject
from scripts.site.examples import figures as figures_of
from scripts.torch_layers.run import COMPUTED
from scripts.witnesses import by_pint, by_torch

Entry = dict[str, Any]
MOST_OPERATIONS = 6_000_000
UNITS = {
    Conversion: by_pint.convert,
    ModelMemory: by_pint.store,
    Peak: by_pint.build,
    TrainingCost: by_pint.train,
}
"""What pint works out from the texts alone."""


def measure(example: Example) -> Entry:
    """Return what the witnesses say of an example: its entry in the record.

    Raises DirectiveError where one differs from the formula, where no witness knows a figure that
    is expected, and where the example is too large to be counted one by one.
    """
    outcome = example.evaluate()
    assert outcome.calculation is not None
    computed = figures_of(outcome)
    figures: dict[str, Any] = {}
    heard = set()
    for witness, said in _testimony(example, outcome.calculation, timed=bool(outcome.time)):
        known = {name: figure for name, figure in said.items() if name in computed}
        for name, figure in known.items():
            if not _same(figure, computed[name]):
                raise DirectiveError(
                    f"{example}: {witness} says {name} = {figure}, the formula {computed[name]}"
                )
        figures |= known
        heard.add(witness)
    for name in sorted(example.expect.keys() - figures.keys()):
        raise DirectiveError(f"{example}: no witness knows {name!r}; they know {sorted(figures)}")
    entry: Entry = {
        **subject(example.calculator, outcome),
        "figures": figures,
        "witnesses": sorted(heard, key=by_torch.ORDER.index),
    }
    if example.thop:
        entry["thop"] = by_torch.ask_thop(_subject(example, outcome.calculation))
    return entry


def _testimony(
    example: Example, calculation: Calculation, *, timed: bool
) -> Iterable[tuple[str, by_torch.Figures]]:
    """Yield each witness that can say something, with what it says."""
    fields = form_fields(type(calculation))
    texts = {name: field.write(field.default) for name, field in fields.items()}
    texts |= example.fields
    if type(calculation) in UNITS:
        yield by_torch.PINT, UNITS[type(calculation)](texts)
        return
    dtype = calculation.values()["dtype"]
    if isinstance(calculation, Work):
        asked = _subject(example, calculation)
        grads = {name: getattr(calculation, name) for name in GRADS}
        seen = by_torch.ask_torch(asked, dtype, grads)
        if calculation.convention == "all":
            seen = {name: seen[name] for name in seen.keys() - {"flops", "arithmetic_intensity"}}
        yield by_torch.TORCH, seen
        if "activation_bytes" in example.expect and dtype in COMPUTED:
            yield by_torch.TORCH, by_torch.ask_autograd(asked, dtype, grads)
        moved = seen.get("bytes_moved")  # not known of a block of torch's own
        yield from _loops(example, calculation, asked, moved)
        if not timed:
            return
        works = list(_works(calculation, moved))
        step = None if _times_forward(calculation, texts) else int(seen["training_flops"])
    else:
        works, step = [(1, texts["flops"], texts["bytes_moved"])], None
    yield by_torch.PINT, by_pint.time(texts, dtype, works, step)


def _times_forward(calculation: Work, texts: Mapping[str, str]) -> bool:
    """Return whether a measured time is of a forward pass, and not of a training step."""
    if texts["measured_pass"]:
        return texts["measured_pass"] == "forward"
    return texts.get("training", "false") == "false"


def _works(calculation: Work, moved: int | None) -> Iterable[by_pint.Work]:
    """Yield how many there are of each layer, its FLOPs, and the bytes that torch moves for it."""
    if not isinstance(calculation, Chain):
        moved = calculation.bytes_moved if moved is None else moved
        yield 1, str(calculation.flops), str(moved)
        return
    known: dict[Layer, by_torch.Figures] = {}
    for count, layer in calculation.leaves():
        if layer not in known:
            known[layer] = by_torch.ask_torch(
                Configuration.like(layer),
                layer.dtype,
                {name: getattr(layer, name) for name in GRADS},
            )
        yield count, str(layer.flops), str(known[layer].get("bytes_moved", layer.bytes_moved))


def _loops(
    example: Example, calculation: Work, asked: by_torch.Subject, bytes_moved: int | None
) -> Iterable[tuple[str, by_torch.Figures]]:
    """Yield what is counted one by one, where an example asks for it."""
    wanted = {"operations", "exact_flops"} & set(example.expect)
    if calculation.convention == "all":
        wanted |= {"flops", "arithmetic_intensity"} & set(example.expect)
    if not wanted:
        return
    done = sum(calculation.operations.values())
    if done > MOST_OPERATIONS:
        raise DirectiveError(
            f"{example}: too large to be counted one by one: {done:,} operations, and at most "
            f"{MOST_OPERATIONS:,} take no longer than an example is worth"
        )
    if "operations" in wanted:
        yield by_torch.LOOPS, by_torch.count_operations(asked)
    if "exact_flops" in wanted:
        yield by_torch.LOOPS, by_torch.count_exact_flops(asked)
    if wanted & {"flops", "arithmetic_intensity"}:
        said = by_torch.count_all_arithmetic(asked, calculation.function_weight)
        if bytes_moved:
            said["arithmetic_intensity"] = said["flops"] / bytes_moved
        yield by_torch.LOOPS, said


def _subject(example: Example, calculation: Calculation) -> by_torch.Subject:
    """Return what torch is to construct for an example, and to run on what."""
    if isinstance(calculation, Sequential):
        text = example.fields.get("modules", calculation.values()["modules"])
        layers = by_torch.written(text)
        return by_torch.Network(layers, calculation.input_shape, calculation.training)
    if isinstance(calculation, Network):
        changed = calculation.stride_in_1x1, calculation.width_mult != 1
        if any(changed) or calculation.num_classes != 1000:
            raise DirectiveError(f"{example}: torchvision has no such network")
        shape = calculation.input_shape
        return by_torch.Published(calculation.architecture, shape, calculation.training)
    if not isinstance(calculation, Layer):
        raise DirectiveError(f"{example}: has no layer that could be run")
    return Configuration.like(calculation)


def _same(said: Any, computed: Any) -> bool:
    if isinstance(said, float) and isinstance(computed, (int, float)):
        return isclose(said, computed, rel_tol=1e-12)
    if isinstance(computed, dict):
        return bool(said == {kind: count for kind, count in computed.items() if count})
    return bool(said == (list(computed) if isinstance(computed, tuple) else computed))


def record(found: Iterable[tuple[Path, Example]]) -> list[Entry]:
    """Return the entries of examples in the order of their keys, one for each that is alike."""
    entries: dict[str, Entry] = {}
    for page, example in found:
        try:
            entry = measure(example)
        except DirectiveError as error:
            raise DirectiveError(f"{page.name}: {error}") from error
        known = entries.setdefault(key(entry), entry)
        known["figures"] |= entry["figures"]
        heard = {*known["witnesses"], *entry["witnesses"]}
        known["witnesses"] = sorted(heard, key=by_torch.ORDER.index)
        known |= {"thop": entry["thop"]} if "thop" in entry else {}
    return [entries[each] for each in sorted(entries)]


def text(entries: list[Entry]) -> str:
    """Return the record as it is written: sorted, indented, the same on every machine."""
    return json.dumps(entries, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> int:
    """Write the record; return 1 where witnesses and formulas differ."""
    found = list(examples())
    try:
        entries = record(found)
    except DirectiveError as error:
        print(error, file=sys.stderr)
        return 1
    EVIDENCE.write_text(text(entries), "utf-8")
    heard = Counter(witness for entry in entries for witness in entry["witnesses"])
    heard[by_torch.THOP] = sum("thop" in entry for entry in entries)
    says = "; ".join(f"{witness} on {count}" for witness, count in heard.items() if count)
    print(f"{len(found)} examples, {len(entries)} entries in {EVIDENCE.name}: {says}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
