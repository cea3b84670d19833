"""Writes server_optimizers.json: algorithm 2 of Reddi et al. 2021 (arXiv:2003.00295), FedAvg and FedAvgM, in numpy float64.

Written from the paper, apart from the C#; state is never rounded here. Run: python3 make_server_optimizers.py (numpy 1.24).
"""
import json
import pathlib

import numpy as np


def steps(name, eta, b1, b2, tau, x, deltas):
    x = x.astype(np.float64)
    m = np.zeros_like(x)
    v = np.full_like(x, tau * tau)
    for delta in deltas:
        if name == "fedavg":
            x = x + eta * delta
        elif name == "fedavgm":
            m = b1 * m + delta
            x = x + eta * m
        else:
            m = b1 * m + (1.0 - b1) * delta
            if name == "fedadagrad":
                v = v + np.square(delta)
            elif name == "fedadam":
                v = b2 * v + (1.0 - b2) * np.square(delta)
            else:
                v = v - (1.0 - b2) * np.square(delta) * np.sign(v - np.square(delta))
            x = x + eta * m / (np.sqrt(v) + tau)
        yield {"weights": x.tolist(), "momentum": m.tolist(), "variance": v.tolist()}


rng = np.random.default_rng(20210302)
cases = []
for name in ["fedavg", "fedavgm", "fedadagrad", "fedadam", "fedyogi"]:
    for eta, b1, b2, tau in [(1.0, 0.9, 0.99, 2**-10), (0.03, 0.0, 0.999, 2**-3), (0.5, 0.5, 0.0, 2**-13)]:
        # Coordinates of very different size; one never moves, one moves by exactly tau, where v = delta
        # squared: tau is a power of two, because otherwise rounding v to float32 decides the sign in Yogi.
        x = np.array([0.0, 1.0, -2.5, 1e-3, 40.0, 0.5], dtype=np.float32)
        scale = np.array([1.0, 1e-2, 10.0, 1e-4, 0.0, 0.0])
        deltas = rng.standard_normal((6, x.size)) * scale
        deltas[0, 5] = tau
        cases.append({
            "name": name, "learningRate": eta, "beta1": b1, "beta2": b2, "tau": tau,
            "weights": x.tolist(), "deltas": deltas.tolist(), "steps": list(steps(name, eta, b1, b2, tau, x, deltas)),
        })

pathlib.Path(__file__).with_name("server_optimizers.json").write_text(json.dumps(cases, indent=1) + "\n")
