"""Messages -> prompt text by the model's own chat template, in jinja2's sandbox. Reads two files, waits for nothing.

The same text as transformers' apply_chat_template(add_generation_prompt=True), without importing it. A template that
prints today's date (strftime_now) makes other prompts tomorrow; all others are functions of the messages alone.
"""
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path


def source(folder: Path) -> str:
    """The chat template of a tokenizer's directory; "" when it has none.

    chat_template.jinja, or else tokenizer_config.json's: a text, or a list of named ones of which "default" counts.
    """
    file = folder / "chat_template.jinja"
    said = file.read_text("utf-8") if file.exists() else _config(folder).get("chat_template")
    if isinstance(said, list):
        said = {one["name"]: one["template"] for one in said}.get("default")
    return said or ""


def renderer(folder: Path) -> Callable[[Sequence[tuple[str, str]]], str]:
    """A function from messages (role, content) to text. Both raise ValueError: without a template, with one that is no
    valid Jinja, and when it refuses the messages."""
    import jinja2
    from jinja2.ext import Extension, loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        """{% generation %}, a mark around what an assistant says, changes no text."""
        tags = {"generation"}                                                  # noqa: RUF012

        def parse(self, parser):
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    def refuse(message: str):
        raise jinja2.TemplateError(message)

    text = source(folder)
    if not text:
        raise ValueError(f"data.template=chat, but {folder} has no chat template (chat_template.jinja, or chat_template in "
                         "tokenizer_config.json): add one there, or name another data.template")
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    environment.filters["tojson"] = _json
    environment.globals |= {"raise_exception": refuse, "strftime_now": lambda form: datetime.now().strftime(form)}
    tokens = {key: value["content"] if isinstance(value, dict) else value for key, value in _config(folder).items()
              if key.endswith("_token") and isinstance(value, dict | str)}
    try:
        template = environment.from_string(text)
    except jinja2.TemplateError as error:
        raise ValueError(f"the chat template of {folder} is not valid Jinja: {error}") from error

    def render(messages: Sequence[tuple[str, str]]) -> str:
        said = [{"role": role, "content": content} for role, content in messages]
        try:
            return template.render(messages=said, tools=None, documents=None, add_generation_prompt=True, **tokens)
        except jinja2.TemplateError as error:
            raise ValueError(f"the model's chat template refuses these messages ({', '.join(r for r, _ in messages)}): {error}") from error

    return render


def _json(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False) -> str:
    """Unlike Jinja's own filter it leaves <, > and & as they are."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _config(folder: Path) -> dict:
    return json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
