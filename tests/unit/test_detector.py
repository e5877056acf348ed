from __future__ import annotations

import gc
import hashlib
import io
import itertools
import json
import shutil
import tarfile
import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast
from weakref import WeakValueDictionary

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from fauxto import Detector, Limits, Report, Status, Verdict
from fauxto.bundles import model
from fauxto.errors import BundleFormatError, BundleNotFoundError, ConfigError
from fauxto.report import Lean

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"


def png(shade: int, side: int = 32) -> bytes:
    """A smooth slope: the golden network finds no roughness in it."""
    y, x = np.mgrid[:side, :side]
    return as_png(np.stack([3 * x, 3 * y, np.full_like(x, shade)], axis=-1).astype(np.uint8))


def as_png(rgb: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(GOLDEN, batch_size=4)


def test_a_report_says_everything(detector: Detector, tmp_path: Path) -> None:
    path = tmp_path / "flat.png"
    path.write_bytes(png(9))
    report = detector.analyze(path)
    assert (report.path, report.status, report.verdict, report.basis) == (str(path), "ok", "real", "pixels")
    assert report.score == pytest.approx(-2.0, abs=1e-5)
    assert report.probability == pytest.approx(1 / (1 + np.exp(3.25)), abs=1e-5)
    assert report.fpr_at_score == pytest.approx(1.0, abs=1e-4)
    assert [*map(str, report.reasons)] == [
        "pixels_real: the probability of AI is 0.0373: 0.25 or less counts as a photograph."
    ]
    assert report.image is not None
    assert (report.image.width, report.image.height, report.image.format) == (32, 32, "PNG")
    assert report.model is not None
    assert (report.model.name, report.model.sha256) == ("golden", detector.bundles[0].model_sha256)
    assert report.milliseconds.keys() == {"decode", "evidence", "model"}
    assert all(0 < time < 60_000 for time in report.milliseconds.values())


@pytest.mark.parametrize(
    ("roughness", "verdict", "lean"),
    [(52, "real", "none"), (60, "inconclusive", "real"), (80, "inconclusive", "none"), (100, "inconclusive", "ai")],
)
def test_between_the_thresholds_the_pixels_lean(detector: Detector, roughness: int, verdict: str, lean: str) -> None:
    blocks = np.random.default_rng(1).integers(-roughness, roughness + 1, (16, 16, 1)).repeat(2, 0).repeat(2, 1)
    report = detector.analyze(as_png((blocks + 128).repeat(3, 2).astype(np.uint8)))
    assert (report.verdict, report.lean) == (verdict, lean)


def test_reducing_a_picture_changes_neither_its_model_nor_its_score() -> None:
    detector = Detector()
    large = np.random.default_rng(0).integers(0, 256, (1344, 1792, 3), np.uint8)
    small = detector.reduced(large)
    assert small.shape == (448, 448, 3)
    assert detector.score_pixels([small]) == pytest.approx(detector.score_pixels([large]), abs=1e-4)
    thumbnail = large[:64, :64]
    assert detector.reduced(thumbnail).shape == thumbnail.shape


def test_a_family_of_generators_is_named_where_the_network_is_sure(tmp_path: Path) -> None:
    folder = shutil.copytree(GOLDEN, tmp_path / "golden")
    model = onnx.load(folder / "model.onnx")
    likely = numpy_helper.from_array(np.array([[0.2, 0.7, 0.1]], np.float32), "likely")
    nothing = numpy_helper.from_array(np.zeros((2, 3), np.float32), "nothing")
    model.graph.initializer.extend([likely, nothing])
    model.graph.node.append(helper.make_node("Gemm", ["logits", "nothing", "likely"], ["families"]))
    model.graph.output.append(helper.make_tensor_value_info("families", TensorProto.FLOAT, ["N", 3]))
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    plain = json.loads((folder / "bundle.json").read_text())
    plain["model_sha256"] = hashlib.sha256(model.SerializeToString()).hexdigest()

    def words(families: dict[str, float | None], picture: bytes) -> list[str]:
        (folder / "bundle.json").write_text(json.dumps({**plain, "families": families}))
        return [str(reason) for reason in Detector(folder).analyze(picture).reasons]

    checks = np.random.default_rng(0).integers(0, 2, (16, 16, 1)).repeat(2, 0).repeat(2, 1)
    rough = as_png((180 * checks + np.arange(32)[:, None] + np.arange(3) * 10).astype(np.uint8))
    said = "looks_most_like: among generators, it looks most like FLUX (70 %)."
    assert words({"Midjourney": 0.5, "FLUX": 0.6, "a GAN": None}, rough)[1:] == [said]
    unsure: dict[str, float | None] = {"Midjourney": 0.5, "FLUX": 0.75, "a GAN": 0.1}
    for silent in (unsure, {"Midjourney": 0.1, "FLUX": None, "a GAN": 0.1}):
        assert len(words(silent, rough)) == 1
    assert len(words({"Midjourney": 0.5, "FLUX": 0.6, "a GAN": None}, png(9))) == 1  # a photograph has no generator
    with pytest.raises(BundleFormatError, match="its output is of type 1 and shape"):
        words({"Midjourney": 0.5, "FLUX": 0.6}, rough)


def test_a_picture_unlike_those_that_were_learnt_gets_no_verdict(tmp_path: Path) -> None:
    folder = shutil.copytree(GOLDEN, tmp_path / "golden")
    model = onnx.load(folder / "model.onnx")
    model.graph.initializer.append(numpy_helper.from_array(np.array([1], np.int64), "second"))
    model.graph.node.append(helper.make_node("Sigmoid", ["logits"], ["sure"]))
    model.graph.node.append(helper.make_node("Gather", ["sure", "second"], ["unlikeness"], axis=1))
    model.graph.output.append(helper.make_tensor_value_info("unlikeness", TensorProto.FLOAT, ["N", 1]))
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    plain = json.loads((folder / "bundle.json").read_text())
    plain["model_sha256"] = hashlib.sha256(model.SerializeToString()).hexdigest()

    def judge(most: float | None, shade: int) -> tuple[Verdict | None, str, Lean]:
        domain = {**plain["domain"], "max_unlikeness": most}
        (folder / "bundle.json").write_text(json.dumps({**plain, "domain": domain}))
        report = Detector(folder).analyze(png(shade))
        assert report.probability is not None
        return report.verdict, report.reasons[0].word, report.lean

    assert judge(1.0, 9) == (Verdict.REAL, "pixels_real", Lean.NONE)
    assert judge(1e-6, 9) == (Verdict.INCONCLUSIVE, "unlike_learnt", Lean.NONE)
    with pytest.raises(BundleFormatError, match=r"it has 2 outputs; by bundle\.json it has 1"):
        judge(None, 9)
    for wrong in (0, -1, 1.5, "all", True):
        with pytest.raises(BundleFormatError, match="max_unlikeness"):
            judge(wrong, 9)  # type: ignore[arg-type]


def test_the_name_is_the_one_given(detector: Detector, tmp_path: Path) -> None:
    path = tmp_path / "flat.png"
    path.write_bytes(png(9))
    assert detector.analyze(str(path)).path == str(path)
    assert detector.analyze(path, name="holiday.png").path == "holiday.png"
    assert detector.analyze(path.read_bytes()).path is None
    assert detector.analyze(path.read_bytes(), name="holiday.png").path == "holiday.png"
    with path.open("rb") as file:
        assert detector.analyze(file).path is None


def test_notes_on_the_file_are_reasons(detector: Detector) -> None:
    report = detector.analyze(png(9) + b"appended")
    assert report.status is Status.OK
    assert [reason.word for reason in report.reasons] == ["pixels_real", "trailing_data"]


def test_what_cannot_be_judged_is_a_report_in_its_place(detector: Detector, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    sources: list[Any] = [tmp_path / "none.png", png(1), b"", tmp_path, tmp_path / "text.jpg", png(2), png(3)[:-30]] * 3
    reports = list(detector.analyze_many(sources))
    expected = ["not_found", "ok", "unreadable", "not_a_file", "unsupported_format", "ok", "truncated"] * 3
    assert [str(report.status) for report in reports] == expected
    for report in reports:
        if report.status is not Status.OK:
            assert (report.verdict, report.score, report.probability, report.model) == (None,) * 4
            assert len(report.reasons) == 1
            assert report.reasons[0].word == report.status


@pytest.mark.parametrize(
    ("side", "verdict", "word"), [(15, Verdict.INCONCLUSIVE, "too_small"), (65, Verdict.INCONCLUSIVE, "out_of_domain")]
)
def test_outside_its_domain_it_says_so_and_still_scores(
    detector: Detector, side: int, verdict: Verdict, word: str
) -> None:
    report = detector.analyze(png(9, side))
    assert (report.verdict, report.reasons[0].word) == (verdict, word)
    assert report.score == pytest.approx(-2.0, abs=0.01)  # resizing rounds the slope


def test_limits_are_kept() -> None:
    strict = Detector(GOLDEN, limits=Limits(max_pixels=32 * 32 - 1))
    assert strict.analyze(png(9)).status is Status.TOO_LARGE


def test_the_operating_point_decides() -> None:
    blocks = np.random.default_rng(1).integers(30, 226, (16, 16, 1), np.uint8)
    rough = as_png(blocks.repeat(2, axis=0).repeat(2, axis=1).repeat(3, axis=2))
    points = ("cautious", "balanced", "sensitive")
    reports = [Detector(GOLDEN, operating_point=point).analyze(rough) for point in points]
    assert len({report.score for report in reports}) == 1
    assert [str(report.verdict) for report in reports] == ["inconclusive", "inconclusive", "ai"]


@pytest.mark.parametrize(
    "options", [{"operating_point": "bold"}, {"batch_size": 0}, {"threads": 0}], ids=lambda options: next(iter(options))
)
def test_impossible_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"bold|1 or more"):
        Detector(GOLDEN, **options)  # type: ignore[arg-type]


def test_a_bundle_that_isnt_there_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(BundleNotFoundError):
        Detector(tmp_path / "none")


def test_endless_sources_are_taken_two_batches_ahead_at_most(detector: Detector) -> None:
    taken = itertools.count()
    last = 0

    def endless() -> Iterator[bytes]:
        nonlocal last
        for last in taken:
            yield png(last % 256)

    reports = cast("Generator[Report]", detector.analyze_many(endless()))
    assert last == 0  # nothing before the first is asked for
    for handed_out in range(1, 30):
        next(reports)
        assert last + 1 - handed_out < 2 * 4
    reports.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("fauxto-decode")]


