"""Whatever is typed into any field is read as written down here, or rejected at that field."""

import pytest

from calculator import CALCULATIONS, InvalidField
from calculator.answers.evaluate import evaluate, form_fields
from calculator.core.fields import Choice, Decision, Flag, Size
from calculator.core.measure_fields import Real, Share, Span
from calculator.core.tensor_fields import Extent, Factor, PerAxis, Shape, Shapes
from calculator.machines.machine import Name
from calculator.networks.torch_source import Stack

REJECTED = "rejected"
LISTS = {"axes", "shape", "shapes", "extent", "factor"}
COUNTS = {"parameter", "token", "FLOP", "MAC", "FLOP/s"}
BYTES = {"B", "B/s"}
AMOUNTS = COUNTS | BYTES | {"W", "Hz", "device-hours"}
SHARES = {"share", "span"}
NUMBERS = LISTS | AMOUNTS | SHARES | {"size", "real", "s"}
TIMES = {"s"}
NO_LISTS = NUMBERS - LISTS
NO_SHARES = NUMBERS - SHARES
PREFIXED = NO_SHARES - TIMES
AMOUNTS_IN_THOUSANDS = AMOUNTS | TIMES | {"real"}

READ = [  # by the kinds of field that read them: texts, each with the number that it is
    (NUMBERS, {
        "0": 0, "1": 1, "2": 2, "7": 7, "64": 64, "100": 100, "+5": 5, "-1": -1, "−1": -1, "-0": 0,
        "0.5": 0.5, "1.5": 1.5, ".5": 0.5, "5.": 5, "-0.5": -0.5, "2.0": 2, "00012": 12,
        "1e0": 1, "1e3": 1000, "1E3": 1000, "1e-3": 0.001, "2.5e2": 250, "1e30": 10**30,
        "\t5\n": 5, " 5 ": 5, "\u00a05": 5, "\u202f5\u202f": 5, "5" + " " * 900: 5,
        "0" * 79 + "5": 5, "0." + "3" * 70: 0.3333333333333333, "4.096": 4.096,
        "4*10**3": 4000, "4·10^3": 4000,
        "4_096": 4096, "4'096": 4096, "4\u202f096": 4096, "4\u00a0096": 4096, "4\u2009096": 4096,
        "1_234_567": 1_234_567, "1\u202f234\u202f567": 1_234_567,
    }),
    (NO_LISTS, {"4 x 10^3": 4000, "4×10^3": 4000}),
    (AMOUNTS_IN_THOUSANDS, {
        "4 096": 4096, "224 224": 224_224, "1 234 567": 1_234_567, "1,234,567": 1_234_567,
        "3,224,224": 3_224_224, "6,738,415,616": 6_738_415_616, "1,000.5": 1000.5,
    }),
    ({"FLOP/s", "B/s", "W", "Hz", "device-hours", "s", "real", "factor"} | SHARES, {"1.000": 1}),
    (PREFIXED, {
        "4k": 4000, "4K": 4000, "1.5M": 1_500_000, "1.000k": 1000, "7G": 7 * 10**9,
        "2T": 2 * 10**12,
    }),
    (PREFIXED - LISTS, {
        "4 k": 4000, "5 E": 5 * 10**18, "7 billion": 7 * 10**9, "7 Billion": 7 * 10**9,
        "1.5 million": 1_500_000, "2 thousand": 2000, "2 trillion": 2 * 10**12,
    }),
    (COUNTS | LISTS | {"size", "real", "device-hours"}, {
        "7B": 7 * 10**9, "7b": 7 * 10**9, "7bn": 7 * 10**9, "7Bn": 7 * 10**9,
    }),
    ({"B"}, {"7B": 7}),
    (LISTS | {"size", "real", "parameter", "token"} | BYTES, {"4Ki": 4096}),
    ({"size", "real", "parameter", "token"} | BYTES, {"4 Ki": 4096}),
    (LISTS, {"(3)": 3}),
    (LISTS, {
        "3, 3": (3, 3), "3 , 3": (3, 3), "3 3": (3, 3), "3  3": (3, 3), "3 x 3": (3, 3),
        "3x3": (3, 3), "3×3": (3, 3), "3 × 3": (3, 3), "(3, 3)": (3, 3), "[3, 3]": (3, 3),
        "3,3,": (3, 3), "12 34": (12, 34), "1, 280": (1, 280), "(1,280)": (1, 280),
        "256x128": (256, 128), "256 × 128": (256, 128), "-224, 224": (-224, 224), "0×10": (0, 10),
        "3×3×3": (3, 3, 3), "1,2,3": (1, 2, 3), "12,34,567": (12, 34, 567), "(3,)": (3,),
        "5,": (5,), "1,2,3,4,5,6,7,8,9": (1, 2, 3, 4, 5, 6, 7, 8, 9), "9," * 16 + "9": (9,) * 17,
    }),
    (LISTS - {"shapes"}, {
        "3;3": (3, 3), "2; 3": (2, 3), "2, 3; 4, 5": (2, 3, 4, 5),
    }),
    ({"shapes"}, {
        "3;3": ((3,), (3,)), "2; 3": ((2,), (3,)), "2, 3; 4, 5": ((2, 3), (4, 5)),
        "2, 3;": ((2, 3),),
    }),
    (LISTS - {"shape", "shapes", "factor"}, {
        "256,128": (256, 128), "224,224": (224, 224), "32,768": (32, 768),
    }),
    (LISTS - {"shape", "shapes"}, {"224 224": (224, 224)}),
    (LISTS - {"factor"}, {"1,5": (1, 5), "22,4": (22, 4), "0,5": (0, 5)}),
    ({"axes"}, {"None, 3": (None, 3), "3, None": (3, None)}),
    ({"factor"}, {
        "1.5, 2": (1.5, 2), "1.5,2.5": (1.5, 2.5), "2.5 x 3": (2.5, 3), "0.5, 0.8": (0.5, 0.8),
        "1e31": 1e31, "1e300": 1e300, "9" * 40: 1e40, "9" * 80: 1e80,
    }),
    ({"FLOP", "MAC", "FLOP/s"}, {
        "90 GFLOPs": 9 * 10**10, "90 Gflops": 9 * 10**10, "90 GFLOP": 9 * 10**10,
        "8.2 BFLOPs": 8_200_000_000, "624 TOPs": 624 * 10**12,
    }),
    ({"FLOP/s"}, {
        "90 GFLOPS": 9 * 10**10, "19.5 TFLOP/s": 19_500 * 10**9, "19.5 TFLOPS": 19_500 * 10**9,
        "19.5 TFLOPs/s": 19_500 * 10**9, "624 TOPS": 624 * 10**12, "8.2 BFLOPS": 8_200_000_000,
    }),
    ({"MAC"}, {"4 GMACs": 4 * 10**9, "4 GMac": 4 * 10**9}),
    ({"B"}, {
        "12 GB": 12 * 10**9, "4 kB": 4000, "80 GiB": 85_899_345_920, "5 bytes": 5,  # 80 * 1024**3
    }),
    ({"B/s"}, {
        "80 MiB/s": 83_886_080, "1.555 TB/s": 1555 * 10**9, "900GB/s": 9 * 10**11,
        "5 GBps": 5 * 10**9,
    }),
    ({"s"}, {
        "48 µs": 48e-6, "48 μs": 48e-6, "48us": 48e-6, "48 usec": 48e-6, "48 ms": 0.048,
        "1.5 s": 1.5, "250 ns": 250e-9, "1000 ps": 1e-9, "2 min": 120, "2 minutes": 120,
        "1.5 h": 5400, "1.5h": 5400, "2 hours": 7200, "3 d": 259_200, "3 days": 259_200,
    }),
    ({"device-hours"}, {
        "1.5 h": 1.5, "1.5h": 1.5, "2 hours": 2, "184k GPU-hours": 184_000, "2 GPU-days": 48,
    }),
    ({"W"}, {"400 W": 400, "0.4 kW": 400, "400 mW": 0.4}),
    ({"Hz"}, {"1.41 GHz": 1_410_000_000, "1410 MHz": 1_410_000_000, "1.41 Ghz": 1_410_000_000}),
    ({"parameter"}, {"7B params": 7 * 10**9, "7 billion parameters": 7 * 10**9}),
    ({"token"}, {"2T tokens": 2 * 10**12}),
    (SHARES, {"40 %": 0.4, "40%": 0.4, "0.4 %": 0.004, "100 %": 1}),
    ({"span"}, {
        "0.5 – 0.8": (0.5, 0.8), "0.5-0.8": (0.5, 0.8), "50-80%": (0.5, 0.8),
        "50 – 80 %": (0.5, 0.8), "50 %–80 %": (0.5, 0.8), "50, 80 %": (0.5, 0.8),
        "0.5, 0.8": (0.5, 0.8), "0.5 to 0.8": (0.5, 0.8), "0.5..0.8": (0.5, 0.8),
    }),
    ({"flag", "decision"}, {
        "1": True, "true": True, "True": True, "TRUE": True, "yes": True, "on": True,
        "0": False, "false": False, "no": False, "off": False,
    }),
    ({"decision"}, {"none": None}),
]  # fmt: skip

