"""Writes audit.json: p-values and bounds of Steinke, Nasr and Jagielski 2023 (arXiv:2305.08846, theorem 5.2 and appendix D).

Binomial probabilities are exact sums of rationals times powers of the accuracy, with mpmath at 40 digits. A bound is the eps at
which the p-value is 1 - confidence, by bisection to 1e-12; 0 where even eps = 0 explains the guesses.
Run: /usr/bin/python3 make_audit.py (mpmath 1.2).
"""
import json
import pathlib

import mpmath as mp

mp.mp.dps = 40


def p_value(m, r, v, eps, delta):
    accuracy = 1 / (1 + mp.exp(-eps))
    mass = [mp.binomial(r, k) * accuracy**k * (1 - accuracy)**(r - k) for k in range(r + 1)]
    beta = mp.fsum(mass[v:])
    alpha, below = mp.mpf(0), mp.mpf(0)
    for i in range(1, v + 1):
        below += mass[v - i]
        alpha = max(alpha, below / i)
    return min(beta + 2 * m * delta * alpha, mp.mpf(1))


def bound(m, r, v, delta, p):
    if p_value(m, r, v, mp.mpf(0), delta) >= p:
        return mp.mpf(0)
    low, high = mp.mpf(0), mp.mpf(1)
    while p_value(m, r, v, high, delta) < p:
        high *= 2
    while high - low > mp.mpf(10)**-12:
        middle = (low + high) / 2
        low, high = (middle, high) if p_value(m, r, v, middle, delta) < p else (low, middle)
    return low


rows = []
for m, r, v in [(10, 10, 10), (100, 100, 60), (100, 30, 29), (100, 100, 100), (500, 100, 90), (1000, 1000, 520), (1000, 1000, 700), (40, 0, 0)]:
    for delta in [0.0, 1e-5, 1e-3]:
        rows.append({"canaries": m, "guesses": r, "correct": v, "delta": delta,
                     "pValueAtOne": float(p_value(m, r, v, mp.mpf(1), mp.mpf(delta))),
                     "lowerBound": float(bound(m, r, v, mp.mpf(delta), mp.mpf(1) / 20)),
                     "largest": float(bound(m, m, m, mp.mpf(delta), mp.mpf(1) / 20))})
lines = ",\n".join(" " + json.dumps(row) for row in rows)
pathlib.Path(__file__).with_name("audit.json").write_text("[\n" + lines + "\n]\n")
