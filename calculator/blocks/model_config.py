"""The published configuration of a model, a `config.json` of Hugging Face: read wholly or rejected.

A key that is left out has the default of the type's class, never that of a form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from calculator.blocks.model_types import (
    ACTIVATIONS,
    FIELDS,
    OTHER_BLOCKS,
    QUANTIZATION,
    TYPES,
    WITHOUT_EFFECT,
)
from calculator.core.fields import Field, InvalidField, quoted

_FULL, _SLIDING = "full_attention", "sliding_attention"
_HOW_READ = ("use_sliding_window", "layer_types", "hidden_act")  # keys that are not fields
_DTYPES = ("dtype", "torch_dtype")
_DTYPE = "fp32"  # in which transformers makes a model whose file has no data type


class ModelConfig(NamedTuple):
    """What a configuration says: the value of every field of a calculation that it decides.

    `read` holds what the file says, `defaults` what the type's class has for the keys that the
    file leaves out, `not_read` the keys that are unknown here.
    """

    model_type: str
    values: dict[str, Any]
    read: dict[str, Any]
    defaults: dict[str, Any]
    not_read: list[str]

    def texts(self, fields: Mapping[str, Field]) -> dict[str, str]:
        """Return the values as a person would write them into these fields."""
        return {name: fields[name].write(value) for name, value in self.values.items()}

    def record(self) -> dict[str, Any]:
        """Return what is said of the configuration in JSON."""
        return {name: value for name, value in self._asdict().items() if name != "values"}

    def __str__(self) -> str:
        said = f"Read as {self.model_type} ({TYPES[self.model_type].architecture})"
        if self.read:
            said += f": {_listed(self.read)}"
        if self.defaults:
            said += f"; class defaults: {_listed(self.defaults)}"
        if self.not_read:
            said += f"; not read: {enumerated(self.not_read)}"
        return f"{said}."


def read_model_config(config: Mapping[str, Any], fields: Mapping[str, Field]) -> ModelConfig:
    """Return what a configuration says of these fields.

    `use_sliding_window` false means no window, as vLLM reads it; transformers' Mistral ignores it.

    Raises InvalidField, of "config", if the type is not counted exactly or a value is not valid.
    """
    if not isinstance(config, Mapping):
        raise invalid("it must be a mapping of keys to values, as json.load returns it", config)
    model_type = _model_type(config)
    _reject_other_blocks(config, model_type)
    own = TYPES[model_type].defaults
    values, defaults = {}, {}
    for name, field in fields.items():
        if field.role == "module":
            values[name] = own.get(name, field.default)
            if name in own and name in config:
                if config[name] is None and not TYPES[model_type].may_be_null(name):
                    raise invalid(f"{name} is null; give it a value or leave it out", None)
                values[name] = _value(field, config[name])
            elif name in own:
                defaults[name] = own[name]
    decisive = values.keys() & own.keys() | {*_HOW_READ}
    read = {key: config[key] for key in config if key in decisive}
    window = values["sliding_window"] = _window(config, model_type, fields["sliding_window"])
    for said_window in (read, defaults):
        if window is None and said_window.get("sliding_window") is not None:
            del said_window["sliding_window"]  # another key says that it is not used
    dtype, said = _dtype(config, fields["dtype"])
    if not said:
        defaults |= dtype
    known = FIELDS | WITHOUT_EFFECT | OTHER_BLOCKS | QUANTIZATION | {*_HOW_READ, *said}
    return ModelConfig(
        model_type,
        values | dtype,
        read | said,
        defaults,
        [key for key in config if key not in known and config[key] is not None],
    )


def invalid(message: str, given: object) -> InvalidField:
    """Return the error that rejects a configuration."""
    return InvalidField("config", message, given=given)


def enumerated(words: Sequence[object], most: int = 6) -> str:
    """Return words as a sentence lists them, the first few of many."""
    listed = [_written(word) for word in words[:most]]
    if len(words) > most:
        listed.append(f"{len(words) - most:,} more")
    *others, last = listed
    return f"{', '.join(others)} and {last}" if others else last


def _listed(entries: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_written(value)}" for name, value in entries.items())


def _written(value: object) -> str:
    """Return a value or a key on one line, without what a terminal would act on."""
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    if isinstance(value, (list, tuple)):
        kinds = dict.fromkeys(map(str, value))
        return " and ".join(f"{[*map(str, value)].count(kind)} × {kind}" for kind in kinds)
    return quoted(value if isinstance(value, str) and value.isprintable() else repr(value))


def _model_type(config: Mapping[str, Any]) -> str:
    """Return the type, by its name or else by its class."""
    model_type, architectures = config.get("model_type"), config.get("architectures") or []
    if not isinstance(model_type, (str, type(None))):
        raise invalid('model_type must be a text, such as "llama"', model_type)
    if not isinstance(architectures, (list, tuple)) or not all(
        isinstance(architecture, str) for architecture in architectures
    ):
        such = 'architectures must be a list of texts, such as ["LlamaForCausalLM"]'
        raise invalid(such, architectures)
    if not model_type and not architectures:
        raise invalid(
            "it has no model_type and no architectures, so its type is unknown; give the whole "
            "config.json",
            list(config),
        )
    by_class = {known.architecture: name for name, known in TYPES.items()}
    found = model_type or by_class.get(architectures[0])
    if found in TYPES and all(by_class.get(name) == found for name in architectures):
        return str(found)
    classes = enumerated(architectures) if architectures else ""
    if model_type in TYPES:
        only = f"of {model_type} only {TYPES[str(model_type)].architecture} can"
        raise invalid(f"{classes} can't be counted yet; {only}", classes)
    what = _written(model_type) if model_type else classes
    if model_type and classes:
        what += f" ({classes})"
    can = f"the types that can are {enumerated([*TYPES])}"
    raise invalid(f"{what} can't be counted yet; {can}{_text_part(config)}", what)


def _text_part(config: Mapping[str, Any]) -> str:
    """Return what to give of a model whose text part alone is of a type that is counted."""
    text = config.get("text_config")
    inner = text.get("model_type") if isinstance(text, Mapping) else None
    if not isinstance(inner, str) or inner not in TYPES:
        return ""
    parts = [key for key in config if str(key).endswith("_config") and key != "text_config"]
    without = f" without {enumerated(parts)}" if parts else ""
    return f". Its text_config is {inner}: give that alone to count it{without}"


def _reject_other_blocks(config: Mapping[str, Any], model_type: str) -> None:
    """Raise InvalidField if a key that has a value says that blocks are built otherwise."""
    own = TYPES[model_type].defaults
    for key, value in config.items():
        if not value:
            continue
        if key in QUANTIZATION:
            raise invalid(
                f"{key} stores weights in another format, which can't be counted yet; remove it "
                "to count them in the data type",
                value,
            )
        foreign = key in FIELDS - own.keys() - {"sliding_window"}
        if foreign or key in OTHER_BLOCKS or str(key).endswith("_config"):
            raise invalid(
                f"{_written(key)} is not part of {model_type} and may change the count; remove it "
                f"to count {TYPES[model_type].architecture} as transformers builds it",
                value,
            )
    activation = config.get("hidden_act")
    if activation is not None and activation not in ACTIVATIONS:
        raise invalid('hidden_act can\'t be counted yet unless it is "silu"', activation)


def _value(field: Field, value: Any) -> Any:
    """Return the value of a field, which must be of its type: a number in a text is not."""
    if field.kind == "integer" and isinstance(value, (str, float)):
        reason = f"{field.name} must be a whole number; write it without quotes and without a point"
        raise invalid(reason, value)
    try:
        checked = field.check(value)
        return field.accept(field.write(checked))
    except InvalidField as error:
        raise invalid(f"{field.name} {error.message}", value) from None


def _window(config: Mapping[str, Any], model_type: str, field: Field) -> Any:
    """Return the window of all layers, None if they have none."""
    own = TYPES[model_type].defaults
    window = _value(field, config.get("sliding_window", own.get("sliding_window")))
    is_used = config.get("use_sliding_window")
    if not isinstance(is_used, (bool, type(None))):
        raise invalid("use_sliding_window must be true or false", is_used)
    kinds = _layer_types(config, config.get("num_hidden_layers", own["num_hidden_layers"]))
    is_windowed = window is not None and is_used is not False
    if kinds == {_SLIDING} and not is_windowed:
        said = "use_sliding_window is false" if is_used is False else "sliding_window is null"
        raise invalid(f"layer_types says {_SLIDING}, but {said}; change one", is_used)
    if not is_windowed or kinds == {_FULL}:
        return None
    if "sliding_window" not in own:
        raise invalid(
            f"sliding_window is not part of {model_type}; remove it, or write the type that has it",
            window,
        )
    return window


def _layer_types(config: Mapping[str, Any], layers: object) -> set[str]:
    """Return which kinds of attention the layers have, nothing if that is not said."""
    kinds = config.get("layer_types")
    if kinds is None:
        return set()
    if not isinstance(kinds, (list, tuple)) or len(kinds) != layers:
        raise invalid("layer_types must be a list with one text for each hidden layer", kinds)
    if any(kind not in (_FULL, _SLIDING) for kind in kinds):
        raise invalid(f"layer_types can't be counted yet if not {_FULL} or {_SLIDING}", kinds)
    found = set(kinds)
    if len(found) > 1:
        raise invalid(
            f"layer_types mixes {_FULL} and {_SLIDING}, which can't be counted yet: one window is "
            "taken for all layers",
            kinds,
        )
    return found


def _dtype(config: Mapping[str, Any], field: Any) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the data type by its field and by its key; torch's default if there is none."""
    said = {key: config[key] for key in _DTYPES if config.get(key) is not None}
    words = {str(word).removeprefix("torch.") for word in said.values()}
    if len(words) > 1:
        raise invalid("dtype and torch_dtype differ; write one", said)
    try:
        return {"dtype": field.check(words.pop() if words else _DTYPE)}, said
    except InvalidField:
        key, word = next(iter(said.items()))
        raise invalid(
            f"{key} {_written(word)} can't be counted yet; write one of "
            f"{', '.join(field.also)}, or remove it",
            word,
        ) from None
