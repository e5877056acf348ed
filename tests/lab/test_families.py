"""Families of generators: by name, by a head on features, and from which probability one is named."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from fauxto.lab.families import OTHERS, FamilyHead, families_of, thresholds
from fauxto.lab.linear_head import fit_families

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("generator", "family"),
    [
        ("gpt-image-1", "GPT-image"),
        ("gpt-4o-image", "GPT-image"),
        ("gemini-3-pro-image", "Gemini or Imagen"),
        ("nano-banana-pro", "Gemini or Imagen"),
        ("midjourney-v7", "Midjourney"),
        ("flux.1-schnell", "FLUX"),
        ("stable-diffusion-1.5", "Stable Diffusion 1 or 2"),
        ("stable-diffusion-3.5-large", "Stable Diffusion XL or 3"),
        ("juggernautxl-ragnarokby", "Stable Diffusion XL or 3"),
        ("stylegan2-tpdne", "a GAN"),
        ("qwen-image", OTHERS),
        ("unattributed-2025-lab", ""),
        ("gpt-4o-image-mixed", ""),
        (None, ""),
    ],
)
def test_a_generators_family(generator, family):
    pictures = SimpleNamespace(rows=pa.table({"generator": pa.array([generator, None], pa.string())}))
    assert families_of(pictures).tolist() == [family, ""]


def test_a_head_tells_families_apart_and_survives_its_file(tmp_path):
    families = RNG.choice(["", "FLUX", "Midjourney", "a GAN"], 600)
    features = RNG.normal(size=(600, 4)).astype(np.float32)
    for number, name in enumerate(("FLUX", "Midjourney", "a GAN")):
        features[families == name, number] += 6
    head = fit_families(features, families, np.repeat("somewhere", 600), 1.0)
    head.save(tmp_path / "families.npz")
    loaded = FamilyHead.load(tmp_path / "families.npz")
    assert loaded.names == ("FLUX", "Midjourney", "a GAN")
    said = np.array(loaded.names)[(features @ loaded.kernel + loaded.bias).argmax(axis=1)]
    known = families != ""
    assert (said[known] == families[known]).mean() > 0.97


def test_two_families_have_two_logits():
    families = np.repeat(["FLUX", "Midjourney"], 50)
    features = np.repeat([[-1.0], [1.0]], 50, axis=0).astype(np.float32) + RNG.normal(0, 0.1, (100, 1))
    head = fit_families(features.astype(np.float32), families, np.repeat("somewhere", 100), 1.0)
    logits = features @ head.kernel + head.bias
    assert logits.shape == (100, 2)
    assert (logits.argmax(axis=1) == np.repeat([0, 1], 50)).all()


@pytest.mark.parametrize("families", [[""] * 20, ["FLUX"] * 20])
def test_with_fewer_than_two_families_there_is_no_head(families):
    assert fit_families(np.zeros((20, 3), np.float32), np.array(families), np.repeat("a", 20), 1.0) is None


def test_a_family_is_named_from_where_it_is_mostly_right():
    sure = np.linspace(0.4, 0.99, 100)
    probabilities = np.stack([sure, 1 - sure], axis=1)
    probabilities[:, 1] = np.minimum(probabilities[:, 1], probabilities[:, 0] - 0.01)
    families = np.where(sure > 0.7, "FLUX", "Midjourney")
    limits = thresholds(["FLUX", "Midjourney"], probabilities, families)
    assert 0.55 <= limits["FLUX"] <= 0.65
    named = sure >= limits["FLUX"]
    assert (families[named] == "FLUX").mean() >= 0.7
    assert (families[sure >= limits["FLUX"] - 0.05] == "FLUX").mean() < 0.7
    assert limits["Midjourney"] is None  # it is never the likeliest


def test_a_common_family_does_not_make_its_name_right():
    probabilities = np.tile([0.9, 0.1], (120, 1))
    families = np.array(["FLUX"] * 100 + ["Midjourney"] * 20)  # nine in ten names are right, and every other one is not
    assert thresholds(["FLUX", "Midjourney"], probabilities, families)["FLUX"] is None


def test_what_is_seldom_right_or_no_family_is_never_named():
    probabilities = np.tile([0.1, 0.9], (50, 1))
    names = np.array(["FLUX"] * 25 + ["Midjourney"] * 25)
    assert thresholds(["FLUX", "Midjourney"], probabilities, names) == {"FLUX": None, "Midjourney": None}
    assert thresholds(["FLUX", OTHERS], probabilities, np.repeat(OTHERS, 50)) == {"FLUX": None, OTHERS: None}
    assert thresholds(["FLUX", "a GAN"], probabilities[:9], np.repeat("a GAN", 9))["a GAN"] is None  # of too few
    assert thresholds([], np.empty((5, 0)), np.repeat("", 5)) == {}


def test_a_run_is_read_before_keras_knows_its_backend():
    program = "import sys, fauxto.lab.run, fauxto.lab.calibration; assert 'keras' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
