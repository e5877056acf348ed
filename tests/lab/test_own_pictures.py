"""`fauxto evaluate --real --ai`: from a person's own pictures to figures, scores and a page."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import re
import zipfile

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import CliRunner

from fauxto import bundles
from fauxto.bundles.bundle import Description, Domain
from fauxto.cli import commands
from fauxto.detector import Detector
from fauxto.errors import ConfigError, DatasetError
from fauxto.lab import packing
from fauxto.lab.calibration import calibrate
from fauxto.lab.datasets import Dataset
from fauxto.lab.datasets.folders import import_folders
from fauxto.lab.degradations.protocols import CLEAN
from fauxto.lab.evaluation import measuring, own
from fauxto.lab.evaluation.labelled import Origin
from fauxto.lab.evaluation.measuring import facts_of
from fauxto.lab.evaluation.results import measure
from fauxto.scan.items import judge

SIDE = 8
RAMP = np.linspace(40, 190, SIDE * SIDE).reshape(SIDE, SIDE, 1)
BY_FOLDER = {"real": ("archive", "desk"), "ai": ("dreamer", "painter")}


def save(path, warmth, rng, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    rgb = RAMP + rng.normal(0, 2, (SIDE, SIDE, 3)) + np.array([warmth, 0, -warmth])
    Image.fromarray(np.clip(np.rint(rgb), 0, 255).astype(np.uint8)).save(path, **options)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Folders real and ai of 40 pictures each, by two sources, as PNG and JPEG; warm ones are mostly AI."""
    folder, rng = tmp_path_factory.mktemp("own"), np.random.default_rng(5)
    for label, sources in BY_FOLDER.items():
        for number in range(40):
            name = f"{label}/{sources[number % 2]}/{number:02}"
            warmth = rng.normal(4 if label == "ai" else -4, 5)
            if number % 4 < 2:
                save(folder / f"{name}.jpg", warmth, rng, quality=98)  # of a lower quality, some would be equal
            else:
                save(folder / f"{name}.png", warmth, rng)
    return folder


@pytest.fixture
def toy_model(toy_run, toy_data, tmp_path):
    """A bundle that goes by a picture's warmth, for pictures of 8 x 8 pixels."""
    calibrate(toy_run, Dataset.open(toy_data))
    bundle = toy_run.bundle()
    plain = {field.name: getattr(bundle, field.name) for field in dataclasses.fields(Description)}
    description = Description(**{**plain, "name": "toy", "domain": Domain(SIDE, SIDE)})
    packing.write_bundle(tmp_path / "toy", description, bundle.model, None, "A toy.")
    return str(tmp_path / "toy")


@pytest.fixture
def in_process(monkeypatch):
    """Pictures are measured in this process, which starts at once."""

    def run(items, options, workers, judge=judge):
        detector = Detector.from_options(options, threads=1)
        return (judge(item, detector) for item in items)

    monkeypatch.setattr(own.local, "run", run)


@pytest.fixture
def evaluate(pictures, toy_model, tmp_path, in_process, monkeypatch):
    """`evaluate(**options)`: evaluates the toy on all pictures, in this process and without a page."""
    monkeypatch.setattr(own, "write_pages", lambda *_: None)

    def evaluate(**options):
        given = {"real": [str(pictures / "real")], "ai": [str(pictures / "ai")], "models": [toy_model]}
        return own.evaluate(tmp_path / "out", **{**given, **options})

    return evaluate


def run_command(*words):
    return CliRunner().invoke(commands, [str(word) for word in words])


def by_name(groups):
    return {group["name"]: (group["real"], group["ai"]) for group in groups}


def test_own_pictures_give_the_figures_that_a_data_set_of_them_gives(pictures, evaluate, toy_model, tmp_path):
    dataset = import_folders(pictures / "real", pictures / "ai", tmp_path / "set", shares={"test": 1.0})
    expected = measure(bundles.load(toy_model), "toy", dataset, "test", tmp_path / "cache")
    (results,) = evaluate(protocols=True)["models"]
    assert results["full"] == expected["full"]
    named = {"dataset": "", "split": ""}
    assert {**results["evaluation"], **named} == {**expected["evaluation"], **named}
    for key in ("flips", "refused", "coverage", "shortcuts", "leaked"):
        assert results[key] == expected[key]


