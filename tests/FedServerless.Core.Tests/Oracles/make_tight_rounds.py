"""Writes tight_rounds.json: delta(eps) of many rounds of the sampled Gaussian by importance sampling, with its standard error.

No grid of losses and no Fourier transform: outcomes x of each round are drawn from the density tilted by exp(lambda * loss), by inverting its distribution
function on a table of 400,001 points, losses are computed exactly at the x drawn (uniform within a table cell, corrected for by
the weight), and delta(eps) = E[weight * (1 - exp(eps - S))+]. Run: /usr/bin/python3 make_tight_rounds.py (numpy 1.24, a minute or two).
"""
import json
import pathlib

import numpy as np


def loss_at(x, q, s, remove):
    plain = (2 * x - 1) / (2 * s * s)
    value = np.log1p(q * np.expm1(plain))
    return value if remove else -value


def estimate(q, s, rounds, remove, tilt, eps, draws, rng):
    """Returns the mean of S under the tilt, and delta(eps) with its relative standard error."""
    edges = np.linspace(-11 * s, 1 + (11 + tilt) * s if remove else 1 + 11 * s, 400_002)
    x = (edges[1:] + edges[:-1]) / 2
    zero = np.exp(-x * x / (2 * s * s))
    base = (1 - q) * zero + q * np.exp(-(x - 1) ** 2 / (2 * s * s)) if remove else zero
    log_base = np.log(np.maximum(base, 1e-320)) - np.log(base.sum())
    log_tilted = log_base + tilt * loss_at(x, q, s, remove)
    top = log_tilted.max()
    tilted = np.exp(log_tilted - top)
    cumulative = np.cumsum(tilted) / tilted.sum()
    sums, weights = np.zeros(draws), np.zeros(draws)
    width = edges[1] - edges[0]
    log_cell = np.log(np.maximum(tilted / tilted.sum(), 1e-320))
    normal = np.log(width) - 0.5 * np.log(2 * np.pi * s * s)
    for _ in range(rounds):
        cell = np.minimum(np.searchsorted(cumulative, rng.random(draws)), len(x) - 1)
        at = edges[cell] + width * rng.random(draws)
        loss = loss_at(at, q, s, remove)
        density = -at * at / (2 * s * s) + normal
        sums += loss
        weights += density + (loss if remove else 0) - log_cell[cell]
    values = np.exp(weights) * np.maximum(0, -np.expm1(np.minimum(0, eps - sums)))
    return sums.mean(), values.mean(), values.std() / np.sqrt(draws) / max(values.mean(), 1e-300)


rows = []
rng = np.random.default_rng(2106_02848)
for q, s, rounds, remove, tilt, draws in [
        (120 / 3383, 1.2, 100, True, 6, 400_000), (120 / 3383, 1.2, 100, False, 9, 400_000),
        (50 / 3383, 0.5, 100, True, 1, 400_000), (0.25, 2.0, 40, True, 5, 400_000), (0.25, 2.0, 40, False, 6, 400_000),
        (0.001, 0.8, 3000, True, 7, 100_000), (0.01, 1.0, 1000, True, 6, 100_000), (0.9, 5.0, 200, True, 1, 200_000)]:
    middle, _, _ = estimate(q, s, rounds, remove, tilt, 0, draws // 10, rng)
    _, delta, error = estimate(q, s, rounds, remove, tilt, middle, draws, rng)
    print(q, s, rounds, remove, middle, delta, error, flush=True)
    rows.append({"samplingRate": q, "noiseMultiplier": s, "rounds": rounds, "removes": remove,
                 "epsilon": float(middle), "delta": float(delta), "relativeError": float(error)})
lines = ",\n".join(" " + json.dumps(row) for row in rows)
pathlib.Path(__file__).with_name("tight_rounds.json").write_text("[\n" + lines + "\n]\n")
