"""Where the answer stands in a response: linear scans, no regular expression that can backtrack."""

MARKERS = ("final answer is", "answer is", "answer:", "####")


def last_box(text: str) -> str | None:
    """The content of the last complete \\boxed{...} or \\fbox{...}; None when there is none."""
    end = len(text)
    while True:
        start = max(text.rfind("\\boxed", 0, end), text.rfind("\\fbox", 0, end))
        if start < 0:
            return None
        content = braced(text, text.find("d", start) + 1 if text.startswith("\\boxed", start) else start + 5)
        if content is not None:
            return content
        end = start


def braced(text: str, start: int) -> str | None:
    """What stands in the balanced braces that open at `start` (after spaces); None when they never close."""
    while start < len(text) and text[start] in " \n\t":
        start += 1
    if start >= len(text) or text[start] != "{":
        return None
    depth = 0
    for position in range(start, len(text)):
        if text[position] == "{":
            depth += 1
        elif text[position] == "}":
            depth -= 1
            if depth == 0:
                return text[start + 1 : position]
    return None


def extract(response: str) -> tuple[str | None, bool]:
    """The answer and whether it was boxed."""
    if "</think>" in response:
        response = response.rpartition("</think>")[2]
    box = last_box(response)
    if box is not None:
        return box.strip(), True
    lower = response.lower()
    for marker in MARKERS:
        at = lower.rfind(marker)
        if at >= 0:
            return response[at + len(marker) :].strip().split("\n")[0].strip(" .:$"), False
    return None, False