def test_the_command_prints_and_writes_what_the_function_returns(pictures, toy_model, tmp_path):
    out = tmp_path / "other"
    sides = {label: [str(pictures / label)] for label in ("real", "ai")}
    returned = own.evaluate(tmp_path / "again", **sides, models=[toy_model], workers=1)
    options = ("--model", toy_model, "--real", pictures / "real", "--ai", pictures / "ai", "--workers", "1")
    result = run_command("evaluate", *options, "--out", out)
    assert result.exit_code == 0, result.output
    assert json.loads((out / "evaluation.json").read_text()) == json.loads(json.dumps(returned))
    (model,) = returned["models"]
    clean = model["evaluation"]["protocols"][0]
    assert "40 photographs and 40 AI pictures were measured." in result.output
    assert f"AUROC {clean['auroc']['value']:.4f}" in result.output
    assert {"dreamer", "archive", "balanced"} <= set(result.output.split())
    assert sorted(path.name for path in out.iterdir()) == ["evaluation.html", "evaluation.json", "scores.parquet"]
    page = (out / "evaluation.html").read_text()
    assert re.findall(r"<h2[^>]*>([^<]*)", page)[:3] == ["In short", "Some of the pictures", "By label"]
    assert page.count("<img") == len(model["sample"]) + len(model["mistakes"])
    assert f"{clean['auroc']['value']:.4f}" in page
    groups = model["evaluation"]["groups"]
    assert by_name(groups["generator"]) == {"dreamer": (0, 20), "painter": (0, 20)}
    assert by_name(groups["format"]) == {"JPEG": (20, 20), "PNG": (20, 20)}


def test_every_score_is_in_the_table(evaluate, tmp_path):
    (model,) = evaluate(protocols=True)["models"]
    rows = pq.read_table(tmp_path / "out" / "scores.parquet").to_pylist()
    assert len(rows) == 3 * 80
    clean = [row for row in rows if row["protocol"] == "clean"]
    called = [row["verdict_cautious"] == "ai" for row in clean if row["label"] == "real"]
    assert np.mean(called) == model["evaluation"]["protocols"][0]["verdicts"]["cautious"]["fpr"]["value"]
    assert {(row["label"], row["source"], row["generator"]) for row in rows} == {
        ("real", "archive", None),
        ("real", "desk", None),
        ("ai", "dreamer", "dreamer"),
        ("ai", "painter", "painter"),
    }


def test_a_manifest_names_labels_sources_and_generators(pictures, evaluate, tmp_path):
    rows = [(pictures / "real/desk/01.jpg", "real", "a friend", ""), (pictures / "ai/painter/01.jpg", "ai", "", "P 2")]
    manifest = tmp_path / "own.csv"
    with manifest.open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "source", "generator"), *rows])
    result = run_command("evaluate", "--model", tmp_path / "toy", "--data", manifest, "--out", tmp_path / "command")
    assert result.exit_code == 0, result.output
    evaluate(real=(), ai=(), manifests=[str(manifest)])
    for out in ("out", "command"):
        table = pq.read_table(tmp_path / out / "scores.parquet").to_pylist()
        assert {(row["source"], row["generator"]) for row in table} == {("a friend", None), ("P 2", "P 2")}


def test_archives_patterns_and_the_tables_of_scans_are_read(pictures, evaluate, tmp_path):
    archive, table = tmp_path / "photos.zip", tmp_path / "scan.csv"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted((pictures / "real").glob("*/0?.*")):
            file.write(path, path.relative_to(pictures / "real"))
    scanned = run_command("scan", pictures / "ai" / "dreamer", "--out", table, "--model", tmp_path / "toy")
    assert scanned.exit_code == 0, scanned.output
    pattern = str(pictures / "ai" / "*" / "*.png")
    (model,) = evaluate(real=[str(archive)], ai=[str(table), pattern])["models"]
    groups = by_name(model["evaluation"]["groups"]["source"])
    assert groups == {"archive": (5, 0), "desk": (5, 0), "scan.csv": (0, 20), "dreamer": (0, 10), "painter": (0, 10)}


