"""Notices of what a watch has judged: on the desktop, and to a webhook. Neither ever holds up the watch."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from html import escape
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from fauxto.errors import ConfigError

_WAITING = 1000
"""Messages that wait at most; more are dropped, and counted."""

_SECONDS = 10.0
"""For a webhook or a desktop to answer."""

_PAUSES = (1.0, 5.0, 25.0)
"""Seconds before the second, third and fourth try at a webhook."""

_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})

_APPLESCRIPT = """
on run {title, body}
  display notification body with title title
end run
"""

_POWERSHELL = """
$manager = [Windows.UI.Notifications.ToastNotificationManager, Windows.UI.Notifications, ContentType = WindowsRuntime]
$toast = $manager::GetTemplateContent([Windows.UI.Notifications.ToastTemplateType]::ToastText02)
$lines = $toast.GetElementsByTagName('text')
$null = $lines.Item(0).AppendChild($toast.CreateTextNode($env:FAUXTO_TITLE))
$null = $lines.Item(1).AppendChild($toast.CreateTextNode($env:FAUXTO_TEXT))
$manager::CreateToastNotifier('fauxto').Show([Windows.UI.Notifications.ToastNotification]::new($toast))
"""

Message = TypeVar("Message")


class Outbox(Generic[Message]):
    """Sends messages one after another, in a thread of its own."""

    def __init__(self, send: Callable[[Message, threading.Event], str | None], warn: Callable[[str], None]) -> None:
        """Start the thread.

        Args:
            send: Sends one message, and returns what went wrong for good. It stops trying once the event is set.
            warn: Gets a sentence about each message that couldn't be sent.
        """
        self._send = send
        self._warn = warn
        self._messages: queue.Queue[Message] = queue.Queue(_WAITING)
        self._ending = threading.Event()
        self._lost = 0
        threading.Thread(target=self._run, daemon=True).start()

    def put(self, message: Message) -> None:
        """Send a message when its turn comes; drop it where too many wait."""
        try:
            self._messages.put_nowait(message)
        except queue.Full:
            self._lost += 1

    def close(self, seconds: float) -> int:
        """Send what waits for so long at most, without second tries, and return how many messages were never sent."""
        self._ending.set()
        until = time.monotonic() + seconds
        while self._messages.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.02)
        return self._lost + self._messages.unfinished_tasks

    def _run(self) -> None:
        while True:
            message = self._messages.get()
            if problem := self._send(message, self._ending):
                self._lost += 1
                self._warn(problem)
            self._messages.task_done()


def webhook(address: str) -> Callable[[dict[str, Any], threading.Event], str | None]:
    """Return what posts a message to an address as JSON: four tries, 10 seconds each; it follows no redirect.

    What it returns about a failure names the address's host only, for the rest is often a secret.

    Raises:
        ConfigError: It is no http or https address.
    """
    import urllib.error
    import urllib.request

    try:
        parts = urlsplit(address)
    except ValueError:  # half an IPv6 address
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ConfigError("--webhook takes an address such as https://host.example/path, without a user's name")

    class NoRedirects(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any, **__: Any) -> None:
            """Leave the answer as it is, an error: a redirect would send reports to an address nobody named."""

    opener = urllib.request.build_opener(NoRedirects)

    def post(message: dict[str, Any], ending: threading.Event) -> str | None:
        data = json.dumps(message, allow_nan=False).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "fauxto"}
        problem = ""
        for pause in (0.0, *_PAUSES):
            if pause and ending.wait(pause):
                break
            try:
                opener.open(urllib.request.Request(address, data, headers), timeout=_SECONDS).close()  # noqa: S310
            except urllib.error.HTTPError as error:
                error.close()
                problem = f"it answered {error.code}"
                if error.code not in _AGAIN:
                    break
            except (OSError, ValueError) as error:  # URLError is the first; http.client has some of the second
                problem = str(getattr(error, "reason", error)) or type(error).__name__
            except Exception as error:  # http.client's own: an answer that isn't HTTP
                problem = type(error).__name__
            else:
                return None
        return f"the webhook at {parts.hostname} didn't get a message: {problem}"

    return post


def desktop() -> Callable[[tuple[str, str], threading.Event], None] | None:
    """Return what shows a title and a text on the desktop; None where this system has no command for that."""
    by_system = {
        "darwin": ["osascript", "-e", _APPLESCRIPT],
        "win32": ["powershell", "-NoProfile", "-NonInteractive", "-Command", _POWERSHELL],
    }
    command = by_system.get(sys.platform, ["notify-send", "--app-name=fauxto", "--"])
    if shutil.which(command[0]) is None:
        return None
    # Names of files are anybody's: they are arguments or variables, never code, and notify-send's text is markup.
    is_markup = sys.platform not in by_system

    def show(notice: tuple[str, str], _: threading.Event) -> None:
        title, text = notice
        arguments = [] if sys.platform == "win32" else [title, escape(text) if is_markup else text]
        process = subprocess.Popen(  # noqa: S603
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "FAUXTO_TITLE": title, "FAUXTO_TEXT": text},
        )
        try:
            process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    return show
