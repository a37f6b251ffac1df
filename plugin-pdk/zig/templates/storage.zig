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
    const key = header.string("key") orelse "";
    switch (operation) {
        .put => _ = try request("PUT", key, "{\"if-none-match\":\"*\"}", try axiom.readAll()),
        .get => axiom.write((try request("GET", key, try range(header), "")).body),
        .stat => {
            const headers = (try request("HEAD", key, "{}", "")).header.object.get("headers") orelse return error.Permanent;
            const length = headers.object.get("content-length") orelse return error.Permanent;
            axiom.setResult(try text("{{\"length\":{s}}}", .{length.string}));
        },
        .delete => _ = request("DELETE", key, "{}", "") catch |failure| if (failure != error.NotFound) return failure,
        // list: how it is done differs from server to server.
        else => return error.Unsupported,
    }
}

fn range(header: axiom.Header) axiom.Error![]const u8 {
    const offset = header.integer("offset") orelse return "{}";
    const length = header.integer("length") orelse return "{}";
    return if (length < 1) "{}" else text("{{\"range\":\"bytes={d}-{d}\"}}", .{ offset, offset + length - 1 });
}

fn request(method: []const u8, key: []const u8, headers: []const u8, body: []const u8) axiom.Error!axiom.Response {
    const where = std.json.fmt(try text("{s}{s}", .{ url, key }), .{});
    const json = try text("{{\"method\":\"{s}\",\"url\":{f},\"headers\":{s}}}", .{ method, where, headers });
    const response = try axiom.http(json, body);
    const failure: axiom.Error = switch (response.status) {
        200...299 => return response,
        404 => error.NotFound,
        412 => error.Conflict,
        408, 429, 500...599 => error.Transient,
        else => error.Permanent,
    };
    return axiom.fail(failure, try text("{s} {s}: the server answers {d}", .{ method, key, response.status }));
}

fn text(comptime format: []const u8, values: anytype) axiom.Error![]const u8 {
    return std.fmt.allocPrint(axiom.allocator, format, values);
}
