"""Devices: what this machine's CPU, or a GPU, is called and what tells it from another."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FEATURES = frozenset(
    {"amx_bf16", "amx_int8", "amx_tile", "avx", "avx2", "avx_vnni", "f16c", "fma", "sse4_1", "sse4_2"}
    | {"avx512_bf16", "avx512_fp16", "avx512_vnni", "avx512bw", "avx512dq", "avx512f", "avx512vl"}
    | {"asimd", "asimddp", "bf16", "fphp", "i8mm", "neon", "sve", "sve2"}
)
"""Instruction sets that a neural network's kernels are chosen by."""

_NOISE = re.compile(
    r"\((r|tm|c)\)|@.*|\bwith\b.*|\b(amd|apple|arm|cpu|genuine|geforce|intel|nvidia|processor|xeon|core|\d+-core)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Device:
    """A device that latency tables belong to.

    Attributes:
      id: short and readable, e.g. `cpu-epyc-9655-1a2b3c`: kind, model, the first digits of the fingerprint.
      name: for people, e.g. `AMD EPYC 9655 96-Core Processor, 2 cores`.
      fingerprint: SHA-256 (hex) of all that follows and of the model's revision: equal where latencies are comparable.
      machine: the architecture, e.g. `x86_64`.
      cores: the logical CPUs of the machine, or the GPU's multiprocessors.
      features: its instruction sets of `FEATURES`, sorted.
    """

    id: str
    name: str
    fingerprint: str
    machine: str
    cores: int
    features: tuple[str, ...]


@lru_cache(maxsize=1)
def this_device() -> Device:
    """Return the CPU that this process runs on, as the operating system describes it; nothing is measured or sent."""
    return describe(_cpuinfo(), platform.machine(), os.cpu_count() or 1)


def describe(cpuinfo: dict[str, str], machine: str, cores: int) -> Device:
    """Return the device of a CPU with these fields of Linux's `/proc/cpuinfo` (names in lower case), some or all."""
    model = cpuinfo.get("model name") or _arm_model(cpuinfo) or machine or "unknown"
    flags = (cpuinfo.get("flags") or cpuinfo.get("features") or "").split()
    features = tuple(sorted(FEATURES.intersection(flags)))
    revision = [cpuinfo.get(key, "") for key in ("vendor_id", "cpu family", "model", "stepping", "cpu part")]
    name = f"{' '.join(model.split())}, {cores} core{'s' if cores > 1 else ''}"
    fingerprint = _fingerprint(model, machine, str(cores), *features, *revision)
    return Device(_id("cpu", model, machine, fingerprint), name, fingerprint, machine, cores, features)


def describe_gpu(model: str, capability: tuple[int, int], multiprocessors: int, memory_bytes: int) -> Device:
    """Return the device of an NVIDIA GPU with what its driver tells, e.g. `gpu-h100-80gb-hbm3-1a2b3c`."""
    machine = f"sm_{capability[0]}{capability[1]}"
    name = f"{' '.join(model.split())}, {multiprocessors} multiprocessors, {memory_bytes / 2**30:.0f} GiB"
    fingerprint = _fingerprint(model, machine, str(multiprocessors), str(memory_bytes))
    return Device(_id("gpu", model, machine, fingerprint), name, fingerprint, machine, multiprocessors, ())


def _fingerprint(*told: str) -> str:
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _id(kind: str, model: str, machine: str, fingerprint: str) -> str:
    slug = "-".join(re.findall(r"[a-z0-9]+", _NOISE.sub(" ", model).lower())) or machine.lower() or "unknown"
    return f"{kind}-{slug[:40].strip('-')}-{fingerprint[:6]}"


def _cpuinfo() -> dict[str, str]:
    """Return the fields of the first CPU; on a system without `/proc`, its name alone."""
    try:
        first = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split("\n\n")[0]
    except OSError:
        return {"model name": _sysctl("machdep.cpu.brand_string") or platform.processor()}
    fields = (line.partition(":") for line in first.splitlines())
    return {key.strip().lower(): value.strip() for key, _, value in fields}


def _arm_model(cpuinfo: dict[str, str]) -> str:
    """Return what an ARM core tells of itself: numbers of its designer and part."""
    if "cpu part" not in cpuinfo:
        return ""
    return f"ARM {cpuinfo.get('cpu implementer', '0x0')} part {cpuinfo['cpu part']}"


def _sysctl(key: str) -> str:
    """Return a value of macOS' or BSD's system table; empty where there is none."""
    try:
        done = subprocess.run(["sysctl", "-n", key], capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
