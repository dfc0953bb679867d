"""From the texts of a form, a link or a command line to a calculation, or to its errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from calculator import CALCULATIONS
from calculator.answers.sentences import basis, remarks
from calculator.core.calculation import Calculation, shown_quantities
from calculator.core.fields import Field, InvalidField
from calculator.layers.layer import Layer, Work
from calculator.machines import footprint
from calculator.machines.runtime import Runtime
from calculator.machines.work_runtime import HARDWARE, WorkRuntime, runtime


class Evaluation(NamedTuple):
    """What came of some texts: a calculation and its runtime, or the errors by field."""

    calculation: Calculation | None
    time: Runtime | None
    errors: dict[str, InvalidField]


def form_fields(owner: type[Calculation]) -> dict[str, Field]:
    """Return the fields that are asked for: those of the calculation, then the machine's."""
    if not issubclass(owner, Work):
        return owner.fields
    return {**owner.fields, **{name: WorkRuntime.fields[name] for name in HARDWARE}}


def evaluate(name: str, texts: Mapping[str, str]) -> Evaluation:
    """Read texts by field name and calculate; fields left out have their defaults.

    Raises KeyError if there is no such calculation; everything else wrong is in `errors`.
    """
    owner = CALCULATIONS[name]
    fields = form_fields(owner)
    machine = {key: texts[key] for key in texts if key in fields and key not in owner.fields}
    values, errors = owner.read({key: texts[key] for key in texts if key not in machine})
    hardware, refused = WorkRuntime.read(machine)
    errors |= refused
    calculation: Calculation | None = None
    time: Runtime | None = None
    if not errors:
        try:
            calculation = owner(**values)
            if isinstance(calculation, Work):
                time = runtime(calculation, hardware)
        except InvalidField as error:
            errors[error.field] = error
            calculation = None
    return Evaluation(calculation, time, errors)


def assumed(
    texts: Mapping[str, str], calculation: Calculation, time: Runtime | None
) -> dict[str, str]:
    """Return what was taken for the fields that were left empty, as a reader has it before them."""
    taken = {}
    for name, field in form_fields(type(calculation)).items():
        value = getattr(calculation if name in calculation.fields else time, name, None)
        if field.default is None and value is not None and not texts.get(name, "").strip():
            taken[name] = field.tell(value)
    return taken


def report(calculation: Calculation, time: Runtime | None = None) -> dict[str, Any]:
    """Return everything as one JSON object: what it is, its fields, its quantities.

    `assumed` names the fields that were left empty and filled in.
    """
    kind = "layer" if isinstance(calculation, Layer) else "calculation"
    record: dict[str, Any] = {kind: calculation.name}
    record |= {declared.name: value for declared, value in shown_quantities(calculation)}
    if isinstance(calculation, Work) and calculation.notes():
        record["notes"] = [*calculation.notes()]
    if isinstance(calculation, Runtime):
        record |= _time_record(calculation)
    record["fields"] = calculation.values()
    if calculation.assumed_fields:
        record["assumed"] = [*calculation.assumed_fields]
    if time is not None:
        machine = {name: getattr(time, name) for name in HARDWARE}
        record["time"] = (
            {each.name: value for each, value in shown_quantities(time)}
            | _time_record(time)
            | machine
        )
    return record


_ALIASES = {
    "least_seconds": "best_case_seconds",
    "most_seconds": "best_case_serial_seconds",
    "least_joules": "best_case_joules",
    "most_joules": "best_case_serial_joules",
    "interval": "best_case",
}
"""What keys of a time were called before, kept until the release after 0.2."""


def _time_record(time: Runtime) -> dict[str, Any]:
    """Return what is said of a time besides its quantities, and its quantities by old names."""
    said: dict[str, Any] = {
        "bound": time.bound,
        "best_case": time.best_case and [*time.best_case],
        "best_case_basis": basis(time),
        "remarks": [*remarks(time)],
    }
    if isinstance(time, WorkRuntime):
        parts = zip(footprint.Footprint._fields, time.held(), strict=True)
        held = {f"{name}_bytes": size or 0 for name, size in parts}
        said |= {"timed_pass": time.timed_pass, "fits": time.fits, "held": held}
        said["needed_devices"] = time.needed_devices
    values = {**said, **{declared.name: value for declared, value in shown_quantities(time)}}
    return said | {old: values.get(new) for old, new in _ALIASES.items()}
