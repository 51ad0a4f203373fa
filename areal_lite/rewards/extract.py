"""Where the answer stands in a response. Linear scans only: no regular expression here can backtrack.

Order: the last <answer>...</answer>, and in it or in the whole text after </think>, the last complete box; else what
follows the last "answer is", "answer:", "####"; else a formula that ends the last line; else a response that is
nothing but an answer. A box that never closes is no answer.
"""

import re
from typing import NamedTuple

BRACES = re.compile(r"\\.|[{}]", re.DOTALL)
BOXES = ("\\boxed", "\\fbox", "\\framebox", "oxed{")
"""The last: a string that lost its backslash or kept a backspace in its place."""
MARKERS = (("answer is", "answer:", "####", "答案是", "答案为"), ("final answer",), ("ans:",))
"""Each group by its last place in the text; a later group only where the earlier ones are absent."""
ENDINGS = ("i hope it is correct", "<|im_end|>", "<|endoftext|>", "</s>", "<|eot_id|>", "<|im_start|>", "</answer>")
NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?|-?\.\d+")
ALONE = re.compile(r"\W{0,3}(?:[A-J]|[-+]?\$?\d[\d.,/]{0,40})(?: ?\\?%)?\W{0,3}")
"""A last line that is one letter or one number."""
OPENING = re.compile(r"(?:Therefore|Thus|Hence|So|Finally),? ")
SENTENCE_END = re.compile(r"(?<!^)\. |, (?:as|since|because|which|so|not) |(?<=\d) (?:because|since) ")
SUBJECT = re.compile(r"(?:^|, )([^,]{1,60}) is the (?:correct |final |right )?(?:answer|solution|result)$", re.IGNORECASE)
VERBS = (" is ", " are ", " equals ", " equal to ", " is: ")
ASIDES = (", ", " because ", " since ", " who ", " which ")
MAX_STATED = 60
"""Characters of what a sentence may say its subject is."""
MAX_BARE = 200
"""Characters of a response that may be an answer and nothing else."""


JOINT = re.compile(r"[\s$]*(?:,|;|and|or|, ?and|, ?or|\\text\{ ?,? ?(?:and|or) ?\}|\\q?quad)[\s$]*")
"""Between the boxes of one list of answers."""
MAX_JOINED = 20
"""Boxes."""


class Found(NamedTuple):
    """What a response commits to."""

    answer: str
    """"" when there is none."""
    boxed: bool
    where: str
    """Where it stood, or why there is none."""
    together: str = ""
    """The answers of all boxes that are listed with the last; "" when it stands alone."""


def extract(response: str, last_number: bool = False) -> Found:
    """The answer that `response` commits to."""
    if "</think>" in response:
        response = response.rpartition("</think>")[2]
    for ending in ENDINGS[1:6]:
        response = response.partition(ending)[0] if ending in response else response
    tagged = _between(response, "<answer>", "</answer>")
    text = response if tagged is None else tagged
    box, opened = last_box(text)
    if box is not None:
        return Found(_unboxed(box), True, "box", _joined_boxes(text)) if box.strip() else Found("", True, "empty box")
    if opened:
        return Found("", False, "box never closes")
    marked = after_marker(text)
    if marked:
        return Found(marked, False, "marker")
    if tagged is not None:
        return Found(tagged.strip(), False, "answer tags") if tagged.strip() else Found("", False, "empty answer tags")
    lines = [line for line in text.strip().split("\n") if line.strip()]
    said = _stated(lines[-1].strip()) if lines else ""
    if said and not any(closing in said for _, closing in DELIMITERS):
        return Found(said, False, "last sentence")
    formula = (_last_formula(lines[-1], DELIMITERS) or _last_formula(text.strip(), DELIMITERS[::3])) if lines else ""
    if formula or said:
        return Found(formula or said, False, "last formula" if formula else "last sentence")
    if lines and ALONE.fullmatch(lines[-1].strip()):
        return Found(lines[-1].strip(" *").rstrip(".*"), False, "last line")
    if len(lines) == 1 and len(lines[0]) <= MAX_BARE:
        return Found(lines[0].strip(), False, "whole response")
    if last_number and (numbers := NUMBER.findall(text)):
        return Found(numbers[-1], False, "last number")
    return Found("", False, "no marked answer")


def _between(text: str, opening: str, closing: str) -> str | None:
    end = text.rfind(closing)
    start = text.rfind(opening, 0, max(end, 0))
    return text[start + len(opening) : end] if start >= 0 else None


