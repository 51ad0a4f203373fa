"""The configuration in words, out of the dataclasses themselves: configs/README.md and the keys that --help lists.

Consumes the source of a dataclass: the text under a field is its documentation, and a field without one is an error.
"""
import ast
import dataclasses
import inspect
import itertools
import textwrap
import typing
from dataclasses import dataclass

from areal_lite.config.schema import Experiment, Stage

HEAD = """# Configuration

Every key, its default and what it means. Made from `areal_lite/config/schema.py` and `realhf/config.py` by
`python -m areal_lite.config > configs/README.md`; a test holds that it is current.

A file in this directory is an experiment, `exp=NAME`; a file of your own is `exp=FILE.yaml`, or `exp=NAME` when it lies in
`./configs`. It holds only what differs from the defaults. Later wins: defaults, then `base:`, the file, `tiny=true`, the command line.

    base: distill-1.5b            # another experiment, by name, or a file beside this one
    algorithm: {max_staleness: 4}
    stages:                       # replaces the stages of the base; a stage says what it has different
    - name: 8k
      until: {steps: 200}
    - name: 16k
      generation: {max_new_tokens: 16384}

On the command line a dotted key goes to every stage and `stages.NAME.key=value` to one; a list is written `[a,b]`. `--print-config`
shows the result, `--check` what would run where. A key that does not exist is an error that names the nearest; options that
would have no effect beside others are errors too. The keys of `eval-*.yaml`, published settings of an evaluation, are those that
`python -m areal_lite.evaluate --help` lists.

Keys that end in `_s` are seconds, in `_bytes` bytes, in `_mb` MiB, in `_gb` GB; lengths are tokens, shares and rates are between 0 and 1.
"""
WORDS = {int: "whole number", float: "number", str: "text", bool: "true or false"}


@dataclass(frozen=True)
class Key:
    """One key of a configuration."""
    name: str
    kind: str
    """Its type, in words."""
    default: str
    """As it is written in YAML; "" when there is none."""
    text: str


def keys(cls: type) -> list[Key]:
    """The keys of a dataclass in order, without the groups in it. ValueError for a field that nothing is said under."""
    hints, said = typing.get_type_hints(cls), {}
    for part in filter(dataclasses.is_dataclass, cls.__mro__):
        for field, after in itertools.pairwise(ast.parse(textwrap.dedent(inspect.getsource(part))).body[0].body):
            if isinstance(field, ast.AnnAssign) and isinstance(after, ast.Expr):
                said[field.target.id] = ast.literal_eval(after.value)
    plain = [f for f in dataclasses.fields(cls) if not dataclasses.is_dataclass(hints[f.name])]
    if silent := [f.name for f in plain if f.name not in said]:
        raise ValueError(f"{cls.__name__} says nothing under {', '.join(silent)}")
    return [Key(f.name, kind(hints[f.name]), _default(f), " ".join(said[f.name].split())) for f in plain]


def kind(hint: object) -> str:
    """A type in a user's words."""
    inner = typing.get_args(hint)
    if typing.get_origin(hint) is typing.Literal:
        return ", ".join(str(a) if a != "" else '""' for a in inner)
    if typing.get_origin(hint) is tuple:
        if dataclasses.is_dataclass(inner[0]):
            return "list"
        return f"list of {WORDS[inner[0]]}" if inner[-1] is Ellipsis else f"{len(inner)} x {WORDS[inner[0]]}"
    return WORDS[hint]


def help_text(cls: type) -> str:
    """The keys of a command as lines for a terminal, key=default before what it means."""
    lines, margin = [], " " * 26
    for k in keys(cls):
        said = f"  {k.name}={k.default}"
        text = textwrap.fill(k.text, 118, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)
        lines.append(said.ljust(26) + text[26:] if len(said) < 25 else f"{said}\n{text}")
    return "\n".join(lines)


def markdown() -> str:
    """configs/README.md."""
    parts = [HEAD, _section("The run", Experiment, ""), _section("Each stage", Stage, "")]
    for name, hint in typing.get_type_hints(Stage).items():
        if dataclasses.is_dataclass(hint):
            parts += _sections(name, hint)
    return "\n".join(parts)


def _sections(name: str, cls: type) -> list[str]:
    """A group, and the groups in it."""
    inner = {f"{name}.{n}": h for n, h in typing.get_type_hints(cls).items() if dataclasses.is_dataclass(h)}
    return [_section(f"`{name}`", cls, f"{name}."), *[s for n, h in inner.items() for s in _sections(n, h)]]


def _section(title: str, cls: type, prefix: str) -> str:
    rows = [f"| `{prefix}{k.name}` | {_shown(k.default)} | {_cell(k.kind)} | {_cell(k.text)} |" for k in keys(cls)]
    return "\n".join([f"## {title}", "", inspect.getdoc(cls), "", "| key | default | type | meaning |", "|---|---|---|---|", *rows, ""])


def _shown(default: str) -> str:
    return "has to be said" if default == "???" else f"`{default}`" if default else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _default(field: dataclasses.Field) -> str:
    """As in YAML."""
    value = field.default
    if value is dataclasses.MISSING:
        return ""
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    if isinstance(value, float) and value >= 1e6:
        return f"{value:g}"
    return str(value).lower() if isinstance(value, bool) else '""' if value == "" else str(value)
