//! PackBits: n < 128 is followed by n + 1 bytes as they are, n ≥ 128 by one byte that is there n - 125 times.

#[path = "../../axiom.rs"]
mod axiom;

use axiom::{failure, Class, Header};

const LITERALS_MAX: usize = 128;
const RUN_MIN: usize = 3;
const RUN_MAX: usize = 130;

struct Runs;

impl axiom::Plugin for Runs {
    fn execute(operation: u32, header: &Header) -> axiom::Result {
        let input = axiom::read_all();
        match operation {
            axiom::ENCODE => axiom::write(&encode(&input)),
            axiom::DECODE => axiom::write(&decode(&input, header.integer("plain_length").unwrap_or(0) as usize)?),
            _ => return Err(axiom::unsupported()),
        }
        Ok(())
    }
}

axiom::plugin!(Runs);

/// How often the first byte stands there, up to [`RUN_MAX`] times.
fn run(plain: &[u8]) -> usize {
    plain.iter().take(RUN_MAX).take_while(|&byte| *byte == plain[0]).count()
}

fn encode(plain: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(plain.len() + plain.len() / LITERALS_MAX + 1);
    let mut at = 0;
    while at < plain.len() {
        let length = run(&plain[at..]);
        if length >= RUN_MIN {
            stored.extend([(length + 125) as u8, plain[at]]);
            at += length;
            continue;
        }
        let from = at;
        while at < plain.len() && at - from < LITERALS_MAX && run(&plain[at..]) < RUN_MIN {
            at += 1;
        }
        stored.push((at - from - 1) as u8);
        stored.extend(&plain[from..at]);
    }
    stored
}

fn decode(stored: &[u8], plain_length: usize) -> axiom::Result<Vec<u8>> {
    let corrupt = |why: &str| failure(Class::CorruptData, why);
    let mut plain = Vec::with_capacity(plain_length);
    let mut rest = stored;
    while let [n, after @ ..] = rest {
        let n = *n as usize;
        let used = if n < LITERALS_MAX { n + 1 } else { 1 };
        let part = after.get(..used).ok_or_else(|| corrupt("it ends too early"))?;
        let length = if n < LITERALS_MAX { used } else { n - 125 };
        if plain.len() + length > plain_length {
            return Err(corrupt("it holds more than it should"));
        }
        if n < LITERALS_MAX {
            plain.extend(part);
        } else {
            plain.resize(plain.len() + length, part[0]);
        }
        rest = &after[used..];
    }
    Ok(plain)
}
