#!/usr/bin/env python3
"""Writes the golden update and model files from docs/concepts/{update,model}-format.md alone, sharing no code with core/.

Usage: formats.py FOLDER   (the test project's folder; prints which of its golden files have other bytes than these)
"""
import hashlib
import json
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


def encode(codec, values):
    if codec == 1:
        return struct.pack(f"<{len(values)}f", *values)
    if codec == 2:
        return struct.pack(f"<{len(values)}e", *(max(-65504.0, min(65504.0, value)) for value in values))
    scale = f32(max(abs(value) for value in values) / 127)
    levels = [0 if scale == 0 else max(-127, min(127, round(f32(value / scale)))) for value in values]
    return struct.pack(f"<f{len(levels)}b", scale, *levels)


def chunks(values, size):
    return [values[at:at + size] for at in range(0, len(values), size)]


def update(codec, tensors, base, deltas, buffers, integers, block):
    blocks = [encode(codec, part) for part in chunks(deltas, block)]
    blocks += [encode(1, part) for part in chunks(buffers, block)]
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
    base = hashlib.sha256(b"golden").digest()
    files = {
        f"Wire/Updates/Golden/update-v1-{name}.fsu": update(codec, tensors, base, deltas, trained[1053:], [42], 1024)
        for codec, name in [(1, "float32"), (2, "float16"), (3, "int8")]
    }
    files["Model/Golden/model-v1.safetensors"] = model(
        [("net.0.weight", [2, 3], 0), ("net.0.bias", [2], 0), ("net.1.running_var", [2], 1), ("net.1.num_batches_tracked", [], 2)],
        [1, -2, 0.5, 3.25, -0.0, 1024, 7, -8, 1, 1.5], [1 << 20], {"model": "digits", "note": "Prüfung \"1\""})
    different = [path for path, data in files.items() if (folder / path).read_bytes() != data]
    print("\n".join(f"differs: {path}" for path in different) or f"{len(files)} files are the same")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
