"""`fauxto.Client`: the face of a detector, the judgement of a service."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from fauxto import Client, Detector, FauxtoError, ImageError, Reason, Report, ServiceError

GOLDEN = Path(__file__).resolve().parents[1] / "golden/bundle"


@pytest.fixture(scope="module")
def client(service):
    with Client(service.address) as client:
        yield client


def untimed(reports):
    return [replace(report, milliseconds={}) for report in reports]


def test_a_client_says_what_a_detector_says(client, pictures, tmp_path):
    for name, data in {**pictures, "broken": b"no picture", "cut": pictures["rough"][:90]}.items():
        (tmp_path / f"{name}.png").write_bytes(data)
    odd = tmp_path / '"odd"\n\u202egpj.\udcff.png'
    odd.write_bytes(pictures["rough"])
    sources = [*sorted(tmp_path.iterdir()), str(tmp_path / "missing.png"), pictures["rough"], tmp_path, b""]
    detector = Detector(GOLDEN)
    expected = untimed(detector.analyze(source) for source in sources)
    assert untimed(client.analyze(source) for source in sources) == expected
    assert untimed(client.analyze_many(iter(sources))) == expected
    assert untimed([client.analyze(io.BytesIO(pictures["rough"]), name="a")])[0].path == "a"
    assert {report.status for report in expected} == {
        "ok", "unsupported_format", "truncated", "not_found", "not_a_file", "unreadable",
    }  # fmt: skip


def test_many_go_in_groups_and_come_in_order(client, pictures):
    sources = [pictures["rough"], pictures["smooth"]] * 40
    assert [report.verdict for report in client.analyze_many(sources)] == ["ai", "real"] * 40


def test_a_client_has_a_model_and_an_operating_point(service, pictures):
    with Client(service.address, model="golden", operating_point="cautious") as cautious:
        expected = untimed([Detector(GOLDEN, operating_point="cautious").analyze(pictures["rough"])])
        assert untimed([cautious.analyze(pictures["rough"])]) == expected
        assert untimed(cautious.analyze_many([pictures["rough"]] * 2)) == expected * 2
        assert cautious.explain(pictures["rough"]).png
        assert len(cautious.models()) == 1
    with Client(service.address, model="photos") as wrong, pytest.raises(ServiceError, match="no such model") as caught:
        wrong.analyze(pictures["rough"])
    assert caught.value.status == 404


def test_folders_stay_here(client, pictures, service, tmp_path):
    seen = []
    whole = httpx.HTTPTransport()

    class Seeing(httpx.BaseTransport):
        def handle_request(self, request):
            seen.append(request.read())
            return whole.handle_request(request)

        def close(self):
            whole.close()

    folder = tmp_path / "ann-private"
    folder.mkdir()
    (folder / "a.png").write_bytes(pictures["rough"])
    with Client(service.address, transport=Seeing()) as seeing:
        assert seeing.analyze(folder / "a.png").path == str(folder / "a.png")
    assert b'filename="a.png"' in seen[0]
    assert b"ann-private" not in seen[0]


def test_models_and_maps(client, pictures):
    assert client.models()[0]["name"] == json.loads((GOLDEN / "bundle.json").read_text())["name"]
    assert client.explain(pictures["rough"]).png.startswith(b"\x89PNG")
    with pytest.raises(ImageError) as caught:
        client.explain(b"no picture")
    assert caught.value.status == "unsupported_format"


def made_up(*answers):
    """A client of a service that gives these answers, one after the other."""
    script = list(answers)
    return Client(patience=5.0, transport=httpx.MockTransport(lambda _: script.pop(0)))


BUSY = httpx.Response(503, headers={"Retry-After": "0.01"}, json={})
REPORT = httpx.Response(200, json=Report(None, "unreadable").to_dict())


@pytest.mark.parametrize(
    "answers", [[REPORT], [BUSY, REPORT], [BUSY, BUSY, httpx.Response(429, headers={"Retry-After": "0.01"}), REPORT]]
)
def test_a_busy_service_is_asked_again(answers):
    with made_up(*answers) as client:
        assert client.analyze(b"x", name="a") == Report("a", "unreadable")


@pytest.mark.parametrize("wait", ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "nan", "inf", "", "soon"])
def test_a_wait_that_is_no_number_of_seconds_is_a_second(wait, monkeypatch):
    """A proxy between client and service may word it as a date."""
    waits = []
    monkeypatch.setattr("fauxto.client.time.sleep", waits.append)
    with made_up(httpx.Response(503, headers={"Retry-After": wait}, json={}), REPORT) as client:
        assert client.analyze(b"x").status == "unreadable"
    assert waits == [1.0]


@pytest.mark.parametrize("code", [413, 422])
def test_a_service_that_takes_smaller_batches_gets_the_pictures_one_by_one(code):
    with made_up(httpx.Response(code, json={"detail": "Fewer."}), REPORT, REPORT, REPORT) as client:
        assert [report.status for report in client.analyze_many([b"x"] * 3)] == ["unreadable"] * 3


@pytest.mark.parametrize("text", ["<html>a proxy</html>", "[]", '{"version": 99}', '{"version": 1}', ""])
def test_an_answer_without_sense_is_an_error(text):
    for ask in (lambda client: client.analyze(b"x"), Client.models):
        with (
            made_up(httpx.Response(200, text=text)) as client,
            pytest.raises(ServiceError, match="response can't be read"),
        ):
            ask(client)
    with made_up(httpx.Response(200, text=text)) as client, pytest.raises(ServiceError):
        list(client.analyze_many([b"x"] * 2))


def test_a_service_that_stays_busy_is_an_error():
    with made_up(httpx.Response(503, headers={"Retry-After": "99"}, json={"detail": "Full."})) as client:
        with pytest.raises(ServiceError, match="Full") as caught:
            client.analyze(b"x")
        assert caught.value.status == 503


@pytest.mark.parametrize(("code", "status"), [(413, "too_large"), (504, "timed_out")])
def test_what_a_detector_would_report_is_a_report(code, status):
    with made_up(httpx.Response(code, json={"detail": "Too much."})) as client:
        report = client.analyze(b"x", name="a")
    assert (report.path, report.status, report.reasons) == ("a", status, (Reason(status, "Too much."),))


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"title": "An API key is needed", "detail": "Send it.", "request_id": "7"}),
        httpx.Response(502, text="<html>a proxy</html>"),
        httpx.Response(500, json=[]),
    ],
)
def test_what_goes_wrong_is_a_fauxto_error(answer):
    for ask in (
        lambda client: client.analyze(b"x"),
        lambda client: list(client.analyze_many([b"x"] * 2)),
        Client.models,
    ):
        with made_up(answer) as client, pytest.raises(FauxtoError) as caught:
            ask(client)
        assert caught.value.status == answer.status_code


def test_a_batch_that_breaks_off_is_an_error_after_the_reports_that_came():
    line = json.dumps(Report("x", "unreadable").to_dict()) + "\n"
    with made_up(httpx.Response(200, text=line + line[:50])) as client:
        reports = client.analyze_many([b"x"] * 3)
        assert next(reports).status == "unreadable"
        with pytest.raises(ServiceError, match="in the middle"):
            next(reports)


def test_no_service_at_all_is_an_error():
    with Client("http://127.0.0.1:1") as client, pytest.raises(ServiceError, match="can't be reached"):
        client.models()


def test_a_key_goes_along():
    def answer(request):
        assert request.headers["authorization"] == "Bearer secret"
        return httpx.Response(200, json={"models": []})

    with Client(key="secret", transport=httpx.MockTransport(answer)) as client:
        assert client.models() == []
