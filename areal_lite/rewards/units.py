"""Units and currency: from the tokens after a number to a scale and dimensions.

A unit that is not in the table is kept by its words. Percent is a unit too: its meaning is comparison's business.
"""

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import prod

from areal_lite.rewards.lexer import Token
from areal_lite.rewards.vocabulary import UNIT_LETTERS

TABLE = """
m meter metre 1 L | cm centimeter centimetre 0.01 L | mm millimeter millimetre 0.001 L | km kilometer kilometre 1000 L |
nm nanometer 1e-9 L | in inch inches 0.0254 L | ft foot feet 0.3048 L | yd yard 0.9144 L | mi mile 1609.344 L | s sec second 1 T |
min minute 60 T | h hr hour 3600 T | day 86400 T | week wk 604800 T | ms millisecond 0.001 T | month 1 M | year yr 12 M | g gram gm 1 G |
kg kilogram kilo 1000 G | mg milligram 0.001 G | lb pound lbs 453.59237 G | oz ounce 28.349523125 G | ton tonne 1000000 G |
l liter litre 0.001 LLL | ml milliliter millilitre 0.000001 LLL | dollar usd buck 1 $ | cent 0.01 $ | euro eur 1 E | rupee rs inr 1 R |
gbp 1 P | yen yuan rmb 1 Y | percent percentage pct 1 % | degree deg 1 D | mph 0.44704 L/T | kmh kph 0.27777777777777777777 L/T |
unit units 1 | square sq squared 1 ^2 | cubic cubed cu 1 ^3 | kpa 1000 A | atm 101325 A | mhz 1000000 1/T | khz 1000 1/T | kn 1000 N |
ohm 1 U | volt v 1 v | amp 1 I | n newton 1 N | j joule 1 J | kj kilojoule 1000 J | ev 1 V | w watt 1 W | kw kilowatt 1000 W |
hz hertz 1 1/T | pa pascal 1 A | mol mole 1 O | k kelvin 1 K | hundred 100 x | thousand 1000 x | half halves 0.5 x | third 1/3 x |
tenth 0.1 x | hundredth 0.01 x | thousandth permille 0.001 x | million 1000000 x | billion 1000000000 x | trillion 1000000000000 x |
dozen 12 x | quart qt 1 Q | gallon gal 4 Q | pint pt 0.5 Q | cup 0.25 Q | acre 1 B | cal calorie 1 H | kcal 1000 H | radian rad 1 r |
old ago tall long wide more apiece each 1 | c celsius 1 C | f fahrenheit 1 F | angstrom 1e-10 L | microm micron micrometer 1e-6 L |
micros microsecond 1e-6 T | microg microgram 1e-6 G | per /
"""


@dataclass(frozen=True, slots=True)
class Unit:
    """What stands after a number, reduced to base units."""

    scale: Fraction
    """Of one such unit in the base units of its dimensions."""
    dimensions: str
    """Sorted letters with their powers, such as L1 T-1; "" is a plain number."""
    multiple: Fraction
    """Of million, dozen and the like; part of the number."""
    words: frozenset[str]
    """Words the table does not know; with any, only the number can be compared."""
    qualified: bool = False
    """It changes what the number says; `dimensions` is then its words."""


def _build() -> dict[str, tuple[Fraction, str]]:
    table = {}
    for entry in TABLE.split("|"):
        words = entry.split()
        if len(words) < 2:
            continue
        has_dimension = not words[-1][0].isdigit() or "/" in words[-1]
        dimension = words.pop() if has_dimension else ""
        scale = Fraction(words.pop()) if words[-1][0].isdigit() else Fraction(1)
        for word in words:
            table[word] = (scale, dimension)
            if len(word) > 1:
                table[word + "s"] = (scale, dimension)
    return table


UNITS = _build()
WORDS = frozenset(word for word in UNITS if len(word) > 1 and word not in ("in", "units"))
CURRENCY = {"\\dollar": "dollar", "€": "euro", "\\euro": "euro", "£": "gbp", "\\pounds": "gbp", "¥": "yen",
            "₹": "rupee"}  # fmt: skip
SIGNS = {"\\%": "percent", "%": "percent", "\\degree": "degree", "\\AA": "angstrom", "\\mu": "mu", "\\Omega": "ohm", **CURRENCY}
QUALIFIERS = {"or", "above", "below", "least", "most", "not", "except", "if", "when", "unless", "factorial"}
"""After a number they change what it says: 5 or more is not 5."""
GLUE = {"/", "^", "\\cdot", "*", "{", "}", "-", "(", ")", "\\times"}


