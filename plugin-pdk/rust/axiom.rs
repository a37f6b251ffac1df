//! What a plugin of AXIOM written in Rust needs: ABI 1 as `plugin-pdk/abi.md` has it. Copy it into a project as it is.
//!
//! ```text
//! struct Copy;
//! impl axiom::Plugin for Copy {
//!     fn execute(operation: u32, _header: &axiom::Header) -> axiom::Result {
//!         match operation {
//!             axiom::ENCODE | axiom::DECODE => Ok(axiom::write(&axiom::read_all())),
//!             _ => Err(axiom::unsupported()),
//!         }
//!     }
//! }
//! axiom::plugin!(Copy);
//! ```
#![allow(dead_code)]

pub const ENCODE: u32 = 1;
pub const DECODE: u32 = 2;
pub const SEAL: u32 = 3;
pub const OPEN: u32 = 4;
pub const PUT: u32 = 5;
pub const GET: u32 = 6;
pub const STAT: u32 = 7;
pub const LIST: u32 = 8;
pub const DELETE: u32 = 9;
pub const SELECT: u32 = 10;
pub const PLAN: u32 = 11;
pub const READ: u32 = 12;
pub const RUN: u32 = 13;

/// Why a call failed; the host decides by it whether the data, the plugin or the moment is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    InvalidInput = 1,
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
}

#[derive(Clone, Debug)]
pub struct Failure {
    pub class: i32,
    pub message: String,
}

pub type Result<T = ()> = core::result::Result<T, Failure>;

pub fn failure(class: Class, message: impl Into<String>) -> Failure {
    Failure { class: class as i32, message: message.into() }
}

pub fn unsupported() -> Failure {
    failure(Class::Unsupported, "it does not know this operation")
}

/// Every function may be called many times; none may let one call show in another one.
pub trait Plugin {
    /// Once per instance, before everything else.
    fn initialize(_configuration: &Header) -> Result {
        Ok(())
    }
    fn validate() -> Result {
        Ok(())
    }
    /// `operation` is [`ENCODE`], [`DECODE`] and so on; [`unsupported`] is the answer to those that are not meant.
    fn execute(operation: u32, header: &Header) -> Result;
    fn teardown() -> Result {
        Ok(())
    }
}

/// Exports `$plugin`, a type that is a [`Plugin`].
#[macro_export]
macro_rules! axiom_plugin {
    ($plugin:ty) => {
        #[no_mangle]
        pub extern "C" fn axiom_abi_1() -> i32 {
            0
        }
        #[no_mangle]
        pub extern "C" fn initialize() -> i32 {
            $crate::axiom::answer(<$plugin as $crate::axiom::Plugin>::initialize(&$crate::axiom::header()))
        }
        #[no_mangle]
        pub extern "C" fn validate() -> i32 {
            $crate::axiom::answer(<$plugin as $crate::axiom::Plugin>::validate())
        }
        #[no_mangle]
        pub extern "C" fn execute() -> i32 {
            let header = $crate::axiom::header();
            $crate::axiom::answer(<$plugin as $crate::axiom::Plugin>::execute($crate::axiom::operation(), &header))
        }
        #[no_mangle]
        pub extern "C" fn teardown() -> i32 {
            $crate::axiom::answer(<$plugin as $crate::axiom::Plugin>::teardown())
        }
    };
}
pub use axiom_plugin as plugin;

mod io {
    #[link(wasm_import_module = "axiom:host/io@1")]
    extern "C" {
        pub fn read(pointer: *mut u8, capacity: usize) -> usize;
        pub fn write(pointer: *const u8, length: usize) -> i32;
        pub fn left() -> usize;
    }
}

mod call {
    #[link(wasm_import_module = "axiom:host/call@1")]
    extern "C" {
        pub fn op() -> u32;
        pub fn params(pointer: *mut u8, capacity: usize) -> usize;
        pub fn result(pointer: *const u8, length: usize) -> i32;
        pub fn fail(class: i32, pointer: *const u8, length: usize) -> i32;
        pub fn cancelled() -> i32;
    }
}

mod host_log {
    #[link(wasm_import_module = "axiom:host/log@1")]
    extern "C" {
        pub fn log(level: i32, pointer: *const u8, length: usize) -> i32;
    }
}

mod host_clock {
    #[link(wasm_import_module = "axiom:host/clock@1")]
    extern "C" {
        pub fn now() -> i64;
        pub fn monotonic() -> i64;
    }
}

mod host_random {
    #[link(wasm_import_module = "axiom:host/random@1")]
    extern "C" {
        pub fn fill(pointer: *mut u8, length: usize) -> i32;
    }
}

