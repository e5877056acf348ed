"""The container's rights without an engine: its user, a file system that is read-only, a network without an outside."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden/bundle"
PROGRAM = [sys.executable, "-c", "from fauxto.cli import main; main()"]
# What an engine does, in namespaces of its own; prints what came of it as JSON.
CONTAINER = """
import fcntl, json, os, signal, socket, struct, subprocess, sys, time, urllib.request
from pathlib import Path
command, user = json.loads(sys.argv[1])
data = Path("picture.png").read_bytes()
closed = [folder for folder in Path(sys.base_prefix).parents if not folder.stat().st_mode & 1]
if closed:  # Python lies in somebody's home: here alone, it lies in an open one
    stash = os.getcwd() + "/python"
    Path(stash).mkdir()
    subprocess.run(["mount", "--bind", sys.base_prefix, stash], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", closed[-1]], check=True)
    Path(sys.base_prefix).mkdir(parents=True)
    subprocess.run(["mount", "--bind", stash, sys.base_prefix], check=True)
for line in reversed(Path("/proc/self/mountinfo").read_text().splitlines()):
    place = line.split()[4]
    if not place.startswith(("/proc", "/dev", "/sys")):
        subprocess.run(["mount", "-o", "remount,bind,ro", place], check=place == "/", stderr=subprocess.DEVNULL)
with socket.socket() as any_socket:  # the loopback goes up
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))
drop = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--no-new-privs", "--bounding-set", "-all",
        "--inh-caps", "-all"]
tried = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', 'import fauxto']))"
if subprocess.run([*drop, sys.executable, "-c", tried]).returncode:
    sys.exit("closed to " + user)
service = subprocess.Popen([*drop, *command], stderr=subprocess.PIPE, text=True)
address = "http://127.0.0.1:8080"
for _ in range(1200):
    if service.poll() is not None:
        sys.exit(service.stderr.read())
    try:
        urllib.request.urlopen(address + "/readyz").close()
        break
    except OSError:
        time.sleep(0.1)
seen = {"user": [], "capabilities": [], "privileges": []}
for number in [str(service.pid), *Path(f"/proc/{service.pid}/task/{service.pid}/children").read_text().split()]:
    fields = dict(line.split(":\\t", 1) for line in Path(f"/proc/{number}/status").read_text().splitlines())
    seen["user"].append(fields["Uid"].split()), seen["capabilities"].append(int(fields["CapBnd"], 16))
    seen["privileges"].append(fields["NoNewPrivs"])
key = Path("key").read_text()
request = urllib.request.Request(address + "/v1/analyze", data, {"Authorization": "Bearer " + key,
                                                                 "Content-Type": "image/png"})
with urllib.request.urlopen(request) as answer:
    seen["verdict"] = json.load(answer)["verdict"]
outside = subprocess.run([*drop, sys.executable, "-c", "import socket; socket.create_connection(('192.0.2.1', 80), 5)"],
                         capture_output=True, text=True)
seen["outside"] = outside.stderr.splitlines()[-1]
written = subprocess.run([*drop, "touch", "/fauxto", "/tmp/fauxto", os.getcwd() + "/fauxto"], capture_output=True,
                         text=True)
seen["written"] = written.stderr.splitlines()
service.send_signal(signal.SIGTERM)
seen["code"] = service.wait(120)
print(json.dumps(seen))
"""


def compose():
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def test_the_service_of_the_compose_file_has_no_way_out():
    written = compose()
    service, proxy = written["services"]["service"], written["services"]["proxy"]
    assert service["networks"] == ["inside"]
    assert written["networks"]["inside"] == {"internal": True}
    assert not {"ports", "volumes", "tmpfs", "privileged", "network_mode", "cap_add", "user"} & service.keys()
    assert proxy["ports"] == ["127.0.0.1:8080:8080"]
    for container in (service, proxy):
        assert container["read_only"] is True
        assert container["cap_drop"] == ["ALL"]
        assert container["security_opt"] == ["no-new-privileges:true"]
    (target,) = re.findall(r"service:(\d+)", " ".join(proxy["command"]))
    assert f'"--port", "{target}"' in (ROOT / "Dockerfile").read_text()


@pytest.fixture
def folder(pictures):
    """A folder that others can read, as pytest's own can't be: a key, its hash, a picture."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "picture.png").write_bytes(pictures["rough"])
        made = [*PROGRAM, "serve", "--keys", "keys", "--new-key", "test"]
        key = subprocess.run(made, cwd=folder, capture_output=True, text=True, check=True).stdout
        (folder / "key").write_text(key.strip())
        (folder / "keys").chmod(0o644)
        yield folder


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs Linux, and root to give rights away")
@pytest.mark.skipif(not all(map(shutil.which, ("unshare", "setpriv", "mount"))), reason="util-linux isn't complete")
def test_it_serves_as_nobody_on_a_read_only_system_without_a_network(folder):
    image = (ROOT / "Dockerfile").read_text()
    (user,) = re.findall(r"^USER (\d+):\1$", image, re.MULTILINE)
    entry, *words = json.loads(re.search(r"^ENTRYPOINT (\[.+\])$", image, re.MULTILINE)[1])
    assert entry == "fauxto"
    given = compose()["services"]["service"]["command"]
    words += ["keys" if word == "/run/secrets/keys" else word for word in given]
    arguments = json.dumps([[*PROGRAM, *words, "--model", str(GOLDEN)], user])
    ended = subprocess.run(
        ["unshare", "--mount", "--net", sys.executable, "-c", CONTAINER, arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=280,
    )
    if "closed to" in ended.stderr:
        pytest.skip("only root can read this checkout")
    if ended.stderr.startswith("unshare"):
        pytest.skip("this machine allows no namespaces")
    assert ended.returncode == 0, ended.stderr
    seen = json.loads(ended.stdout.splitlines()[-1])
    assert {number for numbers in seen["user"] for number in numbers} == {user}
    assert len(seen["user"]) == 3  # the service and its two workers
    assert (set(seen["capabilities"]), set(seen["privileges"])) == ({0}, {"1"})
    assert (seen["verdict"], seen["code"]) == ("ai", 0)
    assert "unreachable" in seen["outside"]
    assert [line.rsplit(": ", 1)[1] for line in seen["written"]] == ["Read-only file system"] * 3
