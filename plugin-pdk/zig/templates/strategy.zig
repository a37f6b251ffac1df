const axiom = @import("axiom.zig");

/// Snapshots from one full one to the next.
const each = 7;

comptime {
    axiom.plugin(@This());
}

pub fn execute(operation: axiom.Operation, header: axiom.Header) axiom.Error!void {
    if (operation != .plan) return error.Unsupported;
    const since_full = header.integer("since_full") orelse -1;
    const is_full = since_full < 0 or since_full + 1 >= each;
    axiom.setResult(if (is_full) "{\"mode\":\"full\",\"parent\":null}" else "{\"mode\":\"incremental\",\"parent\":null}");
}