def last_box(text: str) -> tuple[str | None, bool]:
    """The content of the last complete box, and whether any box was opened."""
    starts = sorted({at + len(name.rstrip("{")) for name in BOXES for at in _positions(text, name)})
    if not starts:
        return None, False
    closers = matching(text)
    for start in reversed(starts):
        at = start
        while at < len(text) and text[at] in " \n\t":
            at += 1
        if at >= len(text):
            continue
        if text[at] == "{":
            if at in closers:
                return text[at + 1 : closers[at]], True
        else:
            word = re.match(r"[^\s$\\,;{}]{1,40}", text[at:])
            if word:
                return word[0].rstrip("."), True
    return None, True


def _joined_boxes(text: str) -> str:
    """1, 2 of \\boxed{1} and \\boxed{2} at the last box; "" when that box stands alone."""
    starts = _positions(text, "\\boxed{")[-MAX_JOINED:]
    if len(starts) < 2:
        return ""
    closers, kept, before = matching(text), [], len(text)
    for start in reversed(starts):
        end = closers.get(start + 6, before)
        if end >= before or (kept and not JOINT.fullmatch(text[end + 1 : before])):
            break
        kept.insert(0, text[start + 7 : end])
        before = start
    return ", ".join(kept) if len(kept) > 1 else ""


def _positions(text: str, name: str) -> list[int]:
    found, at = [], text.find(name)
    while at >= 0:
        found.append(at)
        at = text.find(name, at + len(name))
    return found


def matching(text: str) -> dict[int, int]:
    """Each opening brace that closes -> where. Escaped braces do not count."""
    stack, pairs = [], {}
    for match in BRACES.finditer(text):
        if match[0] == "{":
            stack.append(match.start())
        elif match[0] == "}" and stack:
            pairs[stack.pop()] = match.start()
    return pairs


def _unboxed(content: str) -> str:
    """A box inside a box gives the inner one."""
    for _ in range(3):
        inner, _opened = last_box(content)
        if inner is None:
            break
        content = inner
    return content.strip()


def after_marker(text: str) -> str:
    """The rest of the line after the last marker, without the sentence that may follow it."""
    lower = text.lower()
    if len(lower) != len(text):  # a letter whose lower case is longer
        lower = text
    ends = [max((lower.rfind(m) + len(m) for m in group if m in lower), default=0) for group in MARKERS]
    if not any(ends):
        return ""
    rest = text[next(end for end in ends if end) :].lstrip(" :*\t=\n")
    for word in ("is ", "is:", "**"):
        rest = rest.removeprefix(word).lstrip(" :*\n")
    lines = rest.split("\n")
    line = lines[0].strip()
    if line in ("$$", "\\[") and len(lines) > 1:
        line = lines[1].strip()
    formula = _first_formula(line)
    if formula:
        return formula
    end = line.lower().find(ENDINGS[0])
    line = line[:end] if end >= 0 else line
    line = SENTENCE_END.split(line, maxsplit=1)[0].strip(" *").rstrip(". *")
    return _stated(line) or line


def _first_formula(line: str) -> str:
    """A formula that begins the line and is followed by no more mathematics."""
    if line.startswith("$") and not line.startswith("$$"):
        end = line.find("$", 1)
        if end > 0 and "$" not in line[end + 1 :] and not line[1:2].isspace():
            rest = line[end + 1 :].strip()
            if not rest or rest[0] in ".,;" or len(rest) > 30:
                return line[1:end]
    return ""


def _stated(text: str) -> str:
    """What the last sentence says its subject is: 120 in "The volume of the box is 120."; "" when it is not so plain."""
    text = OPENING.sub("", text.rstrip(" .*").rpartition(". ")[2])
    if subject := SUBJECT.search(text):
        return subject[1].strip(" *$")
    at = max((text.rfind(verb) + len(verb) for verb in VERBS if verb in text), default=0)
    said = text[at:].strip(" *")
    plain = text[:2].isalpha() and not any(aside in text[:at] for aside in ASIDES)
    return said if at and plain and len(said) <= MAX_STATED and re.search(r"\d|\\", said) else ""


DELIMITERS = (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"))


def _last_formula(line: str, delimiters: tuple) -> str:
    """The formula in `delimiters` that ends `line`, up to a few words after it."""
    for opening, closing in delimiters:
        end = line.rfind(closing)
        start = line.rfind(opening, 0, max(end, 0))
        if 0 <= start < end - len(opening) and len(line) - end <= 40:
            return line[start + len(opening) : end].strip()
    return ""
