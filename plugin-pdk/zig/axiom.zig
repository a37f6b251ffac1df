//! What a plugin of AXIOM written in Zig needs: ABI 1 as `plugin-pdk/abi.md` has it. Copy it into a project as it is.
//!
//! ```text
//! const axiom = @import("axiom.zig");
//! pub fn execute(operation: axiom.Operation, _: axiom.Header) axiom.Error!void {
//!     switch (operation) {
//!         .encode, .decode => axiom.write(try axiom.readAll()),
//!         else => return error.Unsupported,
//!     }
//! }
//! comptime { axiom.plugin(@This()); }
//! ```
const std = @import("std");

pub const Operation = enum(u32) { none, encode, decode, seal, open, put, get, stat, list, delete, select, plan, read, run, _ };

/// Why a call failed; the host decides by it whether the data, the plugin or the moment is to blame.
pub const Error = error{
    InvalidInput,
    Unsupported,
    CorruptData,
    Auth,
    NotFound,
    Conflict,
    Transient,
    Quota,
    Permanent,
    Cancelled,
    Internal,
    CapabilityDenied,
    OutOfMemory,
};

fn class(failure: Error) i32 {
    return switch (failure) {
        error.InvalidInput => 1,
        error.Unsupported => 2,
        error.CorruptData => 3,
        error.Auth => 4,
        error.NotFound => 5,
        error.Conflict => 6,
        error.Transient => 7,
        error.Quota, error.OutOfMemory => 8,
        error.Permanent => 9,
        error.Cancelled => 10,
        error.Internal => 11,
        error.CapabilityDenied => 12,
    };
}

const io = struct {
    extern "axiom:host/io@1" fn read(to: [*]u8, capacity: usize) usize;
    extern "axiom:host/io@1" fn write(from: [*]const u8, length: usize) i32;
    extern "axiom:host/io@1" fn left() usize;
};

const call = struct {
    extern "axiom:host/call@1" fn op() u32;
    extern "axiom:host/call@1" fn params(to: [*]u8, capacity: usize) usize;
    extern "axiom:host/call@1" fn result(json: [*]const u8, length: usize) i32;
    extern "axiom:host/call@1" fn fail(number: i32, text: [*]const u8, length: usize) i32;
    extern "axiom:host/call@1" fn cancelled() i32;
};

const host_log = struct {
    extern "axiom:host/log@1" fn log(level: i32, text: [*]const u8, length: usize) i32;
};

const host_clock = struct {
    extern "axiom:host/clock@1" fn now() i64;
    extern "axiom:host/clock@1" fn monotonic() i64;
};

const host_random = struct {
    extern "axiom:host/random@1" fn fill(to: [*]u8, length: usize) i32;
};

const host_metric = struct {
    extern "axiom:host/metric@1" fn report(name: [*]const u8, length: usize, value: f64) i32;
};

const host_kv = struct {
    extern "axiom:host/kv@1" fn get(key: [*]const u8, key_length: usize, to: [*]u8, capacity: usize) i32;
    extern "axiom:host/kv@1" fn set(key: [*]const u8, key_length: usize, value: [*]const u8, length: usize) i32;
    extern "axiom:host/kv@1" fn delete(key: [*]const u8, key_length: usize) i32;
};

const host_http = struct {
    extern "axiom:host/http@1" fn send(request: [*]const u8, length: usize, body: [*]const u8, body_length: usize) i32;
    extern "axiom:host/http@1" fn response(to: [*]u8, capacity: usize) usize;
    extern "axiom:host/http@1" fn read(to: [*]u8, capacity: usize) usize;
};

/// Memory of the call that runs: all of it is taken back when the call has ended, and nothing needs to be freed. What
/// `initialize` took stays. (Zig's own allocator for WASM gives out powers of two, which is much for a frame and a byte.)
pub const allocator: std.mem.Allocator = .{ .ptr = undefined, .vtable = &arena.vtable };

