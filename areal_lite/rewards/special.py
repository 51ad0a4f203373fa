"""Answers that are not mathematics: words, option letters, dates and clock times. Each decides alone when both sides are it."""

import re

LETTER = re.compile(r"[(\[]?(?:\\(?:text(?:bf|rm)?|mathrm|mathbf|textnormal))?\{?\s*\(?\s*([A-Ja-j])\s*\)?\s*[.:]?\s*\}?[)\]]?")
LEAD = re.compile(
    r"(?:(?:therefore|thus|hence|so),? )?(?:the )?(?:(?:correct )?(?:answer|option|choice)(?: is)?:? )?"
    r"\(?(?:\\(?:text(?:bf|rm)?|mathrm|mathbf|textnormal))?\{?\s*\(?([A-Ja-j])(?:\s*\)|\s*[.:]|\s*\}|\s+(?=because|since))(?![\s)}]*[+*/^_=<>&]|[)}]*-).*",
    re.IGNORECASE | re.DOTALL,
)
NAMED = re.compile(r"(?:i choose )?(?:the )?(?:correct )?(?:final )?(?:answer|option|choice)(?: is)?:? \(?([A-Ja-j])\)?", re.IGNORECASE)
HEDGED = re.compile(r"[)}\s](?:or|and)[\s}({]{1,4}(?:\\text ?\{)?\(?[A-J][)}\s.]{0,4}$")
SEVERAL = re.compile(r"[A-H](?:(?:,| and |, and | )?\s*[A-H])+")
MONTHS = {name: n + 1 for n, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split())}
ISO = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")
AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
WORDED = re.compile(rf"(?:{DAY}(?: of)? ([a-z]{{3,9}})|([a-z]{{3,9}}) {DAY})(?:,? (\d{{4}}))?")
CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::00)?(?: ?([ap]) ?m)?|(\d{1,2})(?: ?([ap]) ?m)")


def choice(text: str) -> str:
    """The option letter, or the sorted letters of several; "" when `text` is neither."""
    if len(text) > 60:
        return ""
    match = LETTER.fullmatch(text.strip())
    if match and (match[1].isupper() or text.strip() != match[1]):
        return match[1].upper()
    text = text.removeprefix("\\{").removesuffix("\\}").strip()
    text = re.sub(r"\(([A-H])\)", r"\1", re.sub(r"\\(?:text\w*|math(?:rm|bf))\{([^{}]*)\}", r"\1", text)).replace("  ", " ")
    if len(text) <= 40 and SEVERAL.fullmatch(text):
        letters = [c for c in text if c in "ABCDEFGH"]
        if len(set(letters)) == len(letters) and (sorted(letters) == letters or "," in text):
            return "".join(sorted(letters))
    return ""


def same_choice(answer: str, gold: str) -> bool:
    """`gold` is a choice; the answer names the same letters, perhaps with the option's text after them."""
    wanted = choice(gold)
    if choice(answer):
        return choice(answer) == wanted
    if len(wanted) > 1 or HEDGED.search(answer):
        return False
    if len(answer) == 1:
        return answer.upper() == wanted
    match = NAMED.fullmatch(_bare(answer)) or LEAD.fullmatch(answer[:500])
    return bool(match) and match[1].upper() == wanted


def _bare(text: str) -> str:
    text = re.sub(r"\\(?:text|mathrm|mbox|textbf)\s?|[{}]", "", text)
    return re.sub(r"\s+", " ", text).strip(" .").lower()


def _date(text: str) -> tuple | None:
    """(year or 0, month, day) or ("clock", hour, minute); None when `text` is neither."""
    text = re.sub(r"(?<=[a-z])\.", "", _bare(text[:60]))
    if text.removeprefix("12 ") in ("noon", "midnight"):
        return "clock", 12, 0, "p" if "noon" in text else "a"
    if match := ISO.fullmatch(text):
        return int(match[1]), int(match[2]), int(match[3])
    if match := AMERICAN.fullmatch(text):
        return int(match[3]), int(match[1]), int(match[2])
    match = WORDED.fullmatch(text)
    if match:
        month = (match[2] or match[3])[:3]
        if month in MONTHS:
            return int(match[5] or 0), MONTHS[month], int(match[1] or match[4])
    if match := CLOCK.fullmatch(text):
        hour, minute, half = int(match[1] or match[4]), int(match[2] or 0), match[3] or match[5] or ""
        return "clock", hour, minute, half
    return None


def _by_24_hours(clock: tuple) -> tuple[int, int]:
    _, hour, minute, half = clock
    return (hour % 12 + 12 * (half == "p") if half else hour), minute


def same_date(answer: str, gold: str) -> bool | None:
    """None unless both are dates or clock times."""
    a, b = _date(answer), _date(gold)
    if a is None or b is None:
        return None
    if a[0] == b[0] == "clock":
        same_half = a[3] == b[3] or not a[3] or not b[3]
        return same_half and (a[1:3] == b[1:3] or (bool(a[3]) != bool(b[3]) and _by_24_hours(a) == _by_24_hours(b)))
    return a == b
