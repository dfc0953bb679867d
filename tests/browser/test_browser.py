"""What a reader does and sees, in a real Chromium, on the site as it is served."""

from urllib.parse import parse_qs, urlsplit

import pytest
from pages import PAGES, PHONE, field, figure, paste, ready, serve
from playwright.sync_api import expect

from scripts.site.steps import ROOT


def test_the_answer_is_printed_without_javascript(open_page, site):
    page = open_page(site, java_script_enabled=False)
    # Linear 4096 -> 11008 on one row: 4096 * 11008 = 45,088,768
    assert figure(page, "macs").get_attribute("value") == "45088768"
    assert page.locator("[data-asks=formulas] .katex").count() > 5


def test_a_guess_is_judged_once_and_the_answer_unfolds(open_page, site):
    page = open_page(site + "linear/")
    prediction = page.locator("flops-prediction").first
    guess, said = prediction.get_by_label("Your guess"), prediction.get_by_role("status")
    guess.fill("many")
    guess.press("Enter")
    expect(said).to_contain_text("must be a number")
    expect(guess).to_have_attribute("aria-invalid", "true")
    expect(guess).to_have_accessible_description(said.inner_text())
    # 8 * 128 rows, 768 * 3072 MACs for each: 2,415,919,104
    guess.fill("1.2 G")
    guess.press("Enter")
    expect(said).to_contain_text("Too low by a factor of 2.01")
    expect(prediction.get_by_text("2\u202f415\u202f919\u202f104").last).to_be_visible()
    expect(guess).not_to_be_editable()
    expect(prediction.get_by_role("button")).to_be_disabled()


def test_typing_gives_the_right_answer(open_page, site):
    page = open_page(site + "convolution/")
    for name, text in {"in_channels": "3", "out_channels": "32", "padding": "0"}.items():
        field(page, name).fill(text)
    for name in ("height", "width"):
        field(page, name).fill("128")
    # (128 - 2) ** 2 * 3 * 3 ** 2 * 32, the notebook's example
    expect(figure(page, "macs")).to_have_attribute("value", "13716864")
    expect(figure(page, "flops")).to_have_attribute("value", "27433728")


def test_the_answer_follows_every_keystroke(open_page, site):
    page = open_page(site)
    ready(page)
    box = field(page, "batch_size")
    box.fill("")
    for typed, macs in (("1", 45088768), ("2", 12 * 45088768), ("8", 128 * 45088768)):
        box.press_sequentially(typed)
        expect(figure(page, "macs")).to_have_attribute("value", str(macs))


def test_a_refused_field_says_why_beside_it_and_loses_nothing(open_page, site):
    page = open_page(site + "convolution/")
    ready(page)
    field(page, "out_channels").fill("48")
    before = figure(page, "macs").get_attribute("value")
    field(page, "kernel_size").fill("999")
    error = page.locator(f"#{field(page, 'kernel_size').get_attribute('id')}-error")
    expect(error).to_contain_text("Kernel size can't be greater than actual input size")
    expect(field(page, "kernel_size")).to_have_attribute("aria-invalid", "true")
    assert field(page, "out_channels").input_value() == "48"
    assert page.locator(".calculator-answer").first.get_attribute("data-old") is not None
    assert int(before) > 0
    field(page, "kernel_size").fill("3")
    expect(error).to_be_empty()
    expect(page.locator(".calculator-answer").first).not_to_have_attribute("data-old", "")


@pytest.mark.parametrize(
    "text", ["-1", "0", "abc", "1e400", "3.5", "9" * 5000, "<img src=x onerror=alert(1)>", "٣"]
)
def test_nonsense_is_refused_in_words(open_page, site, text):
    page = open_page(site)
    ready(page)
    field(page, "in_features").fill(text)
    error = page.locator(f"#{field(page, 'in_features').get_attribute('id')}-error")
    expect(error).not_to_be_empty()


def test_a_link_restores_the_inputs(open_page, site):
    page = open_page(site + "convolution/")
    ready(page)
    field(page, "in_channels").fill("64")
    field(page, "padding").fill("same")
    field(page, "bias").uncheck()
    page.get_by_role("button", name="Copy link").first.click()
    expect(page.locator("[data-message]").first).to_have_text("Copied.")
    link = page.evaluate("navigator.clipboard.readText()")
    other = open_page(link)
    expect(field(other, "in_channels")).to_have_value("64")
    expect(field(other, "padding")).to_have_value("same")
    expect(field(other, "bias")).not_to_be_checked()
    expect(figure(other, "macs")).to_have_attribute(
        "value", figure(page, "macs").get_attribute("value")
    )