const arena = struct {
    const page = 65536;
    const vtable: std.mem.Allocator.VTable = .{ .alloc = take, .resize = resize, .remap = remap, .free = free };
    var kept: usize = 0;
    var used: usize = 0;
    var end: usize = 0;

    fn reach(wanted: usize) bool {
        if (wanted <= end) return true;
        const pages = (wanted - end + page - 1) / page;
        if (@wasmMemoryGrow(0, pages) < 0) return false;
        end += pages * page;
        return true;
    }

    fn take(_: *anyopaque, length: usize, alignment: std.mem.Alignment, _: usize) ?[*]u8 {
        if (end == 0) {
            end = @wasmMemorySize(0) * page;
            used = end;
            kept = end;
        }
        const from = alignment.forward(used);
        const to = std.math.add(usize, from, length) catch return null;
        if (!reach(to)) return null;
        used = to;
        return @ptrFromInt(from);
    }

    fn resize(_: *anyopaque, memory: []u8, _: std.mem.Alignment, length: usize, _: usize) bool {
        const from = @intFromPtr(memory.ptr);
        if (from + memory.len != used) return length <= memory.len;
        const to = std.math.add(usize, from, length) catch return false;
        if (!reach(to)) return false;
        used = to;
        return true;
    }

    fn remap(context: *anyopaque, memory: []u8, alignment: std.mem.Alignment, length: usize, address: usize) ?[*]u8 {
        return if (resize(context, memory, alignment, length, address)) memory.ptr else null;
    }

    fn free(_: *anyopaque, memory: []u8, _: std.mem.Alignment, _: usize) void {
        const from = @intFromPtr(memory.ptr);
        if (from + memory.len == used) used = from;
    }
};

/// Exports `P`, which has `execute(Operation, Header) Error!void` and may have `initialize(Header) Error!void` and
/// `validate() Error!void`. Nothing that one call leaves may show in another one.
pub fn plugin(comptime P: type) void {
    const exports = struct {
        fn marker() callconv(.c) i32 {
            return 0;
        }
        fn initialize() callconv(.c) i32 {
            defer arena.kept = arena.used;
            return if (@hasDecl(P, "initialize")) answer(P.initialize(header() catch return class(error.OutOfMemory))) else 0;
        }
        fn validate() callconv(.c) i32 {
            return if (@hasDecl(P, "validate")) answer(P.validate()) else 0;
        }
        fn execute() callconv(.c) i32 {
            defer arena.used = arena.kept;
            return answer(P.execute(@enumFromInt(call.op()), header() catch return class(error.OutOfMemory)));
        }
    };
    @export(&exports.marker, .{ .name = "axiom_abi_1" });
    @export(&exports.initialize, .{ .name = "initialize" });
    @export(&exports.validate, .{ .name = "validate" });
    @export(&exports.execute, .{ .name = "execute" });
    @export(&exports.marker, .{ .name = "teardown" });
}

fn answer(outcome: Error!void) i32 {
    outcome catch |failure| return class(failure);
    return 0;
}

/// `return axiom.fail(error.CorruptData, "the frame ends too early");`
pub fn fail(failure: Error, message: []const u8) Error {
    _ = call.fail(class(failure), message.ptr, message.len);
    return failure;
}

/// True once nobody waits any more; then there are 250 ms left to return.
pub fn isCancelled() bool {
    return call.cancelled() != 0;
}

/// Fills `buffer` from the input and says how much of it; less than all of it only at the input's end.
pub fn read(buffer: []u8) usize {
    return io.read(buffer.ptr, buffer.len);
}

/// What is left of the input.
pub fn readAll() Error![]u8 {
    const bytes = try allocator.alloc(u8, io.left());
    _ = read(bytes);
    return bytes;
}

/// Appends to the output. Ends the call where the output would be longer than the host wants.
pub fn write(bytes: []const u8) void {
    _ = io.write(bytes.ptr, bytes.len);
}

/// Sets the result: JSON of at most 1 MiB.
pub fn setResult(json: []const u8) void {
    _ = call.result(json.ptr, json.len);
}

