//! Writes an object so that nobody sees a part of it, and of those who write it at once one alone does.
//!
//! Servers look whether something stands at the target of a MOVE and rename afterwards; in between a file can come there,
//! which is then lost. Of a folder that cannot be: rename(2) never replaces one that holds something. So there are two moves:
//!
//! ```text
//! .part-<digest>-<n>/<digest>   MKCOL, which makes the folder ours alone, then PUT
//! .claim-<name>/<digest>        MOVE of the folder: who does it has claimed the name of the object
//! <name>                        MOVE of the file, by nobody but for a claim; DELETE of the empty claim
//! ```
//!
//! A claim has everything that is needed to go on from there. Whoever finds one does so, and waits for nobody.

use crate::axiom::{self, failure, Class, Failure, Response};
use crate::{expect, folder_of, item, listing, properties, refused, send, url};
use sha2::{Digest, Sha256};
use std::cell::Cell;

const PART: &str = ".part-";
const CLAIM: &str = ".claim-";
/// More writers do not write the same bytes at once.
const PARTS_MAX: usize = 64;
const TRIES: usize = 4;
const COMPARED_BYTES: usize = 4 << 20;

thread_local!(static IS_ALONE: Cell<bool> = const { Cell::new(false) });

/// An object on its way.
struct Part<'a> {
    key: &'a str,
    object: &'a [u8],
    /// Ends with a slash, as those of claims do.
    folder: String,
    name: String,
}

pub fn put(key: &str, object: &[u8]) -> axiom::Result {
    store(key, object).map_err(|error| match error.class {
        // Of a part, which somebody took away.
        class if class == Class::NotFound as i32 => failure(Class::Transient, error.message),
        _ => error,
    })
}

fn store(key: &str, object: &[u8]) -> axiom::Result {
    let digest = Sha256::new().chain_update(key).chain_update([0]).chain_update(object).finalize();
    let name: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let folder = make_part(key, &name)?;
    if !is_alone(folder_of(key))? {
        remove(&folder)?;
        return store_by_file(key, object, &name);
    }
    let part = Part { key, object, folder, name };
    let (parent, name) = key.split_at(folder_of(key).len());
    let claim = format!("{parent}{CLAIM}{name}/");
    match upload(&format!("{}{}", part.folder, part.name), object).and_then(|()| claim_name(&part, &claim)) {
        Ok(()) => finish(&part, &claim),
        Err(error) => {
            let _ = remove(&part.folder);
            Err(error)
        }
    }
}

/// Whether MKCOL gives a folder to one client alone, so that it says 405 of `folder`, which is there. Where it succeeds, as
/// rclone's does, others may write the same part.
fn is_alone(folder: &str) -> axiom::Result<bool> {
    if !IS_ALONE.get() {
        IS_ALONE.set(send("MKCOL", folder, &[], &[])?.status == 405);
    }
    Ok(IS_ALONE.get())
}

/// For servers that lock both names of a MOVE before they look, as rclone does: no one moves a file that is being written.
fn store_by_file(key: &str, object: &[u8], name: &str) -> axiom::Result {
    let part = format!("{}{PART}{name}", folder_of(key));
    upload(&part, object)?;
    let moved = rename(&part, key)?;
    if is_done(&moved) {
        return Ok(());
    }
    remove(&part)?;
    match item(key)? {
        Some(_) => Err(exists(key)),
        None => Err(refused("MOVE", &part, &moved)),
    }
}

fn upload(path: &str, object: &[u8]) -> axiom::Result {
    expect("PUT", path, send("PUT", path, &[], object)?).map(drop)
}

