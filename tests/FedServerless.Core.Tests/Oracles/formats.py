#!/usr/bin/env python3
"""Writes the golden update and model files from docs/concepts/{update,model}-format.md alone, sharing no code with core/.

Usage: formats.py FOLDER   (the test project's folder; prints which of its golden files have other bytes than these)
"""
import hashlib
import json
import math
import pathlib
import struct
import sys


def f32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def layout_digest(tensors):
    out = b"fed-layout-1" + struct.pack("<i", len(tensors))
    for name, shape, role in tensors:
        raw = name.encode()
        out += struct.pack("<i", len(raw)) + raw + struct.pack("<ii", role, len(shape))
        out += b"".join(struct.pack("<i", dimension) for dimension in shape)
    return hashlib.sha256(out).digest()


MASK64 = (1 << 64) - 1


def dense(codec, values):
    if codec == 1:
        return struct.pack(f"<{len(values)}f", *values)
    if codec == 2:
        return struct.pack(f"<{len(values)}e", *(max(-65504.0, min(65504.0, value)) for value in values))
    scale = f32(max(abs(value) for value in values) / 127)
    levels = [0 if scale == 0 else max(-127, min(127, round(f32(value / scale)))) for value in values]
    return struct.pack(f"<f{len(levels)}b", scale, *levels)


def bits(values):
    """Bits, lowest first, in whole bytes."""
    values = values + [0] * (-len(values) % 8)
    return bytes(sum(bit << at for at, bit in enumerate(values[start:start + 8])) for start in range(0, len(values), 8))


def places(gaps, rice):
    low = [gap >> bit & 1 for gap in gaps for bit in range(rice)]
    return bits(low) + bits([bit for gap in gaps for bit in [0] * (gap >> rice) + [1]])


def usual_rice(keep):
    return max([r for r in range(17) if 2 ** r <= math.log(2) / keep], default=0)


def sparse(codec, values, kept, keep):
    at = [i for i in range(len(values)) if kept[i]]
    if not at:
        return bytes(4)
    gaps = [i - (before + 1) for i, before in zip(at, [-1] + at[:-1])]
    near = usual_rice(len(at) / len(values))
    tried = [r for r in sorted({0, usual_rice(keep), near - 1, near, near + 1}) if 0 <= r <= 16]
    rice = min(tried, key=lambda r: (len(places(gaps, r)), r))
    return struct.pack("<I", len(at) | rice << 24) + dense(codec, [values[i] for i in at]) + places(gaps, rice)


def rotate(value, by):
    return (value << by | value >> (64 - by)) & MASK64


def draws(seed, block):
    text = b"fed-random-1" + struct.pack("<qi4siiq", seed, 4, b"mask", 0, 1, block)
    s = list(struct.unpack("<4Q", hashlib.sha256(text).digest()))
    while True:
        yield rotate(s[1] * 5 & MASK64, 7) * 9 & MASK64
        t = s[1] << 17 & MASK64
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotate(s[3], 45)


def mask(seed, block, values, keep):
    source = draws(seed, block)
    taken = set()
    for j in range(values - math.ceil(keep * values), values):
        bound = j + 1
        product = (next(source) >> 32) * bound
        while product % 2 ** 32 < 2 ** 32 % bound:
            product = (next(source) >> 32) * bound
        t = product >> 32
        taken.add(j if t in taken else t)
    return sorted(taken)


def grouped(codec, values):
    scales, packed = b"", b""
    for group in chunks(values, 1280):
        if codec == 12:
            lanes = [0.0] * 16
            for i, value in enumerate(group):
                lanes[i % 16] += abs(value)
            for half in (8, 4, 2, 1):
                lanes = [lanes[j] + lanes[j + half] for j in range(half)]
            scales += struct.pack("<f", lanes[0] / len(group))
            packed += bits([int(math.copysign(1, value) < 0) for value in group])
            continue
        limit = 7 if codec == 10 else 1
        scale = f32(max(abs(value) for value in group) / limit)
        levels = [0 if scale == 0 else round(f32(value / scale)) for value in group]
        scales += struct.pack("<f", scale)
        size = 2 if codec == 10 else 5
        for some in chunks(levels, size):
            some += [0] * (size - len(some))
            packed += bytes([some[0] & 15 | (some[1] & 15) << 4 if codec == 10 else sum((q + 1) * 3 ** t for t, q in enumerate(some))])
    return scales + packed


