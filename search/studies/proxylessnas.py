"""Three devices, three networks: ProxylessNAS on digits for a Raspberry Pi, a phone and a GPU.

ProxylessNAS' search (Cai, Zhu and Han, ICLR 2019) runs once for each device, all at the same time, by its two-path
gradient with the expected latency in the loss; the most probable network of each is trained as a trial, then drawn
ones. Latencies are estimated from the devices' published peaks (docs/costs.md). Scaled down: a quarter of the channels,
two blocks a stage, 16x16 images, half of the epochs. The choices of a layer begin alike, which is ours: drawn apart,
shared weights stay far from trained on so few images. Two or three minutes on two CPUs.
"""

from evaluators.datasets import AtPath, EnlargedDigits
from evaluators.proxylessnas_search import ProxylessNASSearch
from evaluators.train import Train
from hardware_models.device_sheet import device_sheet
from hardware_models.roofline import Roofline
from search.algorithms.distribution import Distribution
from spaces.proxylessnas import proxylessnas

data = ""  # in place of the digits: CIFAR-10, MNIST, or pictures in a folder a class, by path: docs/data.md
limit = 0  # how many of its images train; 0 for all
classes = 10
resolution = 16  # of the digits a multiple of 8; the paper's is 224, with width=1 and its own strides and depths
width = 0.25

search_epochs = 60  # with gradients of the architecture, after a third as many for weights alone; the paper's are 120
epochs = 12  # of each trial
strength = 1.0  # of latency against cross-entropy
devices_ms = {
    "raspberrypi4": 0.065,
    "snapdragon855-prime": 0.036,
    "rtx2080ti": 0.0014,
}  # what latencies are compared with

strides, depths = (
    (1, 2, 2, 1, 1, 1),
    (2, 2, 2, 2, 2, 1),
)  # of the stages; the paper's are (2, 2, 2, 1, 2, 1) and (4, 4, 4, 4, 4, 1)

space = proxylessnas(width=width, resolution=resolution, classes=classes, strides=strides, depths=depths)
hardware_models = [Roofline(device_sheet(name)) for name in devices_ms]
_images = AtPath(data, resolution, limit or None) if data else EnlargedDigits(resolution // 8)
preparations = [
    ProxylessNASSearch(
        cost=f"latency_ms@{name}-estimated", reference=reference, latency_loss="add#linear", strength=strength,
        dataset=_images, epochs=search_epochs, batch=64, share=0.2, every=2, logits_lr=0.05,
        alike=True, warmup_lr=0.02, lr=0.02,  # so that shared weights learn from so few images: docs/supernets.md
    )
    for name, reference in devices_ms.items()
]  # fmt: skip
evaluator = Train(dataset=_images, epochs=epochs)
objectives = {"accuracy": "maximize"} | {f"latency_ms@{name}-estimated": "minimize" for name in devices_ms}
report = ["macs", "params"]

algorithm = Distribution()  # the devices in turn
max_trials = 9
timeout_s = 600
