"""What `make measure` wrote: whole, of our own layers, and never quicker than the floor."""

import json
import re
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from calculator import devices
from scripts.measure import machine
from scripts.measure.measure import begin, found_device, in_turns, measure, parser, resume
from scripts.measure.run_record import EXCEPTIONS, NAMED, floor_seconds, least_flops, ours, text
from scripts.measure.stopwatch import CardStopwatch, Repeat, Stopwatch, waited_seconds
from scripts.measure.timed_cases import cases, prepared
from scripts.measure.timed_run import BUSY, Run

FOLDER = Path(__file__).parents[2] / "docs" / "measurements"
COMMITTED = {file.stem: json.loads(file.read_text("utf-8")) for file in FOLDER.glob("*.json")}
KEYS = {
    "name", "date", "command", "machine", "load", "method", "peak", "peak_source",
    "bandwidth_bytes_per_second", "bandwidth_source", "sweep", "achieved", "launch_seconds",
    "cases", "left_out",
}  # fmt: skip
SECONDS = ("least_seconds", "p10_seconds", "median_seconds", "p90_seconds")
SMALL = [
    ("linear", {"in_features": 64, "out_features": 64, "batch_size": 4}, "fp32"),
    ("relu", {"size": [64, 64]}, "bf16"),
    ("batch_norm2d", {"num_features": 4, "height": 8, "width": 8}, "fp32"),
]
HUGE = ("relu", {"size": [1 << 25, 1 << 25]}, "fp32")  # 4 PiB


def run(folder: Path, *options: str, wanted=SMALL):
    """Return a run on the processor, with little to flush and few repeats."""
    given = ["--device", "cpu", "--patience", "0", "--seconds-per-case", "0.001"]
    typed = parser().parse_args([*given, "--flush", str(1 << 22), *options])
    made = begin(typed, "python -m scripts.measure", folder)
    measure(made, wanted)
    return made


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    made = run(tmp_path_factory.mktemp("measurements"))
    return json.loads(made.file.read_text("utf-8"))


@pytest.fixture(params=[*COMMITTED, "tiny"])
def record(request):
    return COMMITTED.get(request.param) or request.getfixturevalue("tiny")


def test_there_is_a_committed_record():
    assert COMMITTED


def test_a_record_says_all_that_it_should(record):
    assert record.keys() == KEYS
    assert record["machine"]["kind"] in ("cpu", "cuda")
    assert record["machine"]["device"] in {None, *devices()}
    assert record["bandwidth_bytes_per_second"] > 0
    assert record["launch_seconds"] > 0
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", record["date"])


def test_a_record_is_named_as_its_file():
    assert all(record["name"] == stem for stem, record in COMMITTED.items())


def test_a_record_tells_no_place_on_a_machine():
    for file in FOLDER.glob("*.json"):
        assert not re.search(r"(?<![\w.])(/\w+){2,}|~/|[A-Z]:\\", file.read_text("utf-8"))


def test_a_record_is_read_back_as_it_was_written(record):
    assert json.loads(text(record)) == record


def test_a_case_stands_on_a_line_of_its_own():
    for stem, record in COMMITTED.items():
        lines = (FOLDER / f"{stem}.json").read_text("utf-8").splitlines()
        named = [line for line in lines if line.startswith('  {"calculator"')]
        assert len(named) == len(record["cases"]) + len(record["left_out"])


def test_every_case_is_a_layer_whose_peak_is_known(record):
    for case in record["cases"]:
        assert ours(*(case[name] for name in NAMED)).bytes_moved > 0
        assert record["peak"][case["dtype"]] > 0


def test_every_case_was_repeated_and_its_figures_are_in_order(record):
    for case in record["cases"]:
        seconds = [case[name] for name in SECONDS]
        assert seconds[0] > 0
        assert seconds == sorted(seconds)
        assert case["repeats"] >= 7


def test_every_case_is_measured_or_left_out_with_a_reason():
    for record in COMMITTED.values():
        told = [*record["cases"], *record["left_out"]]
        assert all(each["reason"] for each in record["left_out"])
        named = [json.dumps([each["calculator"], each["fields"], each["dtype"]]) for each in told]
        assert len(set(named)) == len(named)
        assert set(named) == {json.dumps(each) for each in cases(record["machine"]["kind"])}


def test_no_case_is_quicker_than_its_floor(record):
    for case in record["cases"]:
        layer = ours(*(case[name] for name in NAMED))
        if (case["calculator"], case["dtype"]) in EXCEPTIONS:
            continue
        assert case["least_seconds"] >= floor_seconds(layer, record), case


