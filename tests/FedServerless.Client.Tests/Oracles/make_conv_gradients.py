"""Writes conv_gradients.json: loss and gradient of small convolution networks, by numpy alone, in double.

Networks as in docs/concepts/model-format.md: convolutions with zeros beyond the edges, each with ReLU and the maximum of each 2 x 2, then
fully connected layers with ReLU between them, softmax cross-entropy on top, mean over the batch. Forwards by sums over shifted images,
backwards by the transposes of the same shifts; no loop over pixels and no tiles, unlike the implementation. Where pixels tie for
the maximum, which happens in the last case alone, the first in reading order has the gradient.

    python3 make_conv_gradients.py > conv_gradients.json
"""

import json

import numpy as np


def shifts(x, k):
    """[n, c, h, w] to [k, k, n, c, h, w]: the image as each tap of the kernel sees it."""
    r = k // 2
    padded = np.pad(x, ((0, 0), (0, 0), (r, r), (r, r)))
    h, w = x.shape[2:]
    return np.array([[padded[:, :, i:i + h, j:j + w] for j in range(k)] for i in range(k)])


def unshifts(d, k):
    r = k // 2
    n, c, h, w = d.shape[2:]
    padded = np.zeros((n, c, h + 2 * r, w + 2 * r))
    for i in range(k):
        for j in range(k):
            padded[:, :, i:i + h, j:j + w] += d[i, j]
    return padded[:, :, r:r + h, r:r + w]


def windows(x):
    n, c, h, w = x.shape
    return x.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(n, c, h // 2, w // 2, 4)


def unwindows(x):
    n, c, h, w, _ = x.shape
    return x.reshape(n, c, h, w, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(n, c, 2 * h, 2 * w)


def loss_and_gradient(image, convolutions, widths, parameters, features, labels):
    height, width, channels = image
    take = iter(np.split(parameters, np.cumsum(list(sizes(image, convolutions, widths)))[:-1]))
    x, seen = features.reshape(-1, channels, height, width), []
    for outputs, k in convolutions:
        w, b = next(take).reshape(outputs, x.shape[1], k, k), next(take)
        s = shifts(x, k)
        z = windows(np.maximum(np.einsum("ijnchw,ocij->nohw", s, w) + b[:, None, None], 0))
        seen.append((w, s, z))
        x = z.max(-1)
    pooled, layers, a = x.shape, [], x.reshape(len(x), -1)
    for i, outputs in enumerate(widths):
        w, b = next(take).reshape(outputs, -1), next(take)
        layers.append((w, a))
        a = a @ w.T + b
        a = np.maximum(a, 0) if i < len(widths) - 1 else a
    a -= a.max(1, keepdims=True)
    p = np.exp(a) / np.exp(a).sum(1, keepdims=True)
    rows = np.arange(len(labels))
    loss = -np.log(p[rows, labels]).mean()
    p[rows, labels] -= 1
    d, parts = p / len(labels), []
    for i in range(len(layers) - 1, -1, -1):
        w, below = layers[i]
        parts = [(d.T @ below).ravel(), d.sum(0)] + parts
        d = d @ w * ((below > 0) if i > 0 else 1)
    d = d.reshape(pooled)
    for w, s, z in reversed(seen):
        first = np.eye(4)[z.argmax(-1)]
        d = unwindows(first * (d * (z.max(-1) > 0))[..., None])
        parts = [np.einsum("ijnchw,nohw->ocij", s, d).ravel(), d.sum((0, 2, 3))] + parts
        d = unshifts(np.einsum("nohw,ocij->ijnchw", d, w), w.shape[-1])
    return loss, np.concatenate(parts)


def sizes(image, convolutions, widths):
    height, width, channels = image
    for outputs, k in convolutions:
        yield from (outputs * channels * k * k, outputs)
        height, width, channels = height // 2, width // 2, outputs
    below = height * width * channels
    for outputs in widths:
        yield from (outputs * below, outputs)
        below = outputs


def case(rng, image, convolutions, widths, samples, ties=False):
    parameters = rng.normal(0, 0.5, sum(sizes(image, convolutions, widths))).astype(np.float32)
    features = rng.normal(0, 1, (samples, int(np.prod(image)))).astype(np.float32)
    if ties:
        # Powers of two on a coarse grid: sums are exact, so what ties in double ties in float32 too.
        parameters, features = np.round(2 * parameters) / 2, np.round(features)
    labels = rng.integers(0, widths[-1], samples)
    loss, gradient = loss_and_gradient(image, convolutions, widths, parameters.astype(float), features.astype(float), labels)
    return {
        "image": image, "convolutions": convolutions, "widths": widths, "parameters": [round(float(v), 9) for v in parameters],
        "features": [round(float(v), 9) for v in features.ravel()], "labels": labels.tolist(), "loss": loss,
        "gradient": [float(f"{v:.9g}") for v in gradient],
    }


rng = np.random.default_rng(1602)
print(json.dumps([
    case(rng, [2, 2, 1], [[1, 1]], [2], 1),
    case(rng, [4, 6, 1], [[3, 3]], [4], 3),
    case(rng, [8, 4, 2], [[3, 5], [4, 3]], [6, 3], 4),
    case(rng, [4, 4, 3], [[17, 3]], [3], 2),
    case(rng, [4, 4, 1], [[2, 7]], [2], 2),
    case(rng, [8, 8, 1], [[4, 3], [5, 1], [2, 5]], [5, 4, 2], 3),
    case(rng, [6, 6, 1], [[3, 3]], [3], 5, ties=True),
]))