def test_a_link_with_one_field_is_enough(open_page, site):
    page = open_page(site + "convolution/?in_channels=5&nonsense=1")
    expect(field(page, "in_channels")).to_have_value("5")
    expect(page.locator("flops-calculator").first).to_have_attribute("data-state", "ready")


def test_a_bad_value_in_a_link_is_an_error_and_runs_nothing(open_page, site):
    page = open_page(site + "?in_features=<script>alert(1)</script>&device=cray")
    error = page.locator(f"#{field(page, 'in_features').get_attribute('id')}-error")
    expect(error).to_contain_text("must be a number")
    error = page.locator(f"#{field(page, 'device').get_attribute('id')}-error")
    expect(error).to_contain_text("Unknown device. Leave it empty and enter peak FLOP/s")


def test_the_address_follows_the_form(open_page, site):
    page = open_page(site)
    ready(page)
    field(page, "in_features").fill("640")
    page.wait_for_url("**in_features=640**")
    assert parse_qs(urlsplit(page.url).query)["out_features"] == ["11008"]


def test_the_back_button_brings_the_inputs_back(open_page, site):
    page = open_page(site + "convolution/")
    ready(page)
    field(page, "in_channels").fill("17")
    page.wait_for_url("**in_channels=17**")
    page.get_by_role("link", name="From FLOPs to time").first.click()
    page.wait_for_url("**/runtime/**")
    page.go_back()
    expect(field(page, "in_channels")).to_have_value("17")


def test_a_second_page_answers_without_a_second_boot(open_page, site):
    page = open_page(site)
    ready(page)
    page.get_by_role("link", name="Convolution").first.click()
    page.wait_for_url("**/convolution/")
    field(page, "groups").fill("1")
    field(page, "in_channels").fill("7")
    expect(page.locator("flops-calculator").first).to_have_attribute("data-state", "ready")
    expect(page.locator(".calculator-worked", has_text="· 7/1 ·").first).to_be_visible()
    assert len([url for url in page.requests if url.endswith("/worker.js")]) == 1


def test_choosing_another_layer_brings_its_form_and_keeps_what_was_changed(open_page, site):
    page = open_page(site + "convolution/")
    ready(page)
    field(page, "in_channels").fill("48")
    page.locator("[data-choice]").first.select_option("conv_transpose2d")
    expect(field(page, "output_padding")).to_be_visible()
    expect(field(page, "in_channels")).to_have_value("48")
    expect(
        page.locator("flops-calculator").first.locator(".calculator-field .katex").first
    ).to_be_visible()


def test_a_formula_that_changes_is_set_anew(open_page, site):
    page = open_page(site + "linear/")
    ready(page)
    field(page, "bias").check()
    rows = page.locator("flops-calculator").first.locator("tr")
    changed = rows.filter(has_text="Parameters").locator("[data-tex]").first
    expect(changed).to_have_attribute(
        "data-tex", r"\text{params} = d_\text{in} \cdot d_\text{out} + d_\text{out}"
    )
    expect(changed.locator(".katex")).to_be_visible()


def test_reset_brings_the_printed_figures_back(open_page, site):
    page = open_page(site)
    ready(page)
    field(page, "in_features").fill("1")
    expect(figure(page, "macs")).to_have_attribute("value", "11008")
    page.get_by_role("button", name="Reset").first.click()
    expect(figure(page, "macs")).to_have_attribute("value", "45088768")


@pytest.mark.parametrize(
    ("button", "words"),
    [
        ("Markdown", "| Multiply-accumulates | "),
        ("LaTeX", r"\begin{aligned}"),
        ("Python", "import torch"),
    ],
)
def test_the_answer_can_be_copied(open_page, site, button, words):
    page = open_page(site)
    ready(page)
    page.get_by_role("button", name=button).first.click()
    expect(page.locator("[data-message]").first).to_have_text("Copied.")
    assert words in page.evaluate("navigator.clipboard.readText()")


