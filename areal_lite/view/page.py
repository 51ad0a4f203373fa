"""The viewer's page: Gradio widgets around words.py. Reads the results once; nobody who looks can change anything.

Model output is untrusted text: it is shown in text boxes, which render nothing. Nothing is fetched from elsewhere, and
questions are rendered without markup that would.
"""
import os

from areal_lite.evaluation.results import Pair
from areal_lite.view import words

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"       # read at import
os.environ["HF_HUB_OFFLINE"] = "1"

import gradio as gr

FONTS = ["system-ui", "sans-serif"]
LATEX = [{"left": left, "right": end, "display": left in ("$$", "\\[")}
         for left, end in (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"))]
LINES = 24


def build(pairs: list[Pair], names: tuple[str, str]) -> gr.Blocks:
    """The page. names: what to call the first and the second model."""
    with gr.Blocks(title="AReaL-lite viewer", analytics_enabled=False, fill_width=True) as page:
        gr.Markdown(f"### {names[0]}  :  {names[1]}")
        with gr.Row():
            benchmark = gr.Dropdown([(_title(p), i) for i, p in enumerate(pairs)], value=0, label="Benchmark", elem_id="benchmark")
            show = gr.Dropdown(list(words.FILTERS), value="all questions", label="Show", elem_id="show")
            back = gr.Button("Previous", elem_id="previous", min_width=110, scale=0)
            ahead = gr.Button("Next", elem_id="next", min_width=110, scale=0)
        question = gr.Dropdown([], label="Question  (right answers first : second)", elem_id="question")
        headline = gr.Markdown(elem_id="headline")
        problem = gr.Markdown(elem_id="problem", latex_delimiters=LATEX, container=True)
        with gr.Row():
            sides = [_side(name, f"side{i}") for i, name in enumerate(names)]

        def choose(b, s):
            """Another benchmark or filter: its questions, and the first of them."""
            choices = words.questions(pairs[b], s)
            return gr.Dropdown(choices, value=choices[0][1] if choices else None), words.headline(pairs[b])

        def ask(b, q):
            """Another question: its text, and both models' first answers."""
            if q is None:
                return ["No such question.", *[w for _ in names for w in (gr.Dropdown([], value=None), "", "")]]
            rows = pairs[b].first[q], pairs[b].second[q]
            return [words.problem(rows[0]),
                    *[w for r in rows for w in (gr.Dropdown(words.samples(r), value=0), *_answer(r, 0))]]

        def step(b, s, q, by):
            places = [i for _, i in words.questions(pairs[b], s)]
            return places[(places.index(q) + by) % len(places)] if q in places else None

        widgets = [problem, *[w for side in sides for w in side]]
        gr.on([benchmark.change, show.change, page.load], choose, [benchmark, show], [question, headline]).then(
            ask, [benchmark, question], widgets)
        question.input(ask, [benchmark, question], widgets)
        for button, by in ((back, -1), (ahead, 1)):
            button.click(lambda b, s, q, by=by: step(b, s, q, by), [benchmark, show, question], question).then(
                ask, [benchmark, question], widgets)
        for i, (sample, facts, text) in enumerate(sides):
            sample.input(lambda b, q, n, i=i: _answer((pairs[b].first, pairs[b].second)[i][q], n), [benchmark, question, sample],
                         [facts, text])
    return page


def _side(name: str, elem_id: str) -> tuple[gr.Dropdown, gr.Textbox, gr.Textbox]:
    with gr.Column():
        sample = gr.Dropdown([], label=f"Answer of {name}", elem_id=f"{elem_id}-sample")
        facts = gr.Textbox(show_label=False, interactive=False, elem_id=f"{elem_id}-facts")
        text = gr.Textbox(show_label=False, interactive=False, lines=LINES, max_lines=LINES, autoscroll=False, elem_id=f"{elem_id}-text")
    return sample, facts, text


def _answer(row: dict, sample: int) -> tuple[str, str]:
    return words.facts(row, sample), row["samples"][sample]["text"]


def _title(pair: Pair) -> str:
    return pair.benchmark + (f"  ({pair.settings[0]})" if pair.settings[0] == pair.settings[1] else "  (different settings)")