def test_what_cannot_be_measured_is_counted_and_listed(pictures, in_process, tmp_path, toy_model):
    rng, odd = np.random.default_rng(0), tmp_path / "odd"
    (odd / "notes").mkdir(parents=True)
    (odd / "notes" / "a.txt").write_text("no picture")
    (odd / "cut.png").write_bytes((pictures / "real/desk/03.png").read_bytes()[:60])
    (odd / ".DS_Store").write_bytes(b"\0\0\0\1Bud1" + bytes(40))
    Image.new("RGB", (40, 40), "teal").save(odd / "large.png")
    save(odd / "fine.png", -9, rng)
    (odd / "link.png").symlink_to(odd / "fine.png")
    (odd / "on-both-sides.png").write_bytes((pictures / "ai/dreamer/02.png").read_bytes())
    (odd / "twice.png").write_bytes((odd / "fine.png").read_bytes())
    options = (
        "--model",
        toy_model,
        "--real",
        odd,
        "--ai",
        pictures / "ai",
    )
    result = run_command("evaluate", *options, "--out", tmp_path / "out")
    assert result.exit_code == 1, result.output
    results = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    (model,) = results["models"]
    listed = {entry["path"].removeprefix(f"{odd}/"): entry["reason"] for entry in results["unmeasured"]}
    both = "the same picture stands among the photographs and among the AI pictures"
    assert set(listed) == {"notes/a.txt", "cut.png", "on-both-sides.png", str(pictures / "ai/dreamer/02.png")}
    assert listed["on-both-sides.png"] == listed[str(pictures / "ai/dreamer/02.png")] == both
    assert [results[key] for key in ("copies", "links", "system_files")] == [1, 1, 1]
    (outside,) = model["outside"]
    assert (outside["path"], outside["label"]) == (str(odd / "large.png"), "real")
    clean = model["evaluation"]["protocols"][0]
    assert (clean["real"], clean["ai"]) == (3, 39)
    page = (tmp_path / "out" / "evaluation.html").read_text()
    for told in (result.output, page):
        assert "4 files" in told
        assert both in told
        assert "Copies of other pictures" in told
    assert {"large.png", "cut.png", "a.txt"} <= set(re.findall(r"[\w-]+\.(?:png|txt)", page))


def test_a_shrunk_picture_stays_with_the_model_for_its_size(in_process, tmp_path):
    """Of a strip that `web`, `hard` and the check of stability shrink below 64 pixels, where the other model begins."""
    rough = np.random.default_rng(2).integers(0, 256, (20, 320, 3), np.uint8).repeat(5, 0).repeat(5, 1)
    strip = io.BytesIO()
    Image.fromarray(rough).save(strip, "PNG")
    chosen, named = (facts_of(strip.getvalue(), Detector(model, threads=1), 3) for model in (None, "photos"))
    assert chosen["bundle"] == "photos"
    assert chosen == named


