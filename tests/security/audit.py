"""Asks the package registry for known vulnerabilities of the locked packages: python tests/security/audit.py LOCK...

Not a test, since it needs the registry's advisories: `make check` runs it. A mirror may have none; that is said, in
words, and isn't taken for good news.

Exit code: 0 nothing is known of the packages that could be looked up, 1 something is.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any


def main(locks: list[str]) -> int:
    """Audit these lock files and return the exit code."""
    requirements = [word for lock in locks for word in ("--requirement", lock)]
    command = [sys.executable, "-m", "pip_audit", *requirements, "--require-hashes", "--disable-pip"]
    ended = subprocess.run([*command, "--format", "json", "--progress-spinner", "off"], capture_output=True, text=True)
    code, words = judge(ended.stdout)
    print(words)
    return code


def judge(answer: str) -> tuple[int, str]:
    """Return the exit code and what to print for pip-audit's JSON, "" where it could give none."""
    try:
        packages: list[dict[str, Any]] = json.loads(answer)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return 0, "pip-audit: the registry can't be reached, so NOTHING was audited."
    looked_up = [package for package in packages if "skip_reason" not in package]
    known = [
        f"{package['name']} {package['version']}: {one['id']}" for package in looked_up for one in package["vulns"]
    ]
    if known:
        return 1, "\n".join(["pip-audit: known vulnerabilities:", *known])
    if not looked_up:
        return 0, f"pip-audit: the registry has no advisories, so NONE of {len(packages)} packages was audited."
    return 0, f"pip-audit: no known vulnerabilities in {len(looked_up)} of {len(packages)} packages."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
