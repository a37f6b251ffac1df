mod axiom;

use axiom::{failure, Class, Header};

/// Before the path of an entry: kind, 3 bytes that are 0, mode, size, time and the length of the path.
const PATH_AT: usize = 28;

struct Plugin;

impl axiom::Plugin for Plugin {
    fn execute(operation: u32, _header: &Header) -> axiom::Result {
        if operation != axiom::SELECT {
            return Err(axiom::unsupported());
        }
        let input = axiom::read_all();
        let mut verdicts = Vec::new();
        let mut rest = input.as_slice();
        while !rest.is_empty() {
            verdicts.push(is_kept(next(&mut rest)?) as u8);
        }
        axiom::write(&verdicts);
        Ok(())
    }
}

axiom::plugin!(Plugin);

struct Entry<'a> {
    /// 1 file, 2 folder, 3 symbolic link, 4 other.
    kind: u8,
    size: u64,
    path: &'a [u8],
    /// Of a file, where they were read.
    _first_bytes: &'a [u8],
}

fn next<'a>(rest: &mut &'a [u8]) -> axiom::Result<Entry<'a>> {
    let broken = || failure(Class::InvalidInput, "an entry is cut off");
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0u64, |sum, byte| sum << 8 | *byte as u64);
    let length = number(rest.get(..4).ok_or_else(broken)?) as usize;
    let entry = rest[4..].get(..length).ok_or_else(broken)?;
    *rest = &rest[4 + length..];
    let path_bytes = number(entry.get(24..PATH_AT).ok_or_else(broken)?) as usize;
    let path = entry[PATH_AT..].get(..path_bytes).ok_or_else(broken)?;
    Ok(Entry { kind: entry[0], size: number(&entry[8..16]), path, _first_bytes: &entry[PATH_AT + path_bytes..] })
}

/// Leaves out empty files whose names end in .tmp: here is what you decide by.
fn is_kept(entry: Entry) -> bool {
    !(entry.kind == 1 && entry.size == 0 && entry.path.ends_with(b".tmp"))
}
