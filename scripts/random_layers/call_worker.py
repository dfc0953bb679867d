"""Ask the worker's functions whatever a page, a link or a reader may send, and more.

Every answer has to be JSON that names what is wrong by a field of the form; nothing may raise.
`python -m scripts.random_layers.call_worker --calls 100000 --seed 7` prints what does not hold.
"""

import argparse
import json
import sys
import time
import traceback
from collections.abc import Iterator
from random import Random
from typing import Any

from calculator import CALCULATIONS
from calculator.answers.evaluate import form_fields
from calculator.core.fields import Choice, Field, Flag, quoted
from calculator.machines.devices import devices
from calculator.web import worker
from scripts.site.exercise import BAD, DEEP, GOOD

TEXTS = [
    *GOOD, *BAD, *DEEP,
    "3", "7", "64", "128", "0.5", "1e3", "4k", "1 GiB", "12 %", "120 %", "2 min", "48us", "-0",
    "+5", "None", "none", "true", "FALSE", "on", "maybe", "(2, 3)", "[2, 3]", "2,3", "2x3",
    "256,128", "1_000", "1'000", "1\u202f000", "1\u00a0000", "１２", "١٢", "²", "½", "∞", "NaN",
    "inf", "0x10", "1__0", "1e-400", "1/3", "5..6", "5 or 6", "50 – 80 %", "~5", "4.1 G",
    "4.1 GFLOPS", "8.2 GFLOPs", "\x00", "\ud800", "\u200f", "👾", "<script>alert(1)</script>",
    "' OR 1=1", "{}", "{0}", "%s", "\\", "\n", "\r\n\t", "a" * 1000, "9" * 80, "9" * 81,
    "1," * 200, "(" * 30, ")" * 30, "fp16", "int8", "same", "reflect", "h100", "t4",
    "NVIDIA H100 80GB HBM3", "no such device", "2018-11-02",
]  # fmt: skip
LINES = [
    "Linear(128, 64)", "fc = Linear(64, 64)", "fc", "F.relu(x)", "Conv2d(3, 8, 3)", "ReLU()",
    "BatchNorm2d(8)", "Flatten()", "LSTM(8, 8)", "Embedding(10, 8)", "for = ReLU()", "(0): ReLU()",
    "Softmax(dim=-1)", "Dropout(p=2)", "MaxPool2d((2, 3), ceil_mode=True)", "torch.flatten(x)", "#",
    "Sequential(", ")", "Linear(**{})", "Linear(1, 2, 3, 4, 5)", "nn.Linear(64, 10),", "F.gelu(y)",
    "MultiheadAttention(64, 4)", "Llama()", "Upsample(scale_factor=2)", "Bilinear(2, 3, 4)",
]  # fmt: skip
CONFIGURATIONS = [
    '{"model_type": "mistral", "torch_dtype": "bfloat16", "sliding_window": null}',
    '{"model_type": "llama", "hidden_size": 64, "num_attention_heads": 4, "vocab_size": 10}',
    '{"model_type": "gpt2", "n_embd": 768}', '{"model_type": []}', '{"text_config": {}}', "{}",
]  # fmt: skip
FUNCTIONS = {
    "answer": 12, "formulas": 4, "to_copy": 4, "judge": 4, "counters": 1, "expectation": 1,
    "form": 1, "options": 1, "configuration": 1,
}  # fmt: skip
"""Each function of the worker and how often it is called beside the others."""
SLOW = {"network": 0.1, "llama": 0.3, "transformer_decoder_layer": 0.5}
"""Calculators that take long are asked less."""


