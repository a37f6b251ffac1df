//! PackBits: n < 128 is followed by n + 1 bytes as they are, n >= 128 by one byte that is there n - 125 times.
const axiom = @import("axiom");

const literals_max = 128;
const run_min = 3;
const run_max = 130;

comptime {
    axiom.plugin(@This());
}

pub fn execute(operation: axiom.Operation, header: axiom.Header) axiom.Error!void {
    switch (operation) {
        .encode => axiom.write(try encode(try axiom.readAll())),
        .decode => axiom.write(try decode(try axiom.readAll(), @intCast(header.integer("plain_length") orelse 0))),
        else => return error.Unsupported,
    }
}

/// How often the first byte stands there, up to `run_max` times.
fn run(plain: []const u8) usize {
    var n: usize = 1;
    while (n < run_max and n < plain.len and plain[n] == plain[0]) n += 1;
    return n;
}

fn encode(plain: []const u8) ![]u8 {
    const stored = try axiom.allocator.alloc(u8, plain.len + plain.len / literals_max + 2);
    var at: usize = 0;
    var to: usize = 0;
    while (at < plain.len) {
        const length = run(plain[at..]);
        if (length >= run_min) {
            stored[to] = @intCast(length + 125);
            stored[to + 1] = plain[at];
            to += 2;
            at += length;
            continue;
        }
        const from = at;
        while (at < plain.len and at - from < literals_max and run(plain[at..]) < run_min) at += 1;
        stored[to] = @intCast(at - from - 1);
        @memcpy(stored[to + 1 ..][0 .. at - from], plain[from..at]);
        to += 1 + at - from;
    }
    return stored[0..to];
}

fn decode(stored: []const u8, plain_length: usize) ![]u8 {
    const plain = try axiom.allocator.alloc(u8, plain_length);
    var to: usize = 0;
    var rest = stored;
    while (rest.len > 0) {
        const n: usize = rest[0];
        const used = if (n < literals_max) n + 1 else 1;
        const made = if (n < literals_max) n + 1 else n - 125;
        if (used > rest.len - 1) return axiom.fail(error.CorruptData, "it ends too early");
        if (made > plain.len - to) return axiom.fail(error.CorruptData, "it holds more than it should");
        if (n < literals_max) @memcpy(plain[to..][0..made], rest[1..][0..used]) else @memset(plain[to..][0..made], rest[1]);
        to += made;
        rest = rest[1 + used ..];
    }
    return plain[0..to];
}
