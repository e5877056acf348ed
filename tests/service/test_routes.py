"""The routes of a running service: what they answer, and what they leave out."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import httpx
import numpy as np
import PIL.Image
import pytest

from fauxto import Detector, Report

GOLDEN = Path(__file__).resolve().parents[1] / "golden/bundle"


@pytest.fixture(scope="module")
def expected(pictures):
    detector = Detector(GOLDEN)
    return {name: plain(detector.analyze(data, name=f"{name}.png").to_dict()) for name, data in pictures.items()}


def plain(report):
    return {key: value for key, value in report.items() if key != "milliseconds"}


def test_a_form_gives_the_librarys_own_report(service, pictures, expected):
    for name, data in pictures.items():
        report = service.analyze(data, f"{name}.png")
        assert plain(report) == expected[name]
        assert Report.from_dict(report).to_dict() == report
    assert expected["rough"]["verdict"] == "ai"
    assert expected["smooth"]["verdict"] == "real"


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream", "application/x-www-form-urlencoded", ""])
def test_the_body_itself_may_be_the_picture(service, pictures, expected, kind):
    headers = {"Content-Type": kind} if kind else {}
    answer = service.post("/v1/analyze", content=pictures["rough"], headers=headers)
    assert answer.headers["content-type"] == "application/json"
    assert plain(answer.json()) == {**expected["rough"], "path": None}


def test_a_wrong_media_type_is_noted_and_the_content_decides(service, pictures):
    raw = service.post("/v1/analyze", content=pictures["rough"], headers={"Content-Type": "image/jpeg"}).json()
    form = service.post("/v1/analyze", files={"file": ("a.png", pictures["rough"], "image/webp")}).json()
    for report, sent in ((raw, "image/jpeg"), (form, "image/webp")):
        assert report["verdict"] == "ai"
        assert report["reasons"][-1] == f"media_type_mismatch: it was sent as {sent}, but the file is a PNG."


def test_a_picture_that_cant_be_judged_is_a_report(service):
    report = service.analyze(b"no picture", "a.jpg")
    assert (report["status"], report["verdict"]) == ("unsupported_format", None)
    assert service.analyze(b"")["status"] == "unreadable"
    assert service.post("/v1/analyze", content=b"").status_code == 400


def test_a_batch_streams_reports_in_order(service, pictures):
    names = ["rough", "smooth"] * 20
    files = [("files", (f"{number}.png", pictures[name])) for number, name in enumerate(names)]
    files.insert(7, ("files", ("broken.png", pictures["rough"][:99])))
    answer = service.post("/v1/analyze/batch", files=files)
    assert answer.headers["content-type"] == "application/x-ndjson"
    reports = [json.loads(line) for line in answer.text.splitlines()]
    assert [report["path"] for report in reports] == [name for _, (name, _) in files]
    assert reports.pop(7)["status"] == "truncated"
    assert [report["verdict"] for report in reports] == ["ai", "real"] * 20


def test_the_first_row_comes_before_the_last_picture_is_done(service, pictures, encode):
    def judged():
        return sum(float(one) for one in re.findall(r"fauxto_pictures_total\{.*\} (\S+)", service.get("/metrics").text))

    before = judged()
    large = encode(np.zeros((2_000, 2_000, 3), np.uint8), "PNG")
    files = [("files", ("first", pictures["rough"])), *[("files", ("large", large))] * 6]
    with httpx.stream("POST", f"{service.address}/v1/analyze/batch", files=files, timeout=60) as answer:
        lines = answer.iter_lines()
        assert json.loads(next(lines))["path"] == "first"
        assert judged() - before < len(files)
        assert len(list(lines)) == 6
    assert judged() - before == len(files)


def test_explain_gives_a_map_of_the_pictures_size(service, pictures):
    answer = service.post("/v1/explain", files={"file": ("x", pictures["rough"])})
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-fauxto-faithful"] in ("true", "false", "unknown")
    assert PIL.Image.open(io.BytesIO(answer.content)).size == (32, 32)
    refused = service.post("/v1/explain", content=b"no picture")
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:fauxto:problem:not_judged")
    assert refused.json()["detail"].startswith("unsupported_format: ")


def test_models_health_and_metrics(service, pictures):
    bundle = json.loads((GOLDEN / "bundle.json").read_text())
    (model,) = service.get("/v1/models").json()["models"]
    assert (model["name"], model["sha256"]) == (bundle["name"], bundle["model_sha256"])
    assert (service.get("/healthz").json(), service.get("/readyz").json()) == ({"status": "ok"}, {"status": "ok"})
    service.analyze(pictures["rough"], "a name that is nobody's business")
    figures = service.get("/metrics").text
    assert re.search(r'fauxto_pictures_total\{status="ok",verdict="ai"\} [1-9]', figures)
    assert re.search(r'fauxto_requests_total\{route="/v1/analyze",status="200"\} [1-9]', figures)
    assert "nobody" not in figures


def test_a_request_chooses_model_and_operating_point(service, pictures, encode):
    rough = np.random.default_rng(5).integers(-80, 81, (16, 16, 1)).repeat(2, 0).repeat(2, 1).repeat(3, 2)
    between = encode((128 + rough).astype(np.uint8), "PNG")
    files = {"file": ("a.png", between)}
    points = ("cautious", "balanced", "sensitive")
    for point in points:
        report = Detector(GOLDEN, operating_point=point).analyze(between, name="a.png").to_dict()
        answer = service.post("/v1/analyze", params={"model": "golden", "operating_point": point}, files=files)
        batch = service.post("/v1/analyze/batch", params={"operating_point": point}, files={"files": files["file"]})
        assert plain(answer.json()) == plain(batch.json()) == plain(report)
    assert service.post("/v1/explain", params={"model": "golden"}, files=files).status_code == 200


@pytest.mark.parametrize(
    ("path", "query", "code", "word"),
    [
        ("/v1/analyze", "model=photos", 404, "unknown_model"),  # installed, but not loaded here
        ("/v1/analyze", "model=", 404, "unknown_model"),
        ("/v1/analyze/batch", "model=../golden", 404, "unknown_model"),
        ("/v1/explain", "model=x", 404, "unknown_model"),
        ("/v1/analyze", "operating_point=careful", 422, "wrong_query"),
        ("/v1/analyze", "operating_point=", 422, "wrong_query"),
        ("/v1/analyze", "operating_point=cautious&operating_point=sensitive", 422, "wrong_query"),
        ("/v1/analyze/batch", "operating-point=cautious", 422, "wrong_query"),
        ("/v1/explain", "operating_point=cautious", 422, "wrong_query"),
    ],
)
def test_a_choice_that_there_isnt_is_refused(service, pictures, path, query, code, word):
    field = "files" if path.endswith("batch") else "file"
    answer = service.post(f"{path}?{query}", files={field: ("a.png", pictures["rough"])})
    assert (answer.status_code, answer.json()["type"]) == (code, f"urn:fauxto:problem:{word}")


def test_the_root_leads_to_the_page_of_the_routes(service):
    answer = service.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "docs")
    page = service.get("/", follow_redirects=True).text
    assert page == service.get("/docs").text
    assert "Probably generated (made-up figures)" in page
    assert "cautious, balanced, sensitive" in page
    assert "`" not in page


def test_an_answer_names_itself_and_lets_no_page_in(service, pictures):
    answers = [
        service.post("/v1/analyze", content=pictures["rough"], headers={"Origin": "http://localhost:3000"}),
        service.get("/docs"),
        service.get("/nowhere"),
        service.post("/v1/models"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 404, 405]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 4
    for answer in answers:
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    for answer in answers[2:]:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert answers[3].headers["allow"] == "GET"


def test_the_page_of_the_routes_needs_no_script_and_no_other_host(service):
    page = service.get("/docs").text
    for path in ("/v1/analyze", "/v1/analyze/batch", "/v1/explain", "/v1/models", "/metrics"):
        assert f"<code>{'GET' if path in ('/v1/models', '/metrics') else 'POST'} {path}</code>" in page
    assert f"curl -F file=@picture.jpg {service.address}/v1/analyze" in page
    assert set(re.findall(r"https?://[^\s<\"']+", page)) <= {
        service.address + path for path in ("/v1/analyze", "/v1/analyze/batch", "/v1/explain", "/v1/models", "/metrics")
    } | {service.address + path for path in ("/healthz", "/readyz")}
    assert "<script" not in page
    assert "src=" not in page


def test_the_log_is_json_and_tells_neither_names_nor_addresses(service, pictures):
    secret = "holiday-with-ann.png"
    service.analyze(pictures["rough"], secret)
    service.analyze(b"broken", secret)
    service.get(f"/{secret}?{secret}")
    lines = service.log()
    request = next(line for line in reversed(lines) if line.get("route") == "/v1/analyze")
    assert set(request) == {"time", "level", "event", "id", "method", "route", "status", "milliseconds", "key"}
    text = "".join(service.lines)
    assert secret not in text
    assert "127.0.0.1" not in text
    assert lines[0]["event"] == "ready"


def test_a_worker_knows_nothing_of_the_services_surroundings(service):
    for worker in service.workers():
        environment = Path(f"/proc/{worker}/environ").read_bytes()
        assert b"FAUXTO_TEST_SECRET" not in environment
        limits = Path(f"/proc/{worker}/limits").read_text()
        assert re.search(r"Max core file size +0 +0", limits)
        assert re.search(r"Max file size +0 +0", limits)
        assert not re.search(r"Max data size +unlimited", limits)
