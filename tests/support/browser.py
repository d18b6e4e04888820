"""A real Chromium without a window, driven over its DevTools protocol; needs no other package.

`open_browser` starts it and gives a `Page`. Where there is no Chromium, `CHROMIUM` is None.
"""

import asyncio
import base64
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_SWITCHES = (
    "--headless=new --no-sandbox --disable-gpu --no-first-run --remote-debugging-port=0 --hide-scrollbars "
    "--disable-dev-shm-usage --force-color-profile=srgb about:blank"
).split()
_SECONDS = 60


class Page:
    """One tab."""

    def __init__(self, loop: asyncio.AbstractEventLoop, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._loop = loop
        self._socket = socket
        self._last = 0
        self.requests: list[str] = []
        self.errors: list[str] = []

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and wait for its result, noting requests and errors on the way."""
        return self._loop.run_until_complete(asyncio.wait_for(self._call(method, params), _SECONDS))

    async def _call(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        self._last += 1
        await self._socket.send_json({"id": self._last, "method": method, "params": params})
        while True:
            message = await self._socket.receive_json()
            if message.get("id") == self._last:
                assert "error" not in message, message["error"]
                return message["result"]
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
            case "Runtime.exceptionThrown":
                self.errors.append(str(message["params"]["exceptionDetails"]))
            case "Log.entryAdded" if message["params"]["entry"]["level"] == "error":
                self.errors.append(message["params"]["entry"]["text"])

    def open(self, file: Path, ready: str = "document.documentElement?.dataset.ready === 'true'") -> None:
        """Open a file, and wait until an expression of the page is true."""
        self.call("Page.navigate", url="about:blank")
        self.wait("location.href === 'about:blank'")
        self.call("Page.navigate", url=file.resolve().as_uri())
        self.wait(ready)

    def wait(self, expression: str) -> None:
        """Wait until an expression of the page is true."""
        for _ in range(_SECONDS * 50):
            if self.js(f"Boolean({expression})"):
                return
            self.js("new Promise((done) => setTimeout(done, 20))")
        raise AssertionError(f"never true: {expression}")

    def js(self, expression: str) -> Any:
        """Evaluate an expression in the page, a promise to its end; return its value."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def keys(self, text: str) -> None:
        """Press the keys of some signs, one after the other."""
        for sign in text:
            self.call("Input.dispatchKeyEvent", type="keyDown", key=sign, text=sign)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=sign)

    def key(self, name: str) -> None:
        """Press a key that has a name: Enter or Escape."""
        text = {"text": "\r"} if name == "Enter" else {}
        code = {"Enter": 13, "Escape": 27}[name]
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code, **text)

    def size(self, width: int, height: int) -> None:
        """Give the window another size, in CSS pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def media(self, scheme: str, kind: str = "screen") -> None:
        """Prefer `light` or `dark`, on a `screen` or in `print`."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=kind, features=features)

    def screenshot(self, path: Path, whole: bool = False) -> None:
        """Save what the window shows, or the whole page, as a PNG."""
        data = self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))

    def pdf(self, path: Path) -> None:
        """Print the page into a PDF, as on paper."""
        self.media("light", "print")
        path.write_bytes(base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"]))
        self.media("light")


@contextmanager
def open_browser(profile: Path) -> Iterator[Page]:
    """Start Chromium with a new profile in a folder; it ends with the `with` block."""
    assert CHROMIUM is not None
    command = [CHROMIUM, f"--user-data-dir={profile}", *_SWITCHES]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        loop = asyncio.new_event_loop()
        session = None
        try:
            session, socket = loop.run_until_complete(asyncio.wait_for(_connect(profile), _SECONDS))
            page = Page(loop, socket)
            for domain in ("Page", "Runtime", "Network", "Log"):
                page.call(f"{domain}.enable")
            yield page
        finally:
            if session is not None:
                loop.run_until_complete(session.close())
            loop.close()
            process.terminate()
            process.wait()


async def _connect(profile: Path) -> tuple[aiohttp.ClientSession, aiohttp.ClientWebSocketResponse]:
    """Wait for Chromium to name its port, and connect to its tab."""
    port_file = profile / "DevToolsActivePort"
    while not port_file.exists() or not port_file.read_text():
        await asyncio.sleep(0.05)
    port = port_file.read_text().splitlines()[0]
    session = aiohttp.ClientSession()
    async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
        tab = next(t for t in await answer.json() if t["type"] == "page")
    return session, await session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0)
