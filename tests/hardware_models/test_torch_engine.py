"""PyTorch's eager mode: what a call costs does not hang on what the process allocated before."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import resource
import torch
from hardware_models.engines import open_engine
from torch import nn

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

engine = open_engine("torch")
network = nn.Sequential(nn.Conv2d(8, 96, 1), nn.ReLU6(), nn.Conv2d(96, 96, 3, 4, 1, groups=96), nn.Conv2d(96, 8, 1))
with engine.session():
    call = engine.prepare(network, (torch.zeros(1, 8, 224, 224),)).call
    for _ in range(8):
        before = faults()
        call()
    print(faults() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the allocator is that of Linux")
def test_large_features_are_not_mapped_anew_at_each_call():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 100