JUNK = r"""
1e400 1e-400 1e99999999999 10m 4kk 7milliard 1k5 1__0 1_0 12_34 4_096'000 0_096
4,096 1,024 1,555T 0,048 1,280 10,000 1.000,5 1.000.000 1,,5 ,5 , 3,,3
3X3 3*3 3/3 x3 3x 0x10 0X1F 0b1 0o7 ((3)) (3 3) {3} <3>
4GMAC/s 3FMAs 12gb 12Gb 5Tb/s 5Gbps 8bit 48Ms 2m 1:30 1h30 400w 31J 3kWh 139FLOP/B
101% 120% -5% 0% 40percent 40‰ % 5%% 5-6 5- -5- nan NaN inf Infinity -inf null
undefined y maybe one zero auto 1/3 1:2 ~5 ≈5 5+ <5 >5 =5 5..6 5…6 1e3.5 1e e3 1e+
--1 ++1 +-1 1-2 1+2 2*3 2**3 2^3 5! #5 5# №5 5th #N/A 2024-01-02 12:30 1.2.3
127.0.0.1 ±5 5±1 １２ １，２ ١٢ ٣ ٫٥ १२ 二 五 ½ ¼ ² 3² ³ ① Ⅷ ৪ 𝟙𝟚 𝟝 ५ ۵ 5kg
😀 5😀 👍🏽 🔢 5️⃣ ∞ √4 π e i 1i $3 3€ 3°C \n \t 5;DROP ../5 %35 ${5} {{5}}
4’096 4˙096 4·096 4٬096 4，096 4、096 <b>5</b> &#53; 5&nbsp; '5' "5" `5` \5 5\
"""
NOWHERE = [  # no field reads them, but a Choice that has the word
    *JUNK.split(),
    "10 m", "3 n", "1.5 millions", "7 milliard", "1, 024", "90 gflops", "4 GMAC/s",
    "12 gb", "12 Gb", "5 Tb/s", "8 bit", "48 Ms", "2 m", "400 w", "31 J", "3 kWh", "3 px", "3 kg",
    "139 FLOP/B", "3 $", "101 %", "120 %", "-5 %", "0 %", "40 percent", "4 0 %", "40,5 %",
    "50,80 %", "80 – 50 %", "0.2 – 0.3 – 0.4", "1 – 2", "0.5 -", "– 0.5", "0.5 or 0.8", "5 % %",
    "ten thousand", "5 or 6", "1e 3", "5 five", "+1 555 0100", "5\n6", "5\r\n6", "5\t6", "5\x0b6",
    "1\u2003024", "1\u3000024", "4\u2008096", "4\u2002096", "5\u200b", "\u200b5", "\ufeff5",
    "\u200f5", "5\u200e", "\u202e5", "5\x00", "\x00", "\x1b[31m5", "5\u0301", "5\ufe0f", "\ufffd",
    "<script>alert(1)</script>", "5\u20445", "5\u22156", "5 ⁄ 6", "3, true", "2, 3; ; 4",
    "lambda: 1", "__import__('os')", "5 # five", "5 // 2", "1.000 tokens a day", "9" * 81,
    "9" * 1000, "9" * 10_000, "5" + " " * 2000, "," * 10_000, "(" * 10_000, "-" * 10_000,
    "1," * 5000, "5 " + "k" * 50, "5" + "\u0301" * 500, "😀" * 10_000,
]  # fmt: skip

