"""The figures: what they show is what torch's layers compute, and everybody can reach it."""

import re
from xml.etree import ElementTree

import pytest
import torch

from scripts.site.figures import FIGURES
from scripts.torch_layers.definitions import computed
from scripts.torch_layers.masks import Attention

MODULES = {
    "convolution": (torch.nn.Conv2d(1, 1, 3, bias=False), (1, 1, 5, 5)),
    "linear": (torch.nn.Linear(4, 3, bias=False), (1, 4)),
}


def parts(name: str) -> list[ElementTree.Element]:
    return ElementTree.fromstring(FIGURES[name]()).findall("g[@class='figure-part']")


@pytest.mark.parametrize("name", MODULES)
def test_a_figure_shows_as_many_products_as_the_layer_computes(name):
    module, shape = MODULES[name]
    y, tally = computed(module, torch.ones(shape))
    shown = [" ".join(part.itertext()) for part in parts(name)]
    assert len(shown) == y.size
    assert sum(text.count("·") for text in shown) == tally["multiply_accumulates"]


@pytest.mark.parametrize("name", MODULES)
def test_an_output_of_a_figure_sums_no_product_twice(name):
    for part in parts(name):
        products = re.findall(r"\w+·\w+", " ".join(part.itertext()))
        assert len(products) == len(set(products))


@pytest.mark.parametrize("name", FIGURES)
def test_every_part_of_a_figure_takes_the_focus_and_says_what_it_shows(name):
    assert parts(name)
    assert all(part.get("tabindex") == "0" and part.get("aria-label") for part in parts(name))


@pytest.mark.parametrize("name", FIGURES)
def test_the_parts_of_a_figure_say_different_things(name):
    said = [part.get("aria-label") for part in parts(name)]
    assert len(said) == len(set(said))


def test_the_steps_of_decoding_are_as_long_as_the_bytes_and_the_work_of_each():
    prompt, *words = parts("decode")
    # 32 (4 * 4096² + 3 * 4096 * 11008) + 4096 * 32000 weights in matrices, two FLOPs for each and
    # token; scores and values of 512 * 512 pairs in 32 blocks: at 312 TFLOP/s.
    weights = 32 * (4 * 4096**2 + 3 * 4096 * 11008) + 4096 * 32000
    multiplied = 2 * (512 * weights + 32 * 512**2 * 2 * 4096) / 312e12
    # Between them, at 2.039 TB/s and two bytes a number: in each block two norms and two rotations
    # that read and write, two sums of two, a SiLU, a product of two; the embedding, the last norm.
    wide, hidden = 512 * 4096, 512 * 11008
    moved = 2 * (32 * ((2 * 2 + 2 * 2 + 2 * 3) * wide + (2 + 3) * hidden) + 2 * 2 * wide)
    seconds = multiplied + moved / 2.039e12
    scale = float(prompt.find("rect").get("width")) / seconds
    for past, word in enumerate(words, start=512):
        # Two bytes for each of those weights and of the keys and values, at 2.039 TB/s; what is
        # written between the layers, less than a thousandth, comes on top.
        least = 2 * (weights + (past + 1) * 32 * 2 * 4096) / 2.039e12
        assert 1 < float(word.find("rect").get("width")) / scale / least < 1.002
    assert f"{1000 * seconds:.1f} ms, compute-bound" in prompt.get("aria-label")
    assert all("memory-bound" in word.get("aria-label") for word in words)


def test_the_rows_of_the_causal_mask_show_the_keys_that_torchs_mask_leaves():
    mask = Attention(is_causal=True).mask(8, 8)
    for place, (part, seen) in enumerate(zip(parts("attention"), mask, strict=True)):
        lit = part.findall(".//rect[@class='figure-lit']")
        said = " ".join(part.itertext())
        assert len(lit) == seen.sum()
        assert f"sees {seen.sum()} of 8" in said
        assert str(int(mask[: place + 1].sum())) in said.split()
