"""
A second reader of AXIOM repositories, written from docs/format.md alone. Numbers in comments are its sections.

    second_reader.py <repository> (--password <text> | --key-file <file>) [--snapshot <id>] [--below <path>]
                     list | extract <empty folder>

Reads a repository that is a folder. Verifies every object that it knows, every frame of every pack and every chunk id
before it answers. `list` prints a line of JSON per entry with the SHA-256 of what was read. Needs cryptography, zstandard
and argon2-cffi.
"""
import argparse, base64, hashlib, hmac, json, os, re, struct, sys, unicodedata

import zstandard
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KIB, MIB = 1024, 1024 * 1024
KINDS = ("data", "tree", "plain")
HEX32, HEX64 = re.compile("[0-9a-f]{32}"), re.compile("[0-9a-f]{64}")


class Refused(Exception):
    """Something is not what the format allows."""


def demand(condition, why):
    if not condition:
        raise Refused(why)


# 1. Conventions ------------------------------------------------------------------------------------------------------


def hkdf(key, salt, info, length):
    pseudo_random_key = hmac.digest(salt or bytes(32), key, "sha256")
    output, block = b"", b""
    while len(output) < length:
        block = hmac.digest(pseudo_random_key, block + info + bytes([len(output) // 32 + 1]), "sha256")
        output += block
    return output[:length]


def mac(key, data):
    return hmac.digest(key, data, "sha256")


def gcm_open(key, nonce, aad, sealed, what):
    try:
        return AESGCM(key).decrypt(nonce, sealed, aad)
    except InvalidTag:
        raise Refused(f"{what} does not open") from None


def padme(length, least=0):
    if length < 2:
        return max(length, least)
    e = length.bit_length() - 1
    s = e.bit_length()
    step = 1 << max(e - s, 0)
    return max(-(-length // step) * step, least)


ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def canonical_string(text):
    def escape(character):
        code = ord(character)
        if character in ESCAPES:
            return ESCAPES[character]
        return f"\\u{code:04x}" if code < 0x20 or 0xD800 <= code <= 0xDFFF else character

    return '"' + "".join(map(escape, text)) + '"'


def canonical(value):
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int):
        demand(abs(value) <= 2**53 - 1, "a number is too large")
        return str(value)
    if isinstance(value, str):
        return canonical_string(value)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be", "surrogatepass"))
    return "{" + ",".join(f"{canonical_string(name)}:{canonical(member)}" for name, member in members) + "}"


def parse_json(data):
    def once(pairs):
        demand(len({name for name, _ in pairs}) == len(pairs), "a member stands twice")
        return dict(pairs)

    def never(text):
        raise Refused(f"{text} is no number of this format")

    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=once, parse_float=never, parse_constant=never)
    except ValueError as error:
        raise Refused(f"not JSON: {error}") from None


def name_bytes(name):
    """Section 1, names: Python's surrogateescape is the same rule."""
    return name.encode("utf-8", "surrogateescape")


def name_text(data):
    return data.decode("utf-8", "surrogateescape")


# 4. Text objects -----------------------------------------------------------------------------------------------------


def covered(object_key, text):
    key = object_key.encode()
    return struct.pack("<I", len(key)) + key + text


def parse_text_object(stored, limit, version_member):
    demand(len(stored) <= limit, "a text object is too long")
    lines = stored.split(b"\n")
    demand(len(lines) == 3 and lines[2] == b"" and HEX64.fullmatch(lines[1].decode("ascii", "replace")), "two lines")
    document = parse_json(lines[0])
    demand(document.get(version_member) == 1, "the version is not 1")
    demand(canonical(document).encode() == lines[0], "the JSON is not canonical")
    return document, lines[0], bytes.fromhex(lines[1].decode())


def kdf_output(kdf, secret, salt):
    algorithm = kdf["algorithm"]
    if algorithm == "hkdf-sha256":
        demand(set(kdf) == {"algorithm"}, "unknown parameters of a KDF")
        return hkdf(secret["key_file"], salt, b"axiom/1/key-file", 32)
    password = unicodedata.normalize("NFC", secret["password"]).encode()
    if algorithm == "pbkdf2-hmac-sha256":
        demand(set(kdf) == {"algorithm", "iterations"}, "unknown parameters of a KDF")
        demand(0 < kdf["iterations"] <= 10_000_000, "a KDF is too dear")
        return hashlib.pbkdf2_hmac("sha256", password, salt, kdf["iterations"], 32)
    demand(algorithm == "argon2id" and set(kdf) == {"algorithm", "lanes", "memory_kib", "passes"}, "unknown KDF")
    memory, passes, lanes = kdf["memory_kib"], kdf["passes"], kdf["lanes"]
    demand(0 < lanes <= 16 and 0 < passes <= 16 and 8 * lanes <= memory <= MIB, "a KDF is too dear")
    return hash_secret_raw(password, salt, passes, memory, lanes, 32, Type.ID, 0x13)


class OtherSecret(Exception):
    """The commitment of a slot differs."""


def open_slot(object_key, stored, secret):
    slot, text, check = parse_text_object(stored, 16 * KIB, "version")
    demand(hashlib.sha256(covered(object_key, text)).digest() == check, "the check sum of a slot differs")
    if (slot["kdf"]["algorithm"] == "hkdf-sha256") != ("key_file" in secret):
        raise OtherSecret()
    output = kdf_output(slot["kdf"], secret, bytes.fromhex(slot["salt"]))
    both = hkdf(output, b"", b"axiom/1/slot", 64)
    if not hmac.compare_digest(both[:32], bytes.fromhex(slot["commitment"])):
        raise OtherSecret()
    repository_id = bytes.fromhex(slot["repository_id"])
    without_mac = {name: member for name, member in slot.items() if name != "mac"}
    bound = {name: member for name, member in without_mac.items() if name != "wrapped_master"}
    nonce, wrapped = bytes.fromhex(slot["nonce"]), bytes.fromhex(slot["wrapped_master"])
    master = gcm_open(both[32:], nonce, covered(object_key, canonical(bound).encode()), wrapped, object_key)
    mac_key = hkdf(master, b"", b"axiom/1/slot-mac" + repository_id, 32)
    expected = mac(mac_key, covered(object_key, canonical(without_mac).encode()))
    demand(hmac.compare_digest(expected, bytes.fromhex(slot["mac"])), "the MAC of a slot differs")
    private = X25519PrivateKey.from_private_bytes(hkdf(output, b"", b"axiom/1/slot/x25519", 32))
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    demand(bytes.fromhex(slot["public_key"]) in (public, bytes(32)), "the public key of a slot differs")
    return master, slot["master_generation"], repository_id


# 5. Envelopes --------------------------------------------------------------------------------------------------------

TYPES = {"keyring": 2, "index": 3, "snapshot": 4, "marker": 5, "session": 6, "heartbeat": 7, "condemned": 8, "ledger": 9}


def open_envelope(type_name, object_key, stored, key_of):
    """`key_of(epoch, salt)` gives the object's key."""
    demand(stored[:4] == b"AXEN" and stored[4] == TYPES[type_name] and stored[5] == 1, f"{object_key} has another header")
    (epoch,) = struct.unpack_from("<I", stored, 6)
    key = key_of(epoch, stored[10:42])
    plain = gcm_open(key, stored[42:54], stored[:54] + object_key.encode(), stored[54:], object_key)
    (length,) = struct.unpack_from("<I", plain)
    demand(length <= 64 * MIB and len(stored) == padme(54 + 4 + length + 16, 4096), f"{object_key} is padded wrongly")
    demand(not any(plain[4 + length :]), f"the padding of {object_key} is not zero")
    return plain[4 : 4 + length]


class Keys:
    """3. Keys: everything that the keyring gives."""

    def __init__(self, keyring, repository_id):
        demand(keyring["version"] == 1, "the version of the keyring is not 1")
        epochs = [root["epoch"] for root in keyring["roots"]]
        demand(epochs == sorted(set(epochs)) and epochs[0] >= 1 and epochs[-1] <= 65535, "epochs out of order")
        self.repository_id = repository_id
        self.roots = {root["epoch"]: bytes.fromhex(root["key"]) for root in keyring["roots"]}
        self.id_root = bytes.fromhex(keyring["id_root"])
        self.chunker_keys = {kind: bytes.fromhex(key) for kind, key in keyring["chunker_keys"].items()}

    def derive(self, epoch, salt, label, length=32):
        demand(epoch in self.roots, f"no root of epoch {epoch}")
        return hkdf(self.roots[epoch], salt, label + self.repository_id, length)

    def object_key(self, type_name):
        label = b"axiom/1/obj/" + bytes([TYPES[type_name]])
        return lambda epoch, salt: self.derive(epoch, salt, label)

    def table_key(self, epoch, salt):
        return self.derive(epoch, salt, b"axiom/1/table/")

    def frame_key(self, epoch, salt, kind, format_id):
        if format_id == "plain-hmac-sha256-1":
            return self.derive(epoch, salt, b"axiom/1/plain-mac")
        length = 32 if format_id == "aes-256-gcm-1" else 64
        return self.derive(epoch, salt, f"axiom/1/pack/{KINDS[kind]}/{format_id}/".encode(), length)

    def chunk_id(self, kind, chunk):
        return mac(hkdf(self.id_root, b"", b"axiom/1/id/" + KINDS[kind].encode(), 32), chunk)


# 6. Packs ------------------------------------------------------------------------------------------------------------


def open_frame_bytes(format_id, key, aad, sealed):
    """What the codec made: tags are compared before anything is decrypted."""
    if format_id == "aes-256-gcm-1":
        return gcm_open(key, sealed[:12], aad, sealed[12:], "a frame")
    plain_only = format_id == "plain-hmac-sha256-1"
    mac_key, tag_length = (key, 16) if plain_only else (key[32:], 32)
    body, tag = sealed[:-tag_length], sealed[-tag_length:]
    expected = mac(mac_key, struct.pack("<Q", len(aad)) + aad + body)[:tag_length]
    demand(hmac.compare_digest(expected, tag), "the tag of a frame differs")
    if plain_only:
        return body
    iv, secret = body[:16], body[16:]
    if format_id == "aes-256-ctr-hmac-sha256-1":
        decryptor = Cipher(algorithms.AES(key[:32]), modes.CTR(iv)).decryptor()
        return decryptor.update(secret) + decryptor.finalize()
    demand(format_id == "aes-256-cbc-hmac-sha256-1", f"the cipher {format_id} is unknown")
    decryptor = Cipher(algorithms.AES(key[:32]), modes.CBC(iv)).decryptor()
    padded = decryptor.update(secret) + decryptor.finalize()
    count = padded[-1]
    demand(1 <= count <= 16 and padded.endswith(bytes([count]) * count), "the padding of a frame is wrong")
    return padded[:-count]


def decode_frame_bytes(format_id, encoded, plain_length):
    if format_id == "none":
        demand(len(encoded) == plain_length, "a frame has another length")
        return encoded
    demand(format_id == "zstd-1", f"the codec {format_id} is unknown")
    parameters = zstandard.get_frame_parameters(encoded)
    demand(parameters.content_size == plain_length and parameters.dict_id == 0, "a Zstandard frame claims otherwise")
    decompressor = zstandard.ZstdDecompressor().decompressobj()
    plain = decompressor.decompress(encoded)
    demand(decompressor.eof and not decompressor.unused_data and len(plain) == plain_length, "Zstandard ends elsewhere")
    return plain


def parse_dictionary(payload):
    at, entries = 1, []
    for _ in range(payload[0]):
        role, at, texts = payload[at], at + 1, []
        demand(role in (0, 1), "a role is unknown")
        for _ in range(4):
            length = payload[at]
            texts.append(payload[at + 1 : at + 1 + length].decode())
            at += 1 + length
        entries.append((role, texts[2]))
    return entries, at


def parse_table(payload, frames_end):
    dictionary, at = parse_dictionary(payload)
    (count,) = struct.unpack_from("<I", payload, at)
    demand(count <= 65536, "too many frames")
    heads = [struct.unpack_from("<BBBBIIII", payload, at + 4 + 20 * i) for i in range(count)]
    at += 4 + 20 * count
    frames, places = [], []
    for kind, codec, cipher, zero, offset, stored, plain, chunk_count in heads:
        demand(kind < 3 and zero == 0 and plain <= 4 * MIB and chunk_count <= 65536, "a frame is out of bounds")
        demand(dictionary[codec][0] == 0 and dictionary[cipher][0] == 1, "codec and cipher are mixed up")
        chunks, filled = [], 0
        for _ in range(chunk_count):
            chunk_id, chunk_offset, length = struct.unpack_from("<32sII", payload, at)
            demand(chunk_offset == filled and length > 0, "chunks do not follow each other")
            chunks.append((chunk_id, chunk_offset, length))
            filled, at = filled + length, at + 40
        demand(filled == plain, "chunks do not fill their frame")
        places.append((offset, offset + stored))
        frames.append({"kind": kind, "codec": codec, "cipher": cipher, "offset": offset, "stored": stored,
                       "plain": plain, "chunks": chunks})
    demand(at == len(payload), "the table goes on")
    places.sort()
    demand(all(a[1] <= b[0] for a, b in zip(places, places[1:])), "frames overlap")
    demand(not places or places[-1][1] <= frames_end, "a frame lies beyond the frames")
    return dictionary, frames


class Pack:
    def __init__(self, keys, name, stored):
        demand(hashlib.sha256(stored).hexdigest() == name, f"the pack {name} is damaged")
        demand(64 <= len(stored) <= 256 * MIB, f"the pack {name} has no possible length")
        self.keys, self.stored = keys, stored
        trailer = stored[-64:]
        magic, version, suite, zero, self.epoch, self.salt, self.table_length = struct.unpack("<4sBBHI32sI16x", trailer)
        demand(magic == b"AXPK" and version == 1 and suite == 1 and zero == 0 and not any(trailer[48:]), "trailer")
        demand(28 < self.table_length <= min(64 * MIB, len(stored) - 64), "the table has no possible length")
        frames_end = len(stored) - 64 - self.table_length
        sealed = stored[frames_end:-64]
        key = keys.table_key(self.epoch, self.salt)
        plain = gcm_open(key, sealed[:12], trailer + keys.repository_id, sealed[12:], f"the table of {name}")
        (length,) = struct.unpack_from("<I", plain)
        demand(len(plain) == padme(4 + length, 4096) and not any(plain[4 + length :]), "the table is padded wrongly")
        self.dictionary, self.frames = parse_table(plain[4 : 4 + length], frames_end)

    def frame_aad(self, number):
        frame = self.frames[number]
        head = struct.pack("<HHI", 1, 1, self.epoch) + self.keys.repository_id + self.salt
        tail = struct.pack("<BBBBIII", frame["kind"], frame["codec"], frame["cipher"], 0, number, frame["plain"], frame["stored"])
        return head + tail

    def open_frame(self, number):
        """The plain bytes; every chunk id was computed again."""
        frame = self.frames[number]
        cipher, codec = self.dictionary[frame["cipher"]][1], self.dictionary[frame["codec"]][1]
        key = self.keys.frame_key(self.epoch, self.salt, frame["kind"], cipher)
        sealed = self.stored[frame["offset"] : frame["offset"] + frame["stored"]]
        encoded = open_frame_bytes(cipher, key, self.frame_aad(number), sealed)
        plain = decode_frame_bytes(codec, encoded, frame["plain"])
        for chunk_id, offset, length in frame["chunks"]:
            demand(self.keys.chunk_id(frame["kind"], plain[offset : offset + length]) == chunk_id, "a chunk id differs")
        return plain


# 8. Index objects ----------------------------------------------------------------------------------------------------


def parse_index(payload):
    version, zero, pack_count, superseded_count, entry_count = struct.unpack_from("<HHIII", payload)
    demand(version == 1 and zero == 0 and len(payload) <= 16 * MIB, "the header of an index object is malformed")
    demand(len(payload) == 16 + 80 * pack_count + 32 * superseded_count + 32 * entry_count, "an index object's length")
    packs = [struct.unpack_from("<32s32sIIIHH", payload, 16 + 80 * i) for i in range(pack_count)]
    at = 16 + 80 * pack_count
    superseded = [payload[at + 32 * i : at + 32 * (i + 1)] for i in range(superseded_count)]
    at += 32 * superseded_count
    entries = [struct.unpack_from("<16sIHBBII", payload, at + 32 * i) for i in range(entry_count)]
    names = [pack[0] for pack in packs]
    for part in (names, superseded, [(e[0], e[1], e[2], e[3], e[5], e[6]) for e in entries]):
        demand(all(a < b for a, b in zip(part, part[1:])), "an index object is out of order")
    demand(all(pack[6] == 0 and pack[5] < 8 for pack in packs), "bits that must be 0")
    for _, pack, _, kind, zero, offset, length in entries:
        demand(pack < pack_count and zero == 0 and packs[pack][5] >> kind & 1, "an entry is malformed")
        demand(length > 0 and offset + length <= 4 * MIB, "an entry lies outside any frame")
    return packs, superseded, entries


# 2. and 12. The repository -------------------------------------------------------------------------------------------


class Repository:
    def __init__(self, folder, secret):
        self.folder = folder
        self.open_keys(secret)
        self.read_packs()
        self.read_others()
        self.snapshots = self.read_snapshots()
        self.read_index()

    def list(self, prefix):
        """Names below `prefix`, sorted."""
        path, names = os.path.join(self.folder, prefix), []
        for folder, _, files in os.walk(path):
            names += [os.path.relpath(os.path.join(folder, file), path) for file in files]
        return sorted(names)

    def get(self, key):
        with open(os.path.join(self.folder, key), "rb") as file:
            return file.read()

    def open_keys(self, secret):
        configs = {}
        for name in reversed([name for name in self.list("config") if re.fullmatch("[0-9]{10}", name)]):
            configs[name] = parse_text_object(self.get(f"config/{name}"), 64 * KIB, "format_version")
        slots = [f"keys/{name}" for name in self.list("keys") if HEX32.fullmatch(name)]
        opened = []
        for key in slots[:32]:
            try:
                opened.append(open_slot(key, self.get(key), secret))
            except OtherSecret:
                pass
        demand(opened, "the secret opens no slot")
        master, generation, self.id = opened[0]
        mac_key = hkdf(master, b"", b"axiom/1/config" + self.id, 32)
        for name, (config, text, check) in configs.items():
            demand(mac(mac_key, covered(f"config/{name}", text)) == check, f"the MAC of config {name} differs")
            demand(bytes.fromhex(config["repository_id"]) == self.id, "a config of another repository")
        self.config = configs[max(configs)][0]
        demand(self.config["features"]["read"] == [], "a feature that is not known")
        newest = max(name for name in self.list("keyring") if re.fullmatch("[0-9]{10}", name))

        def keyring_key(epoch, salt):
            demand(epoch == generation, "a keyring of another master")
            return hkdf(master, salt, b"axiom/1/keyring" + self.id, 32)

        keyring = parse_json(open_envelope("keyring", f"keyring/{newest}", self.get(f"keyring/{newest}"), keyring_key))
        demand(keyring["master_generation"] == generation, "a keyring of another master")
        self.keys = Keys(keyring, self.id)

    def open(self, type_name, key):
        return open_envelope(type_name, key, self.get(key), self.keys.object_key(type_name))

    def read_others(self):
        """11. Nothing of it is needed to read; all of it must open."""
        for name in self.list("sessions"):
            parse_json(self.open("heartbeat" if "." in name else "session", f"sessions/{name}"))
        for type_name in ("condemned", "ledger"):
            for name in self.list(type_name):
                demand(parse_json(self.open(type_name, f"{type_name}/{name}"))["version"] == 1, "another version")
        for name in [name for name in self.list("codecs") if name.endswith(".wasm")]:
            stored = self.get(f"codecs/{name}")
            demand(len(stored) <= 32 * MIB, f"the decoder {name} has no possible length")
            demand(hashlib.sha256(stored).hexdigest() + ".wasm" == name, f"the decoder {name} is damaged")

    def read_packs(self):
        self.packs, self.frames = {}, {}
        for key in self.list("packs"):
            folder, name = key.split("/")
            demand(HEX64.fullmatch(name) and name.startswith(folder), f"{key} is in the wrong place")
            pack = self.packs[name] = Pack(self.keys, name, self.get(f"packs/{key}"))
            for number, frame in enumerate(pack.frames):
                if frame["stored"] > 0:
                    self.frames[name, number] = pack.open_frame(number)

    def read_snapshots(self):
        """10. Manifests with a marker of the right hash."""
        names = self.list("snapshots")
        snapshots = {}
        for name in names:
            if not HEX32.fullmatch(name):
                continue
            payload = self.open("snapshot", f"snapshots/{name}")
            if f"{name}.ok" in names:
                marker = parse_json(self.open("marker", f"snapshots/{name}.ok"))
                demand(marker["manifest"] == hashlib.sha256(payload).hexdigest(), "a marker of another manifest")
                snapshots[name] = parse_json(payload)
                demand(snapshots[name]["version"] == 1, "another version of a manifest")
        return snapshots

    def read_index(self):
        """What counts, and the tables of packs that no index object describes: (kind, half id) → places."""
        objects = {}
        for name in self.list("index"):
            payload = self.open("index", f"index/{name}")
            demand(hashlib.sha256(payload).hexdigest() == name, "an index object has another name")
            objects[name] = parse_index(payload)
        superseded = {name.hex() for _, names, _ in objects.values() for name in names}
        self.places, described = {}, set()
        for name, (packs, _, entries) in objects.items():
            if name in superseded:
                continue
            for pack_name, salt, epoch, stored, table_length, kinds, _ in packs:
                pack = self.packs[pack_name.hex()]
                seen = sum({1 << frame["kind"] for frame in pack.frames})
                expected = (pack.salt, pack.epoch, len(pack.stored), pack.table_length, seen)
                demand((salt, epoch, stored, table_length, kinds) == expected, "the index describes a pack wrongly")
                described.add(pack_name.hex())
            for half, pack, frame, kind, _, offset, length in entries:
                self.places.setdefault((kind, half), []).append((packs[pack][0].hex(), frame, offset, length))
        self.undescribed = set(self.packs) - described
        for name in self.undescribed:
            for number, frame in enumerate(self.packs[name].frames):
                for chunk_id, offset, length in frame["chunks"]:
                    self.places.setdefault((frame["kind"], chunk_id[:16]), []).append((name, number, offset, length))

    def chunk(self, kind, hex_id):
        demand(HEX64.fullmatch(hex_id), "not a chunk id")
        chunk_id = bytes.fromhex(hex_id)
        for pack, frame, offset, length in self.places.get((kind, chunk_id[:16]), []):
            chunk = self.frames[pack, frame][offset : offset + length]
            if self.packs[pack].frames[frame]["kind"] == kind and self.keys.chunk_id(kind, chunk) == chunk_id:
                return chunk
        raise Refused(f"the chunk {hex_id} is nowhere")

    # 9. Trees

    def document(self, hex_id):
        data = self.chunk(1, hex_id)
        demand(len(data) <= 256 * KIB, "a document is too long")
        return parse_json(data)

    def entries(self, node_id):
        names = []
        for entry in self.entries_below(node_id, 0):
            name = name_bytes(entry["name"])
            demand(name not in (b"", b".", b"..") and b"/" not in name and b"\0" not in name, "not a file name")
            demand(not names or names[-1] < name, "names are out of order")
            names.append(name)
            yield entry

    def entries_below(self, node_id, depth):
        demand(depth <= 8, "index nodes are nested too deeply")
        node = self.document(node_id)
        demand(node["version"] == 1, "another version of a tree node")
        if "entries" in node:
            yield from node["entries"]
            return
        demand(node["children"], "an index node without children")
        for child in node["children"]:
            below = list(self.entries_below(child["id"], depth + 1))
            demand(below[0]["name"] == child["first"], "the first name of a child differs")
            yield from below

    def elements(self, content):
        if "nodes" not in content:
            yield from content["elements"]
            return
        for node in content["nodes"]:
            yield from self.elements_below(node, content["depth"])

    def elements_below(self, node, depth):
        demand(1 <= depth <= 8, "content nodes are nested too deeply")
        for element in self.document(node):
            if depth == 1:
                yield element
            else:
                yield from self.elements_below(element, depth - 1)

    def pieces(self, entry):
        """(offset, bytes) of what is stored of a file; the rest is holes."""
        content, offset = entry.get("content", {"elements": []}), 0
        demand(content.get("kind") in (None, "plain"), "content of an unknown kind")
        kind = 2 if content.get("kind") == "plain" else 0
        for element in self.elements(content):
            if isinstance(element, str):
                chunk = self.chunk(kind, element)
                yield offset, chunk
                offset += len(chunk)
            else:
                offset += int(element["hole"])
        demand(offset == int(entry["size"]), "content and size differ")

    def xattrs(self, entry):
        for xattr in entry.get("xattrs", []):
            if "value" in xattr:
                yield xattr["name"], base64.b64decode(xattr["value"], validate=True)
            else:
                yield xattr["name"], b"".join(self.chunk(1, chunk) for chunk in xattr["chunks"])

    def walk(self, entry, path):
        yield path, entry
        if entry["type"] == "dir":
            for child in self.entries(entry["subtree"]):
                yield from self.walk(child, child["name"] if path == "." else f"{path}/{child['name']}")

    def find(self, root, path):
        entry = {"type": "dir", "subtree": root}
        for name in filter(None, path.split("/")):
            entry = next(child for child in self.entries(entry["subtree"]) if child["name"] == name)
        return entry


# What a person asks for ----------------------------------------------------------------------------------------------


def described(repository, path, entry, groups):
    line = {"path": path, "type": entry["type"], "mode": f"{entry['mode']:o}", "uid": entry["uid"], "gid": entry["gid"],
            "mtimeNs": entry["mtime"]}
    line["xattrs"] = [[name, base64.b64encode(value).decode()] for name, value in repository.xattrs(entry)]
    if entry.get("links", 1) > 1:
        line["group"] = groups.setdefault((entry["device"], entry["inode"]), path)
    if entry["type"] == "file":
        digest, at = hashlib.sha256(), 0
        for offset, data in repository.pieces(entry):
            digest.update(bytes(offset - at) + data)
            at = offset + len(data)
        digest.update(bytes(int(entry["size"]) - at))
        line.update(size=int(entry["size"]), hash=digest.hexdigest())
    if entry["type"] == "symlink":
        line["target"] = entry["target"]
    return line


def extract(repository, root, target):
    made, folders, first = os.fsencode(target), [], {}
    for path, entry in repository.walk(root, "."):
        place = made if path == "." else made + b"/" + name_bytes(path)
        kind, group = entry["type"], (entry.get("device"), entry["inode"]) if entry.get("links", 1) > 1 else None
        if group in first:
            os.link(first[group], place)
            continue
        if kind == "dir":
            os.makedirs(place, exist_ok=path == ".")
            folders.append((place, entry))
            continue
        if kind == "symlink":
            os.symlink(name_bytes(entry["target"]), place)
        elif kind == "fifo":
            os.mkfifo(place)
        elif kind == "file":
            with open(place, "xb") as file:
                for offset, data in repository.pieces(entry):
                    file.seek(offset)
                    file.write(data)
                file.truncate(int(entry["size"]))
        else:
            continue
        if group:
            first[group] = place
        set_metadata(place, entry)
    for place, entry in reversed(folders):
        set_metadata(place, entry)


def set_metadata(place, entry):
    if entry["type"] != "symlink":
        os.chmod(place, entry["mode"])
    os.utime(place, ns=(int(entry["mtime"]), int(entry["mtime"])), follow_symlinks=False)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("repository")
    secret = parser.add_mutually_exclusive_group(required=True)
    secret.add_argument("--password")
    secret.add_argument("--key-file")
    parser.add_argument("--snapshot", help="the latest by default")
    parser.add_argument("--below", default="/", help="a path of the snapshot")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list")
    actions.add_parser("extract").add_argument("target")
    options = parser.parse_args()
    if options.key_file:
        with open(options.key_file, "rb") as file:
            given = {"key_file": file.read()}
    else:
        given = {"password": options.password}
    repository = Repository(options.repository, given)
    latest = max(repository.snapshots, key=lambda name: int(repository.snapshots[name]["time"]))
    snapshot = options.snapshot or latest
    root = repository.find(repository.snapshots[snapshot]["root"], options.below)
    if options.action == "extract":
        extract(repository, root, options.target)
        return
    groups = {}
    kinds = sorted({KINDS[f["kind"]] for p in repository.packs.values() for f in p.frames})
    formats = sorted({format_id for p in repository.packs.values() for _, format_id in p.dictionary})
    epochs = sorted({pack.epoch for pack in repository.packs.values()})
    print(json.dumps({"repository_id": repository.id.hex(), "snapshot": snapshot, "latest": latest,
                      "snapshots": sorted(repository.snapshots), "kinds": kinds, "formats": formats, "epochs": epochs,
                      "undescribed": len(repository.undescribed), "packs": len(repository.packs)}))
    for path, entry in repository.walk(root, "."):
        print(json.dumps(described(repository, path, entry, groups)))


if __name__ == "__main__":
    try:
        main()
    except Refused as refusal:
        sys.exit(f"refused: {refusal}")
