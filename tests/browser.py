"""Chromium without a window, driven over its DevTools protocol by a pair of pipes: no library, no
port. Debian: apt-get install chromium."""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

EXECUTABLE = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--remote-debugging-pipe",
)
# Seconds.
PATIENCE = 60.0
KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, "End": 35}


class Browser:
    """One page of a browser. Use it with `with`.

    errors: what went wrong on the page: exceptions, errors of the console and of its policy.
    requests: the addresses that were asked for since the last `open`.
    """

    def __init__(self) -> None:
        self.errors: List[str] = []
        self.requests: List[str] = []
        self._last = 0
        self._session: Optional[str] = None

    def __enter__(self) -> "Browser":
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        read, self._to = os.pipe()
        self._from, write = os.pipe()
        flags = [*FLAGS, f"--user-data-dir={self._folder.name}"]
        # The browser reads from file 3 and writes to file 4.
        shell = f'exec "$@" 3<&{read} 4>&{write}'
        self._process = subprocess.Popen(
            ["bash", "-c", shell, "bash", str(EXECUTABLE), *flags],
            pass_fds=(read, write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read)
        os.close(write)
        self._buffer = b""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *error: Any) -> None:
        os.close(self._to)  # The browser ends when its pipe does.
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._from)
        self._folder.cleanup()

    def call(self, method: str, **parameters: Any) -> Dict[str, Any]:
        """Call a method of the protocol, and wait for its result."""
        self._last += 1
        message: Dict[str, Any] = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode("utf8") + b"\0"
        while data:
            data = data[os.write(self._to, data) :]
        while True:
            answer = self._read()
            if answer.get("id") == self._last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: Dict[str, Any] = answer["result"]
                return result
            self._note(answer)

    def view(self, width: int, height: int = 900, *, dark: bool = False) -> None:
        """Set the size of the page, and the reader's colour scheme."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, path: Path) -> None:
        """Open a file, and wait until it is loaded."""
        self.errors.clear()
        self.requests.clear()
        self.call("Page.navigate", url=path.resolve().as_uri())
        self.until(lambda: self.run("document.readyState") == "complete")

    def run(self, script: str) -> Any:
        """The value of an expression of JavaScript; a promise is waited for."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def until(self, condition: Callable[[], Any], seconds: float = PATIENCE) -> None:
        """Wait until a condition holds. Raises: TimeoutError."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError("the page did not get there")
            time.sleep(0.05)

    def press(self, key: str, *, shift: bool = False) -> None:
        """Press a key of `KEYS` and let go."""
        key_of = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
        text = {"text": "\r"} if key == "Enter" else {}
        modifiers = 8 if shift else 0
        self.call("Input.dispatchKeyEvent", type="keyDown", modifiers=modifiers, **key_of, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", modifiers=modifiers, **key_of)

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """Write a PNG of what is in view, or of the whole page."""
        data = self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))

    def _read(self) -> Dict[str, Any]:
        while b"\0" not in self._buffer:
            if not select.select([self._from], [], [], PATIENCE)[0]:
                raise TimeoutError("the browser does not answer")
            data = os.read(self._from, 1 << 16)
            if not data:
                raise RuntimeError("the browser has ended")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        answer: Dict[str, Any] = json.loads(line)
        return answer

    def _note(self, event: Dict[str, Any]) -> None:
        """Keep what an event says of errors and requests."""
        method, says = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.errors.append(str(says["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and says["type"] in ("error", "assert"):
            self.errors.append(str([one.get("value", one) for one in says["args"]]))
        elif method == "Log.entryAdded" and says["entry"]["level"] == "error":
            self.errors.append(says["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(says["request"]["url"])