class Fuzz:
    """Requests drawn at random, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)
        self.names = [*CALCULATIONS]
        self.weights = [SLOW.get(name, 1) for name in self.names]
        self.machines = [*devices()]

    def requests(self, count: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield names of functions, and what to ask them."""
        for _ in range(count):
            (function,) = self.draw.choices([*FUNCTIONS], [*FUNCTIONS.values()])
            yield function, self.request()

    def request(self) -> dict[str, Any]:
        """Return a question that has the keys of every function's."""
        (name,) = self.draw.choices(self.names, self.weights)
        fields = form_fields(CALCULATIONS[name])
        texts = {key: field.write(field.start) for key, field in fields.items()}
        if self.draw.random() < 0.6:  # the answers to what is accepted have more to go wrong
            for key in self.draw.sample([*fields], self.draw.randint(0, 2)):
                texts[key] = self.accepted(fields[key], texts[key])
            return self.question(name, texts)
        if "device" in fields and self.draw.random() < 0.3:
            texts["device"] = self.draw.choice(self.machines)
        for key in self.draw.sample([*fields], self.draw.randint(0, min(3, len(fields)))):
            texts[key] = self.text(fields[key].kind, texts[key])
        for key in self.draw.sample([*fields], self.draw.randint(0, 3) % (len(fields) + 1)):
            texts.pop(key, None)
        if self.draw.random() < 0.02:
            texts[self.text("", "field")] = self.text("", "1")
        return self.question(name, texts)

    def question(self, name: str, texts: dict[str, str]) -> dict[str, Any]:
        """Return a question about these fields."""
        fields = form_fields(CALCULATIONS[name])
        sorts = ["", "value", "-ratio", "params", "why"]
        config = self.draw.choice(CONFIGURATIONS)
        quantities = [*CALCULATIONS[name].quantities, "floor_seconds", "mfu", "no such quantity"]
        return {
            "calculator": name if self.draw.random() < 0.99 else self.text("", name),
            "fields": texts,
            "format": self.draw.choice([*worker.FORMATS, "no such format"]),
            "sort": self.draw.choice([*sorts, self.text("", "value")]),
            "figure": self.draw.choice(["", "4.1", self.text("", "4.09 G")]),
            "compare": self.draw.choice(["", "", self.text("", "h100_sxm")]),
            "guess": self.text("", "4.1 G"),
            "quantity": self.draw.choice(quantities),
            "field": self.draw.choice([*fields, "no such field"]),
            "prefix": "p-",
            "text": self.draw.choice([config, self.text("", config)]),
        }

    def accepted(self, field: Field, text: str) -> str:
        """Return a text that is likely to be a value of a field."""
        if isinstance(field, Choice):
            return self.draw.choice([*field.options])
        if isinstance(field, Flag):
            return self.draw.choice(["true", "false"])
        if field.kind in ("rate", "share"):
            return self.draw.choice(["0.5", "0.25", "1T", "100", "1e12", ""])
        return self.draw.choice(["1", "2", "3", "4", "8", "16", "64", text, "1, 2", "2, 3", ""])

    def text(self, kind: str, text: str) -> str:
        """Return a text for a field: one of the list, or the one that is there, changed."""
        if kind == "lines" and self.draw.random() < 0.8:
            return "\n".join(self.draw.choices(LINES, k=self.draw.randint(1, 6)))
        if self.draw.random() < 0.5:
            return self.draw.choice(TEXTS)
        for _ in range(self.draw.randint(1, 3)):
            place = self.draw.randint(0, len(text))
            other = self.draw.choice(self.draw.choice(TEXTS) or " ")
            cut = self.draw.randint(0, 2)
            text = text[:place] + other + text[place + cut :]
        return text


def complaint(function: str, request: dict[str, Any]) -> str:
    """Return what is wrong with the answer to a request, or nothing."""
    try:
        answer = json.loads(getattr(worker, function)(json.dumps(request)))
    except Exception:
        return traceback.format_exc(limit=-3)
    errors = answer.get("errors", {})
    owner = CALCULATIONS.get(request["calculator"])
    known = {*(form_fields(owner) if owner else ()), "calculator"}
    strange = errors.keys() - known - {*map(quoted, request["fields"])}
    if strange:
        return f"errors of {strange}, which are no fields"
    if not all(message.strip() for message in errors.values()):
        return "an error without a message"
    if function == "answer" and (answer["html"] is None) != bool(errors):
        return "neither an answer nor an error, or both"
    return ""


def run(calls: int, seed: int) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield the function, the request and the complaint of every call that does not hold."""
    for function, request in Fuzz(seed).requests(calls):
        said = complaint(function, request)
        if said:
            yield function, request, said


def main() -> int:
    """Make calls; return 1 where one does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=time.time_ns())
    given = parser.parse_args()
    print(f"{given.calls:,} calls of the worker, seed {given.seed}")
    failed = 0
    for function, request, said in run(given.calls, given.seed):
        failed += 1
        print(f"\n{function} {json.dumps(request)}\n{said}")
    print(f"{failed} do not hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