def test_a_picture_that_is_too_small_only_when_it_is_shrunk_is_counted_and_named(
    pictures, in_process, tmp_path, toy_model, monkeypatch
):
    shrunk = [dataclasses.replace(CLEAN, name=name) for name in ("clean", "web")]
    shrunk[1] = dataclasses.replace(shrunk[1], apply=lambda rgb, rng: rgb[: SIDE - 1])
    for module in (own, measuring):
        monkeypatch.setattr(module, "DELIVERED", tuple(shrunk))
    options = ("--model", toy_model, "--real", pictures / "real", "--protocols")
    result = run_command("evaluate", *options, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    (model,) = json.loads((tmp_path / "out" / "evaluation.json").read_text())["models"]
    assert {(entry["protocol"], entry["label"]) for entry in model["outside"]} == {("web", "real")}
    assert len(model["outside"]) == 40
    clean, web = model["evaluation"]["protocols"]
    assert clean["verdicts"]["balanced"]["inconclusive"]["value"] < 1
    assert web["verdicts"]["balanced"]["inconclusive"]["value"] == 1
    page = (tmp_path / "out" / "evaluation.html").read_text()
    for told in (result.output, page):
        assert "Outside of the domain of toy only under `web`, and so inconclusive: 40 of them." in told
    assert "toy, web: the picture&#x27;s short side is 7 px" in page.replace("&#39;", "&#x27;")


@pytest.mark.parametrize("label", ["real", "ai"])
def test_one_label_leaves_out_what_needs_both(label, pictures, in_process, tmp_path, toy_model):
    result = run_command(
        "evaluate",
        "--model",
        toy_model,
        f"--{label}",
        pictures / label,
        "--out",
        tmp_path / "out",
    )
    assert result.exit_code == 0, result.output
    assert "the figures that need both (AUROC and the like) are left out" in result.output
    assert "AUROC 0" not in result.output
    assert "balanced accuracy" not in result.output
    assert "ROC" not in re.findall(r"<svg[^>]*aria-label=\"([^\"]*)", (tmp_path / "out/evaluation.html").read_text())


def test_several_models_stand_side_by_side(pictures, in_process, toy_model, tmp_path):
    sides = {label: [str(pictures / label)] for label in ("real", "ai")}
    results = own.evaluate(tmp_path / "out", **sides, models=[toy_model, "paper-cnn"])
    assert [model["name"] for model in results["models"]] == ["toy", "paper-cnn"]
    assert len(results["models"][1]["outside"]) == 80
    page = (tmp_path / "out" / "evaluation.html").read_text()
    assert {'href="evaluation-toy.html"', 'href="evaluation-paper-cnn.html"'} <= set(re.findall(r"href=\S+\"", page))
    assert (tmp_path / "out" / "evaluation-toy.html").is_file()
    assert len(pq.read_table(tmp_path / "out" / "scores.parquet")) == 160
    with pytest.raises(ConfigError, match="the same name"):
        own.evaluate(tmp_path / "out", **sides, models=[toy_model, toy_model])


def test_an_evaluation_that_was_cut_is_resumed(evaluate, tmp_path):
    done = []

    def cut(count, total):
        done.append((count, total))
        if count == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(on_progress=cut)
    assert done[-1] == (30, 80)
    with pytest.raises(ConfigError, match="--resume"):
        evaluate()
    with pytest.raises(ConfigError, match="another protocols"):
        evaluate(resume=True, protocols=True)
    resumed = []
    results = evaluate(resume=True, on_progress=lambda count, total: resumed.append(count))
    assert (resumed[0], resumed[-1]) == (30, 80)
    assert results["models"][0]["evaluation"]["protocols"][0]["real"] == 40
    assert not (tmp_path / "out" / "scores.journal").exists()


@pytest.mark.parametrize(
    ("sides", "message"),
    [
        ({"real": ["{}/nothing"]}, "nothing isn't there"),
        ({"ai": ["{}/real/desk"]}, "hold the same pictures"),
        ({"real": [], "ai": []}, "name the pictures"),
        ({"real": ["{}/empty"], "ai": []}, "holds no picture that can be measured"),
        ({"manifests": ["{}/unlabelled.csv"]}, "row 1 of .* has the label None"),
        ({"manifests": ["{}/fake.csv"]}, "row 2 of .* has the label 'fake'"),
        ({"real": ["{}/fake.csv"]}, "row 2 of .* has the label 'fake'"),
        ({"ai": ["{}/real.csv"]}, "row 1 of .* says real, but it was named as ai"),
        ({"real": ["{}/scan.jsonl"]}, "can't be read as a table"),
        ({"real": ["{}/broken.parquet"]}, "can't be read as a table"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(sides, message, pictures, evaluate):
    (pictures / "empty").mkdir(exist_ok=True)
    (pictures / "unlabelled.csv").write_text("path\na.png\n")
    (pictures / "fake.csv").write_text("path,label\na.png,real\nb.png,fake\n")
    (pictures / "real.csv").write_text("path,label\na.png,real\n")
    (pictures / "scan.jsonl").write_text("{}\n")
    (pictures / "broken.parquet").write_text("no table")
    with pytest.raises(DatasetError, match=message):
        evaluate(**{side: [place.format(pictures) for place in places] for side, places in sides.items()})


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_may_not_be_read_is_refused(evaluate, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o000)
    with pytest.raises(DatasetError, match="can't be read: Permission denied"):
        evaluate(real=[str(tmp_path / "locked")])


def test_names_of_files_and_folders_steer_nothing(in_process, tmp_path, toy_model):
    rng, folder = np.random.default_rng(0), tmp_path / "<b>[red]\u202e"
    save(folder / "\x1b[31m<i>" / "<script>.png", 9, rng)
    save(folder / "plain" / os.fsdecode(b"\xff.png"), 9, rng)
    result = run_command(
        "evaluate",
        "--model",
        toy_model,
        "--ai",
        folder,
        "--out",
        tmp_path / "out",
    )
    assert result.exit_code == 0, result.output
    page = (tmp_path / "out" / "evaluation.html").read_text()
    for told in (page, result.output):
        assert not {"\x1b", "\u202e"} & set(told)
    assert "<script" not in page
    assert "<i>" not in page
    assert len(pq.read_table(tmp_path / "out" / "scores.parquet")) == 2


def test_built_in_models_that_share_the_pictures_are_counted_together():
    def picture(label, digest):
        return own._Picture(Origin(label, "somewhere", None), {"pixel_sha256": digest}, None)

    large, small = [picture("real", "a"), picture("ai", "b"), picture("ai", "b")], [picture("real", "c")]
    assert own._counts({(0, "photos"): large, (0, "thumbnails"): small}) == {"real": 2, "ai": 2, "copies": 1}
    assert own._counts({(0, "one"): large, (1, "other"): large}) == {"real": 1, "ai": 2, "copies": 1}


def test_a_manifest_is_a_table(pictures, tmp_path):
    result = run_command("evaluate", "--data", pictures / "ai/dreamer/02.png", "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "02.png is no manifest" in result.output
    assert not (tmp_path / "out").exists()
