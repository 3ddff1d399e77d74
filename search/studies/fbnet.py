"""Which FBNet reads digits best for its latency on this computer? One supernet learns where to look.

FBNet's search (Wu et al., CVPR 2019): all nine blocks of all 22 layers are trained together and weighted by theta,
which learns accuracy and measured latency at once; then networks drawn from P(theta) are trained as trials. Scaled
down: a quarter of the channels, 16x16 images, a third of the epochs. Some six minutes on two CPUs.
"""

from evaluators.datasets import AtPath, EnlargedDigits
from evaluators.fbnet_dnas import FBNetDNAS
from evaluators.train import Train
from search.algorithms.distribution import Distribution
from spaces.fbnet import fbnet

data = ""  # in place of the digits: CIFAR-10, MNIST, or pictures in a folder a class, by path: docs/data.md
limit = 0  # how many of its images train; 0 for all
classes = 10
resolution = 16  # of the digits a multiple of 8; the paper's is 224, with variant="imagenet" and width=1
width = 0.25

search_epochs = 30  # of the supernet; the paper's schedule is 90, and this one keeps its proportions
epochs = 15  # of each trial

space = fbnet("cifar", width=width, head=256, resolution=resolution, classes=classes)
_images = AtPath(data, resolution, limit or None) if data else EnlargedDigits(resolution // 8)
preparations = [
    FBNetDNAS(cost="latency_ms", dataset=_images, epochs=search_epochs, logits_lr=0.1)  # the paper's 0.01 has 90 epochs
]
evaluator = Train(dataset=_images, epochs=epochs)
objectives = {"accuracy": "maximize", "latency_ms": "minimize"}  # accuracy in percent of the validation images
report = ["macs", "params"]

algorithm = Distribution()  # the most probable network first, then drawn ones
max_trials = 12
timeout_s = 600
