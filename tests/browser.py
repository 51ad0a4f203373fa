"""A headless Chromium for tests, driven over the W3C WebDriver protocol with the standard library alone."""
import base64
import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--window-size=1400,1100"]
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"enter": "\ue007", "down": "\ue015"}


def missing():
    """Why there is no browser, or ""."""
    return "" if shutil.which("chromium") and shutil.which("chromedriver") else "chromium and chromedriver are not installed"


class Browser:
    """One window; ended with everything it started at the end of `with`."""

    def __init__(self, profile):
        self.process = subprocess.Popen([shutil.which("chromedriver"), "--port=0"], stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if "started successfully on port" in line:
                self.root = f"http://127.0.0.1:{line.rstrip('.').split('port ')[1].strip().rstrip('.')}/session"
                break
        options = {"binary": shutil.which("chromium"), "args": [*FLAGS, f"--user-data-dir={profile}"]}
        self.root += "/" + self._call("", {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}})["sessionId"]

    def _call(self, path, body=None, method="POST"):
        data = json.dumps({} if body is None else body).encode() if method == "POST" else None
        with urllib.request.urlopen(urllib.request.Request(self.root + path, data, method=method), timeout=180) as reply:
            return json.load(reply)["value"]

    def open(self, url):
        """Load a page."""
        self._call("/url", {"url": url})

    def script(self, text, *arguments):
        """What a function body returns in the page."""
        return self._call("/execute/sync", {"script": text, "args": list(arguments)})

    def _element(self, css):
        return self._call("/element", {"using": "css selector", "value": css})[ELEMENT]

    def click(self, css):
        """Click what the selector finds first."""
        self._call(f"/element/{self._element(css)}/click")

    def type(self, css, text):
        """Type into what the selector finds first."""
        self._call(f"/element/{self._element(css)}/value", {"text": text})

    def value(self, css):
        """Of an input field."""
        return self.script("return document.querySelector(arguments[0])?.value ?? null", css)

    def until(self, condition, timeout_s=120.0):
        """What condition() returns once it is true; TimeoutError with the page's text otherwise."""
        end = time.monotonic() + timeout_s
        while True:
            try:
                if got := condition():
                    return got
            except urllib.error.HTTPError:     # an element that is not there yet
                pass
            if time.monotonic() > end:
                raise TimeoutError(self.script("return document.body.innerText"))
            time.sleep(0.05)

    def screenshot(self, file):
        """Write a PNG of the window."""
        file.write_bytes(base64.b64decode(self._call("/screenshot", method="GET")))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        try:
            self._call("", method="DELETE")
        finally:
            self.process.terminate()
            self.process.wait(60)
            self.process.stdout.close()