def test_every_exception_is_of_a_case_and_gives_its_reason():
    known = {(name, dtype) for kind in ("cpu", "cuda") for name, _, dtype in cases(kind)}
    assert EXCEPTIONS.keys() <= known
    assert all(EXCEPTIONS.values())


def test_the_floor_of_causal_attention_counts_the_pairs_that_the_mask_leaves():
    sizes = {"num_heads": 1, "query_length": 2048, "key_length": 2048, "head_dim": 64}
    layer = ours("scaled_dot_product_attention", {**sizes, "is_causal": True}, "fp32")
    # 2048 · 2048 / 2 pairs and half of the diagonal of 2048; two products of 64, two FLOPs each.
    assert least_flops(layer) == (2_097_152 + 1024) * 2 * 64 * 2 == 537_133_056
    assert layer.flops == 2048 * 2048 * 2 * 64 * 2
    record = {"peak": {"fp32": 10**9}, "bandwidth_bytes_per_second": 10**12}
    assert floor_seconds(layer, record) == pytest.approx(0.537133056)


def test_no_clock_is_beyond_what_processors_have(record):
    """A core that folds the additions of the loop away would seem to run at 20 GHz."""
    clocks = record["machine"]["clocks"]
    assert all(0.5e9 < clocks.get(end, 2e9) < 7e9 for end in ("lowest_hz", "highest_hz"))


def test_the_peak_of_a_processor_is_the_one_that_intel_states():
    """Xeon Platinum 8480+, 56 cores at 2.0 GHz: the source is in machines/devices.json."""
    peak = machine.cpu_peak(56, {"avx2", "avx512f", "amx_bf16"}, 2.0e9)
    assert peak["fp32"] == pytest.approx(devices()["xeon_8480plus"]["peak"]["fp32"], rel=1e-3)
    assert peak["bf16"] == pytest.approx(devices()["xeon_8480plus"]["peak"]["bf16"], rel=1e-3)


def test_the_ceilings_of_a_record_are_the_highest_that_it_saw(record):
    if record["bandwidth_source"].startswith("measured"):
        assert record["bandwidth_bytes_per_second"] == max(record["sweep"].values())
    if record["peak_source"].startswith("computed"):
        described = record["machine"]
        clock = described["clocks"]["highest_hz"]
        each = machine.UNITS["fp32"][described["units"]["fp32"]]
        assert record["peak"]["fp32"] == described["cores"] * each * clock


@pytest.mark.parametrize(
    ("card", "key"),
    [
        ("NVIDIA H100 80GB HBM3", "h100_sxm"),
        ("NVIDIA H20", None),
        ("NVIDIA GeForce RTX 3060", None),
    ],
)
def test_a_card_that_the_table_lacks_is_taken_for_no_other(card, key):
    assert machine.known_card(card) == key


@pytest.mark.parametrize(("calculator", "fields", "dtype"), SMALL, ids=lambda each: str(each))
def test_what_is_timed_is_the_layer_on_random_numbers(calculator, fields, dtype):
    layer = ours(calculator, fields, dtype)
    y = prepared(layer, dtype, "cpu")()
    assert tuple(y.shape) == layer.output_shape
    assert y.element_size() == layer.element_bytes
    assert len(y.float().unique()) > y.numel() // 8


def test_a_normalisation_is_not_timed_on_ones_and_zeros():
    layer = ours("batch_norm2d", {"num_features": 4, "height": 8, "width": 8}, "fp32")
    call = prepared(layer, "fp32", "cpu")
    (built,) = (each.cell_contents for each in call.__closure__ if callable(each.cell_contents))
    numbers = [*built.parameters(), built.running_mean, built.running_var]
    assert all(len(each.unique()) == 4 for each in numbers)


def test_what_would_take_too_long_is_left_out_untried(tmp_path):
    record = run(tmp_path, wanted=[HUGE]).record
    (left,) = record["left_out"]
    assert left.keys() == {*NAMED, "reason"}
    assert "the limit is 3 s a call" in left["reason"]


def test_what_torch_refuses_is_left_out_in_its_words(tmp_path):
    record = run(tmp_path, "--limit", "1e30", wanted=[HUGE, *SMALL[:1]]).record
    (left,) = record["left_out"]
    assert "allocate" in left["reason"]
    assert len(record["cases"]) == 1