mod host_metric {
    #[link(wasm_import_module = "axiom:host/metric@1")]
    extern "C" {
        pub fn report(pointer: *const u8, length: usize, value: f64) -> i32;
    }
}

mod host_kv {
    #[link(wasm_import_module = "axiom:host/kv@1")]
    extern "C" {
        pub fn get(key: *const u8, key_length: usize, pointer: *mut u8, capacity: usize) -> i32;
        pub fn set(key: *const u8, key_length: usize, value: *const u8, length: usize) -> i32;
        pub fn delete(key: *const u8, key_length: usize) -> i32;
    }
}

mod host_http {
    #[link(wasm_import_module = "axiom:host/http@1")]
    extern "C" {
        pub fn send(request: *const u8, length: usize, body: *const u8, body_length: usize) -> i32;
        pub fn response(pointer: *mut u8, capacity: usize) -> usize;
        pub fn read(pointer: *mut u8, capacity: usize) -> usize;
    }
}

pub fn operation() -> u32 {
    unsafe { call::op() }
}

/// True once nobody waits for the answer any more; then there are 250 ms left to return.
pub fn is_cancelled() -> bool {
    unsafe { call::cancelled() != 0 }
}

/// Bytes of the input that were not read yet.
pub fn input_left() -> usize {
    unsafe { io::left() }
}

/// Fills `buffer` from the input and says how much of it; less than all of it only at the input's end.
pub fn read(buffer: &mut [u8]) -> usize {
    unsafe { io::read(buffer.as_mut_ptr(), buffer.len()) }
}

/// What is left of the input.
pub fn read_all() -> Vec<u8> {
    let mut bytes = vec![0; input_left()];
    read(&mut bytes);
    bytes
}

/// Appends to the output. Ends the call where the output would be longer than the host wants.
pub fn write(bytes: &[u8]) {
    unsafe { io::write(bytes.as_ptr(), bytes.len()) };
}

/// Sets the result: JSON of at most 1 MiB.
pub fn set_result(json: &str) {
    unsafe { call::result(json.as_ptr(), json.len()) };
}

/// The number to return; for [`plugin!`].
pub fn answer(result: Result) -> i32 {
    match result {
        Ok(()) => 0,
        Err(Failure { class, message }) => unsafe { call::fail(class, message.as_ptr(), message.len()) },
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Level {
    Error,
    Warning,
    Info,
    Debug,
}

/// Needs the capability `log`.
pub fn log(level: Level, message: &str) {
    unsafe { host_log::log(level as i32, message.as_ptr(), message.len()) };
}

/// Nanoseconds since 1970. Needs the capability `clock`.
pub fn now_ns() -> i64 {
    unsafe { host_clock::now() }
}

/// Nanoseconds since an arbitrary moment. Needs the capability `clock`.
pub fn monotonic_ns() -> i64 {
    unsafe { host_clock::monotonic() }
}

/// Needs the capability `random`.
pub fn fill_random(bytes: &mut [u8]) {
    unsafe { host_random::fill(bytes.as_mut_ptr(), bytes.len()) };
}

/// `name` is of `a-z`, `0-9` and `_`. Needs the capability `metric`.
pub fn report_metric(name: &str, value: f64) {
    unsafe { host_metric::report(name.as_ptr(), name.len(), value) };
}

/// A note that an earlier call kept. Needs the capability `kv`.
pub fn note(key: &str) -> Option<Vec<u8>> {
    let get = |bytes: &mut [u8]| unsafe { host_kv::get(key.as_ptr(), key.len(), bytes.as_mut_ptr(), bytes.len()) };
    let mut bytes = Vec::new();
    loop {
        let length = usize::try_from(get(&mut bytes)).ok()?;
        let is_whole = length <= bytes.len();
        bytes.resize(length, 0);
        if is_whole {
            return Some(bytes);
        }
    }
}

/// Keeps a note on this machine, 1 MiB of all. Needs the capability `kv`.
pub fn keep_note(key: &str, value: &[u8]) -> Result {
    match unsafe { host_kv::set(key.as_ptr(), key.len(), value.as_ptr(), value.len()) } {
        0 => Ok(()),
        class => Err(Failure { class, message: "there is no room for another note".into() }),
    }
}

/// Needs the capability `kv`.
pub fn drop_note(key: &str) {
    unsafe { host_kv::delete(key.as_ptr(), key.len()) };
}

pub struct Response {
    pub status: u32,
    /// With `status` and `headers`.
    pub header: Header,
    pub body: Vec<u8>,
}

/// Needs the capability `net.http`. `request` is JSON with `method`, `url` and `headers`; see [`quoted`].
pub fn http(request: &str, body: &[u8]) -> Result<Response> {
    let class = unsafe { host_http::send(request.as_ptr(), request.len(), body.as_ptr(), body.len()) };
    let header = json(|pointer, capacity| unsafe { host_http::response(pointer, capacity) });
    if class != 0 {
        return Err(Failure { class, message: header.string("message").unwrap_or_default() });
    }
    let headers = Header::from(header.object("headers").unwrap_or_default());
    let expected = headers.string("content-length").and_then(|text| text.parse::<usize>().ok()).unwrap_or(0);
    let mut content = Vec::new();
    loop {
        let from = content.len();
        content.resize(from + 65536, 0);
        let length = unsafe { host_http::read(content[from..].as_mut_ptr(), 65536) };
        content.truncate(from + length);
        if length == 0 {
            break;
        }
        if from == 0 {
            // Room for all of it at once: growing on the way would take twice as much. Where there is none, that is met later.
            let _ = content.try_reserve_exact(expected.min(80 << 20) + 65536);
        }
    }
    Ok(Response { status: header.integer("status").unwrap_or(0) as u32, header, body: content })
}

/// A text as JSON, with its quotes.
pub fn quoted(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            c if c < ' ' => json.push_str(&format!("\\u{:04x}", c as u32)),
            c => json.push(c),
        }
    }
    json + "\""
}

