"""What goes wrong with a request, as a problem document (RFC 9457): never a path, a trace or a byte of a picture."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse

# word: status, title. The detail of each problem is a sentence of ours, written where it is raised.
PROBLEMS: Mapping[str, tuple[int, str]] = {
    "bad_request": (400, "The request can't be read"),
    "no_key": (401, "An API key is needed"),
    "forbidden": (403, "This service doesn't do that"),
    "unknown_model": (404, "This service has no such model"),
    "not_found": (404, "There is nothing at this path"),
    "method_not_allowed": (405, "This path doesn't take that method"),
    "too_slow": (408, "The request came too slowly"),
    "too_large": (413, "The request is too large"),
    "wrong_query": (422, "The query isn't as it should be"),
    "wrong_form": (422, "The form isn't as it should be"),
    "not_judged": (422, "The picture can't be judged"),
    "not_fetched": (422, "The address can't be fetched"),
    "rate_exceeded": (429, "Too many pictures"),
    "internal": (500, "Something went wrong here"),
    "busy": (503, "The service is busy"),
    "timed_out": (504, "The picture took too long"),
}
MEDIA_TYPE = "application/problem+json"


class Problem(Exception):  # noqa: N818 (RFC 9457 calls it so)
    """Ends a request with a problem document."""

    def __init__(self, word: str, detail: str, *, retry_after: float | None = None, allow: str | None = None) -> None:
        """Make one.

        Args:
            word: A key of `PROBLEMS`.
            detail: One sentence: what happened, and what to do.
            retry_after: Seconds after which the same request may succeed.
            allow: The methods that would do.
        """
        super().__init__(detail)
        self.word = word
        self.detail = detail
        self.retry_after = retry_after
        self.allow = allow

    @property
    def status(self) -> int:
        """The status code."""
        return PROBLEMS[self.word][0]

    def response(self, request_id: str) -> JSONResponse:
        """Return the answer to send."""
        status, title = PROBLEMS[self.word]
        headers = {}
        if self.retry_after is not None:
            headers["Retry-After"] = str(max(1, round(self.retry_after)))
        if self.allow is not None:
            headers["Allow"] = self.allow
        if self.word == "no_key":
            headers["WWW-Authenticate"] = "Bearer"
        document = {
            "type": f"urn:fauxto:problem:{self.word}",
            "title": title,
            "status": status,
            "detail": self.detail,
            "request_id": request_id,
        }
        return JSONResponse(document, status, headers, MEDIA_TYPE)
