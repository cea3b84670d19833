"""Writes weighted_mean.json: weighted means computed exactly, as fractions, and rounded once to float64.

Run: python3 make_weighted_mean.py (numpy 1.24).
"""
import json
import pathlib
from fractions import Fraction

import numpy as np

rng = np.random.default_rng(1602_05629)
cases = []
for clients, dimension in [(1, 3), (2, 7), (10, 19), (100, 33)]:
    weights = rng.integers(1, 10_000, clients).astype(np.float64)
    # Magnitudes from 1e-30 to 1e30 in one update, and cancellation: half of the coordinates nearly sum to nothing.
    updates = (rng.standard_normal((clients, dimension)) * 10.0 ** rng.integers(-30, 30, dimension)).astype(np.float32)
    updates[1::2, ::2] = -updates[0:clients - clients % 2:2, ::2]
    total = sum(Fraction(w) for w in weights.tolist())
    mean, magnitude = [], []
    for column in updates.T.tolist():
        products = [Fraction(w) * Fraction(x) for w, x in zip(weights.tolist(), column)]
        mean.append(float(sum(products) / total))
        magnitude.append(float(sum(abs(p) for p in products) / total))
    cases.append({"weights": weights.tolist(), "updates": updates.tolist(), "mean": mean, "magnitude": magnitude})

pathlib.Path(__file__).with_name("weighted_mean.json").write_text(json.dumps(cases) + "\n")
