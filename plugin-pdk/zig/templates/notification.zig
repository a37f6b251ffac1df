const std = @import("std");
const axiom = @import("axiom.zig");

comptime {
    axiom.plugin(@This());
}

var url: []const u8 = "";

pub fn initialize(configuration: axiom.Header) axiom.Error!void {
    url = configuration.string("url") orelse "";
}

pub fn execute(operation: axiom.Operation, header: axiom.Header) axiom.Error!void {
    if (operation != .run) return error.Unsupported;
    const request = "{{\"method\":\"POST\",\"url\":{f},\"headers\":{{\"content-type\":\"application/json\"}}}}";
    const body = try text("{f}", .{std.json.fmt(std.json.Value{ .object = header.object }, .{})});
    const response = try axiom.http(try text(request, .{std.json.fmt(url, .{})}), body);
    if (response.status < 200 or response.status > 299) {
        return axiom.fail(error.Transient, try text("the server answers {d}", .{response.status}));
    }
    axiom.setResult("{\"status\":\"SUCCESS\"}");
}

fn text(comptime format: []const u8, values: anytype) axiom.Error![]const u8 {
    return std.fmt.allocPrint(axiom.allocator, format, values);
}
