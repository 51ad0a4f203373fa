"""Files of any published format -> Rows. Content decides, never the file's name; an error names file and row.

Consumes a local file, a directory or a Hugging Face hub data set; filters nothing (an empty gold stays an empty
`answers`, so that the filter can count it). Rows are numbered from 0.
"""
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LFS_POINTER = b"version https://git-lfs"
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+(:[\w./-]+)?")


@dataclass(frozen=True, slots=True)
class Row:
    """One training or evaluation row before any template."""
    id: str
    """The row's own id when it is text, or the file's (folder's) name and its number."""
    problem: str
    """The bare problem; "" when the row holds only a finished prompt."""
    prompt: str
    """The row's own prompt text; "" when it has none."""
    answers: tuple[str, ...]
    """Golds, any one of them is right; empty when the file gives none or an empty one."""
    where: str
    """ "path, row N": for messages."""
    response: str = ""
    """What supervised training imitates."""
    source: str = ""
    """ "gsm8k" or "math" when the row shows it."""
    level: int = 0
    """MATH level 1-5; 0 is unknown."""
    messages: tuple[tuple[str, str], ...] = ()
    """(role, content) of a conversation; of one message `prompt` is the content, of several it is ""."""

    @property
    def text(self) -> str:
        """What is asked, for comparing and showing: the problem, the prompt, or the last message."""
        return self.problem or self.prompt or (self.messages[-1][1] if self.messages else "")


def load_rows(path: str, format: str = "auto", golds: bool = True) -> list[Row]:
    """All rows of `path`: a file, a directory, a hub data set "owner/name[:file or folder]", or several with commas.

    A directory is read as its *.parquet files, or else *.jsonl, or else *.json; of these the train* when there are any.
    Raises ValueError for a file that is missing, a Git LFS pointer, of an unknown format, or has a broken row,
    for an id that occurs twice, and, if golds are needed, for a row without a field for one.
    """
    rows: list[Row] = []
    for part in path.split(","):
        for file in _files(part.strip()):
            records = _records(file)
            read = _reader(format, records, file)
            infos = _companion(file) if read is _areal and "solutions" not in records[0] else None
            rows += [_read_row(read, record, file, n, infos, golds) for n, record in enumerate(records)]
    seen: dict[str, str] = {}
    for row in rows:
        if row.id in seen:
            raise ValueError(f"id {row.id!r} occurs twice: {seen[row.id]} and {row.where}; make the ids unique")
        seen[row.id] = row.where
    return rows


def on_hub(path: str) -> bool:
    """Whether `path` is the name of a hub data set and of nothing on this machine. ValueError when it is neither."""
    local = Path(path).expanduser()
    if local.exists():
        return False
    if not _HUB_NAME.fullmatch(path) or (local.suffix in (".json", ".jsonl", ".parquet") and ":" not in path):
        raise ValueError(f"data {path!r}: no such file or directory, and not a hub data set owner/name[:file]")
    return True


def _files(path: str) -> list[Path]:
    """The data files `path` stands for, in sorted order."""
    local = _download(*path.partition(":")[::2]) if on_hub(path) else Path(path).expanduser()
    if local.is_file():
        return [local]
    for kind in ("parquet", "jsonl", "json"):
        if files := sorted(local.rglob(f"*.{kind}")):
            return [file for file in files if file.name.startswith("train")] or files
    raise ValueError(f"data {path!r}: no *.parquet, *.jsonl or *.json file in this directory")


def _download(name: str, part: str) -> Path:
    """Fetch a hub data set (or one file or folder of it) into the hub's cache."""
    import huggingface_hub

    patterns = [part, f"{part}/*", f"{part.rpartition('/')[0]}/id2info.json".lstrip("/")] if part else None
    try:
        root = Path(huggingface_hub.snapshot_download(name, repo_type="dataset", allow_patterns=patterns))
    except (OSError, ValueError, huggingface_hub.errors.HfHubHTTPError) as error:
        raise ValueError(f"data {name!r} is no local path and could not be fetched from the hub: {error}") from error
    if not (root / part).exists():
        raise ValueError(f"the hub data set {name!r} has no file or folder {part!r}")
    return root / part


