"""Published networks, against torchvision's and Hugging Face's own."""

import pytest
import torch
from transformers import ResNetConfig, ResNetForImageClassification

from calculator import InvalidField, Network
from calculator.answers.evaluate import evaluate
from calculator.networks.architectures import ARCHITECTURES
from scripts.tools.read import environment
from scripts.tools.subjects import torchvision
from scripts.torch_layers.run import count, run


@pytest.fixture(scope="module")
def models():
    """torchvision's builders by their names."""
    environment("torchvision")
    return torchvision()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_network_is_torchvisions(models, name):
    ours = Network(architecture=name, batch_size=2, input_requires_grad=False)
    with torch.device("meta"):
        theirs = getattr(models, name)().eval()
        given = (torch.zeros(2, 3, 224, 224),)
        macs, training_macs = count(theirs, given, False, True)
        assert tuple(theirs(*given).shape) == ours.output_shape
    assert ours.params == sum(each.numel() for each in theirs.parameters())
    assert ours.buffers == sum(each.numel() for each in theirs.buffers())
    assert ours.macs == macs
    if name != "mobilenet_v2":  # FlopCounterMode forgets the groups in the gradient of a weight
        assert ours.training_macs == training_macs


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_layers_bear_the_names_that_torchvision_gives_them(models, name):
    ours = Network(architecture=name)
    with torch.device("meta"):
        theirs = getattr(models, name)()
    known = {label for label, module in theirs.named_modules() if not any(module.children())}
    labels = {
        label for label, (how, _) in zip(ours.labels, ours.runs, strict=True) if how == "module"
    }
    assert labels == known


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", ["alexnet", "vgg11", "resnet18", "resnet50", "mobilenet_v2"])
def test_a_network_keeps_what_autograd_keeps(models, name, training):
    ours = Network(
        architecture=name, batch_size=2, image_size=64, input_requires_grad=False,
        training=training,
    )  # fmt: skip
    theirs = getattr(models, name)().train(training)
    with torch.backends.mkldnn.flags(enabled=False):
        answer = run(theirs, (torch.zeros(2, 3, 64, 64),), False, True)
    assert ours.activation_bytes == answer.activation_bytes


@pytest.mark.parametrize("early", [False, True])
def test_the_stride_of_a_bottleneck_stands_where_hugging_face_puts_it(early):
    ours = Network(architecture="resnet50", stride_in_1x1=early)
    config = ResNetConfig(depths=[3, 4, 6, 3], downsample_in_bottleneck=early, num_labels=1000)
    with torch.device("meta"):
        theirs = ResNetForImageClassification(config).eval()
        with torch.utils.flop_counter.FlopCounterMode(display=False) as counter:
            theirs(torch.zeros(1, 3, 224, 224))
    assert ours.flops == counter.get_total_flops()
    assert ours.params == sum(each.numel() for each in theirs.parameters())


@pytest.mark.parametrize(
    ("name", "macs", "params"),
    [
        # shared/facts/contents.md, page 14, and the papers' tables
        ("alexnet", 714_188_480, 61_100_840),
        ("vgg16", 15_470_264_320, 138_357_544),
        ("resnet50", 4_089_184_256, 25_557_032),
        ("mobilenet_v2", 300_774_272, 3_504_872),
    ],
)
def test_published_figures(name, macs, params):
    network = Network(architecture=name)
    assert (network.macs, network.params) == (macs, params)


# All but the last layer grow with the area: (4,089,184,256 - 2048 * 1000) * 256 * 128 / 224**2
# + 2048 * 1000, as each stage halves both sides without a rest.
OBLONG_MACS = 2_671_198_208


@pytest.mark.parametrize("text", ["256,128", "256, 128", "256x128", "256 × 128", "(256, 128)"])
def test_an_image_has_a_height_and_a_width(text):
    outcome = evaluate("network", {"architecture": "resnet50", "image_size": text})
    assert outcome.calculation.macs == OBLONG_MACS


@pytest.mark.parametrize("text", ["224", "224,224", "224 x 224"])
def test_one_number_is_the_side_of_a_square_image(text):
    outcome = evaluate("network", {"architecture": "resnet50", "image_size": text})
    assert outcome.calculation.input_shape == (1, 3, 224, 224)


@pytest.mark.parametrize("name", ["alexnet", "vgg11", "resnet18", "resnet50", "mobilenet_v2"])
def test_a_network_on_an_oblong_image_is_torchvisions(models, name):
    ours = Network(architecture=name, image_size=(256, 130), input_requires_grad=False)
    with torch.device("meta"):
        theirs = getattr(models, name)().eval()
        macs, _ = count(theirs, (torch.zeros(1, 3, 256, 130),), False, True)
    assert ours.macs == macs


def test_an_image_of_three_sizes_is_refused_by_its_size():
    (error,) = evaluate("network", {"image_size": "3, 256, 128"}).errors.values()
    assert str(error).startswith("image_size: give one number, or 2 separated by commas")


def test_the_size_of_a_square_image_stays_one_number():
    assert Network(image_size=(224, 224)).values()["image_size"] == 224


def test_an_image_that_is_too_small_is_refused_by_its_size():
    with pytest.raises(InvalidField) as refused:
        Network(architecture="alexnet", image_size=20)
    assert refused.value.field == "image_size"


@pytest.mark.parametrize("name", ["vgg16", "resnet34", "mobilenet_v2"])
def test_a_stride_is_moved_only_where_there_are_bottlenecks(name):
    with pytest.raises(InvalidField, match="has no bottlenecks"):
        Network(architecture=name, stride_in_1x1=True)


@pytest.mark.parametrize("width", [0.35, 0.5, 0.75, 1.3, 1.4])
def test_a_width_multiplier_is_torchvisions(models, width):
    ours = Network(architecture="mobilenet_v2", width_mult=width, input_requires_grad=False)
    with torch.device("meta"):
        theirs = models.mobilenet_v2(width_mult=width).eval()
        macs, _ = count(theirs, (torch.zeros(1, 3, 224, 224),), False, True)
    assert (ours.macs, ours.params) == (macs, sum(each.numel() for each in theirs.parameters()))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"width_mult": 1.4}, "does not apply to ResNet-50. Write 1"),
        ({"architecture": "mobilenet_v2", "width_mult": 0}, "must be above 0 and at most 100"),
        ({"architecture": "mobilenet_v2", "width_mult": -1.4}, "must be above 0"),
        ({"architecture": "mobilenet_v2", "width_mult": 1e9}, "must be above 0 and at most 100"),
    ],
)
def test_a_width_multiplier_is_refused_if_it_means_nothing(fields, words):
    with pytest.raises(InvalidField, match=words) as refused:
        Network(**fields)
    assert refused.value.field == "width_mult"


def test_a_relu_that_a_block_runs_twice_is_one_module():
    network = Network(architecture="resnet18")
    relus = [run for run, label in zip(network.runs, network.labels, strict=True)
             if label == "layer1.0.relu"]  # fmt: skip
    assert len(relus) == 2
    assert len({*relus}) == 1
