const std = @import("std");
const axiom = @import("axiom.zig");

const Cipher = std.crypto.aead.chacha_poly.XChaCha20Poly1305;

comptime {
    axiom.plugin(@This());
}

pub fn execute(operation: axiom.Operation, _: axiom.Header) axiom.Error!void {
    if (operation != .seal and operation != .open) return error.Unsupported;
    // Length of the associated data, key, nonce, associated data, and what is sealed or opened.
    const input = try axiom.readAll();
    const nonce_at = 4 + Cipher.key_length;
    const aad_at = nonce_at + Cipher.nonce_length;
    if (input.len < aad_at) return axiom.fail(error.InvalidInput, "the input is too short");
    const aad_length = std.mem.readInt(u32, input[0..4], .little);
    if (aad_length > input.len - aad_at) return axiom.fail(error.InvalidInput, "the input is too short");
    const key = input[4..nonce_at].*;
    const nonce = input[nonce_at..aad_at].*;
    const aad = input[aad_at..][0..aad_length];
    const data = input[aad_at + aad_length ..];
    if (operation == .seal) {
        var tag: [Cipher.tag_length]u8 = undefined;
        Cipher.encrypt(data, &tag, data, aad, nonce, key);
        axiom.write(data);
        return axiom.write(&tag);
    }
    if (data.len < Cipher.tag_length) return axiom.fail(error.Auth, "it is too short to have a tag");
    const length = data.len - Cipher.tag_length;
    const secret = data[0..length];
    const tag = data[length..][0..Cipher.tag_length].*;
    Cipher.decrypt(secret, secret, tag, aad, nonce, key) catch {
        return axiom.fail(error.Auth, "it was not sealed with this key and this associated data, or was changed");
    };
    axiom.write(secret);
}