def _records(file: Path) -> list[Any]:
    """The file's records as plain Python values, by content: parquet, a JSON list, or JSON lines."""
    head = file.open("rb").read(512)
    if head.startswith(LFS_POINTER):
        raise ValueError(f"{file} is a Git LFS pointer, not the data; run `git lfs pull` where you cloned it")
    if head.startswith(b"PAR1"):
        import pyarrow.parquet

        records = pyarrow.parquet.read_table(file).to_pylist()
    else:
        text = file.read_text("utf-8-sig")
        if text.lstrip().startswith("["):
            records = json.loads(text)
        elif text.lstrip().startswith("{"):
            records = list(_json_lines(text, file))
        else:
            raise ValueError(f"{file} begins with {head[:20]!r}: neither parquet, nor a JSON list, nor JSON lines")
    if not records:
        raise ValueError(f"{file} has no rows")
    return records


def _json_lines(text: str, file: Path) -> Iterator[Any]:
    # Not splitlines(): JSON strings may hold U+2028 and other characters that it takes for line ends.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(f"{file}, line {number} is not JSON: {error}") from error


def _companion(file: Path) -> dict[str, Any]:
    """AReaL's older layout keeps the golds beside the prompts."""
    companion = file.parent / "id2info.json"
    if not companion.exists():
        raise ValueError(f"{file} has no `solutions`; looked for {companion} with {{query_id: {{solutions: []}}}}")
    return json.loads(companion.read_text("utf-8"))


def _read_row(read: Any, record: Any, file: Path, number: int, infos: dict[str, Any] | None, golds: bool) -> Row:
    where = f"{file}, row {number}"
    stem = file.parent.name if file.stem in ("train", "test") else file.stem
    try:
        fields = read(record if infos is None else {**infos.get(record["query_id"], {}), **record})
    except KeyError as error:
        found = f"it has {sorted(record)}" if isinstance(record, dict) else f"it is a {type(record).__name__}"
        raise ValueError(f"{where}: field {error} is missing; {found}") from error
    except (TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"{where}: not a row of this format ({read.__name__.strip('_')}): {error}") from error
    if golds and read in (_plain, _problem_answer) and not {"answer", "answers", "final_answer", "solution"} & set(record):
        raise ValueError(f'{where} has no "answer" (or "answers"); it has {sorted(record)}')
    own_id = fields.pop("id", None)
    fields["id"] = own_id if isinstance(own_id, str) else f"{stem}-{number if own_id is None else own_id}"
    return Row(**{"problem": "", "prompt": "", "answers": (), **fields}, where=where)


def _golds(*values: Any) -> tuple[str, ...]:
    """Gold texts: 27.0 -> "27", lists flattened, a whole \\boxed{...} opened, empty ones left out, doubles too."""
    golds = []
    for value in values:
        if isinstance(value, list | tuple):
            golds += _golds(*value)
        elif isinstance(value, float) and value.is_integer():
            golds.append(str(int(value)))
        elif value is not None:
            text = str(value).strip()
            golds.append(last_boxed(text) if text.startswith("\\boxed{") and text.endswith("}") else text)
    return tuple(dict.fromkeys(gold for gold in golds if gold))


def last_boxed(text: str) -> str:
    """Content of the last complete \\boxed{...}, braces balanced; "" when there is none."""
    start = text.rfind("\\boxed{")
    depth = 0
    for end in range(start + 6, len(text)) if start >= 0 else ():
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        if depth == 0:
            return text[start + 7:end].strip()
    return last_boxed(text[:start]) if start > 0 else ""


def _gsm8k(answer: Any) -> tuple[str, bool]:
    """GSM8K's golds are worked solutions that end in "#### 1,200"; anything else comes back as it is."""
    if isinstance(answer, str) and "####" in answer:
        return answer.rpartition("####")[2].strip().replace(",", ""), True
    return answer, False


def _level(record: dict[str, Any]) -> int:
    """MATH level: 3, "3" or "Level 3"; in DeepScaleR `difficulty`, which is the level only in rows with a `type`."""
    level = record.get("level", record.get("difficulty") if "type" in record else None)
    digits = re.sub(r"\D", "", str(int(level) if isinstance(level, float) else level or ""))
    return int(digits) if digits else 0


def _areal(record: dict[str, Any]) -> dict[str, Any]:
    if record.get("task", "math") != "math":
        raise TypeError(f"task {record['task']!r}; only math rows can be graded")
    return {"id": record["query_id"], "prompt": record["prompt"], "answers": _golds(record["solutions"])}