def test_an_error_in_the_sources_comes_through(detector: Detector) -> None:
    def broken() -> Iterator[bytes]:
        yield png(1)
        raise RuntimeError("the drive was unplugged")

    with pytest.raises(RuntimeError, match="unplugged"):
        list(detector.analyze_many(broken()))


def test_the_first_report_waits_for_no_batch() -> None:
    taken = 0

    def counted() -> Iterator[bytes]:
        nonlocal taken
        for taken in range(1, 301):
            yield png(taken % 256)

    patient = Detector(GOLDEN, batch_size=64)
    ahead = []
    for handed_out, _ in enumerate(patient.analyze_many(counted())):
        ahead.append(taken - handed_out)
    assert len(ahead) == 300
    assert ahead[0] == 2
    assert max(ahead) == 2 * 64


def test_bytes_of_every_kind_are_a_picture(detector: Detector) -> None:
    data = png(9)
    sources: list[bytearray | memoryview] = [bytearray(data), memoryview(data)]
    reports = [*map(detector.analyze, sources), *detector.analyze_many(sources)]
    assert [report.verdict for report in reports] == [Verdict.REAL] * 4


@pytest.mark.parametrize("source", [None, 7, io.StringIO("text")])
def test_what_can_be_no_picture_is_a_wrong_call(detector: Detector, source: Any) -> None:
    for call in (detector.analyze, lambda source: list(detector.analyze_many([source]))):
        with pytest.raises(TypeError, match="a picture is a path, bytes or a file opened in binary mode"):
            call(source)


