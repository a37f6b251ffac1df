const std = @import("std");
const axiom = @import("axiom.zig");

comptime {
    axiom.plugin(@This());
}

pub fn execute(operation: axiom.Operation, header: axiom.Header) axiom.Error!void {
    if (operation != .run) return error.Unsupported;
    // `event`, `status` and `message` say what happened: here is what you make of it.
    const message = header.string("message") orelse "";
    const json = "{{\"status\":\"SUCCESS\",\"metrics\":{{\"message_bytes\":{d}}}}}";
    axiom.setResult(try std.fmt.allocPrint(axiom.allocator, json, .{message.len}));
}
