"""Writes robust.json: what the robust rules give on seeded matrices, computed with numpy straight from the papers.

Everything is done on the updates themselves in float64 (no Gram matrix, no sorting network, no shared code), so the paths
meet only in the definition. Run: python3 make_robust.py (numpy 1.24).
"""
import json
import pathlib

import numpy as np


def distances(x):
    return ((x[:, None, :] - x[None, :, :]) ** 2).sum(-1)


def krum_scores(x, f, neighbours=None):
    d, n = distances(x), len(x)
    k = n - f - 2 if neighbours is None else neighbours
    return [float(np.sort(np.delete(d[i], i))[:k].sum()) for i in range(n)]


def lowest(values, count):
    return sorted(sorted(range(len(values)), key=lambda i: (values[i], i))[:count])


def bulyan(x, f):
    left, picked = list(range(len(x))), []
    while len(picked) < len(x) - 2 * f:
        m = len(left)
        scores = krum_scores(x[left], f, max(1, m - f - 2)) if m > 1 else [0.0]
        best = lowest(scores, 1)[0]
        picked.append(left.pop(best))
    picked.sort()
    rows = x[picked]
    keep = len(picked) - 2 * f
    out = []
    for column in rows.T:
        median = float(np.median(column))
        nearest = sorted(column.tolist(), key=lambda v: (abs(v - median), v))[:keep]
        out.append(float(np.mean(nearest)))
    return picked, out


def geometric_median(x):
    z = np.median(x, axis=0)
    for _ in range(200_000):
        d = np.linalg.norm(x - z, axis=1)
        w = 1 / np.maximum(d, 1e-300)
        z2 = (w[:, None] * x).sum(0) / w.sum()
        if np.linalg.norm(z2 - z) <= 1e-15 * (1e-300 + np.linalg.norm(z2)):
            z = z2
            break
        z = z2
    return float(np.linalg.norm(x - z, axis=1).mean())


def clip(x, v, radius, iterations):
    v = v.copy()
    for _ in range(iterations):
        d = np.linalg.norm(x - v, axis=1)
        v = v + ((x - v) * np.minimum(1, radius / np.maximum(d, 1e-300))[:, None]).mean(0)
    return v.tolist()


def fltrust(x, root):
    norms, length = np.linalg.norm(x, axis=1), np.linalg.norm(root)
    cosines = np.array([float(a @ root / (b * length)) if b > 0 else 0.0 for a, b in zip(x, norms)])
    trust = np.maximum(cosines, 0)
    scaled = np.array([a * (length / b) if b > 0 else a for a, b in zip(x, norms)])
    return ((trust[:, None] * scaled).sum(0) / trust.sum()).tolist()


def mixed(x, f):
    d = distances(x)
    return np.array([x[lowest([-1.0 if j == i else d[i][j] for j in range(len(x))], len(x) - f)].mean(0) for i in range(len(x))])


rng = np.random.default_rng(170_302_757)
cases = []


def case(name, x, f):
    x = np.asarray(x, dtype=np.float32)
    n = len(x)
    wide = x.astype(np.float64)
    trim = f
    ordered = np.sort(wide, axis=0)
    scores = krum_scores(wide, f) if n >= 2 * f + 3 else []
    picked, around = bulyan(wide, f) if n >= 4 * f + 3 else ([], [])
    root = wide[: max(1, n // 2)].mean(0)
    cases.append({
        "name": name, "f": f, "updates": x.tolist(),
        "median": np.median(wide, axis=0).tolist(),
        "trimmedMean": ordered[trim:n - trim].mean(0).tolist(),
        "krumScores": scores, "krum": lowest(scores, 1) if scores else [],
        "multiKrum": lowest(scores, n - f - 2) if scores else [],
        "bulyanPicked": picked, "bulyan": around,
        "geometricObjective": geometric_median(wide),
        "clipRadius": float(np.median(np.linalg.norm(wide, axis=1))) + 1e-30,
        "clipped": clip(wide, np.zeros(x.shape[1]), float(np.median(np.linalg.norm(wide, axis=1))) + 1e-30, 5),
        "root": root.astype(np.float32).tolist(),
        "trusted": fltrust(wide, root.astype(np.float32).astype(np.float64)),
        "mixedMedian": np.median(mixed(wide, f), axis=0).tolist(),
    })


case("odd", rng.standard_normal((11, 37)), 2)
case("even", rng.standard_normal((12, 41)), 2)
case("minimum of Krum", rng.standard_normal((9, 17)), 3)
case("minimum of Bulyan", rng.standard_normal((15, 19)), 3)
case("no liars", rng.standard_normal((3, 5)), 0)
case("ties", rng.integers(-2, 3, (13, 23)), 2)
duplicates = rng.standard_normal((12, 29))
duplicates[6:9] = duplicates[0]
case("duplicates", duplicates, 2)
case("huge", rng.standard_normal((11, 31)) * 1e15, 2)
case("tiny", rng.standard_normal((11, 31)) * 1e-15, 2)
hostile = rng.standard_normal((11, 33))
hostile[4] = 1e15
hostile[7] = -1e15
case("two rows of 1e15", hostile, 2)
shifted = rng.standard_normal((23, 13)) * 0.1 + 5
shifted[:5] -= 40
case("a shifted crowd", shifted, 5)

pathlib.Path(__file__).with_name("robust.json").write_text(json.dumps(cases) + "\n")
