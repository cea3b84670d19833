"""Writes tight_delta.json: the exact delta(eps) of one and two rounds of the sampled Gaussian, both directions, 17 digits.

One round has a closed form (the likelihood ratio is monotone in x). For n rounds delta_n(eps) = E_P[delta_{n-1}(eps - loss(x))],
integrated with mpmath at 30 digits.
Plain Gaussians of any number of rounds are one Gaussian of multiplier s/sqrt(n). Also normal tails and the analytic Gaussian
(Balle and Wang 2018, arXiv:1805.06530, theorem 8). Run: /usr/bin/python3 make_tight_delta.py (mpmath 1.2, some minutes).
"""
import json
import pathlib

import mpmath as mp

mp.mp.dps = 30


def tail(x):
    return mp.erfc(x / mp.sqrt(2)) / 2


def one_round(q, s, remove, eps):
    """delta(eps) for any real eps: P = mixture, Q = N(0, s^2) if remove, else the other way round."""
    e = mp.exp(eps)
    if remove:  # P - e^eps Q > 0 exactly where x > c
        if e <= 1 - q:
            return 1 - e
        c = s * s * mp.log((e - 1 + q) / q) + mp.mpf(1) / 2
        return (1 - q) * tail(c / s) + q * tail((c - 1) / s) - e * tail(c / s)
    if 1 / e <= 1 - q:
        return mp.mpf(0)
    c = s * s * mp.log((1 / e - 1 + q) / q) + mp.mpf(1) / 2  # N(0) - e^eps M > 0 exactly where x < c
    return tail(-c / s) - e * ((1 - q) * tail(-c / s) + q * tail(-(c - 1) / s))


def rounds(n, q, s, remove, eps):
    if n == 1:
        return one_round(q, s, remove, eps)

    def density(x):
        zero = mp.npdf(x, 0, s)
        return (1 - q) * zero + q * mp.npdf(x, 1, s) if remove else zero

    def loss(x):
        value = mp.log(1 - q + q * mp.exp((2 * x - 1) / (2 * s * s)))
        return value if remove else -value

    # The integrand has a kink where the remaining eps leaves the range of the closed form.
    breaks = [s * edge / mp.mpf(2) for edge in range(-24, 25)]
    edge = mp.log(1 - q)
    wanted = mp.exp(eps - edge) if remove else mp.exp(-eps - edge)
    if n == 2 and wanted > 1 - q:
        breaks.append(s * s * mp.log((wanted - 1 + q) / q) + mp.mpf(1) / 2)
    breaks = sorted(set(b for b in breaks if abs(b) <= 12 * s)) + ([12 * s + 1] if remove else [])
    return mp.quad(lambda x: density(x) * rounds(n - 1, q, s, remove, eps - loss(x)), breaks, maxdegree=4 if n == 2 else 3)


rows = []
for q, s in [(0.01, 0.6), (0.1, 1.0), (0.25, 0.8), (0.5, 2.0), (0.9, 1.5)]:
    for n in [1, 2]:
        for eps in [0.05, 0.5, 1.0, 2.0]:
            for remove in [True, False]:
                rows.append({"samplingRate": q, "noiseMultiplier": s, "rounds": n, "removes": remove, "epsilon": eps,
                             "delta": float(rounds(n, mp.mpf(q), mp.mpf(s), remove, mp.mpf(eps)))})
for s, n in [(1.0, 1), (10.0, 100), (40.0, 1000), (150.0, 10000)]:
    for eps in [0.1, 1.0, 3.0]:
        z = mp.mpf(s) / mp.sqrt(n)
        delta = tail(eps * z - 1 / (2 * z)) - mp.exp(eps) * tail(eps * z + 1 / (2 * z))
        rows.append({"samplingRate": 1.0, "noiseMultiplier": s, "rounds": n, "removes": True, "epsilon": eps, "delta": float(delta)})
lines = ",\n".join(" " + json.dumps(row) for row in rows)
pathlib.Path(__file__).with_name("tight_delta.json").write_text("[\n" + lines + "\n]\n")

rows = [{"x": x, "upper": float(tail(mp.mpf(x)))} for x in
        [-40.0, -8.0, -3.0, -1.0, -0.25, 0.0, 1e-9, 0.1, 0.5, 1.0, 1.9, 2.0, 2.1, 2.8, 2.83, 3.0, 4.0, 5.5, 8.0, 12.0, 20.0, 30.0, 37.0]]
lines = ",\n".join(" " + json.dumps(row) for row in rows)
pathlib.Path(__file__).with_name("normal_tails.json").write_text("[\n" + lines + "\n]\n")
