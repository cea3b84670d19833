"""Rounds to 88 % on label-sorted MNIST, the federation of SolverBenchmark.cs once more in numpy from the papers alone.

    python3 solvers_numpy.py FOLDER [seeds]

FOLDER has MNIST's four gzipped files. Prints one line for each solver, rate and seed. About 20 s a line on one core.
"""

import gzip
import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

CLIENTS, COHORT, EACH, CLASSES, EPOCHS, BATCH, TARGET, MOST = 100, 20, 200, 10, 5, 40, 0.88, 300


def read(folder, images, labels):
    def content(name, skip):
        with gzip.open(os.path.join(folder, name)) as file:
            return np.frombuffer(file.read(), np.uint8, offset=skip)

    pixels = content(images, 16).reshape(-1, 784).astype(np.float32) / 255
    # A column of ones carries the bias.
    return np.concatenate([pixels, np.ones((len(pixels), 1), np.float32)], 1), content(labels, 8)


def rounds(train, test, solver, rate, mu, seed):
    """Rounds until the global model first reaches the target; None where it does not."""
    random = np.random.default_rng(seed)
    samples, labels = train
    weights = np.zeros((samples.shape[2], CLASSES), np.float32)
    own = np.zeros((CLIENTS, *weights.shape), np.float32)
    mean = np.zeros_like(weights)
    one_hot = np.eye(CLASSES, dtype=np.float32)
    for number in range(1, MOST + 1):
        cohort = random.choice(CLIENTS, COHORT, replace=False)
        local = np.repeat(weights[None], COHORT, 0)
        steps = 0
        for _ in range(EPOCHS):
            order = np.argsort(random.random((COHORT, EACH)), 1)
            for start in range(0, EACH, BATCH):
                rows = order[:, start:start + BATCH]
                x = samples[cohort[:, None], rows]
                p = x @ local
                p = np.exp(p - p.max(2, keepdims=True))
                p /= p.sum(2, keepdims=True)
                gradient = x.transpose(0, 2, 1) @ (p - one_hot[labels[cohort[:, None], rows]]) / np.float32(BATCH)
                gradient += np.float32(mu) * (local - weights)
                if solver == "scaffold":
                    gradient += mean - own[cohort]
                local -= np.float32(rate) * gradient
                steps += 1
        delta = local - weights
        if solver == "scaffold":
            # Karimireddy et al. 2020, algorithm 1, option II.
            change = -mean - delta / np.float32(steps * rate)
            own[cohort] += change
            mean = mean + change.sum(0) / CLIENTS
        weights = weights + delta.mean(0)
        if np.mean((test[0] @ weights).argmax(1) == test[1]) >= TARGET:
            return number
    return None


def main(folder, seeds):
    x, y = read(folder, "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz")
    count = CLIENTS * EACH
    order = np.argsort(y[:count], kind="stable")
    train = x[:count][order].reshape(CLIENTS, EACH, -1), y[:count][order].reshape(CLIENTS, EACH)
    test = read(folder, "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")
    for rate in (0.02, 0.2):
        for solver, mu in (("scaffold", 0), ("sgd", 0), ("sgd", 0.1), ("sgd", 1)):
            for seed in range(seeds):
                print(solver, f"mu={mu}", f"lr={rate}", f"seed={seed}", rounds(train, test, solver, rate, mu, seed), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3)