SINGLE = ["a.png", Path("a.png"), b"bytes", bytearray(b"bytes"), Image.new("L", (9, 9)), np.zeros((9, 9, 3), np.uint8)]


@pytest.mark.parametrize("single", SINGLE, ids=lambda single: type(single).__name__)
def test_a_single_picture_is_not_taken_for_many(detector: Detector, single: Any) -> None:
    with pytest.raises(TypeError, match="analyze_many takes several pictures"):
        list(detector.analyze_many(single))


def test_pixels_are_judged_as_in_a_file(detector: Detector, photo: NDArray[np.uint8]) -> None:
    rgb = photo[100:148, 100:164]
    want = detector.analyze(as_png(rgb))
    reports = [detector.analyze(rgb, name="a frame"), *detector.analyze_many([Image.fromarray(rgb), rgb])]
    assert [report.path for report in reports] == ["a frame", None, None]
    for report in reports:
        assert report.image is not None
        assert (report.image.width, report.image.height, report.image.format) == (64, 48, "pixels")
        assert report.image.sha256 == hashlib.sha256(rgb.tobytes()).hexdigest()
        assert (report.status, report.score, report.verdict) == ("ok", want.score, want.verdict)
        assert (want.evidence != (), report.evidence) == (True, ())
        assert report == Report.from_dict(json.loads(json.dumps(report.to_dict())))
    assert len(list(detector.analyze_many(np.stack([rgb, rgb])))) == 2  # a batch of frames


