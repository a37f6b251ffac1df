//! Leaves out files that hold secrets, by their names and, where they were read, by their first bytes.
const std = @import("std");
const axiom = @import("axiom");
const signs = @import("signs.zig");

comptime {
    axiom.plugin(@This());
}

/// Names of files that are saved whatever they look like.
var kept: []const std.json.Value = &.{};
var leaves_env_files = true;

pub fn initialize(configuration: axiom.Header) axiom.Error!void {
    if (configuration.object.get("keep")) |list| kept = list.array.items;
    leaves_env_files = configuration.boolean("env_files") orelse true;
}

pub fn execute(operation: axiom.Operation, _: axiom.Header) axiom.Error!void {
    if (operation != .select) return error.Unsupported;
    var rest: []const u8 = try axiom.readAll();
    const verdicts = try axiom.allocator.alloc(u8, rest.len / 4 + 1);
    var count: usize = 0;
    while (rest.len > 0) : (count += 1) verdicts[count] = @intFromBool(isKept(try next(&rest)));
    axiom.write(verdicts[0..count]);
}

const Entry = struct { is_file: bool, path: []const u8, first_bytes: []const u8 };

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
    return .{ .is_file = own[0] == 1, .path = own[path_at..][0..path_length], .first_bytes = own[path_at + path_length ..] };
}

fn cutOff() axiom.Error {
    return axiom.fail(error.InvalidInput, "an entry is cut off");
}

fn isKept(entry: Entry) bool {
    if (!entry.is_file) return true;
    const slash = std.mem.lastIndexOfScalar(u8, entry.path, '/');
    const name = if (slash) |at| entry.path[at + 1 ..] else entry.path;
    for (kept) |value| if (value == .string and std.mem.eql(u8, value.string, name)) return true;
    if (leaves_env_files and signs.isEnvironment(name)) return false;
    return !signs.isSecretName(entry.path, name) and !signs.isSecretContent(entry.first_bytes);
}
