"""What is shown belongs together or is marked, in every order of what may happen.

The probe looks at each frame and at each change of the page, and knows what the answer must be from
the definition of the layer.
"""

import random
from pathlib import Path

import pytest
from pages import PHONE, field, figure, paste, ready
from playwright.sync_api import expect

PROBE = Path(__file__).with_name("probe.js")
SLOW = "worker.delay = () => 400"
FIRST = "flops-calculator >> nth=0"


@pytest.fixture
def watched(open_page, site):
    """Open a page of the site under the probe, which must have seen nothing wrong at the end."""
    pages = []

    def open_(path="", quiet=True, viewport=None, **routes):
        page = open_page("about:blank", quiet=quiet, viewport=viewport)
        page.add_init_script(path=PROBE)
        for ending, handler in routes.items():
            page.route(f"**/*.{ending}", handler)
        page.goto(site + path)
        pages.append(page)
        return page

    yield open_
    for page in pages:
        assert page.evaluate("seen.wrong") == []


class Gate:
    """Holds requests until it is opened, or sends them away."""

    def __init__(self):
        self.held = []
        self.decide = self.held.append

    def __call__(self, route):
        self.decide(route)

    def open(self):
        self.release(lambda route: route.continue_())

    def shut(self):
        self.release(lambda route: route.abort())

    def release(self, decide):
        """Do the same with what is held and with what comes."""
        self.decide = decide
        while self.held:
            decide(self.held.pop())


def choose(page, layer):
    page.locator(f"{FIRST} >> [data-choice]").select_option(layer)


def type_(page, name, text):
    """Type into a field as it is now, shown or not."""
    page.evaluate(
        """([name, text]) => {
          const field = document.querySelector(`flops-calculator [name=${name}]`);
          if (!field) return;
          field.value = text;
          for (const type of ["input", "change"])
            field.dispatchEvent(new Event(type, {bubbles: true}));
        }""",
        [name, text],
    )


def settled(page):
    """Wait until all that is shown belongs together, and the address to it."""
    page.wait_for_function("look() === ''")
    page.wait_for_function("!document.querySelector('[data-mark]').textContent")


def mark(page):
    return page.locator(f"{FIRST} >> [data-mark]")


def answer(page):
    return page.locator(f"{FIRST} >> .calculator-answer")


# A15, A16, A17


def test_a_layer_that_is_chosen_while_python_loads_comes_with_its_form(watched):
    gate = Gate()
    page = watched(wasm=gate)
    choose(page, "conv1d")
    type_(page, "in_features", "7")
    expect(mark(page)).to_have_text("Loading Python… This is the result for the layer before.")
    gate.open()
    expect(field(page, "kernel_size")).to_be_visible()
    settled(page)
    expect(page.locator(f"{FIRST} >> [aria-invalid]")).to_have_count(0)


def test_a_layer_that_is_chosen_twice_is_the_second(watched):
    gate = Gate()
    page = watched(wasm=gate)
    choose(page, "conv1d")
    choose(page, "linear")
    type_(page, "in_features", "7")
    gate.open()
    settled(page)
    # 7 * 11008
    expect(figure(page, "macs")).to_have_attribute("value", "77056")


def test_a_layer_that_is_chosen_when_python_failed_comes_at_a_retry(watched):
    gate = Gate()
    page = watched(quiet=False, wasm=gate)
    choose(page, "conv1d")
    gate.shut()
    expect(mark(page)).to_contain_text("its files could not be loaded. This is the result for the")
    gate.open()
    page.get_by_role("button", name="Try again").click()
    expect(field(page, "kernel_size")).to_be_visible()
    settled(page)


@pytest.mark.parametrize("panels", ["counters=", "expectation=", "counters=&expectation=", ""])
@pytest.mark.parametrize("typed", [False, True], ids=["untouched", "typed while loading"])
def test_a_link_to_another_layer_opens_with_its_panels(watched, panels, typed):
    gate = Gate()
    page = watched(f"?calculator=conv1d&in_channels=5&{panels}", wasm=gate)
    if typed:
        type_(page, "in_features", "9")
    gate.open()
    expect(field(page, "in_channels")).to_have_value("5")
    settled(page)
    for panel in filter(None, panels.replace("=", "").split("&")):
        folded = page.locator(f"{FIRST} >> [data-asks={panel}]")
        expect(folded).to_have_attribute("open", "")
        expect(folded).not_to_have_attribute("data-old", "")
    expect(page.locator(f"{FIRST} >> [aria-invalid]")).to_have_count(0)


