"""A bucket that speaks S3, from the command to the table: the store's own library, in the processes that judge."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("s3fs", reason="the extra 'scale' isn't installed")

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden" / "bundle"


def test_a_bucket(tmp_path: Path, pictures: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE))
    import fake_s3

    members = io.BytesIO()
    with zipfile.ZipFile(members, "w") as archive:
        archive.writestr("in.jpg", pictures(1))
    objects = {f"photos/{number}.jpg": pictures(number) for number in range(2 * fake_s3.PAGE)}
    objects |= {"photos/deep/odd name+ü%.jpg": pictures(1), "photos/text.jpg": b"no picture"}
    objects |= {"other/x.zip": members.getvalue(), "other/list.csv": b"path\ns3://photos/2.jpg\nno.jpg\n"}
    sources = ["s3://photos", "s3://other/*.zip", "s3://other/list.csv", "s3://photos/no", "s3://nowhere"]
    settings = {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
        "HOME": str(tmp_path),
    }
    command = [sys.executable, "-c", "from fauxto.cli import main; main()", "scan", *sources]
    command += ["--out", str(tmp_path / "out.jsonl"), "--workers", "1", "--model", str(GOLDEN)]
    with fake_s3.serving(objects) as endpoint:
        environment = {**os.environ, **settings, "AWS_ENDPOINT_URL": endpoint}
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200)
    assert ended.returncode == 1  # for the two that were named and aren't there
    assert re.findall(r"fauxto: (\S+):", ended.stderr) == ["s3://photos/no", "s3://nowhere"]
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    of_photos = {f"s3://{name}": "ok" for name in objects if name.startswith("photos/")}
    assert {row["path"]: row["status"] for row in rows} == {
        **of_photos,
        "s3://photos/text.jpg": "unsupported_format",
        "s3://other/x.zip!/in.jpg": "ok",
        "no.jpg": "not_found",
        "s3://photos/no": "not_found",
        "s3://nowhere": "not_found",
    }
    scores = {row["path"]: row["score"] for row in rows}
    assert (
        scores["s3://photos/deep/odd name+ü%.jpg"] == scores["s3://other/x.zip!/in.jpg"] == scores["s3://photos/1.jpg"]
    )
    assert len(rows) == len(of_photos) + 5  # and "s3://photos/2.jpg" once more, as the table names it