def _problem_answer(record: dict[str, Any]) -> dict[str, Any]:
    """DeepScaleR {problem, answer}, the evaluation harness files, and original GSM8K and MATH rows."""
    problem = record["problem"] if "problem" in record else record["question"]
    fields: dict[str, Any] = {"id": record.get("unique_id", record.get("id")), "level": _level(record)}
    if "final_answer" in record:
        answer, from_gsm8k = record["final_answer"], False
    elif "answer" in record or "solution" not in record:
        answer, from_gsm8k = _gsm8k(record.get("answer", record.get("answers")))
    else:
        answer, from_gsm8k = last_boxed(record["solution"]), False
    source = "gsm8k" if from_gsm8k else "math" if fields["level"] else ""
    return {**fields, "problem": problem, "answers": _golds(answer), "source": source}


def _orz(record: Any) -> dict[str, Any]:
    """[{from: human, value}, {from: assistant, ground_truth: {value}}]; its evaluation files {prompt, final_answer}."""
    if isinstance(record, dict):
        return {"problem": record["prompt"][0]["value"], "answers": _golds(record["final_answer"])}
    return {"problem": record[0]["value"], "answers": _golds(record[1]["ground_truth"]["value"])}


def _simplerl(record: dict[str, Any]) -> dict[str, Any]:
    return {"problem": record["question"], "prompt": record["input"], "answers": _golds(record["gt_answer"]),
            "level": _level(record), "source": "math"}


def _verl(record: dict[str, Any]) -> dict[str, Any]:
    """verl rows. extra_info.level and index of the published SimpleRL-Zoo files are constants: not used."""
    gold, from_gsm8k = _gsm8k(record["reward_model"]["ground_truth"])
    # The published SimpleRL-Zoo prompts went through str.format once too few: a literal \boxed{{}}.
    asked = _asked([{**message, "content": message["content"].replace("\\boxed{{}}", "\\boxed{}")} for message in record["prompt"]])
    problem = record.get("question") or (record.get("extra_info") or {}).get("question") or ""
    level = _level(record)
    return {**asked, "problem": problem, "answers": _golds(gold), "level": level,
            "source": "gsm8k" if from_gsm8k or "gsm8k" in record.get("data_source", "") else "math" if level else ""}


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    """{prompt, answers or answer}, the rows of a task of one's own."""
    return {"id": record.get("id"), **_asked(record["prompt"]), "answers": _golds(record.get("answer", record.get("answers")))}


def _sft(record: dict[str, Any]) -> dict[str, Any]:
    if not record["response"]:
        raise TypeError("the response is empty")
    return {**_asked(record["prompt"]), "response": record["response"]}


def _asked(prompt: Any) -> dict[str, Any]:
    """The fields of a prompt that is a text, or chat messages [{role, content}]; a single one is a bare problem too."""
    if isinstance(prompt, str):
        return {"problem": prompt, "prompt": prompt}
    messages = tuple((message["role"], message["content"]) for message in prompt)
    if not messages or not all(isinstance(part, str) for message in messages for part in message):
        raise TypeError("the prompt is neither a text nor a list of messages {role, content} that are texts")
    alone = messages[0][1] if len(messages) == 1 else ""
    return {"problem": alone, "prompt": alone, "messages": messages}


FORMATS = {
    "areal": (_areal, ("query_id", "prompt")),
    "verl": (_verl, ("prompt", "reward_model")),
    "orz": (_orz, ("prompt", "final_answer")),
    "simplerl": (_simplerl, ("input", "question", "gt_answer")),
    "sft": (_sft, ("prompt", "response")),
    "deepscaler": (_problem_answer, ("problem",)),
    "plain": (_plain, ("prompt",)),
}
"""Name -> (reader, the keys that tell it). Looked for in this order; "question" counts as "problem"."""


def _reader(format: str, records: list[Any], file: Path) -> Any:
    """The reader for a format name; "auto" looks at the first row."""
    if format != "auto":
        if format not in FORMATS:
            raise ValueError(f"data.format {format!r} is unknown; choose auto or one of {', '.join(FORMATS)}")
        return FORMATS[format][0]
    first = records[0]
    if isinstance(first, list):
        return _orz
    keys = set(first) | ({"problem"} if "question" in first else set()) if isinstance(first, dict) else set()
    for read, needed in FORMATS.values():
        if keys.issuperset(needed):
            return read
    looked_for = "; ".join(f"{name}: {', '.join(needed)}" for name, (_, needed) in FORMATS.items())
    raise ValueError(f"{file}: no known format; its first row has {sorted(keys)}, looked for {looked_for}. "
                     "Name the fields like one of these, or set data.format")
