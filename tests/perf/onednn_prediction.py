"""One and two images predicted with oneDNN and with Eigen, TensorFlow's two ways on a CPU, in one run.

    python tests/perf/onednn_prediction.py [--samples 10]

Each network and way has a process of its own, one after the other. Printed are median milliseconds of a traced call on
one image (or volume) and on two. Weights are random. `core/onednn.py` says where TensorFlow takes which by itself.
"""

import argparse
import os
import subprocess
import sys
import time
from statistics import median

NETWORKS = {
    "unet_half": ({}, (256, 256)),
    "unet_light_half": ({}, (256, 256)),
    "attention_unet": ({"width": 16}, (128, 128)),
    "mednext": ({"width": 8}, (128, 128)),
    "unet_3d": ({"width": 16, "depth": 3}, (32, 64, 64)),
}
WAYS = {"oneDNN": "1", "Eigen": "0"}


def main() -> None:
    """Measure every network both ways, or be the process of one."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--samples", type=int, default=10)
    words.add_argument("--child", help=argparse.SUPPRESS)
    options = words.parse_args()
    if options.child:
        print(*_milliseconds(options.child, options.samples))
        return
    print(f"{'network':16} {'way':8} {'one':>8} {'two':>8}")
    for name in NETWORKS:
        for way, switch in WAYS.items():
            call = [sys.executable, __file__, "--child", name, "--samples", str(options.samples)]
            environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": switch, "TF_CPP_MIN_LOG_LEVEL": "3"}
            told = subprocess.run(call, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
            print(f"{name:16} {way:8} {float(told[0]):8.1f} {float(told[1]):8.1f}")


def _milliseconds(name: str, samples: int) -> list[float]:
    import numpy as np
    import tensorflow as tf

    from unetbench.core.task import Task
    from unetbench.models import MODELS

    options, space = NETWORKS[name]
    model = MODELS[name](Task(len(space), 1, ("object",)), **options)
    signature = [tf.TensorSpec((None,) * (len(space) + 1) + (1,), "float32")]
    call = tf.function(lambda images: model(images, training=False), signature, jit_compile=False)
    found = []
    for count in (1, 2):
        images = tf.constant(np.random.default_rng(0).standard_normal((count, *space, 1), np.float32))
        seconds = []
        for _ in range(2 + samples):
            start = time.perf_counter()
            call(images)
            seconds.append(time.perf_counter() - start)
        found.append(1e3 * median(seconds[2:]))
    return found


if __name__ == "__main__":
    main()