def test_typing_while_python_loads_marks_the_printed_answer(watched):
    gate = Gate()
    page = watched(wasm=gate)
    field(page, "in_features").fill("7")
    assert answer(page).get_attribute("data-old") is not None
    expect(mark(page)).to_have_text("Loading Python… This is the result for the default values.")
    expect(mark(page)).to_be_in_viewport()
    gate.open()
    settled(page)


def test_typing_after_python_failed_marks_the_printed_answer(watched):
    page = watched(quiet=False, wasm=lambda route: route.abort())
    ready_or_failed = page.locator(FIRST)
    field(page, "in_features").focus()
    expect(ready_or_failed).to_have_attribute("data-state", "failed")
    type_(page, "in_features", "7")
    assert answer(page).get_attribute("data-old") is not None
    expect(mark(page)).to_contain_text("This is the result for the default values.")


def test_an_untouched_answer_is_not_marked_while_python_loads(watched):
    gate = Gate()
    page = watched(wasm=gate)
    expect(page.locator(FIRST)).to_have_attribute("data-state", "loading")
    expect(mark(page)).to_be_empty()
    assert answer(page).get_attribute("data-old") is None
    gate.open()


# slow and refused answers


def test_a_slow_answer_is_marked_and_a_fast_one_does_not_flicker(watched):
    page = watched()
    ready(page)

    def flickers(text):
        page.evaluate("seen.marks.clear()")
        field(page, "in_features").fill(text)
        settled(page)
        return any("Calculating" in words for words in page.evaluate("[...seen.marks]"))

    # on a busy machine some answers are slow, but not all of them
    assert not all(flickers(str(size)) for size in range(9, 39))
    page.evaluate(SLOW)
    field(page, "in_features").fill("8")
    expect(mark(page)).to_have_text("Calculating… This is the result for your last valid input.")
    settled(page)


def test_a_refused_field_leaves_the_last_answer_marked(watched):
    page = watched()
    ready(page)
    field(page, "in_features").fill("7")
    settled(page)
    field(page, "in_features").fill("none")
    expect(mark(page)).to_have_text("Outdated: the result for your last valid input.")
    field(page, "in_features").fill("7")
    settled(page)
    expect(field(page, "in_features")).not_to_have_attribute("aria-invalid", "true")


def test_the_figures_that_stay_in_sight_on_a_phone_say_that_they_are_outdated(watched):
    page = watched(viewport=PHONE)
    ready(page)
    field(page, "device").fill("cray")
    expect(mark(page)).to_contain_text("Outdated")
    field(page, "device").scroll_into_view_if_needed()
    headline = page.locator(f"{FIRST} >> .calculator-headline")
    expect(headline).to_be_in_viewport()
    words = headline.evaluate("place => getComputedStyle(place, '::before').content")
    assert words == '"Outdated"'


def test_no_other_chips_answer_stands_unmarked_while_a_device_is_typed(watched):
    page = watched()
    ready(page)
    page.evaluate(
        """() => {
          window.stale = [];
          const look = () => {
            const calculator = document.querySelector("flops-calculator");
            const device = calculator.querySelector("[name=device]").value;
            const old = calculator.querySelector(".calculator-answer").hasAttribute("data-old");
            const verdict = calculator.querySelector(".calculator-verdict")?.textContent ?? "";
            const a100 = verdict.includes("A100");
            if (!old && a100 !== (device === "a100_80gb_sxm")) stale.push([device, verdict]);
            requestAnimationFrame(look);
          };
          look();
        }"""
    )
    page.evaluate("worker.delay = () => 60")
    box = field(page, "device")
    box.fill("")
    box.press_sequentially("h100_sxm", delay=40)
    expect(page.locator(f"{FIRST} >> .calculator-verdict")).to_contain_text("H100")
    assert page.evaluate("stale") == []


def test_what_python_did_not_answer_is_said_until_the_next_answer(watched):
    page = watched()
    ready(page)
    page.evaluate("worker.canned.answer = () => worker.error('PythonError', 'ValueError: odd')")
    field(page, "in_features").fill("7")
    expect(mark(page)).to_contain_text("No answer: ValueError: odd.")
    page.evaluate("delete worker.canned.answer")
    field(page, "in_features").fill("8")
    settled(page)
    page.evaluate("worker.canned.answer = () => worker.error('PythonError', 'ValueError: odd')")
    field(page, "in_features").fill("9")
    expect(mark(page)).to_contain_text("No answer")
    page.evaluate("delete worker.canned.answer")
    page.get_by_role("button", name="Try again").click()
    settled(page)