NOTHING = ["", " ", "\n"]
NO_NUMBERS = ["()", "[]", "( )"]
WORDS = ["None", "none", "same", "valid", "reflect", "fp16", "float16", "macs", "h100_sxm"]
LINES = ["Linear(3, 4)", "ReLU()", "F.relu(x)"]
KNOWN = list(dict.fromkeys(text for _, texts in READ for text in texts))
TEXTS = list(dict.fromkeys([*KNOWN, *NOWHERE, *NOTHING, *NO_NUMBERS, *WORDS, *LINES]))

KINDS = {
    Decision: "decision", Choice: "choice", Flag: "flag", Stack: "lines", PerAxis: "axes",
    Size: "size", Factor: "factor", Extent: "extent", Shapes: "shapes", Shape: "shape",
    Span: "span", Share: "share", Real: "real", Name: "name",
}  # fmt: skip


def kind_of(field):
    """Return what a field reads: of a rate, its unit."""
    found = next((kind for owner, kind in KINDS.items() if isinstance(field, owner)), None)
    return found or field.units.name


def written_down(field, text):
    """Return what a field has to make of a text."""
    kind = kind_of(field)
    if kind == "name":
        is_name = text.strip().isprintable() and len(text) <= 60
        return (text.strip() or None) if is_name else REJECTED
    if kind == "lines":
        return ... if text in LINES else REJECTED
    if kind == "choice":
        if text.strip() in ("", "none") and field.optional:
            return None
        word = field.also.get(text.strip(), text.strip())
        return word if word in field.options else REJECTED
    if text == "None" or text in NOTHING or (text in NO_NUMBERS and kind in LISTS):
        return without_number(field, kind, text)
    if kind == "axes" and text in field.words:
        return text
    for kinds, texts in READ:
        if kind in kinds and text in texts:
            return fitted(field, kind, texts[text])
    return REJECTED


