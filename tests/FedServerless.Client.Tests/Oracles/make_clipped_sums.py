"""Writes clipped_sums.json: sums of per-example clipped gradients of fully connected networks, by numpy alone.

Networks as in docs/concepts/model-format.md: weight [out, in], bias [out], ReLU between layers, softmax cross-entropy on top.
Every example's gradient is taken alone and clipped to C over all parameters jointly (Abadi et al. 2016, algorithm 1).
Beside it what clipping the batch's mean gradient would give, which the implementation must not.

    python3 make_clipped_sums.py > clipped_sums.json
"""

import json

import numpy as np


def gradient(widths, parameters, x, label):
    layers, offset = [], 0
    for inputs, outputs in zip(widths, widths[1:]):
        w = parameters[offset:offset + inputs * outputs].reshape(outputs, inputs)
        offset += inputs * outputs
        layers.append((w, parameters[offset:offset + outputs]))
        offset += outputs
    activations = [x]
    for i, (w, b) in enumerate(layers):
        z = w @ activations[-1] + b
        activations.append(np.maximum(z, 0) if i < len(layers) - 1 else z)
    p = np.exp(activations[-1] - activations[-1].max())
    delta = p / p.sum()
    delta[label] -= 1
    parts = []
    for i in range(len(layers) - 1, -1, -1):
        parts = [np.outer(delta, activations[i]).ravel(), delta] + parts
        if i > 0:
            delta = (layers[i][0].T @ delta) * (activations[i] > 0)
    return np.concatenate(parts)


def case(rng, widths, samples, clip):
    parameters = rng.normal(0, 0.5, sum(a * b + b for a, b in zip(widths, widths[1:]))).astype(np.float32)
    features = rng.normal(0, 1, (samples, widths[0])).astype(np.float32)
    features[0] *= 20  # One example whose gradient is far above C.
    labels = rng.integers(0, widths[-1], samples)
    gradients = np.array([gradient(widths, parameters.astype(float), x.astype(float), y) for x, y in zip(features, labels)])
    norms = np.linalg.norm(gradients, axis=1)
    per_sample = (gradients * np.minimum(1, clip / norms)[:, None]).sum(0)
    mean = gradients.mean(0)
    per_batch = samples * mean * min(1, clip / np.linalg.norm(mean))
    return {
        "widths": widths, "clip": clip, "parameters": parameters.tolist(), "features": features.ravel().tolist(),
        "labels": labels.tolist(), "clipped": int((norms > clip).sum()), "perSample": per_sample.tolist(), "perBatch": per_batch.tolist(),
    }


rng = np.random.default_rng(1607)
print(json.dumps([case(rng, [6, 4], 9, 1.0), case(rng, [5, 7, 3], 11, 2.5), case(rng, [3, 4, 4, 2], 1, 0.1), case(rng, [4, 3], 5, 1000.0)]))