def test_what_was_found_before_an_interruption_is_kept(tmp_path, monkeypatch):
    calls = count()

    def interrupted(*given):
        if next(calls):
            raise KeyboardInterrupt
        return prepared(*given)

    monkeypatch.setattr("scripts.measure.timed_run.prepared", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    (file,) = tmp_path.iterdir()
    kept = json.loads(file.read_text("utf-8"))
    assert [case["calculator"] for case in kept["cases"]] == ["linear"]
    assert [each["reason"] for each in kept["left_out"]] == ["the run was stopped before"] * 2


def test_a_resumed_run_times_again_only_what_was_disturbed(tmp_path, tiny):
    made = run(tmp_path, wanted=[])
    one, *others = tiny["cases"]
    busy = [{**{name: case[name] for name in NAMED}, "reason": BUSY} for case in others]
    resume(made, {**tiny, "cases": [one], "left_out": busy}, SMALL)
    assert list(made.found.values()) == [one]
    assert made.left == {}


def test_a_resumed_run_keeps_the_clocks_that_were_seen_before(tmp_path, tiny):
    made = run(tmp_path, wanted=[])
    made.record["machine"]["clocks"] = {}  # of a card that has not worked yet
    clocks = {"lowest_hz": 1, "highest_hz": 9}
    resume(made, {**tiny, "machine": {**tiny["machine"], "clocks": clocks}}, SMALL)
    assert made.record["machine"]["clocks"] == clocks


@pytest.mark.parametrize(
    ("sees_cuda", "tool", "found"),
    [(True, "/bin/nvidia-smi", "cuda"), (True, None, "cuda"), (False, None, "cpu")],
)
def test_a_card_is_timed_where_torch_sees_one(monkeypatch, sees_cuda, tool, found):
    monkeypatch.setattr("torch.cuda.is_available", lambda: sees_cuda)
    monkeypatch.setattr("shutil.which", lambda name: tool)
    assert found_device() == found


def test_a_card_that_torch_cannot_see_is_not_passed_over(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("shutil.which", lambda name: "/bin/nvidia-smi")
    with pytest.raises(SystemExit, match="ALLOW_CUDA=1 make measure"):
        found_device()


def test_a_run_on_another_machine_is_not_resumed(tmp_path, tiny):
    made = run(tmp_path, wanted=[])
    other = {**tiny, "machine": {**tiny["machine"], "cores": 3}}
    with pytest.raises(SystemExit, match="another machine"):
        resume(made, other, SMALL)


def test_torch_computes_with_all_cores_that_the_peak_counts():
    assert all(
        record["machine"]["threads"] >= record["machine"]["cores"]
        for record in COMMITTED.values()
        if record["machine"]["kind"] == "cpu"
    )


def test_a_run_that_is_stopped_early_has_a_case_of_every_layer():
    wanted = list(cases("cpu"))
    turns = in_turns(wanted)
    kinds = {calculator for calculator, *_ in wanted}
    assert {wanted[place][0] for place in turns[: len(kinds)]} == kinds
    assert sorted(turns) == list(range(len(wanted)))


@pytest.fixture
def log(monkeypatch):
    """Return what a stopwatch does, in order; an event of the card lies 2 ms before the next."""
    done = []

    class Event:
        def __init__(self, enable_timing):
            assert enable_timing

        def record(self):
            done.append("event")

        def elapsed_time(self, other):
            return 2.0  # milliseconds, as in torch

    monkeypatch.setattr("torch.cuda.Event", Event)
    monkeypatch.setattr(CardStopwatch, "kind", "cpu")
    monkeypatch.setattr(CardStopwatch, "wait", lambda self: done.append("wait"))
    monkeypatch.setattr(Stopwatch, "flush", lambda self: done.append("flush"))
    return done


def test_the_caches_are_flushed_before_every_call(log):
    Stopwatch(4).cold(lambda: log.append("call"), 2)
    assert log == ["flush", "call"] * 2


def test_a_flush_rewrites_the_whole_buffer():
    watch = Stopwatch(64)
    watch.flush()
    assert watch.buffer.tolist() == [1.0] * 16


def test_a_card_is_timed_by_events_around_the_call_after_the_flush(log):
    found = CardStopwatch(4).cold(lambda: log.append("call"), 2)
    assert log == ["flush", "event", "call", "event"] * 2 + ["wait"]
    assert found == [Repeat(0.002)] * 2


def test_the_wait_of_every_thread_for_a_core_is_counted(tmp_path, monkeypatch):
    for thread, waited in (("1", 1_500_000_000), ("2", 250_000_000)):
        (tmp_path / thread).mkdir()
        (tmp_path / thread / "schedstat").write_text(f"7 {waited} 9\n")  # ran, waited, times
    monkeypatch.setattr("scripts.measure.stopwatch.Path", lambda place: tmp_path)
    assert waited_seconds() == 1.75


def test_a_repeat_knows_how_long_it_waited(log, monkeypatch):
    clock = iter([5.0, 5.0, 5.0, 8.0])
    monkeypatch.setattr("scripts.measure.stopwatch.waited_seconds", lambda: next(clock))
    quiet, held_up = Stopwatch(4).cold(lambda: None, 2)
    assert (quiet.waited_seconds, held_up.waited_seconds) == (0.0, 3.0)
    assert quiet.is_undisturbed
    assert not held_up.is_undisturbed


def scripted(folder, *repeats, patience, kind="cpu"):
    """Return a run whose stopwatch gives these repeats in turn, the last one for ever."""
    line = list(repeats)

    def cold(call, times):
        call()
        return [line.pop(0) if len(line) > 1 else line[0] for _ in range(times)]

    watch = SimpleNamespace(cold=cold, warm=lambda call, times: 0.01)
    return Run({"machine": {"kind": kind}}, watch, folder / "run.json", 0, 3, patience)


@pytest.mark.parametrize(("patience", "discarded"), [(60, 2), (0, 0)])
def test_a_repeat_that_was_held_up_counts_only_without_patience(tmp_path, patience, discarded):
    held_up, quiet = Repeat(9.0, waited_seconds=5.0), Repeat(1.0)
    made = scripted(tmp_path, quiet, held_up, held_up, quiet, patience=patience)
    kept, found = made.repeats(lambda: None, 0.01)
    assert found == discarded
    assert kept.count(9.0) == 2 - discarded
    assert len(kept) >= 7


def test_a_case_that_is_held_up_all_the_time_is_not_timed(tmp_path):
    made = scripted(tmp_path, Repeat(9.0, waited_seconds=5.0), patience=60)
    with pytest.raises(RuntimeError, match=BUSY):
        made.repeats(lambda: None, 0.01)


@pytest.mark.parametrize(
    ("dtype", "word", "is_allowed"), [("tf32", "high", True), ("fp32", "highest", False)]
)
def test_tf32_is_computed_in_where_it_is_asked_for(tmp_path, monkeypatch, dtype, word, is_allowed):
    said, seen, cudnn = [], [], SimpleNamespace(allow_tf32=None)
    monkeypatch.setattr(torch, "set_float32_matmul_precision", said.append)
    monkeypatch.setattr(torch.backends, "cudnn", cudnn)
    monkeypatch.setattr("torch.cuda.empty_cache", lambda: None)

    def call():
        seen.append((said[-1], cudnn.allow_tf32))

    monkeypatch.setattr("scripts.measure.timed_run.prepared", lambda *given: call)
    made = scripted(tmp_path, Repeat(0.01), patience=0, kind="cuda")
    made.timed(ours(*SMALL[0][:2], dtype), dtype)
    assert set(seen) == {(word, is_allowed)}


def test_the_clock_of_a_card_is_read_only_once_it_has_worked(tmp_path, log, monkeypatch):
    facts = {"kind": "cuda", "device": "h200_sxm", "name": "a card", "memory_bytes": 1 << 30}
    monkeypatch.setattr(machine, "describe", lambda kind: facts)
    monkeypatch.setattr(machine, "sweep", lambda *given: {"copy": 1})
    monkeypatch.setattr(machine, "card_clock", lambda: {"now_hz": 1500, "most_hz": 1980})
    monkeypatch.setattr("scripts.measure.measure.prepared", lambda *given: lambda: None)
    monkeypatch.setattr("scripts.measure.timed_run.prepared", lambda *given: lambda: None)
    monkeypatch.setattr("torch.cuda.empty_cache", lambda: None)
    monkeypatch.setattr(torch.backends, "cudnn", SimpleNamespace())
    typed = parser().parse_args(["--device", "cuda", "--flush", "64", "--seconds-per-case", "0"])
    made = begin(typed, "python -m scripts.measure", tmp_path)
    made.measure(0, HUGE)  # is refused
    assert made.record["machine"]["clocks"] == {}
    made.measure(1, SMALL[1])
    assert made.record["machine"]["clocks"]["lowest_hz"] == 1500