def test_pixels_over_the_limit_are_a_report() -> None:
    detector = Detector(GOLDEN, limits=Limits(max_pixels=99, max_bytes=1))
    reports = detector.analyze_many([np.zeros((9, 9, 3), np.uint8), Image.new("RGB", (10, 10))])
    assert [report.status for report in reports] == ["ok", "too_large"]


def test_open_files_may_share_a_position(detector: Detector) -> None:
    pictures = [png(shade, side) for shade, side in ((1, 20), (2, 30), (3, 40), (4, 50), (5, 60))]
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for number, picture in enumerate(pictures):
            member = tarfile.TarInfo(f"{number}.png")
            member.size = len(picture)
            tar.addfile(member, io.BytesIO(picture))
    archive.seek(0)
    with tarfile.open(fileobj=archive, mode="r|") as tar:  # a stream: each member can be read in its turn only
        reports = list(detector.analyze_many(tar.extractfile(member) for member in tar))  # type: ignore[misc]
    assert [report.image and report.image.width for report in reports] == [20, 30, 40, 50, 60]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with each session of ONNX Runtime."""
    opened: list[int] = []
    session = onnxruntime.InferenceSession

    def counting(*arguments: object, **options: object) -> object:
        opened.append(1)
        time.sleep(0.05)  # long enough for the others to come
        return session(*arguments, **options)

    monkeypatch.setattr(onnxruntime, "InferenceSession", counting)
    return opened


def test_concurrent_first_requests_open_one_session(opened: list[int]) -> None:
    fresh = Detector(GOLDEN)
    assert not opened  # `fauxto --help` and a page that waits for a picture shouldn't pay for it
    start = threading.Barrier(8)

    def first(shade: int) -> float | None:
        start.wait()
        return fresh.analyze(png(shade)).score

    with ThreadPoolExecutor(8) as pool:
        scores = list(pool.map(first, range(8)))
    assert len(opened) == 1
    assert scores == pytest.approx([-2.0] * 8, abs=1e-5)


def test_detectors_share_the_models_that_come_with_fauxto(opened: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fauxto.bundles.model._shared", WeakValueDictionary())
    small = [np.zeros((32, 32, 3), np.uint8)]
    with ThreadPoolExecutor(4) as pool:
        detectors = list(pool.map(lambda _: Detector("paper-cnn"), range(4)))
        list(pool.map(lambda detector: detector.score_pixels(small), detectors))
    assert len({id(detector.bundles[0]) for detector in detectors}) == len(opened) == 1
    other = Detector("paper-cnn", threads=1)  # opened otherwise
    other.score_pixels(small)
    assert len(opened) == 2
    del detectors, other
    gc.collect()
    assert not model._shared  # a long scan doesn't keep what only its start needed


def test_a_model_that_is_opened_ahead_is_that_of_the_detector(
    opened: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fauxto.bundles.model._shared", WeakValueDictionary())
    ahead = model.open_ahead("paper-cnn")
    detector = Detector("paper-cnn")
    assert detector.bundles == (ahead.result().bundle,)
    detector.score_pixels([np.zeros((32, 32, 3), np.uint8)])
    assert len(opened) == 1


def test_an_error_in_a_model_that_is_opened_ahead_waits_for_who_asks(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BundleNotFoundError, match="no-such-model"):
        model.open_ahead("no-such-model").result()
    assert capfd.readouterr() == ("", "")


def test_a_detector_and_its_bundles_are_one_line_in_a_console(detector: Detector) -> None:
    assert repr(detector) == "<Detector: golden 1.0.0; balanced>"
    assert repr(detector.bundles[0]) == "<Bundle: golden 1.0.0, for short sides of 16 to 64 px>"
