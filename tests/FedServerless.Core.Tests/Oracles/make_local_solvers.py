"""Writes local_solvers.json: whole federations of quadratic clients under each local solver, from the papers' own formulas.

Client i has the loss 1/2 * sum_j h_ij (w_j - b_ij)^2; a local step is exact gradient descent. Rounds have partial participation and
clients unequal step counts. State is kept as the papers write it (c and c_i, h and g_i), not as sums.

Run: python3 make_local_solvers.py (numpy 1.24).
"""
import json
import pathlib

import numpy as np

rng = np.random.default_rng(2020)
N, D, ROUNDS, RATE = 6, 5, 12, 0.1
H = rng.uniform(0.5, 2, (N, D))
B = rng.normal(0, 3, (N, D))
STEPS = np.array([1, 2, 3, 5, 8, 4])
SAMPLES = np.array([10, 20, 30, 50, 80, 40])
COHORTS = [sorted(rng.choice(N, 3, replace=False).tolist()) for _ in range(ROUNDS)]


def grad(i, w):
    return H[i] * (w - B[i])


def scaffold():
    """Karimireddy et al. 2020, algorithm 1, option II, global step size 1."""
    x, c, ci, trace = np.zeros(D), np.zeros(D), np.zeros((N, D)), []
    for cohort in COHORTS:
        dy, dc = [], []
        for i in cohort:
            y = x.copy()
            for _ in range(STEPS[i]):
                y = y - RATE * (grad(i, y) - ci[i] + c)
            plus = ci[i] - c + (x - y) / (STEPS[i] * RATE)
            dy.append(y - x)
            dc.append(plus - ci[i])
            ci[i] = plus
        x = x + np.mean(dy, axis=0)
        c = c + len(cohort) / N * np.mean(dc, axis=0)
        assert np.allclose(c, ci.mean(0))
        trace.append({"weights": x.tolist(), "mean": c.tolist(), "own": ci.tolist()})
    return trace


def feddyn(alpha):
    """Acar et al. 2021, algorithm 1; the local minimisation is the steps given."""
    x, h, g, trace = np.zeros(D), np.zeros(D), np.zeros((N, D)), []
    for cohort in COHORTS:
        ends = []
        for i in cohort:
            y = x.copy()
            for _ in range(STEPS[i]):
                y = y - RATE * (grad(i, y) - g[i] + alpha * (y - x))
            g[i] = g[i] - alpha * (y - x)
            ends.append(y)
        h = h - alpha / N * np.sum([y - x for y in ends], axis=0)
        x = np.mean(ends, axis=0) - h / alpha
        trace.append({"weights": x.tolist(), "mean": h.tolist(), "own": g.tolist()})
    return trace


def fednova(momentum, mu):
    """Wang et al. 2020, equation 8: a_i by its definition, one coefficient per local gradient."""
    x, trace = np.zeros(D), []
    for cohort in COHORTS:
        p = SAMPLES[cohort] / SAMPLES[cohort].sum()
        directions, lengths = [], []
        for i in cohort:
            y, v = x.copy(), np.zeros(D)
            # Coefficients: feed unit gradients one at a time through the same recursion.
            a = np.zeros(STEPS[i])
            for k in range(STEPS[i]):
                dy, dv = 0.0, 0.0
                for step in range(STEPS[i]):
                    g = (1.0 if step == k else 0.0) + mu * dy
                    dv = momentum * dv + g
                    dy = dy - RATE * dv
                a[k] = -dy / RATE
            for _ in range(STEPS[i]):
                v = momentum * v + grad(i, y) + mu * (y - x)
                y = y - RATE * v
            lengths.append(np.abs(a).sum())
            directions.append((y - x) / np.abs(a).sum())
        tau = np.sum(p * np.array(lengths))
        x = x + tau * np.sum(p[:, None] * np.array(directions), axis=0)
        trace.append({"weights": x.tolist(), "mean": [], "own": [], "lengths": np.array(lengths).tolist()})
    return trace


def case(solver, trace, momentum=0.0, mu=0.0):
    return {"solver": solver, "momentum": momentum, "proximalMu": mu, "rate": RATE, "curvature": H.tolist(), "centres": B.tolist(),
            "steps": STEPS.tolist(), "samples": SAMPLES.tolist(), "cohorts": COHORTS, "rounds": trace}


cases = [case("scaffold", scaffold()), case("feddyn", feddyn(0.5), mu=0.5), case("fednova", fednova(0, 0)),
         case("fednova", fednova(0.9, 0), momentum=0.9), case("fednova", fednova(0, 0.7), mu=0.7)]
pathlib.Path(__file__).with_name("local_solvers.json").write_text(json.dumps(cases) + "\n")