/// A folder with no one else's part in it.
fn make_part(key: &str, name: &str) -> axiom::Result<String> {
    let folder = folder_of(key);
    for n in 0..PARTS_MAX {
        let part = format!("{folder}{PART}{name}-{n}/");
        let mut made = make_folder(&part)?;
        if matches!(made.status, 404 | 409) {
            make_folders(folder)?;
            made = make_folder(&part)?;
        }
        if made.status != 405 {
            return expect("MKCOL", &part, made).map(|_| part);
        }
    }
    // So many are nobody's: writers that are gone left them.
    let part = format!("{folder}{PART}{name}-0/");
    remove(&part)?;
    match make_folder(&part)? {
        made if is_done(&made) => Ok(part),
        made => Err(failure(Class::Transient, format!("{PARTS_MAX} parts of {key} stand in the way: {}", made.status))),
    }
}

fn claim_name(Part { key, folder, .. }: &Part, claim: &str) -> axiom::Result {
    let mut tries = 1;
    loop {
        let moved = rename(folder, claim)?;
        if is_done(&moved) {
            return Ok(());
        }
        if item(key)?.is_some() {
            return Err(exists(key));
        }
        if tries == TRIES {
            return Err(refused("MOVE", folder, &moved));
        }
        finish_for_others(key, claim)?;
        tries += 1;
    }
}

fn finish(part: &Part, claim: &str) -> axiom::Result {
    let path = format!("{claim}{}", part.name);
    let moved = rename(&path, part.key)?;
    remove(claim)?;
    // Another one may have found the claim, and done it.
    if is_done(&moved) || holds(part)? {
        return Ok(());
    }
    match item(part.key)? {
        Some(_) => Err(exists(part.key)),
        None => Err(refused("MOVE", &path, &moved)),
    }
}

/// Of a writer that is gone, or at it at this moment: twice does no harm.
fn finish_for_others(key: &str, claim: &str) -> axiom::Result {
    // Apache breaks its answer off where the folder goes away meanwhile.
    let Ok(response) = properties(claim, "1") else { return Ok(()) };
    if response.status == 404 {
        return Ok(());
    }
    let found = listing::items(&expect("PROPFIND", claim, response)?.body)?;
    for file in found.iter().filter(|item| !item.is_folder && !item.name().starts_with('.')) {
        rename(&format!("{claim}{}", file.name()), key)?;
    }
    remove(claim)
}

fn holds(part: &Part) -> axiom::Result<bool> {
    if item(part.key)?.and_then(|item| item.length) != Some(part.object.len() as u64) {
        return Ok(false);
    }
    let mut at = 0;
    for piece in part.object.chunks(COMPARED_BYTES) {
        if crate::read_range(part.key, at, piece.len())? != piece {
            return Ok(false);
        }
        at += piece.len();
    }
    Ok(true)
}

fn exists(key: &str) -> Failure {
    failure(Class::Conflict, format!("{key} exists"))
}

fn rename(from: &str, to: &str) -> axiom::Result<Response> {
    send("MOVE", from, &[("destination", &url(to)), ("overwrite", "F")], &[])
}

/// A part or a claim, with all that is in it; it may be gone.
fn remove(folder: &str) -> axiom::Result {
    send("DELETE", folder, &[], &[]).map(drop)
}

fn make_folder(folder: &str) -> axiom::Result<Response> {
    let mut made = send("MKCOL", folder, &[], &[])?;
    for _ in 1..TRIES {
        // Apache says 403 where another client made it at this moment, and 405 from then on.
        if made.status != 403 {
            break;
        }
        made = send("MKCOL", folder, &[], &[])?;
    }
    Ok(made)
}

/// The first one is that of the repository; what lies above it was there before.
fn make_folders(folder: &str) -> axiom::Result {
    let ends = folder.match_indices('/').map(|(at, _)| at + 1);
    for end in std::iter::once(0).chain(ends) {
        let made = make_folder(&folder[..end])?;
        // 405: it is there already. Some servers say 409 or 301 of the root.
        if !matches!(made.status, 200..=299 | 405) && end > 0 {
            expect("MKCOL", &folder[..end], made)?;
        }
    }
    Ok(())
}

/// 207 tells of errors, RFC 4918 section 9.9.4.
fn is_done(response: &Response) -> bool {
    matches!(response.status, 200..=206)
}
