"""A pasted JSON object as the texts of a form: read wholly or rejected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calculator.answers.evaluate import evaluate, form_fields
from calculator.blocks.model_config import enumerated, invalid
from calculator.core.calculation import Calculation
from calculator.core.fields import Field, InvalidField
from calculator.core.json_object import read_object

_OUTPUT = ("layer", "calculation")  # the key by which --json says what it is
_MODEL = ("model_type", "architectures", "hidden_size", "n_embd", "text_config")


def fill_form(owner: type[Calculation], text: str) -> tuple[dict[str, str], str]:
    """Return the texts of the fields that a pasted object decides, and a sentence about it.

    A decoder reads a model's configuration, every form its fields or what `--json` prints of it.
    Arguments of the module that are left out have their defaults.

    Raises InvalidField if a part of it is not read.
    """
    pasted = read_object(text)
    name = next((pasted[key] for key in _OUTPUT if isinstance(pasted.get(key), str)), None)
    if name is not None and isinstance(pasted.get("fields"), dict):
        if name != owner.name:
            raise invalid(f"it is {name}, and this form is {owner.name}; choose that first", name)
        texts, message = _own_texts(owner, pasted["fields"] | _left_empty(pasted))
        if "time" in pasted:
            message = f"{message[:-1]}; not read: the machine."
    elif hasattr(owner, "read_config"):
        config = owner.read_config(pasted)
        texts, message = config.texts(owner.fields), str(config)
    else:
        texts, message = _own_texts(owner, pasted)
    for error in evaluate(owner.name, texts).errors.values():
        raise invalid(f"{error.field}: {error.message}", error.given)
    return texts, message


def _left_empty(pasted: Mapping[str, Any]) -> dict[str, None]:
    """Return the fields that `--json` filled in, empty as they were given."""
    names = pasted.get("assumed", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise invalid('assumed must be a list of names, such as ["power_watts"]', names)
    return dict.fromkeys(names)


def _own_texts(owner: type[Calculation], given: Mapping[str, Any]) -> tuple[dict[str, str], str]:
    """Return the texts of fields given by their names, and which arguments have their defaults."""
    fields = form_fields(owner)
    unknown = [name for name in given if name not in fields]
    if unknown:
        hint = f"it has {enumerated([*fields])}"
        if any(key in given for key in _MODEL):
            hint = "paste the configuration of a model into the form of Llama"
        raise invalid(f"{owner.title} has no field {enumerated(unknown, 3)}; {hint}", unknown)
    module = [field for field in fields.values() if field.role == "module"]
    missing = [field.name for field in module if field.name not in given]
    required = [name for name in missing if fields[name].required]
    if required:
        raise invalid(f"{enumerated(required, 3)} must be given; add it", [*given])
    defaults = {name: fields[name].write(fields[name].default) for name in missing}
    texts = defaults | {name: _text(fields[name], value) for name, value in given.items()}
    message = f"Read as {owner.title}" + (f": {enumerated([*given])}" if given else "")
    if missing:
        message += f"; defaults: {enumerated(missing)}"
    return texts, f"{message}."


def _text(field: Field, value: Any) -> str:
    """Return a value of JSON as a person would write it into the field."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) or field.kind == "lines":
        raise invalid(f"{field.name}: must be a text or a number", value)
    try:
        return field.write(field.check(_tuple(value)))
    except InvalidField as error:
        raise invalid(f"{field.name}: {error.message}", value) from None


def _tuple(value: Any) -> Any:
    return tuple(map(_tuple, value)) if isinstance(value, list) else value
