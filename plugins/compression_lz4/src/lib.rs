//! LZ4 as one standard frame: what this writes, `lz4 -d` reads.

#[path = "../../../plugin-pdk/rust/axiom.rs"]
mod axiom;

use axiom::{failure, Class, Header};
use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};
use std::io::{Read, Write};

struct Lz4;

impl axiom::Plugin for Lz4 {
    fn execute(operation: u32, header: &Header) -> axiom::Result {
        let plain_length = header.integer("plain_length").unwrap_or(0) as usize;
        match operation {
            axiom::ENCODE => encode(plain_length),
            axiom::DECODE => decode(plain_length),
            _ => Err(axiom::unsupported()),
        }
    }
}

axiom::plugin!(Lz4);

/// Blocks of 4 MiB that stand alone: one holds a whole frame of the repository.
fn encode(plain_length: usize) -> axiom::Result {
    let info = FrameInfo::new()
        .block_size(BlockSize::Max4MB)
        .block_mode(BlockMode::Independent)
        .content_size(Some(plain_length as u64))
        .content_checksum(true);
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::with_capacity(plain_length / 2));
    let internal = |error: &dyn std::fmt::Display| failure(Class::Internal, error.to_string());
    encoder.write_all(&axiom::read_all()).map_err(|error| internal(&error))?;
    axiom::write(&encoder.finish().map_err(|error| internal(&error))?);
    Ok(())
}

fn decode(plain_length: usize) -> axiom::Result {
    let stored = axiom::read_all();
    let mut rest = stored.as_slice();
    let mut plain = Vec::with_capacity(plain_length);
    let corrupt = |why: &dyn std::fmt::Display| failure(Class::CorruptData, why.to_string());
    FrameDecoder::new(&mut rest)
        .take(plain_length as u64 + 1)
        .read_to_end(&mut plain)
        .map_err(|error| corrupt(&error))?;
    if plain.len() != plain_length {
        return Err(corrupt(&format!("it holds {} bytes instead of {plain_length}", plain.len())));
    }
    if !rest.is_empty() {
        return Err(corrupt(&format!("{} bytes follow the frame", rest.len())));
    }
    axiom::write(&plain);
    Ok(())
}
