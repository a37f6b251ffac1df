//! LZ4 as one standard frame: what this writes, `lz4 -d` reads.

#[path = "../../../plugin-pdk/rust/axiom.rs"]
mod axiom;

use axiom::{failure, Class, Header};
use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};
use std::io::{BufRead, Read, Write};

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

const PIECE_BYTES: usize = 256 * 1024;

/// The output of the call.
struct Output;

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        axiom::write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The input of the call.
struct Input;

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        Ok(axiom::read(buffer))
    }
}

/// Blocks of 1 MiB that stand alone, each written as soon as it is full: LZ4 looks back no further than 64 KiB.
fn encode(plain_length: usize) -> axiom::Result {
    let info = FrameInfo::new()
        .block_size(BlockSize::Max1MB)
        .block_mode(BlockMode::Independent)
        .content_size(Some(plain_length as u64))
        .content_checksum(true);
    let mut encoder = FrameEncoder::with_frame_info(info, Output);
    let internal = |error: &dyn std::fmt::Display| failure(Class::Internal, error.to_string());
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let length = axiom::read(&mut piece);
        if length == 0 {
            break;
        }
        encoder.write_all(&piece[..length]).map_err(|error| internal(&error))?;
    }
    encoder.finish().map_err(|error| internal(&error))?;
    Ok(())
}

fn decode(plain_length: usize) -> axiom::Result {
    let corrupt = |why: &dyn std::fmt::Display| failure(Class::CorruptData, why.to_string());
    let mut decoder = FrameDecoder::new(Input);
    let mut length = 0;
    loop {
        let part = decoder.fill_buf().map_err(|error| corrupt(&error))?;
        if part.is_empty() {
            break;
        }
        length += part.len();
        if length > plain_length {
            return Err(corrupt(&format!("it holds more than {plain_length} bytes")));
        }
        axiom::write(part);
        let taken = part.len();
        decoder.consume(taken);
    }
    if length != plain_length {
        return Err(corrupt(&format!("it holds {length} bytes instead of {plain_length}")));
    }
    match axiom::input_left() {
        0 => Ok(()),
        left => Err(corrupt(&format!("{left} bytes follow the frame"))),
    }
}