def test_an_answer_is_not_called_outdated_while_a_form_is_on_its_way(watched):
    page = watched()
    ready(page)
    page.evaluate("seen.marks.clear()")
    choose(page, "conv1d")
    expect(field(page, "kernel_size")).to_be_visible()
    settled(page)
    assert not any("Outdated" in words for words in page.evaluate("[...seen.marks]"))


def test_a_form_that_python_did_not_bring_comes_at_a_retry_or_when_it_is_chosen_again(watched):
    page = watched()
    ready(page)
    page.evaluate("worker.canned.form = () => worker.error('PythonError', 'ValueError: odd')")
    choose(page, "conv1d")
    expect(mark(page)).to_have_text(
        "No answer: ValueError: odd. This is the result for the layer before."
    )
    page.get_by_role("button", name="Try again").click()
    expect(mark(page)).to_contain_text("No answer")
    page.evaluate("delete worker.canned.form")
    choose(page, "linear")
    expect(mark(page)).to_be_empty()
    choose(page, "conv1d")
    expect(field(page, "kernel_size")).to_be_visible()
    settled(page)


def test_a_guess_is_locked_while_python_loads_and_judged_once(watched):
    gate = Gate()
    page = watched("linear/", wasm=gate)
    prediction = page.locator("flops-prediction").first
    guess, said = prediction.get_by_label("Your guess"), prediction.get_by_role("status")
    guess.fill("1.2 G")
    guess.press("Enter")
    expect(said).to_have_text("Loading Python…")
    expect(guess).not_to_be_editable()
    guess.press("Enter")
    gate.open()
    expect(said).to_contain_text("Too low by a factor of 2.01")
    assert page.evaluate("worker.asked.filter((name) => name === 'judge').length") == 1


def test_a_guess_that_python_did_not_judge_can_be_changed(watched):
    page = watched("linear/", quiet=False, wasm=lambda route: route.abort())
    prediction = page.locator("flops-prediction").first
    guess = prediction.get_by_label("Your guess")
    guess.fill("1.2 G")
    prediction.get_by_role("button").click()
    expect(prediction.get_by_role("status")).to_contain_text("Python does not run")
    expect(guess).to_be_editable()
    expect(prediction.get_by_role("button")).to_be_enabled()


def test_an_answer_that_is_outdated_by_then_is_not_spoken(watched):
    page = watched()
    ready(page)
    page.clock.install()
    field(page, "in_features").fill("7")
    settled(page)
    page.evaluate("worker.delay = () => null")
    field(page, "in_features").fill("8")
    page.clock.fast_forward(2000)
    expect(page.locator(f"{FIRST} >> .calculator-summary")).to_be_empty()


# Reset, back and forward, other pages, other tabs, other calculators


def test_reset_while_python_loads_brings_back_the_printed_answer_unmarked(watched):
    gate = Gate()
    page = watched(wasm=gate)
    field(page, "in_features").fill("7")
    page.get_by_role("button", name="Reset").click()
    expect(field(page, "in_features")).to_have_value("4096")
    assert answer(page).get_attribute("data-old") is None
    gate.open()
    settled(page)


def test_back_and_forward_bring_the_whole_state(watched):
    page = watched()
    ready(page)
    page.evaluate(
        """() => {
          for (const query of ["?calculator=conv1d&in_channels=6", "?in_features=3"]) {
            history.pushState(null, "", query);
            dispatchEvent(new Event("calculator:link"));
          }
        }"""
    )
    settled(page)
    expect(field(page, "in_features")).to_have_value("3")
    page.go_back()
    expect(field(page, "in_channels")).to_have_value("6")
    settled(page)
    page.go_back()
    expect(field(page, "in_features")).to_have_value("4096")
    settled(page)
    page.go_forward()
    expect(field(page, "in_channels")).to_have_value("6")
    settled(page)


def test_going_to_a_heading_keeps_what_was_just_typed(watched):
    page = watched()
    ready(page)
    field(page, "in_features").fill("7")
    page.evaluate("location.hash = 'sources'")
    settled(page)
    expect(field(page, "in_features")).to_have_value("7")


