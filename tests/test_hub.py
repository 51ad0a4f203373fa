"""Models and data sets by hub name, fetched by the real client from a server that speaks the hub's protocol."""
import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

COMMIT = "a" * 40
REPOSITORIES = {
    "datasets/owner/rows": {"data/train.jsonl": b'{"prompt": "1+1=", "answer": "2"}\n', "README.md": b"rows"},
    "models/owner/model": {"config.json": b'{"model_type": "qwen2"}', "model.safetensors": b"weights", "old.bin": b"not wanted"},
}


class Hub(BaseHTTPRequestHandler):
    """The four requests that a download takes: which commit, which files, and head and body of each."""

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.do_GET(body=False)

    def do_GET(self, body: bool = True):
        path, headers, answer = self.path.partition("?")[0].removeprefix("/api"), {}, None
        kind = "" if path.startswith(("/datasets", "/models")) else "/models"
        for name, files in REPOSITORIES.items():
            before, found, rest = (kind + path).partition(name)
            if found and before == "/" and rest == "/revision/main":
                answer = json.dumps({"id": name.partition("/")[2], "sha": COMMIT, "siblings": [{"rfilename": f} for f in files]}).encode()
            elif found and before == "/" and rest == f"/tree/{COMMIT}":
                listed = [{"type": "file", "path": f, "size": len(b), "oid": hashlib.sha1(b).hexdigest()} for f, b in files.items()]
                answer = json.dumps(listed).encode()
            elif found and before == "/" and rest.startswith(f"/resolve/{COMMIT}/"):
                answer = files[rest.removeprefix(f"/resolve/{COMMIT}/")]
                headers = {"ETag": f'"{hashlib.sha1(answer).hexdigest()}"', "X-Repo-Commit": COMMIT}
        self.send_response(404 if answer is None else 200)
        for name, value in (headers if answer is not None else {"X-Error-Code": "RepoNotFound"}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer or b"")))
        self.end_headers()
        if body:
            self.wfile.write(answer or b"")


@pytest.fixture
def ask(tmp_path):
    """Runs a line of Python whose hub is ours, and gives back what it printed."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {**os.environ, "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HOME": str(tmp_path)}

    def run(code: str) -> str:
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    yield run
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", ["owner/rows", "owner/rows:data", "owner/rows:data/train.jsonl"])
def test_rows_of_a_hub_data_set_are_fetched_and_read(ask, name):
    assert ask(f"from areal_lite.dataset.readers import load_rows; [r] = load_rows({name!r}); print(r.prompt, r.answers)") == "1+1= ('2',)"


def test_a_hub_model_is_fetched_without_the_formats_that_are_not_read(ask):
    directory = Path(ask("from areal_lite.launch.stages import local; print(local('owner/model'))"))
    assert {f.name: f.read_bytes() for f in directory.iterdir()} == {
        "config.json": b'{"model_type": "qwen2"}', "model.safetensors": b"weights"}


def test_an_evaluation_takes_a_hub_name_and_its_results_have_the_models_name(ask):
    label, path = ask("""
from areal_lite.evaluation.settings import Settings, checkpoints
[c] = checkpoints(Settings(model="owner/model"))
print(c.label, c.path)
""").split()
    assert label == "owner-model" and (Path(path) / "model.safetensors").read_bytes() == b"weights"


def test_what_the_hub_does_not_have_is_an_error_that_names_it(ask):
    said = ask("""
from areal_lite.dataset.readers import load_rows
from areal_lite.launch.stages import local
for call in (lambda: load_rows("owner/none"), lambda: local("owner/none"), lambda: load_rows("owner/rows:nowhere")):
    try:
        call()
    except ValueError as error:
        print(str(error).splitlines()[0])
""").splitlines()
    assert said[0].startswith("data 'owner/none' is no local path and could not be fetched from the hub: 404")
    assert said[1].startswith("model 'owner/none' is no directory and could not be fetched from the hub: 404")
    assert said[2] == "the hub data set 'owner/rows' has no file or folder 'nowhere'"