def _is_unit(token: Token) -> bool:
    if token.kind == "text":
        return any(c.isalpha() for c in token.text) or token.text in ("%", "\\%")
    if token.kind == "word":
        return token.text.lower() in UNITS or (token.text.isalpha() and len(token.text) > 3) or token.text == "per"
    if token.kind == "symbol":
        return token.spaced and token.text in UNIT_LETTERS
    return token.text in SIGNS


def split_unit(tokens: list[Token]) -> int:
    """Index where the trailing unit begins; len(tokens) when there is none."""
    start = len(tokens)
    at = start
    while at > 0:
        token = tokens[at - 1]
        if _is_unit(token):
            start = at = at - 1
        elif token.text in GLUE or (token.text.lstrip("-").isdigit() and at > 1 and tokens[at - 2].text in "^{-"):
            at -= 1
        elif token.kind == "symbol" and token.text in UNIT_LETTERS and "/" in (
            tokens[at - 2].text if at > 1 else "", tokens[at].text if at < len(tokens) else ""
        ):
            start = at = at - 1
        else:
            break
    return start


@lru_cache(maxsize=1024)
def parse_unit_text(words: str) -> Unit:
    """Scale and dimensions of unit tokens joined by spaces, such as km / h, cm ^ 2, square feet, miles per hour."""
    terms: list[tuple[Fraction, str, int]] = []
    """Scale, dimension, power."""
    multiple, unknown, below, pending = Fraction(1), set(), False, 1
    words = words.replace("{", " ").replace("}", " ").replace("~", " ").replace("\\cdot", " ").replace("\\mu ", "micro")
    for mark in "/^.(),":
        words = words.replace(mark, f" {mark} ")
    parts = words.replace("ms ^ -", "m s ^ -").replace("per cent", "percent").split()
    if QUALIFIERS & set(parts) or parts in (["squared"], ["cubed"]):
        return Unit(Fraction(1), words, Fraction(1), frozenset(), True)
    for n, part in enumerate(parts):
        name = SIGNS.get(part, part if part in ("K", "C", "F") else part.lower())
        scale, dimension = UNITS.get(name.lower(), (None, ""))
        before = parts[n - 1] if n else ""
        if part in ("/", "per"):
            below = True
        elif part.lstrip("-").isdigit() and before in ("^", "-") and terms:
            sign = -1 if part.startswith("-") or before == "-" else 1
            terms[-1] = (*terms[-1][:2], terms[-1][2] * sign * min(abs(int(part)), 9))
        elif scale is None:
            if part.isalpha() and name not in ("of", "and", "the", "in", "a", "each", "total", "about"):
                unknown.add(name.rstrip("s"))
        elif dimension == "x":
            multiple *= scale
        elif dimension.startswith("^"):
            pending = int(dimension[1])
            if terms and n + 1 == len(parts) and part not in ("square", "cubic", "sq", "cu"):
                terms[-1] = (*terms[-1][:2], terms[-1][2] * pending)
        else:
            terms.append((scale, dimension, -pending if below else pending))
            pending = 1
    counts: Counter[str] = Counter()
    for _, dimension, power in terms:
        for letters, sign in zip(dimension.split("/"), (1, -1), strict=False):
            for letter in letters.replace("1", ""):
                counts[letter] += sign * power
    dimensions = " ".join(f"{letter}{count}" for letter, count in sorted(counts.items()) if count)
    return Unit(prod((scale**power for scale, _, power in terms), start=Fraction(1)), dimensions, multiple, frozenset(unknown))


def compound(tokens: list[Token]) -> tuple[Fraction, str] | None:
    """6 ft 2 in, or 2 hours 30 minutes: the value in the first unit, and that unit's words."""
    starts = [n for n, token in enumerate(tokens) if token.kind == "number"]
    if len(starts) != 2 or starts[0] or any(t.kind not in ("number", "text", "word") and t.text not in UNIT_LETTERS for t in tokens):
        return None
    words = [" ".join(t.text for t in part) for part in (tokens[1 : starts[1]], tokens[starts[1] + 1 :])]
    first, second = map(parse_unit_text, words)
    if not first.dimensions or first.dimensions != second.dimensions or first.words or second.words:
        return None
    return tokens[0].value + tokens[starts[1]].value * second.scale / first.scale, words[0]
