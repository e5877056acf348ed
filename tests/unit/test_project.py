"""The project's own files: what they promise each other, and what none of them may hold."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from benchmarks import results
from benchmarks.robustness import reliability
from benchmarks.speed import scan_capacity

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
PAGES = [
    *(ROOT / name for name in ("README.md", "SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md", "benchmarks/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]


def project_texts() -> dict[str, str]:
    """Every text file that git tracks or would, by its path from the root."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: nothing says which files belong to the project")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    texts = {}
    for name in filter(None, listed.split("\0")):
        data = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b""
        if b"\0" not in data:
            texts[name] = data.decode()
    assert texts
    return texts


# Spelled in pieces, so that this file doesn't hold what it looks for.
FORBIDDEN = {
    "a path of one machine": r"(?<![\w.~-])/(?:" + "|".join(("work", "farm", "root", "home", "Users")) + r")/\w",
    "a package registry": r"(?<!emit-)index-"
    + "url|find-"
    + r"links|\.npm"
    + "rc|(?:pypi|npmjs|pythonhosted)"
    + r"\.org",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str) -> None:
    found = [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in project_texts().items()
        for number, line in enumerate(text.splitlines(), start=1)
        if re.search(FORBIDDEN[what], line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a path of one machine", "open('/" + "work/main/x')"),
        ("a path of one machine", "cd /" + "home/someone"),
        ("a package registry", "--index" + "-url https://mirror.example/simple"),
        ("a package registry", "https://files.python" + "hosted.org/packages/x.whl"),
    ],
)
def test_the_search_finds_what_it_is_for(what: str, line: str) -> None:
    assert re.search(FORBIDDEN[what], line)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_pins_every_package_with_hashes(lock: Path) -> None:
    packages = re.split(r"\n(?=\S)", lock.read_text().strip())
    assert len(packages) > (3 if lock.stem == "build" else 20)
    for package in packages:
        assert re.match(r"[a-z0-9][a-z0-9._-]*==\S+", package), f"not pinned: {package.splitlines()[0]}"
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", package), f"no hash: {package.splitlines()[0]}"


def test_every_target_has_its_lock() -> None:
    locks, makefile = {lock.stem for lock in LOCKS}, read("Makefile")
    assert set(re.findall(r"\$\(STAMPS\)/([a-z]+)\b", makefile)) <= locks
    assert locks == set(re.findall(r"^([a-z]+)\.lock:", makefile, flags=re.MULTILINE))
    assert {"serve", "build"} <= set(re.findall(r"requirements/([a-z]+)\.lock", read("Dockerfile")))


def test_the_readme_starts_with_the_two_commands_and_names_no_target_that_make_lacks() -> None:
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), flags=re.MULTILINE))
    commands = re.findall(r"(?:^|`)make ([a-z]+)", read("README.md"), flags=re.MULTILINE)
    assert commands[:2] == ["app", "test"]
    assert set(commands) <= targets


def test_ci_runs_the_checks_and_then_what_the_readme_says() -> None:
    assert re.findall(r"^(?:CI=true )?make \w+$", read(".ci/run"), flags=re.MULTILINE) == [
        "make check",
        "CI=true make test",
    ]
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


def test_a_run_of_all_tests_misses_no_folder() -> None:
    listed = tomllib.loads(read("pyproject.toml"))["tool"]["pytest"]["ini_options"]["testpaths"]
    folders = {path.parent for path in (ROOT / "tests").rglob("test_*.py")}
    tops = {"/".join(folder.relative_to(ROOT).parts[:2]) for folder in folders}
    assert sorted(listed) == sorted(tops)


def test_one_version_everywhere() -> None:
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    newest = re.search(r"^## \[(\d\S*)\] - (\S+)$", read("CHANGELOG.md"), flags=re.MULTILINE)
    cited = dict(re.findall(r'^(version|date-released): "?([^"\n]+)"?$', read("CITATION.cff"), flags=re.MULTILINE))
    assert newest is not None
    assert newest[1] == cited["version"] == version
    assert newest[2] == cited["date-released"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_of_a_page_resolve(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        if not linked.exists() or (anchor and anchor not in anchors(linked)):
            broken.append(target)
    assert broken == []


def anchors(page: Path) -> set[str]:
    """The names under which a page's headings can be linked to, as the usual renderers make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_of_the_docs_is_in_the_index() -> None:
    index = ROOT / "docs/README.md"
    linked = {
        (index.parent / target.partition("#")[0]).resolve() for target in re.findall(r"\]\(([^)\s]+)\)", read(index))
    }
    assert {page for page in PAGES if page.is_relative_to(index.parent)} - {index} <= linked


def test_the_page_of_the_benchmarks_has_a_row_for_each() -> None:
    benchmarks = {module.stem for module in (ROOT / "benchmarks").glob("*/*.py") if "def main(" in read(module)}
    rows = set(re.findall(r"^\| `(\w+)` \|", read("benchmarks/README.md"), flags=re.MULTILINE))
    assert benchmarks == rows | {"scan_capacity"}  # which scan_throughput runs
    results = [path.stem.replace("-", "_") for path in (ROOT / "benchmarks/results").glob("*.json")]
    assert [name for name in results if not name.startswith(tuple(rows))] == []


def test_pages_of_figures_say_what_the_results_say() -> None:
    assert scan_capacity.page(results.read(scan_capacity.NAME)) == read("docs/explanation/capacity.md")
    assert reliability.page() == read("docs/explanation/reliability.md")


def test_every_path_that_the_architecture_names_exists() -> None:
    named = re.findall(r"`((?:src|tests|docs|benchmarks|requirements)/[\w./-]*)`", read("docs/architecture.md"))
    assert len(named) > 20
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_architecture_names_every_module_at_the_top_of_a_house() -> None:
    page = read("docs/architecture.md")
    for house in (ROOT / "src/fauxto", ROOT / "src/fauxto/lab"):
        modules = [path for path in house.iterdir() if path.suffix in (".py", ".toml") or any(path.glob("*.py"))]
        named = [path.relative_to(ROOT).as_posix() + "/" * path.is_dir() for path in modules]
        assert len(named) > 10
        assert [name for name in named if f"`{name}`" not in page] == []


def test_only_pictures_that_fauxto_saved_itself_are_opened_past_the_gate() -> None:
    """Rule 2 of docs/architecture.md: the gate never sniffs by Pillow, and these read back their own buffers."""
    calling = {
        module.relative_to(ROOT / "src/fauxto").as_posix()
        for module in (ROOT / "src").rglob("*.py")
        for node in ast.walk(ast.parse(module.read_text()))
        if (isinstance(node, ast.Attribute) and re.fullmatch(r"(PIL\.|Pillow)?Image\.open", ast.unparse(node)))
        or (isinstance(node, ast.ImportFrom) and node.module == "PIL.Image" and "open" in {a.name for a in node.names})
    }
    assert calling == {"evidence/trace_pictures.py", "lab/degradations/functions.py", "reencoding.py"}


def test_every_page_that_the_source_refers_to_exists() -> None:
    sources = "".join(source.read_text() for source in (ROOT / "src").rglob("*.py"))
    named = set(re.findall(r"docs/[\w/-]+\.md", sources))
    assert len(named) > 3
    assert sorted(page for page in named if not (ROOT / page).exists()) == []


def read(path: str | Path) -> str:
    return (ROOT / path).read_text()
