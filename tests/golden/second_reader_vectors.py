"""Computes vectors.json again with what docs/format.md says: `second_reader_vectors.py <vectors.json>`."""
import base64, hashlib, json, struct, sys

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import second_reader as reader
from second_reader import canonical, hkdf, mac, padme


def equal(what, computed, expected):
    reader.demand(computed == expected, f"{what}: computed {str(computed)[:200]}, expected {str(expected)[:200]}")


def random(seed, length):
    blocks = (hashlib.sha256(f"{seed}/{i}".encode()).digest() for i in range(length // 32 + 1))
    return b"".join(blocks)[:length]


class Vectors(dict):
    """Remembers what was looked at."""

    def __init__(self, members):
        super().__init__(members)
        self.seen = set()

    def __getitem__(self, name):
        self.seen.add(name)
        return super().__getitem__(name)


def texts(vectors):
    for length, least, result in vectors["padme"]:
        equal("padme", padme(length, least), result)
    for vector in vectors["canonical_json"]:
        equal("canonical JSON", canonical(json.loads(vector["json"])), vector["text"])
    for vector in vectors["names"]:
        data = bytes.fromhex(vector["bytes"])
        equal("name as text", canonical(reader.name_text(data)), vector["json"])
        equal("name as bytes", reader.name_bytes(json.loads(vector["json"])), data)
    names = sorted((bytes.fromhex(vector["bytes"]) for vector in vectors["names"]))
    equal("sorted names", [canonical(reader.name_text(name)) for name in names if name], vectors["names_sorted"])
    equal("random", random(vectors["random"]["seed"], 40).hex(), vectors["random"]["first_40"])
    for name in ("leaf", "index_node", "manifest", "marker", "heartbeat", "condemned", "ledger"):
        equal(name, canonical(reader.parse_json(vectors[name].encode())), vectors[name])


def gear_hashes(data, gear):
    """H(p) for every p; the 32 steps that a byte takes to leave are those of its shift."""
    hashes, value = [0], 0
    for byte in data:
        value = (value << 1) + gear[byte] & 0xFFFFFFFF
        hashes.append(value)
    return hashes


def cut_points(hashes, length, least, normal, most):
    n, ends, start = normal.bit_length() - 1, [], 0
    while start < length:
        end = min(start + most, length)
        for p in range(start + least, end):
            bits = n + 2 if p < start + normal else n - 2
            if hashes[p] >> (32 - bits) == 0:
                end = p
                break
        ends.append(end)
        start = end
    return ends


def fixed_block(size, recorded):
    block = 16384
    while block < 65536 and size > block * 65536:
        block *= 2
    while block < 4 * reader.MIB and size > block * 2**20:
        block *= 2
    valid = recorded and 4096 <= recorded <= 4 * reader.MIB and recorded & recorded - 1 == 0
    return recorded if valid and 4 * recorded >= block else block


def chunking(vectors):
    table = hkdf(bytes.fromhex(vectors["gear"]["chunker_key"]), b"", b"axiom/1/gear", 1024)
    gear = struct.unpack("<256I", table)
    equal("gear", [list(gear[:4]), gear[255]], [vectors["gear"]["first_words"], vectors["gear"]["last_word"]])
    equal("gear table", hashlib.sha256(table).hexdigest(), vectors["gear"]["sha256"])
    longest = max(vector["length"] for vector in vectors["cuts"])
    hashes = gear_hashes(random("cuts", longest), gear)
    for vector in vectors["cuts"]:
        computed = cut_points(hashes, vector["length"], vector["min"], vector["normal"], vector["max"])
        equal("cuts", computed, vector["ends"])
    for size, recorded, block in vectors["fixed_blocks"]:
        equal("fixed blocks", fixed_block(size, recorded), block)
    id_root = bytes.fromhex(vectors["id_root"])
    for vector in vectors["chunk_ids"]:
        key = hkdf(id_root, b"", f"axiom/1/id/{vector['kind']}".encode(), 32)
        equal("chunk id", mac(key, bytes.fromhex(vector["chunk"])).hex(), vector["id"])


class Splitter:
    """9. How folders and contents are split."""

    def __init__(self, id_root):
        self.id_key = hkdf(id_root, b"", b"axiom/1/id/tree", 32)
        self.split_key = hkdf(id_root, b"", b"axiom/1/tree-split", 32)
        self.documents = []

    def put(self, value):
        data = canonical(value).encode()
        chunk_id = mac(self.id_key, data).hex()
        self.documents.append([chunk_id, len(data)])
        return chunk_id

    def ends(self, name):
        (number,) = struct.unpack_from("<H", mac(self.split_key, reader.name_bytes(name)))
        return number % 512 == 0

    def folder(self, entries):
        level, leaf, size = [], [], 26
        for entry in entries:
            length = len(canonical(entry).encode()) + 1
            if leaf and size + length > 262144:
                level.append({"first": leaf[0]["name"], "id": self.put({"entries": leaf, "version": 1})})
                leaf, size = [], 26
            leaf.append(entry)
            size += length
            if size >= 16384 and self.ends(entry["name"]):
                level.append({"first": leaf[0]["name"], "id": self.put({"entries": leaf, "version": 1})})
                leaf, size = [], 26
        if leaf:
            level.append({"first": leaf[0]["name"], "id": self.put({"entries": leaf, "version": 1})})
        while len(level) > 1:
            level = self.index_level(level)
        return level[0]["id"]

    def index_level(self, children):
        level, group, size = [], [], 0

        def finish():
            if group:
                level.append({"first": group[0]["first"], "id": self.put({"children": group, "version": 1})})

        for child in children:
            length = len(canonical(child["first"]).encode()) + 90
            if size + length > 262118:
                finish()
                group, size = [], 0
            group.append(child)
            size += length
            if len(group) > 1 and self.ends(child["first"]):
                finish()
                group, size = [], 0
        finish()
        return level

    def content(self, elements):
        level, depth = elements, 0
        while len(level) > 256:
            nodes, start = [], 0
            for at, element in enumerate(level):
                length = at + 1 - start
                cut = isinstance(element, str) and element.startswith("00") and length >= 64
                if cut or length == 2048 or at == len(level) - 1:
                    nodes.append(self.put(level[start : at + 1]))
                    start = at + 1
            level, depth = nodes, depth + 1
        return {"nodes": level, "depth": depth}


def splitting(vectors):
    splitter = Splitter(bytes.fromhex(vectors["id_root"]))
    equal("split names", [f"name {i}" for i in range(2000) if splitter.ends(f"name {i}")], vectors["names_that_end_leaves"])
    entries = []
    for i in range(5000):
        odd = bytes([255, 128 + i // 128, 128 + i % 128])
        name = reader.name_text(odd) if i % 100 == 99 else f"entry {i:06d}"
        entries.append({"name": name, "type": "file", "mode": 420, "uid": 0, "gid": 0, "size": "0", "mtime": "0",
                        "ctime": "0", "inode": str(i), "user": "u" * 500})
    entries.sort(key=lambda entry: reader.name_bytes(entry["name"]))
    equal("root of a folder", splitter.folder(entries), vectors["folder"]["root"])
    equal("documents of a folder", splitter.documents, vectors["folder"]["documents"])
    splitter.documents.clear()
    elements = [{"hole": str(i)} if i % 1000 == 500 else hashlib.sha256(f"element {i}".encode()).hexdigest()
                for i in range(90_000)]
    equal("content nodes", splitter.content(elements), vectors["content"]["result"])
    equal("number of content nodes", len(splitter.documents), vectors["content"]["documents"])


def seal_frame(format_id, key, aad, encoded, nonce):
    """The inverse of what the reader does, with a given nonce or IV."""
    if format_id == "aes-256-gcm-1":
        return nonce[:12] + AESGCM(key).encrypt(nonce[:12], encoded, aad)
    if format_id == "plain-hmac-sha256-1":
        return encoded + mac(key, struct.pack("<Q", len(aad)) + aad + encoded)[:16]
    if format_id == "aes-256-cbc-hmac-sha256-1":
        count = 16 - len(encoded) % 16
        encryptor = Cipher(algorithms.AES(key[:32]), modes.CBC(nonce[:16])).encryptor()
        body = nonce[:16] + encryptor.update(encoded + bytes([count]) * count)
    else:
        encryptor = Cipher(algorithms.AES(key[:32]), modes.CTR(nonce[:16])).encryptor()
        body = nonce[:16] + encryptor.update(encoded)
    return body + mac(key[32:], struct.pack("<Q", len(aad)) + aad + body)


def frames(vectors, keys):
    for vector in vectors["frames"]:
        salt, encoded = bytes.fromhex(vector["salt"]), bytes.fromhex(vector["encoded"])
        sealed, plain = bytes.fromhex(vector["sealed"]), vector["plain"].encode()
        key = keys.frame_key(3, salt, vector["kind"], vector["cipher"])
        equal("frame's key", key.hex(), vector["key"])
        places = (vector["kind"], vector["codec_place"], vector["cipher_place"], 0, vector["number"])
        aad = struct.pack("<HHI", 1, 1, 3) + keys.repository_id + salt
        aad += struct.pack("<BBBBIII", *places, len(plain), len(sealed))
        equal("frame's AAD", aad.hex(), vector["aad"])
        equal("frame", seal_frame(vector["cipher"], key, aad, encoded, sealed[:16]).hex(), vector["sealed"])
        opened = reader.open_frame_bytes(vector["cipher"], key, aad, sealed)
        equal("opened frame", opened, encoded)
        equal("decoded frame", reader.decode_frame_bytes(vector["codec"], opened, len(plain)), plain)


def sealed_objects(vectors, keys):
    vector = vectors["pack"]
    payload, trailer = bytes.fromhex(vector["payload"]), bytes.fromhex(vector["trailer"])
    _, _, _, _, epoch, salt, length = struct.unpack("<4sBBHI32sI16x", trailer)
    key, sealed = keys.table_key(epoch, salt), base64.b64decode(vector["sealed_table"])
    equal("table's key", key.hex(), vector["key"])
    equal("length of a table", length, len(sealed))
    plain = struct.pack("<I", len(payload)) + payload
    plain = plain.ljust(padme(len(plain), 4096), b"\0")
    equal("sealed table", sealed[:12] + AESGCM(key).encrypt(sealed[:12], plain, trailer + keys.repository_id), sealed)
    used = vector["frame_bytes"] + length + 64
    equal("padding of a pack", padme(used, 16384) - used, vector["padding_bytes"])
    dictionary, table = reader.parse_table(payload, vector["frame_bytes"])
    equal("dictionary", dictionary, [(0, "zstd-1"), (1, "aes-256-gcm-1"), (0, "a-1")])
    chunks = [[chunk_id.hex() for chunk_id, _, _ in frame["chunks"]] for frame in table]
    equal("chunks", chunks, [[random(seed, 32).hex() for seed in seeds] for seeds in ("c", "ab", "")])
    payload = bytes.fromhex(vectors["index"]["payload"])
    equal("name of an index object", hashlib.sha256(payload).hexdigest(), vectors["index"]["name"])
    packs, superseded, entries = reader.parse_index(payload)
    equal("index object", (len(packs), len(superseded), len(entries)), (2, 2, 3))
    vector = vectors["envelope"]
    stored = base64.b64decode(vector["object"])
    opened = reader.open_envelope("session", vector["object_key"], stored, keys.object_key("session"))
    equal("envelope", opened.decode(), vector["payload"])
    header, plain = stored[:54], struct.pack("<I", len(opened)) + opened
    plain = plain.ljust(padme(54 + len(plain) + 16, 4096) - 70, b"\0")
    key = keys.object_key("session")(3, header[10:42])
    sealed = AESGCM(key).encrypt(header[42:], plain, header + vector["object_key"].encode())
    equal("sealed envelope", header + sealed, stored)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        vectors = Vectors(json.load(file))
    keyring = {"version": 1, "roots": [{"epoch": 3, "key": vectors["root_of_epoch_3"]}], "id_root": vectors["id_root"],
               "chunker_keys": {}}
    keys = reader.Keys(keyring, bytes.fromhex(vectors["repository_id"]))
    texts(vectors)
    chunking(vectors)
    splitting(vectors)
    frames(vectors, keys)
    sealed_objects(vectors, keys)
    reader.demand(vectors.seen == set(vectors), f"nobody verified {set(vectors) - vectors.seen}")
    print(json.dumps({"verified": sorted(vectors.seen)}))


if __name__ == "__main__":
    try:
        main()
    except reader.Refused as refusal:
        sys.exit(f"refused: {refusal}")