def test_a_failure_is_explained_and_can_be_retried(open_page, site):
    page = open_page(site + "why/", quiet=False)
    page.route("**/*.wasm", lambda route: route.abort())
    page.goto(site)
    field(page, "in_features").fill("1")
    calculator = page.locator("flops-calculator").first
    expect(calculator).to_have_attribute("data-state", "failed")
    expect(calculator.locator("[data-mark]")).to_contain_text("Python did not start")
    page.unroute("**/*.wasm")
    calculator.get_by_role("button", name="Try again").click()
    expect(figure(page, "macs")).to_have_attribute("value", "11008")


def test_the_load_is_visible(open_page, site):
    page = open_page(site + "why/")
    page.add_init_script(
        "addEventListener('DOMContentLoaded', () => { window.seen = new Set(); new MutationObserver"
        "(() => seen.add(document.querySelector('flops-calculator')?.dataset.state))"
        ".observe(document, {subtree: true, attributes: true}) })"
    )
    page.goto(site)
    ready(page)
    assert {"loading", "ready"} <= set(page.evaluate("[...seen]"))


def test_a_page_without_a_form_fetches_no_python(open_page, site):
    page = open_page(site + "why/")
    page.wait_for_load_state("networkidle")
    assert not [url for url in page.requests if "/runtime/" in urlsplit(url).path[9:]]


def test_a_reader_who_saves_data_fetches_no_python_until_a_form_is_touched(open_page, site):
    page = open_page(site + "why/")
    page.add_init_script(
        "Object.defineProperty(navigator, 'connection', {value: {saveData: true}})"
    )
    page.goto(site)
    page.wait_for_load_state("networkidle")
    assert not [url for url in page.requests if url.endswith(".wasm")]
    ready(page)


