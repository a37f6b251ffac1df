const axiom = @import("axiom.zig");

comptime {
    axiom.plugin(@This());
}

pub fn execute(operation: axiom.Operation, header: axiom.Header) axiom.Error!void {
    switch (operation) {
        .encode => axiom.write(encode(try axiom.readAll())),
        .decode => axiom.write(try decode(try axiom.readAll(), @intCast(header.integer("plain_length") orelse 0))),
        else => return error.Unsupported,
    }
}

/// Copies: here the bytes become fewer.
fn encode(plain: []const u8) []const u8 {
    return plain;
}

fn decode(stored: []const u8, plain_length: usize) axiom.Error![]const u8 {
    if (stored.len != plain_length) return axiom.fail(error.CorruptData, "it does not hold what it should");
    return stored;
}