pub const Level = enum(i32) { err, warning, info, debug };

/// Needs the capability `log`.
pub fn log(level: Level, message: []const u8) void {
    _ = host_log.log(@intFromEnum(level), message.ptr, message.len);
}

/// Nanoseconds since 1970. Needs the capability `clock`.
pub fn nowNs() i64 {
    return host_clock.now();
}

/// Nanoseconds since an arbitrary moment. Needs the capability `clock`.
pub fn monotonicNs() i64 {
    return host_clock.monotonic();
}

/// Needs the capability `random`.
pub fn fillRandom(bytes: []u8) void {
    _ = host_random.fill(bytes.ptr, bytes.len);
}

/// `name` is of `a-z`, `0-9` and `_`. Needs the capability `metric`.
pub fn reportMetric(name: []const u8, value: f64) void {
    _ = host_metric.report(name.ptr, name.len, value);
}

/// A note that an earlier call kept. Needs the capability `kv`.
pub fn note(key: []const u8) Error!?[]u8 {
    var bytes: []u8 = &.{};
    while (true) {
        const length = host_kv.get(key.ptr, key.len, bytes.ptr, bytes.len);
        if (length < 0) return null;
        if (length <= bytes.len) return bytes[0..@intCast(length)];
        bytes = try allocator.alloc(u8, @intCast(length));
    }
}

/// Keeps a note on this machine, 1 MiB of all. Needs the capability `kv`.
pub fn keepNote(key: []const u8, value: []const u8) Error!void {
    if (host_kv.set(key.ptr, key.len, value.ptr, value.len) != 0) return error.Quota;
}

/// Needs the capability `kv`.
pub fn dropNote(key: []const u8) void {
    _ = host_kv.delete(key.ptr, key.len);
}

pub const Response = struct { status: i64, header: Header, body: []u8 };

/// Needs the capability `net.http`. `request` is JSON with `method`, `url` and `headers`.
pub fn http(request: []const u8, body: []const u8) Error!Response {
    switch (host_http.send(request.ptr, request.len, body.ptr, body.len)) {
        0 => {},
        7 => return error.Transient,
        8 => return error.Quota,
        10 => return error.Cancelled,
        12 => return error.CapabilityDenied,
        else => return error.Permanent,
    }
    var none: [1]u8 = undefined;
    const text = try allocator.alloc(u8, host_http.response(&none, 0));
    _ = host_http.response(text.ptr, text.len);
    const about = try parse(text);
    var content: std.ArrayList(u8) = .empty;
    while (true) {
        const part = try content.addManyAsSlice(allocator, 65536);
        const length = host_http.read(part.ptr, part.len);
        content.shrinkRetainingCapacity(content.items.len - part.len + length);
        if (length == 0) break;
    }
    return .{ .status = about.integer("status") orelse 0, .header = about, .body = content.items };
}

/// Of `initialize` the configuration, of `execute` what belongs to the operation: one JSON object.
pub const Header = struct {
    object: std.json.ObjectMap,

    pub fn integer(self: Header, key: []const u8) ?i64 {
        const value = self.object.get(key) orelse return null;
        return if (value == .integer) value.integer else null;
    }

    pub fn string(self: Header, key: []const u8) ?[]const u8 {
        const value = self.object.get(key) orelse return null;
        return if (value == .string) value.string else null;
    }

    pub fn boolean(self: Header, key: []const u8) ?bool {
        const value = self.object.get(key) orelse return null;
        return if (value == .bool) value.bool else null;
    }
};

fn header() Error!Header {
    var none: [1]u8 = undefined;
    const text = try allocator.alloc(u8, call.params(&none, 0));
    _ = call.params(text.ptr, text.len);
    return parse(text);
}

fn parse(text: []const u8) Error!Header {
    const value = std.json.parseFromSliceLeaky(std.json.Value, allocator, text, .{}) catch return error.Internal;
    return if (value == .object) .{ .object = value.object } else error.Internal;
}
