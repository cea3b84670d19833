"""numpy's best at what the codecs do, on one thread: seconds of the fastest of five, one line each; torch's too where it is installed.

Usage: python3 codecs_numpy.py COORDINATES
"""
import os
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402  (the threads must be set before)

n = int(sys.argv[1])
x = np.random.default_rng(1).standard_normal(n, dtype=np.float32) * np.float32(1e-3)
k = -(-n // 100)


def fastest(work):
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def top_k():
    magnitude = np.abs(x)
    index = np.flatnonzero(magnitude >= np.partition(magnitude, n - k)[n - k])
    return index, x[index]


def top_k_sampled():
    magnitude = np.abs(x)
    some = magnitude[::100]
    index = np.flatnonzero(magnitude >= np.partition(some, len(some) - len(some) // 100)[len(some) - len(some) // 100])
    return index, x[index]


def quantize():
    scale = np.float32(max(x.max(), -x.min()) / 127)
    return scale, np.rint(x * (1 / scale)).astype(np.int8)


index, values = top_k()
scale, levels = quantize()
out = np.empty(n, dtype=np.float32)


def scatter():
    out.fill(0)
    out[index] = values


print(f"numpy: top-k 1 %, select (np.partition)\t{fastest(top_k):.5f}")
print(f"numpy: top-k 1 %, select by a sampled threshold, not exact\t{fastest(top_k_sampled):.5f}")
print(f"numpy: top-k, scatter\t{fastest(scatter):.5f}")
print(f"numpy: int8, encode\t{fastest(quantize):.5f}")
print(f"numpy: int8, decode\t{fastest(lambda: np.multiply(levels, scale, out=out, dtype=np.float32)):.5f}")
print(f"numpy: float16, encode\t{fastest(lambda: x.astype(np.float16)):.5f}")

try:
    import torch
except ImportError:
    sys.exit(0)

torch.set_num_threads(1)
tensor = torch.from_numpy(x)
print(f"torch: top-k 1 %, select\t{fastest(lambda: tensor.abs().topk(k, sorted=False)):.5f}")
