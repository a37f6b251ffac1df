mod axiom;

use axiom::{failure, Class, Header};

struct Plugin;

impl axiom::Plugin for Plugin {
    fn execute(operation: u32, header: &Header) -> axiom::Result {
        let input = axiom::read_all();
        match operation {
            axiom::ENCODE => axiom::write(&encode(&input)),
            axiom::DECODE => {
                let plain_length = header.integer("plain_length").unwrap_or(0) as usize;
                axiom::write(&decode(&input, plain_length)?);
            }
            _ => return Err(axiom::unsupported()),
        }
        Ok(())
    }
}

axiom::plugin!(Plugin);

/// Copies: here the bytes become fewer.
fn encode(plain: &[u8]) -> Vec<u8> {
    plain.to_vec()
}

fn decode(stored: &[u8], plain_length: usize) -> axiom::Result<Vec<u8>> {
    if stored.len() != plain_length {
        return Err(failure(Class::CorruptData, "it does not hold what it should"));
    }
    Ok(stored.to_vec())
}
