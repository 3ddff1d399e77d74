"""This machine's CPU as a device."""

from __future__ import annotations

import re

from hardware_models.device import describe, this_device

EPYC = {
    "model name": "AMD EPYC 9655 96-Core Processor",
    "vendor_id": "AuthenticAMD",
    "model": "2",
    "flags": "fpu avx2 avx512f",
}


def test_the_id_is_short_and_readable():
    assert re.fullmatch(r"cpu-epyc-9655-[0-9a-f]{6}", describe(EPYC, "x86_64", 2).id)


def test_marketing_is_left_out_of_the_id():
    xeon = {"model name": "Intel(R) Xeon(R) Platinum 8370C CPU @ 2.80GHz"}
    assert describe(xeon, "x86_64", 4).id.startswith("cpu-platinum-8370c-")


def test_the_name_is_for_people():
    assert describe(EPYC, "x86_64", 2).name == "AMD EPYC 9655 96-Core Processor, 2 cores"


def test_only_instruction_sets_that_matter_are_kept():
    assert describe(EPYC, "x86_64", 2).features == ("avx2", "avx512f")


def test_each_fact_changes_the_fingerprint():
    variants = [(EPYC, 2), (EPYC, 4), (EPYC | {"flags": "avx2"}, 2), (EPYC | {"model": "17"}, 2)]
    assert len({describe(cpuinfo, "x86_64", cores).fingerprint for cpuinfo, cores in variants}) == 4


def test_facts_that_do_not_matter_leave_the_fingerprint():
    assert describe(EPYC | {"flags": "avx2 avx512f vmx", "bogomips": "5000"}, "x86_64", 2) == describe(
        EPYC, "x86_64", 2
    )


def test_an_arm_core_is_named_by_its_part():
    arm = {"cpu implementer": "0x41", "cpu part": "0xd0c", "features": "asimd sve"}
    device = describe(arm, "aarch64", 8)
    assert (device.name, device.features) == ("ARM 0x41 part 0xd0c, 8 cores", ("asimd", "sve"))


def test_a_system_that_tells_nothing_still_has_a_device():
    assert describe({}, "riscv64", 1).id.startswith("cpu-riscv64-")


def test_this_device_is_the_same_each_time():
    assert this_device() == this_device()
    assert re.fullmatch(r"cpu-[a-z0-9-]+-[0-9a-f]{6}", this_device().id)
