//! What files with secrets look like. Whoever adds a line here takes files out of backups: only what is surely a secret.
const std = @import("std");

const names = [_][]const u8{
    "id_rsa",           "id_dsa",     "id_ecdsa",    "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk",
    "secring.gpg",      ".netrc",     "_netrc",      ".pgpass",     ".my.cnf",    ".vault-token",
    ".git-credentials", ".dockercfg", ".pypirc",     ".s3cfg",      ".boto",      ".authinfo",
    ".fetchmailrc",     "master.key", "server.key",  "privkey.pem", "application_default_credentials.json",
};

/// Not `.key`, which Keynote uses, and no databases of passwords or wallets: those are sealed, and people want them back.
const endings = [_][]const u8{ ".p12", ".pfx", ".jks", ".keystore", ".ppk", ".keytab" };

/// Where the name alone says too little.
const paths = [_][]const u8{ ".aws/credentials", ".docker/config.json", ".kube/config", ".config/gh/hosts.yml" };

const examples = [_][]const u8{ ".example", ".sample", ".template", ".dist" };

const beginnings = [_][]const u8{
    "-----BEGIN PRIVATE KEY-----",         "-----BEGIN RSA PRIVATE KEY-----",
    "-----BEGIN EC PRIVATE KEY-----",      "-----BEGIN DSA PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----", "-----BEGIN ENCRYPTED PRIVATE KEY-----",
    "-----BEGIN PGP PRIVATE KEY BLOCK",    "PuTTY-User-Key-File-",
    "AGE-SECRET-KEY-1",
};

/// A token is its beginning and so many letters, digits, `_` or `-` after it.
const Token = struct { start: []const u8, more: usize };

const tokens = [_]Token{
    .{ .start = "ghp_", .more = 36 },      .{ .start = "gho_", .more = 36 },   .{ .start = "ghs_", .more = 36 },
    .{ .start = "github_pat_", .more = 22 }, .{ .start = "glpat-", .more = 20 }, .{ .start = "AKIA", .more = 16 },
    .{ .start = "xoxb-", .more = 20 },     .{ .start = "xoxp-", .more = 20 },  .{ .start = "sk_live_", .more = 24 },
    .{ .start = "npm_", .more = 36 },      .{ .start = "SG.", .more = 22 },    .{ .start = "AIza", .more = 35 },
};

/// `.env` and `.env.production`, but not `.env.example`.
pub fn isEnvironment(name: []const u8) bool {
    if (std.mem.eql(u8, name, ".env") or std.mem.eql(u8, name, ".envrc")) return true;
    if (!std.mem.startsWith(u8, name, ".env.")) return false;
    for (examples) |ending| if (std.ascii.endsWithIgnoreCase(name, ending)) return false;
    return true;
}

pub fn isSecretName(path: []const u8, name: []const u8) bool {
    for (names) |known| if (std.ascii.eqlIgnoreCase(name, known)) return true;
    for (endings) |ending| if (name.len > ending.len and std.ascii.endsWithIgnoreCase(name, ending)) return true;
    for (paths) |known| {
        if (!std.mem.endsWith(u8, path, known)) continue;
        if (path.len == known.len or path[path.len - known.len - 1] == '/') return true;
    }
    return false;
}

pub fn isSecretContent(first_bytes: []const u8) bool {
    for (beginnings) |beginning| if (std.mem.indexOf(u8, first_bytes, beginning) != null) return true;
    for (tokens) |token| if (hasToken(first_bytes, token)) return true;
    return false;
}

fn hasToken(bytes: []const u8, token: Token) bool {
    var from: usize = 0;
    while (std.mem.indexOfPos(u8, bytes, from, token.start)) |at| : (from = at + 1) {
        const isWord = at > 0 and isTokenByte(bytes[at - 1]);
        var end = at + token.start.len;
        while (end < bytes.len and isTokenByte(bytes[end])) end += 1;
        if (!isWord and end - at - token.start.len >= token.more) return true;
    }
    return false;
}

fn isTokenByte(byte: u8) bool {
    return std.ascii.isAlphanumeric(byte) or byte == '_' or byte == '-';
}