def test_what_is_typed_last_is_in_the_address_of_the_page_that_is_left(watched):
    page = watched()
    ready(page)
    field(page, "in_features").fill("7")
    page.get_by_role("link", name="Convolution").first.click()
    page.wait_for_url("**/convolution/")
    page.go_back()
    expect(field(page, "in_features")).to_have_value("7")


def test_leaving_in_the_middle_of_the_load_and_coming_back_answers(watched):
    gate = Gate()
    page = watched(wasm=gate)
    field(page, "in_features").fill("7")
    page.wait_for_url("**in_features=7**")
    page.get_by_role("link", name="Convolution").first.click()
    page.wait_for_url("**/convolution/")
    page.go_back()
    expect(field(page, "in_features")).to_have_value("7")
    gate.open()
    settled(page)
    assert page.evaluate("worker.all.length") == 1


def reconnect(page, milliseconds):
    """Take the calculator out of the page, and put it back after a while."""
    page.evaluate(
        """(wait) => new Promise((done) => {
          const calculator = document.querySelector("flops-calculator");
          const { parentNode, nextSibling } = calculator;
          calculator.remove();
          const putBack = () => done(parentNode.insertBefore(calculator, nextSibling).id);
          wait ? setTimeout(putBack, wait) : putBack();
        })""",
        milliseconds,
    )


@pytest.mark.parametrize("milliseconds", [0, 400], ids=["at once", "after the panel has rested"])
def test_a_calculator_that_is_put_back_answers(watched, milliseconds):
    page = watched("?counters=&figure=4")
    ready(page)
    settled(page)
    field(page, "in_features").fill("7")
    reconnect(page, milliseconds)
    field(page, "in_features").fill("8")
    settled(page)
    counters = page.locator(f"{FIRST} >> [data-asks=counters]")
    expect(counters).not_to_have_attribute("data-old", "")


def test_a_second_calculator_keeps_its_own_state(open_page, site):
    page = open_page(site + "convolution/")
    ready(page)
    first, second = page.locator("flops-calculator").all()[:2]
    second.locator("[data-choice]").select_option("linear")
    second.locator("[name=in_features]").fill("2")
    second.locator("[name=out_features]").fill("3")
    macs = second.locator('[data-quantity="macs"]').first
    expect(macs).to_have_attribute("value", "6")
    first.locator("[name=in_channels]").fill("x")
    expect(first.locator("[data-mark]")).to_contain_text("Outdated")
    expect(second.locator("[data-mark]")).to_be_empty()
    expect(macs).to_have_attribute("value", "6")


def test_two_tabs_of_one_page_do_not_disturb_each_other(watched):
    one, other = watched(), watched()
    for page, text in ((one, "3"), (other, "4")):
        field(page, "in_features").fill(text)
    for page in (one, other):
        settled(page)
    expect(field(one, "in_features")).to_have_value("3")


# what is kept from one layer to the next


def test_coming_back_to_a_layer_needs_no_python(watched):
    page = watched(quiet=False)
    ready(page)
    field(page, "out_features").fill("9")
    choose(page, "conv1d")
    expect(field(page, "in_channels")).to_be_visible()
    settled(page)
    page.evaluate("worker.delay = () => null")
    choose(page, "linear")
    expect(field(page, "out_features")).to_have_value("9")
    page.evaluate("document.querySelector('flops-calculator form').reset()")
    expect(field(page, "out_features")).to_have_value("11008")  # as printed, and not 3072
    page.evaluate("worker.delay = () => 0")


def test_a_value_that_is_kept_from_another_layer_says_so_until_it_is_edited(watched):
    page = watched()
    ready(page)
    field(page, "batch_size").fill("8")
    choose(page, "conv1d")
    label = page.locator(f"{FIRST} >> label:has(+ [name=batch_size])")
    expect(field(page, "batch_size")).to_have_value("8")
    expect(label).to_have_attribute("data-origin", "kept from Linear")
    expect(page.locator(f"{FIRST} >> label:has(+ [name=in_channels])")).not_to_have_attribute(
        "data-origin", "kept from Linear"
    )
    field(page, "batch_size").fill("9")
    expect(label).not_to_have_attribute("data-origin", "kept from Linear")