def test_it_works_under_a_sub_path(open_page):
    process, address = serve("--prefix", "/repo/")
    try:
        assert address.endswith("/repo/")
        page = open_page(address)
        ready(page)
        page.get_by_role("link", name="Convolution").first.click()
        page.wait_for_url("**/repo/convolution/")
        field(page, "in_channels").fill("7")
        expect(page.locator(".calculator-worked", has_text="· 7/1 ·").first).to_be_visible()
        assert len([url for url in page.requests if url.endswith("/worker.js")]) == 1
        page.wait_for_load_state("networkidle")
    finally:
        process.terminate()


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(open_page, site, path, scheme):
    page = open_page(site + path, color_scheme=scheme, reduced_motion="reduce")
    page.wait_for_load_state("networkidle")
    page.add_script_tag(path=ROOT / "node_modules" / "axe-core" / "axe.min.js")
    found = page.evaluate("axe.run().then((result) => result.violations)")
    assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found] == []


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_wider_than_a_phone(open_page, site, path):
    page = open_page(site + path, viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_dark_mode_follows_the_system(open_page, site):
    page = open_page(site, color_scheme="dark")
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")


def test_the_printed_page_holds_answer_and_formulas(open_page, site):
    page = open_page(site)
    page.emulate_media(media="print")
    expect(figure(page, "macs")).to_be_visible()
    expect(page.locator("[data-asks=formulas] .katex").first).to_be_visible()
    expect(page.get_by_role("button", name="Reset").first).to_be_hidden()


def test_a_form_is_worked_by_keyboard_alone(open_page, site):
    page = open_page(site)
    ready(page)
    field(page, "in_features").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("2")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "out_features"
    page.keyboard.press("Control+A")
    page.keyboard.type("3")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(figure(page, "params")).to_have_attribute("value", "6")  # 2 * 3, the bias off


def test_a_screen_reader_hears_the_answer(open_page, site):
    page = open_page(site)
    ready(page)
    field(page, "in_features").fill("2")
    expect(page.locator(".calculator-summary").first).to_contain_text("22 016")


def test_a_screen_reader_hears_which_field_is_refused(open_page, site):
    page = open_page(site)
    ready(page)
    field(page, "in_features").fill("-2")
    summary = page.locator(".calculator-summary").first
    expect(summary).to_contain_text("Input features must be at least 1.")


def test_the_convention_decides_what_the_flops_are(open_page, site):
    page = open_page(f"{site}linear/")
    form = page.locator("flops-calculator").first
    form.locator("[name=bias]").check()
    form.locator("[name=in_features]").fill("10")
    form.locator("[name=out_features]").fill("3")
    form.locator("[name=batch_size]").fill("2")
    form.locator("[name=sequence_length]").fill("")
    expect(figure(page, "flops")).to_have_attribute("value", "120")
    form.locator("[name=convention]").select_option("all")
    # 2 rows of 3 outputs: 10 multiplications, 10 additions and that of the bias
    expect(figure(page, "flops")).to_have_attribute("value", "126")


def test_coming_back_to_a_layer_brings_back_what_was_typed(open_page, site):
    page = open_page(f"{site}convolution/")
    field(page, "padding_mode").select_option("circular")
    choice = page.locator("[data-choice]").first
    choice.select_option("conv_transpose3d")
    expect(field(page, "depth")).to_be_visible()
    choice.select_option("conv2d")
    expect(field(page, "padding_mode")).to_have_value("circular")


def test_another_layer_keeps_the_machine_and_the_first_comes_back_as_it_was(open_page, site):
    page = open_page(site + "roofline/")
    calculator = page.locator("flops-calculator").first
    printed = {name: field(page, name).input_value() for name in ("in_features", "device", "dtype")}
    calculator.locator("[data-choice]").select_option("network")
    expect(calculator.locator("[name=architecture]")).to_be_visible()
    assert [field(page, name).input_value() for name in ("device", "dtype")] == [
        printed["device"],
        printed["dtype"],
    ]
    calculator.locator("[data-choice]").select_option("linear")
    expect(field(page, "in_features")).to_have_value(printed["in_features"])
    assert printed["in_features"] != "768"  # torch has no default; the form begins with 768


def test_every_link_to_a_calculator_of_the_page_brings_its_figures(open_page, site):
    page = open_page(site + "peak/")
    links = page.locator(".device-table a[href*='#calculator-peak']")
    queries = [urlsplit(links.nth(place).get_attribute("href")).query for place in range(3)]
    devices = [parse_qs(query)["device"][0] for query in queries]
    for place in (0, 1, 2, 1):
        links.nth(place).click()
        expect(field(page, "device")).to_have_value(devices[place])
        expect(page.locator("#calculator-peak")).to_be_in_viewport()
        assert urlsplit(page.url).query == queries[place]
    page.go_back()
    expect(field(page, "device")).to_have_value(devices[2])


@pytest.mark.parametrize("path", PAGES)
def test_every_layer_that_a_page_offers_opens_with_an_answer(open_page, site, path):
    page = open_page(site + path)
    for calculator in page.locator("flops-calculator:has([data-choice])").all():
        choice = calculator.locator("[data-choice]")
        answer = calculator.locator(".calculator-answer")
        for layer in choice.evaluate("select => [...select.options].map(each => each.value)"):
            choice.select_option(layer)
            expect(answer).not_to_have_attribute("data-old", "")
            expect(calculator.locator("[aria-invalid]")).to_have_count(0)


def test_a_figure_shows_with_the_keyboard_what_it_shows_with_the_pointer(open_page, site):
    page = open_page(f"{site}convolution/")
    parts = page.locator(".figure").first.locator(".figure-part")
    shown = parts.nth(1).locator(".figure-shown")
    expect(shown).to_be_hidden()
    parts.nth(0).focus()
    page.keyboard.press("Tab")
    expect(shown).to_be_visible()
    expect(parts.nth(0).locator(".figure-shown")).to_be_hidden()


def test_a_pasted_configuration_is_understood_or_rejected_wholly(open_page, site):
    page = open_page(site + "inference/")
    ready(page)
    message = page.locator("[data-message]").first
    # Mistral 7B v0.1; its class has 8 key-value heads and a window of 4096 (transformers 5.23.0)
    paste(page, '{"model_type": "mistral", "torch_dtype": "bfloat16"}', "hidden_size")
    expect(message).to_contain_text("Read as mistral")
    expect(figure(page, "params")).to_have_attribute("value", "7241732096")
    expect(field(page, "dtype")).to_have_value("bf16")
    expect(field(page, "sliding_window")).to_have_value("4096")
    gpt2 = '{"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12}'
    paste(page, gpt2, "hidden_size")
    expect(message).to_contain_text("gpt2 can't be counted yet")
    expect(figure(page, "params")).to_have_attribute("value", "7241732096")
    field(page, "sequence_length").fill("2")
    expect(message).to_be_empty()
