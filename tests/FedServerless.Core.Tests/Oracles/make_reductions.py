"""Writes reductions.json: the sum of squares and a dot product of a pseudo-random vector, to the exact bits of the contract.

x[i] = float32(((i * 2654435761) mod 2**32) / 2**32 - 0.5), y[i] = x[i + 1]. The contract's sum is evaluated here with numpy
columns: reshape to (super-blocks, rows, 16), add the rows in order, add the lanes as a tree. Also the sum rounded once from
the exact value (math.fsum). Run: python3 make_reductions.py (numpy 1.24).
"""
import json
import math
import pathlib

import numpy as np

SUPER_BLOCK, LANES = 65_536, 16


def contract(products):
    total = np.float64(0)
    for start in range(0, len(products), SUPER_BLOCK):
        block = products[start:start + SUPER_BLOCK]
        rows = np.zeros((-(-len(block) // LANES), LANES))
        rows.reshape(-1)[:len(block)] = block
        lanes = np.zeros(LANES)
        for row in rows:
            lanes = lanes + row
        while lanes.size > 1:
            lanes = lanes[:lanes.size // 2] + lanes[lanes.size // 2:]
        total = total + lanes[0]
    return total


def vector(n):
    return (((np.arange(n, dtype=np.uint64) * 2654435761) % 2**32).astype(np.float64) / 2**32 - 0.5).astype(np.float32)


cases = []
for n in [0, 1, 2, 15, 16, 17, 31, 1000, 65_535, 65_536, 65_537, 65_536 * 3 + 1234]:
    values = vector(n + 1).astype(np.float64)
    x, y = values[:n], values[1:]
    cases.append({
        "length": n,
        "sumOfSquares": float(contract(x * x)), "exactSumOfSquares": math.fsum(x * x),
        "dot": float(contract(x * y)), "exactDot": math.fsum(x * y), "magnitude": math.fsum(abs(x * y)),
    })

pathlib.Path(__file__).with_name("reductions.json").write_text(json.dumps(cases, indent=1) + "\n")
