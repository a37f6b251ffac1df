#[path = "../../../plugin-pdk/rust/axiom.rs"]
mod axiom;

use axiom::{failure, Class, Header};
use chacha20poly1305::aead::{AeadInPlace, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305};

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

struct XChaCha20;

impl axiom::Plugin for XChaCha20 {
    fn execute(operation: u32, _header: &Header) -> axiom::Result {
        if operation != axiom::SEAL && operation != axiom::OPEN {
            return Err(axiom::unsupported());
        }
        // Length of the associated data, key, nonce, associated data, and what is sealed or opened.
        let mut input = axiom::read_all();
        let too_short = || failure(Class::InvalidInput, "the input is too short");
        let aad_bytes = u32::from_le_bytes(input.get(..4).ok_or_else(too_short)?.try_into().unwrap()) as usize;
        let aad_at = 4 + KEY_BYTES + NONCE_BYTES;
        if input.len() < aad_at || input.len() - aad_at < aad_bytes {
            return Err(too_short());
        }
        let (head, data) = input.split_at_mut(aad_at + aad_bytes);
        let cipher = XChaCha20Poly1305::new_from_slice(&head[4..4 + KEY_BYTES]).map_err(|_| too_short())?;
        let nonce = head[4 + KEY_BYTES..aad_at].into();
        let aad = &head[aad_at..];
        if operation == axiom::SEAL {
            let tag = cipher
                .encrypt_in_place_detached(nonce, aad, data)
                .map_err(|_| failure(Class::InvalidInput, "it is too long to be sealed"))?;
            axiom::write(data);
            axiom::write(&tag);
            return Ok(());
        }
        let refused = || failure(Class::Auth, "it was not sealed with this key and this associated data, or was changed");
        let length = data.len().checked_sub(TAG_BYTES).ok_or_else(refused)?;
        let (secret, tag) = data.split_at_mut(length);
        cipher.decrypt_in_place_detached(nonce, aad, secret, Tag::from_slice(tag)).map_err(|_| refused())?;
        axiom::write(secret);
        Ok(())
    }
}

axiom::plugin!(XChaCha20);
