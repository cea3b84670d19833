"""numpy's best at what the robust rules do, on one thread: seconds of the fastest of three, one line each.

Usage: python3 robust_numpy.py CLIENTS COORDINATES
"""
import os
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402  (the threads must be set before)

n, d = int(sys.argv[1]), int(sys.argv[2])
x = np.random.default_rng(1).random((n, d), dtype=np.float32) - 0.5
w = np.full(n, 1 / n, dtype=np.float32)


def fastest(work):
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def median():
    # Blocks that fit a cache, transposed so that sorting runs along contiguous memory.
    for start in range(0, d, 4096):
        block = np.sort(np.ascontiguousarray(x[:, start:start + 4096].T), axis=1)
        (block[:, (n - 1) // 2] + block[:, n // 2]) / 2


print(f"w @ X\t{fastest(lambda: w @ x):.4f}")
print(f"blocked sort, median\t{fastest(median):.4f}")
print(f"Gram, float32\t{fastest(lambda: x @ x.T):.4f}")