/// Of `initialize` the configuration, of `execute` what belongs to the operation: one JSON object.
pub struct Header {
    text: String,
}

impl From<String> for Header {
    fn from(text: String) -> Self {
        Self { text }
    }
}

/// For [`plugin!`].
pub fn header() -> Header {
    json(|pointer, capacity| unsafe { call::params(pointer, capacity) })
}

fn json(get: impl Fn(*mut u8, usize) -> usize) -> Header {
    let mut bytes = vec![0; get(core::ptr::null_mut(), 0)];
    get(bytes.as_mut_ptr(), bytes.len());
    Header { text: String::from_utf8(bytes).unwrap_or_default() }
}

impl Header {
    /// The whole object, for a library that reads JSON.
    pub fn json(&self) -> &str {
        &self.text
    }

    /// An integer of the object itself; none where the key is absent or holds something else.
    pub fn integer(&self, key: &str) -> Option<i64> {
        self.value(key)?.parse().ok()
    }

    pub fn boolean(&self, key: &str) -> Option<bool> {
        self.value(key)?.parse().ok()
    }

    pub fn string(&self, key: &str) -> Option<String> {
        let inner = self.value(key)?.strip_prefix('"')?.strip_suffix('"')?;
        let mut text = String::new();
        let mut rest = inner.chars();
        while let Some(c) = rest.next() {
            text.push(match c {
                '\\' => match rest.next()? {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    // The host escapes control characters and halves of pairs so, and nothing else.
                    'u' => {
                        let code = u32::from_str_radix(rest.as_str().get(..4)?, 16).ok()?;
                        rest.nth(3);
                        char::from_u32(code).unwrap_or('\u{fffd}')
                    }
                    other => other,
                },
                other => other,
            });
        }
        Some(text)
    }

    /// An object in it, as it is written.
    pub fn object(&self, key: &str) -> Option<String> {
        self.value(key).filter(|text| text.starts_with('{')).map(Into::into)
    }

    /// The text of a value of the object itself, not of one in it.
    fn value(&self, key: &str) -> Option<&str> {
        let bytes = self.text.as_bytes();
        let wanted = format!("\"{key}\"");
        let (mut depth, mut at) = (0, 0);
        while at < bytes.len() {
            let end = skip(bytes, at);
            let is_key = depth == 1 && bytes[at] == b'"' && bytes.get(end) == Some(&b':');
            if is_key && self.text[at..end] == wanted {
                let mut stop = end + 1;
                let mut inner = 0;
                while stop < bytes.len() && (inner > 0 || !matches!(bytes[stop], b',' | b'}')) {
                    match bytes[stop] {
                        b'{' | b'[' => inner += 1,
                        b'}' | b']' => inner -= 1,
                        _ => {}
                    }
                    stop = skip(bytes, stop);
                }
                return Some(self.text[end + 1..stop].trim());
            }
            match bytes[at] {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            at = end;
        }
        None
    }
}

/// Where the string or the single byte at `at` ends.
fn skip(bytes: &[u8], at: usize) -> usize {
    if bytes[at] != b'"' {
        return at + 1;
    }
    let mut end = at + 1;
    while end < bytes.len() && bytes[end] != b'"' {
        end += if bytes[end] == b'\\' { 2 } else { 1 };
    }
    end + 1
}
