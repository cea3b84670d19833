"""Writes sampled_gaussian_rdp.json: Renyi divergences of the Poisson-sampled Gaussian, to 17 digits.

D = log E[((1-q) + q exp((2x-1)/(2s^2)))^a] / (a-1), x ~ N(0, s^2): section 3.3 of Mironov, Talwar and Zhang 2019,
arXiv:1908.10530. Integer orders by the exact binomial sum with 60 digits; fractional orders, and a few integer ones as a
check of the check, by Gauss-Legendre quadrature with 50 digits on panels one standard deviation wide. Shares no formula with the C#, which
integrates a differenced form by the trapezoid rule. Run: /usr/bin/python3 make_sampled_gaussian_rdp.py (mpmath 1.2, some minutes).
"""
import json
import pathlib

import mpmath as mp


def integer_order(q, s, a):
    with mp.workdps(60):
        q, s = mp.mpf(q), mp.mpf(s)
        total = mp.fsum(mp.binomial(a, k) * (1 - q)**(a - k) * q**k * mp.exp(mp.mpf(k * k - k) / (2 * s * s)) for k in range(a + 1))
        return mp.log(total) / (a - 1)


def quadrature(q, s, a):
    with mp.workdps(50):
        q, s, a = mp.mpf(q), mp.mpf(s), mp.mpf(a)
        norm = 1 / mp.sqrt(2 * mp.pi)

        def integrand(x):
            return norm * mp.exp(-x * x / 2) * (1 - q + q * mp.exp(x / s - 1 / (2 * s * s)))**a

        top = int(mp.ceil(a / s)) + 17
        return mp.log(mp.quad(integrand, [mp.mpf(edge) for edge in range(-17, top + 1)], method="gauss-legendre", maxdegree=4)) / (a - 1)


cases = []
for q in [1e-6, 1e-3, 50 / 3383, 0.1, 0.5, 0.9, 0.999]:
    for s in [0.3, 0.5, 1.0, 1.2, 4.0, 20.0]:
        for a in [2, 3, 8, 17, 64, 128, 256, 1024]:
            cases.append((q, s, float(a), integer_order(q, s, a)))
        for a in [1.01, 1.0625, 1.5, 2.25, 4.75, 9.5] + ([33.3] if s >= 0.5 else []) + ([1000.5] if s >= 20 else []):
            cases.append((q, s, a, quadrature(q, s, a)))
    assert abs(quadrature(q, 1.2, 8) / integer_order(q, 1.2, 8) - 1) < mp.mpf(10)**-30, q

rows = [{"samplingRate": q, "noiseMultiplier": s, "order": a, "divergence": float(d)} for q, s, a, d in cases]
lines = ",\n".join(" " + json.dumps(row) for row in rows)
pathlib.Path(__file__).with_name("sampled_gaussian_rdp.json").write_text("[\n" + lines + "\n]\n")
