const std = @import("std");
const axiom = @import("axiom.zig");

const name = "hello.txt";
const content = "Hello from a plugin\n";

comptime {
    axiom.plugin(@This());
}

pub fn execute(operation: axiom.Operation, header: axiom.Header) axiom.Error!void {
    switch (operation) {
        .list => axiom.setResult(std.fmt.comptimePrint("{{\"entries\":[{{\"name\":\"{s}\",\"length\":{d}}}]}}", .{
            name,
            content.len,
        })),
        .read => {
            if (!std.mem.eql(u8, header.string("name") orelse "", name)) {
                return axiom.fail(error.NotFound, "there is no such stream");
            }
            const from = @min(content.len, number(header, "offset"));
            axiom.write(content[from..][0..@min(content.len - from, number(header, "length"))]);
        },
        else => return error.Unsupported,
    }
}

fn number(header: axiom.Header, key: []const u8) usize {
    return std.math.cast(usize, header.integer(key) orelse 0) orelse 0;
}