def chunks(values, size):
    return [values[at:at + size] for at in range(0, len(values), size)]


def parameters(codec, deltas, block, keep, seed):
    parts = chunks(deltas, block)
    if codec <= 3:
        return [dense(codec, part) for part in parts]
    if codec <= 6:
        largest = sorted(range(len(deltas)), key=lambda i: (-abs(deltas[i]), i))[:math.ceil(keep * len(deltas))]
        kept = [False] * len(deltas)
        for i in largest:
            kept[i] = deltas[i] != 0
        return [sparse(codec - 3, part, some, keep) for part, some in zip(parts, chunks(kept, block))]
    if codec <= 9:
        return [dense(codec - 6, [part[i] for i in mask(seed, b, len(part), keep)]) for b, part in enumerate(parts)]
    return [grouped(codec, part) for part in parts]


def update(codec, tensors, base, deltas, buffers, integers, block, keep, seed):
    blocks = parameters(codec, deltas, block, keep, seed)
    blocks += [dense(1, part) for part in chunks(buffers, block)]
    blocks += [struct.pack(f"<{len(part)}q", *part) for part in chunks(integers, block // 2)]
    header = b"FSU1" + struct.pack("<HBB", 1, codec, 0) + layout_digest(tensors) + base
    header += struct.pack("<IQQQI", block, len(deltas), len(buffers), len(integers), len(blocks))
    header += b"".join(struct.pack("<I", len(data)) + hashlib.sha256(data).digest()[:16] for data in blocks)
    return header + b"".join(blocks)


def model(tensors, floats, integers, metadata):
    roles = ["parameter", "buffer", "integer"]
    entries = dict(sorted(metadata.items()))
    entries.update({f"fed.role.{name}": roles[role] for name, _, role in tensors})
    header = {"__metadata__": entries}
    at = 0
    for name, shape, role in [t for t in tensors if t[2] == 2] + [t for t in tensors if t[2] != 2]:
        size = 8 if role == 2 else 4
        for dimension in shape:
            size *= dimension
        header[name] = {"dtype": "I64" if role == 2 else "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + struct.pack(f"<{len(integers)}q", *integers) + struct.pack(f"<{len(floats)}f", *floats)


def main(folder):
    tensors = [("fc.weight", [3, 350], 0), ("fc.bias", [3], 0), ("bn.running_mean", [2], 1), ("bn.num_batches_tracked", [], 2)]
    start = [((i * 37 % 101) - 50) / 64 for i in range(1055)]
    trained = [start[i] + ((i * 53 % 211) - 105) / 4096 for i in range(1055)]
    deltas = [trained[i] - start[i] for i in range(1053)]

    # What is drawn has no say in the bytes where every value is −s, 0 or s.
    three = [(i * 53 % 3 - 1) / 64 for i in range(1053)]
    base = hashlib.sha256(b"golden").digest()
    codecs = [
        "float32", "float16", "int8", "top-k", "top-k-float16", "top-k-int8",
        "random-k", "random-k-float16", "random-k-int8", "int4", "ternary", "sign"]
    files = {
        f"Wire/Updates/Golden/update-v1-{name}.fsu":
            update(codec, tensors, base, three if name == "ternary" else deltas, trained[1053:], [42], 1024, keep=0.05, seed=2026)
        for codec, name in enumerate(codecs, start=1)
    }
    files["Model/Golden/model-v1.safetensors"] = model(
        [("net.0.weight", [2, 3], 0), ("net.0.bias", [2], 0), ("net.1.running_var", [2], 1), ("net.1.num_batches_tracked", [], 2)],
        [1, -2, 0.5, 3.25, -0.0, 1024, 7, -8, 1, 1.5], [1 << 20], {"model": "digits", "note": "Prüfung \"1\""})
    different = [path for path, data in files.items() if not (folder / path).exists() or (folder / path).read_bytes() != data]
    print("\n".join(f"differs: {path}" for path in different) or f"{len(files)} files are the same")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