def test_reset_forgets_what_was_kept(watched):
    page = watched()
    ready(page)
    field(page, "batch_size").fill("8")
    choose(page, "conv1d")
    expect(field(page, "batch_size")).to_have_value("8")
    page.get_by_role("button", name="Reset").click()
    expect(page.locator(f"{FIRST} >> [data-origin]")).to_have_count(0)
    settled(page)


# pasted configurations, whose reading is Python's

READ = """{
  fields: {in_features: '7', out_features: '5', in_channels: '7', batch_size: ''},
  message: 'Two were read.',
}"""


def test_a_configuration_fills_in_the_form_and_its_notice_stays_until_the_next_edit(watched):
    page = watched()
    ready(page)
    page.evaluate(f"worker.canned.configuration = () => worker.answer({READ})")
    paste(page, '{"any": 1}', "in_features")
    expect(figure(page, "macs")).to_have_attribute("value", "35")
    settled(page)
    notice = page.locator(f"{FIRST} >> [data-message]")
    expect(notice).to_have_text("Two were read.")
    field(page, "in_features").fill("8")
    expect(notice).to_be_empty()


def test_a_rejected_configuration_changes_nothing(watched):
    page = watched()
    ready(page)
    page.evaluate(
        "worker.canned.configuration = () => worker.answer({fields: null, message: 'Not this.'})"
    )
    paste(page, '{"any": 1}', "in_features")
    expect(page.locator(f"{FIRST} >> [data-message]")).to_have_text("Not this.")
    expect(field(page, "in_features")).to_have_value("4096")
    settled(page)


def test_a_configuration_that_is_pasted_while_python_loads_is_not_lost(watched):
    gate = Gate()
    page = watched(wasm=gate)
    page.evaluate(f"worker.canned.configuration = () => worker.answer({READ})")
    paste(page, '{"any": 1}', "in_features")
    expect(mark(page)).to_contain_text("Loading Python…")
    gate.open()
    expect(figure(page, "macs")).to_have_attribute("value", "35")
    settled(page)


def test_what_is_typed_after_a_configuration_is_kept(watched):
    gate = Gate()
    page = watched(wasm=gate)
    page.evaluate(f"worker.canned.configuration = () => worker.answer({READ})")
    paste(page, '{"any": 1}', "in_features")
    field(page, "in_features").fill("9")
    gate.open()
    expect(figure(page, "macs")).to_have_attribute("value", "45")  # 9 typed, 5 read
    expect(field(page, "in_features")).to_have_value("9")
    settled(page)


@pytest.mark.parametrize(
    ("button", "words"),
    [("Python", "in_features=7, out_features=5"), ("Copy link", "in_features=7&out_features=5")],
)
def test_a_copy_waits_for_the_configuration_that_was_pasted(watched, button, words):
    gate = Gate()
    page = watched(wasm=gate)
    page.evaluate(f"worker.canned.configuration = () => worker.answer({READ})")
    paste(page, '{"any": 1}', "in_features")
    page.get_by_role("button", name=button).first.click()
    gate.open()
    expect(page.locator(f"{FIRST} >> [data-message]")).to_have_text("Copied.")
    assert words in page.evaluate("navigator.clipboard.readText()")


@pytest.mark.parametrize("button", ["Python", "Copy link"])
def test_nothing_is_copied_without_the_configuration_that_was_pasted(watched, button):
    page = watched(quiet=False, wasm=lambda route: route.abort())
    paste(page, '{"any": 1}', "in_features")
    page.get_by_role("button", name=button).first.click()
    expect(page.locator(f"{FIRST} >> [data-message]")).to_contain_text("Nothing is copied")
    assert page.evaluate("navigator.clipboard.readText()") == '{"any": 1}'


@pytest.mark.parametrize("text", ["{12", "[1, 2]", "null", "12"])
def test_a_text_that_is_no_object_is_typed(watched, text):
    page = watched()
    field(page, "in_features").fill("")
    paste(page, text, "in_features")
    expect(field(page, "in_features")).to_have_value(text)


# Every order of everything

NUMBERS = ["1", "7", "640", "0", "no", "", "4096"]
EVENTS = [
    *("type", "type", "type", "tick", "choose", "choose", "unfold", "reset", "follow", "back"),
    *("retry", "slow", "die", "wait", "wait", "fail", "load", "paste", "copy", "skip", "leave"),
]


