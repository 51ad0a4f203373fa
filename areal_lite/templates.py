"""Prompt templates by name: the exact bytes around a problem. Pure strings; nothing is stripped, added or formatted.

A template holds every special token itself, so prompts are tokenised with add_special_tokens=False. The problem is
put between the two halves and never parsed: braces, backslashes and percent signs in it mean nothing here.
"""
_BOXED = "Please reason step by step, and put your final answer within \\boxed{}."

TEMPLATES: dict[str, tuple[str, str]] = {
    "none": ("", ""),
    # AReaL v0.1, DeepSeek-R1-Distill models; the bars are U+FF5C as in the model's tokenizer.
    "areal-distill": (
        "<｜begin▁of▁sentence｜><｜User｜>",
        f"\n{_BOXED}<｜Assistant｜><think>\n",
    ),
    # Open-Reasoner-Zero, playground/zero_setting_base.py; no beginning-of-sequence token (Qwen2.5 has none).
    "orz": (
        "A conversation between User and Assistant. The User asks a question, and the Assistant solves it. "
        "The Assistant first thinks about the reasoning process in the mind and then provides the User with the "
        "answer. The reasoning process is enclosed within <think> </think> and answer is enclosed within <answer> "
        "</answer> tags, respectively, i.e., <think> reasoning process here </think> <answer> answer here </answer>. "
        "User: You must put your answer inside <answer> </answer> tags, i.e., <answer> answer here </answer>. And "
        "your final answer will be extracted automatically by the \\boxed{} tag.\nThis is the problem:\n",
        "\nAssistant: <think>",
    ),
    # Qwen2.5-Math evaluation harness and SimpleRL v0.
    "qwen25-math-cot": (
        f"<|im_start|>system\n{_BOXED}<|im_end|>\n<|im_start|>user\n",
        "<|im_end|>\n<|im_start|>assistant\n",
    ),
    # SimpleRL-Zoo, stronger base models.
    "qwen-boxed": (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n",
        f"\n{_BOXED}<|im_end|>\n<|im_start|>assistant\n",
    ),
    # SimpleRL-Zoo, weaker base models.
    "abel": ("Question:\n", "\nAnswer:\nLet's think step by step.\n"),
}

NAMES = (*TEMPLATES, "chat")
"""What data.template may be. chat is the model's own chat template, which these bytes know nothing of."""


def render(template: str, problem: str) -> str:
    """The prompt text for one problem. Raises ValueError for an unknown template name."""
    if template not in TEMPLATES:
        raise ValueError(f"template {template!r} is unknown; choose one of {', '.join(NAMES)}")
    before, after = TEMPLATES[template]
    return before + problem + after
