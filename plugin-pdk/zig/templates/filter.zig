const std = @import("std");
const axiom = @import("axiom.zig");

comptime {
    axiom.plugin(@This());
}

const Kind = enum(u8) { file = 1, folder, link, other, _ };

const Entry = struct {
    kind: Kind,
    size: u64,
    path: []const u8,
    /// Of a file, where they were read.
    first_bytes: []const u8,
};

/// Leaves out empty files whose names end in .tmp: here is what you decide by.
fn isKept(entry: Entry) bool {
    return !(entry.kind == .file and entry.size == 0 and std.mem.endsWith(u8, entry.path, ".tmp"));
}

pub fn execute(operation: axiom.Operation, _: axiom.Header) axiom.Error!void {
    if (operation != .select) return error.Unsupported;
    var rest: []const u8 = try axiom.readAll();
    const verdicts = try axiom.allocator.alloc(u8, rest.len / 4 + 1);
    var count: usize = 0;
    while (rest.len > 0) : (count += 1) verdicts[count] = @intFromBool(isKept(try next(&rest)));
    axiom.write(verdicts[0..count]);
}

/// Kind, 3 bytes that are 0, mode, size, time, length of the path, path, first bytes.
fn next(rest: *[]const u8) axiom.Error!Entry {
    const path_at = 28;
    const all = rest.*;
    const length = if (all.len < 4) return cutOff() else std.mem.readInt(u32, all[0..4], .little);
    if (length < path_at or length > all.len - 4) return cutOff();
    const own = all[4..][0..length];
    rest.* = all[4 + length ..];
    const path_length = std.mem.readInt(u32, own[24..28], .little);
    if (path_length > own.len - path_at) return cutOff();
    return .{
        .kind = @enumFromInt(own[0]),
        .size = std.mem.readInt(u64, own[8..16], .little),
        .path = own[path_at..][0..path_length],
        .first_bytes = own[path_at + path_length ..],
    };
}

fn cutOff() axiom.Error {
    return axiom.fail(error.InvalidInput, "an entry is cut off");
}
