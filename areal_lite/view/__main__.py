"""python -m areal_lite.view A_RESULTS B_RESULTS: compare two models' answers in a browser.

Serves on 127.0.0.1 and nowhere else unless host= says so; whoever reaches the port can read the results.
"""
import argparse
import sys

from areal_lite.evaluation.results import pairs

DESCRIPTION = """Two models' answers to the same questions side by side in a browser, with who is better and how surely.

  python -m areal_lite.evaluate run=runs/distill-1.5b data=/data/eval n=8                  makes results, below evaluation/
  python -m areal_lite.view evaluation/MODEL_A evaluation/MODEL_B                          all benchmarks that both answered
  python -m areal_lite.view evaluation/MODEL_A/FILE.jsonl evaluation/MODEL_B/FILE.jsonl    one of them
"""


def main(words: list[str] | None = None) -> int:
    """Exit status: 0 after Ctrl-C, 2 when there is nothing to show or Gradio is missing."""
    parser = argparse.ArgumentParser(prog="python -m areal_lite.view", description=DESCRIPTION,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs=2, metavar="RESULTS", help="a model's directory below evaluation/, or one jsonl file in it")
    parser.add_argument("--host", default="127.0.0.1", help="address to serve on (default %(default)s: this machine only)")
    parser.add_argument("--port", type=int, default=7860, help="port to serve on (default %(default)s); 0 picks a free one")
    options = parser.parse_args(words)
    try:
        found = pairs(*options.results)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    try:
        from areal_lite.view.page import FONTS, build, gr
    except ImportError as error:
        print(f"error: the viewer needs Gradio ({error}): pip install -e '.[view]' in the checkout", file=sys.stderr)
        return 2
    names = tuple(r.rstrip("/").split("/")[-3 if r.endswith(".jsonl") else -1] for r in options.results)
    short = tuple(name.split("@")[0] for name in names)
    names = short if len(set(short)) == 2 else names
    page = build(found, names)
    _, url, _ = page.launch(server_name=options.host, server_port=options.port or None, share=False, ssr_mode=False, quiet=True,
                            footer_links=[], theme=gr.themes.Default(font=FONTS, font_mono=["monospace"]), prevent_thread_lock=True)
    print(f"showing {', '.join(p.benchmark for p in found)} at {url}", flush=True)
    page.block_thread()
    return 0


if __name__ == "__main__":
    sys.exit(main())