class Reader:
    """Does one thing after the other, drawn by a seed."""

    def __init__(self, page, seed):
        self.page, self.chance, self.gate = page, random.Random(seed), None
        self.done = []

    def type(self):
        names = ["in_features", "out_features", "batch_size", "in_channels", "out_channels"]
        type_(self.page, self.chance.choice(names), self.chance.choice(NUMBERS))

    def tick(self):
        self.page.evaluate("document.querySelector('flops-calculator [name=bias]').click()")

    def paste(self):
        self.page.evaluate(
            """() => {
              const clipboardData = new DataTransfer();
              clipboardData.setData("text", '{"any": 1}');
              const event = new ClipboardEvent("paste", {clipboardData, bubbles: true});
              document.querySelector("flops-calculator [name=batch_size]").dispatchEvent(event);
            }"""
        )

    def copy(self):
        format_ = self.chance.choice(["link", "markdown", "python"])
        self.page.evaluate(f"document.querySelector('[data-copy={format_}]').click()")

    def skip(self):
        self.page.evaluate("document.querySelector('[data-skip]').click()")

    def leave(self):
        reconnect(self.page, self.chance.choice([0, 400]))

    def choose(self):
        choose(self.page, self.chance.choice(["linear", "conv1d"]))

    def unfold(self):
        panel = self.chance.choice(["formulas", "counters", "expectation"])
        self.page.evaluate(
            "name => document.querySelector(`flops-calculator [data-asks=${name}]`).open ^= 1",
            panel,
        )

    def reset(self):
        self.page.evaluate("document.querySelector('flops-calculator form').reset()")

    def follow(self):
        query = self.chance.choice(["?calculator=conv1d&in_channels=6&counters=", "?in_features=3"])
        self.page.evaluate(
            "q => (history.pushState(null, '', q), dispatchEvent(new Event('calculator:link')))",
            query,
        )

    def back(self):
        if "follow" in self.done:
            self.done.remove("follow")
            self.page.evaluate("history.back()")

    def retry(self):
        self.page.evaluate("document.querySelector('[data-retry]').click()")

    def slow(self):
        self.page.evaluate(f"worker.delay = () => {self.chance.choice([0, 0, 20, 120])}")

    def die(self):
        """Let a worker crash, as one without memory does."""
        self.page.evaluate("worker.all.at(-1)?.dispatchEvent(new ErrorEvent('error'))")

    def wait(self):
        self.page.wait_for_timeout(self.chance.choice([0, 10, 60, 200]))

    def fail(self):
        self.gate.shut()

    def load(self):
        self.gate.open()

    def act(self):
        event = self.chance.choice(EVENTS)
        getattr(self, event)()
        self.done.append(event)


@pytest.mark.parametrize("seed", range(12))
def test_in_every_order_of_events_what_is_shown_belongs_together_or_is_marked(watched, seed):
    gate = Gate()
    page = watched(quiet=False, wasm=gate)
    page.evaluate(f"worker.canned.configuration = () => worker.answer({READ})")
    reader = Reader(page, seed)
    reader.gate = gate
    for _ in range(30):
        reader.act()
    gate.open()
    page.evaluate("worker.delay = () => 0")
    reader.retry()
    chosen = page.locator(f"{FIRST} >> [data-choice]").input_value()
    width = "in_features" if chosen == "linear" else "in_channels"
    expect(field(page, width)).to_be_visible()
    for name in (width, width.replace("in", "out"), "batch_size"):
        field(page, name).fill("5")
    settled(page)
    page.wait_for_url(f"**calculator={chosen}&**{width}=5&**")


@pytest.mark.parametrize("word", ["maybe", ""], ids=["another word", "nothing"])
def test_a_word_in_a_link_that_is_no_switch_is_marked_and_not_read(watched, word):
    page = watched(f"?bias={word}")
    error = page.locator(f"#{field(page, 'bias').get_attribute('id')}-error")
    expect(error).to_contain_text("must be true or false")
    expect(mark(page)).to_contain_text("Outdated")
    field(page, "bias").check()
    expect(error).to_be_empty()
    expect(figure(page, "params")).to_have_attribute("value", str(4096 * 11008 + 11008))


def test_a_link_for_another_page_says_so(watched):
    page = watched("?calculator=llama&hidden_size=5")
    expect(page.locator(f"{FIRST} >> [data-message]")).to_have_text(
        "The link is for a calculator that this page does not have."
    )
