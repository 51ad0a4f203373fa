"""python -m areal_lite.view A_RESULTS B_RESULTS: compare two models' answers in a browser.

Serves on 127.0.0.1 and nowhere else unless host= says so; whoever reaches the port can read the results.
"""
import argparse
import sys

from areal_lite.evaluation.results import pairs


def main(words: list[str] | None = None) -> int:
    """Exit status: 0 after Ctrl-C, 2 when there is nothing to show or Gradio is missing."""
    parser = argparse.ArgumentParser(prog="python -m areal_lite.view", description="compare two models' answers side by side")
    parser.add_argument("results", nargs=2, metavar="RESULTS", help="a model's directory below evaluation/, or one jsonl file in it")
    parser.add_argument("--host", default="127.0.0.1", help="address to serve on; private by default")
    parser.add_argument("--port", type=int, default=7860, help="port to serve on; 0 picks a free one")
    options = parser.parse_args(words)
    try:
        found = pairs(*options.results)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    try:
        from areal_lite.view.page import FONTS, build, gr
    except ImportError as error:
        print(f"error: the viewer needs Gradio ({error}): pip install 'areal-lite[view]'", file=sys.stderr)
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