def without_number(field, kind, text):
    """Return what a field makes of nothing, or of None."""
    if (kind in ("decision", "span") and text in NOTHING) or (kind, text) == ("decision", "None"):
        return None
    readers_of_none = LISTS - {"shapes"} | {"size", "real"}
    if text == "None" and kind not in readers_of_none:
        return REJECTED
    return None if getattr(field, "optional", False) else REJECTED


def fitted(field, kind, value):
    """Return a number, or several, as the field holds them; REJECTED beyond its limits."""
    several = isinstance(value, tuple)
    if kind in ("flag", "decision"):
        return value
    if several and len(value) > (8 if kind in ("shape", "shapes") else 16):
        return REJECTED
    if kind == "factor":
        return tuple(map(float, value)) if several else float(value) if value else None
    if kind in LISTS:
        return fitted_list(field, kind, value)
    if kind == "span":
        low, high = value if several else (value, value)
        return (low, high) if 1e-6 <= low <= high <= 1 else REJECTED
    if isinstance(value, int) and abs(value) > 10**30:
        return REJECTED
    if kind == "real":
        return value
    if kind == "size" or field.whole:
        return value if value == int(value) and value >= field.minimum else REJECTED
    return value if field.minimum <= value <= field.largest else REJECTED


def fitted_list(field, kind, value):
    """Return whole numbers as a list holds them."""
    if kind == "shapes" and isinstance(value, tuple) and isinstance(value[0], tuple):
        return value
    numbers = value if isinstance(value, tuple) else (value,)
    if kind == "axes" and not isinstance(value, tuple):
        numbers *= len(field.axes)
    least = field.minimum if kind == "axes" else 1 if kind in ("shape", "shapes") else -(10**30)
    holes = kind == "axes" and field.holes and len(field.axes) > 1
    for number in numbers:
        if number is None and holes:
            continue
        if number is None or number != int(number) or number < least:
            return REJECTED
    if kind == "axes":
        if len(numbers) == 1 and field.broadcast:
            numbers *= len(field.axes)
        return numbers if len(numbers) == len(field.axes) else REJECTED
    if kind == "extent":
        return value
    return (numbers,) if kind == "shapes" else numbers


def found(name, field, text):
    """Return what a field of a calculation makes of a text."""
    if getattr(field, "open", False):  # a word that only the layer can judge
        others = CALCULATIONS[name].fields.values()
        texts = {other.name: other.write(other.start) for other in others}
        errors = evaluate(name, texts | {field.name: text}).errors
        return REJECTED if field.name in errors else text.strip()
    try:
        return field.accept(text)
    except InvalidField as error:
        return REJECTED if error.field == field.name else error


def test_there_are_enough_texts():
    assert len(TEXTS) > 400


@pytest.mark.parametrize("name", CALCULATIONS)
def test_a_text_is_read_as_written_down_or_rejected_at_its_field(name):
    wrong = []
    for field in form_fields(CALCULATIONS[name]).values():
        if getattr(field, "find", None):  # devices: tests/test_device_names.py
            continue
        for text in TEXTS:
            wanted, given = written_down(field, text), found(name, field, text)
            if repr(wanted) != repr(given) and not (wanted is ... and given != REJECTED):
                wrong.append((field.name, text[:80], wanted, given))
    assert wrong == []
