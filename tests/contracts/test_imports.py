"""Which package may import which: the walls of the house, held by reading every import statement."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("search", "spaces", "evaluators", "hardware_models")
HEAVY_HOMES = {
    "ray": ("search.launchers", "search.cli", "search.studies"),
    "optuna": ("search.algorithms.optuna", "search.dashboard.importance"),
    "fastapi": ("search.dashboard", "search.cli.serving"),
    "uvicorn": ("search.cli.serving",),
    "onnxruntime": ("hardware_models", "search.export", "search.cli"),
}


def modules() -> list[str]:
    """Return the dotted name of every module of the four packages."""
    files = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in files]


def imports_of(module: str) -> set[str]:
    """Return the dotted names that a module imports, at any depth of its code."""
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def under(name: str, *prefixes: str) -> bool:
    """Return whether a dotted name is one of the prefixes or lies below one."""
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def forbidden(module: str, name: str) -> bool:
    """Return whether `module` must not import `name`."""
    assembly = under(module, "search.cli", "search.__main__", "search.studies")
    below = under(module, "spaces", "evaluators", "hardware_models")
    if below and under(name, "search", "ray", "sqlalchemy", "optuna"):
        return True
    if under(module, "hardware_models") and under(name, "spaces", "evaluators"):
        return True
    if under(module, "spaces") and under(name, "evaluators"):
        return True
    if under(module, "search", "evaluators") and not assembly and under(name, "spaces"):
        return not under(name, "spaces.genotype")
    if under(module, "search") and not assembly and under(name, "evaluators"):
        return not under(name, "evaluators._base")
    if under(module, "search.algorithms") and under(name, *PACKAGES, "ray", "sqlalchemy"):
        return not under(name, "search.algorithms", "spaces.genotype")
    if under(module, "search.study") and under(name, "ray", "search.launchers"):
        return True
    if under(module, "search.dashboard") and under(name, "search.algorithms", "search.launchers", "search.cli"):
        return True
    return any(under(name, heavy) and not under(module, *homes) for heavy, homes in HEAVY_HOMES.items())


@pytest.mark.parametrize("module", modules())
def test_imports_go_one_way(module: str) -> None:
    assert sorted(name for name in imports_of(module) if forbidden(module, name)) == []


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("spaces.fbnet", "search.study.Study"),
        ("hardware_models.profiler", "spaces.genotype.GenotypeSpace"),
        ("search.study", "spaces.fbnet.fbnet"),
        ("search.algorithms.random", "search.storage"),
        ("search.study", "ray"),
        ("search.storage", "optuna"),
        ("search.dashboard.trial", "search.algorithms.random"),
        ("search.dashboard.trial", "spaces.nasbench201"),
        ("search.study_view", "fastapi"),
    ],
)
def test_a_wrong_import_is_seen(module: str, name: str) -> None:
    assert forbidden(module, name)
