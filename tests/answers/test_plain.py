"""Terminals of every encoding are written to, in characters that they have."""

import json
import os
import subprocess
import sys

import pytest

COMMANDS = {
    "network": "network resnet50 --counters --figure 3.858G --device h100_sxm",
    "layer": "linear --device t4 --measured-seconds 1ms",
    "devices": "devices",
    "help": "--help",
    "help of a layer": "conv2d --help",
    "unknown device": "linear --device nöpe",
    "unknown command": "lineär",
    "unknown option": "linear --größe 3",
    "no number": "linear --in-features ½",
    "no layer": "sequential --modules ↯",
}


def ran(command, encoding):
    """Return what a command writes, as bytes, and its status."""
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    words = [sys.executable, "-m", "calculator", *command.split()]
    done = subprocess.run(words, capture_output=True, env=environment)
    return done.stdout, done.stderr, done.returncode


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp437", "utf-8"])
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_command_writes_in_the_encoding_of_its_terminal(command, encoding):
    out, err, status = ran(command, encoding)
    assert "Traceback" not in (out + err).decode(encoding)
    assert status == (0 if out else 2)
    assert out or len(err.decode(encoding).splitlines()) == 1


@pytest.mark.parametrize(
    ("encoding", "count", "time", "power"),
    [
        ("ascii", "4 142 713 856", "122 us", "1024^3"),
        ("cp1252", "4 142 713 856", "122 µs", "1024³"),
        ("utf-8", "4\u202f142\u202f713\u202f856", "122 µs", "1024³"),
    ],
)
def test_only_what_an_encoding_lacks_is_written_otherwise(encoding, count, time, power):
    out, _, _ = ran(COMMANDS["network"], encoding)
    text = out.decode(encoding)
    assert count in text
    assert time in text
    assert power in text


def test_a_letter_loses_its_accent_and_a_fraction_becomes_a_question_mark():
    assert b"(given: nope)" in ran(COMMANDS["unknown device"], "ascii")[1]
    assert b"(given: ?)" in ran(COMMANDS["no number"], "ascii")[1]


def test_json_is_the_same_in_every_encoding():
    said = [ran("network resnet50 --counters --json", name)[0] for name in ("ascii", "utf-8")]
    assert said[0] == said[1]
    assert json.loads(said[0])["macs"] == 4_089_184_256
