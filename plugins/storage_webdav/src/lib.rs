//! Objects as files on a WebDAV server (RFC 4918). An object is written under another name and then moved, which a server
//! does at once and, with `Overwrite: F`, only where nothing is; so nobody sees a part of it, and nothing is written twice.

#[path = "../../../plugin-pdk/rust/axiom.rs"]
mod axiom;
mod listing;

use axiom::{failure, Class, Failure, Header, Response};
use listing::{Cursor, Item};
use sha2::{Digest, Sha256};
use std::cell::RefCell;

/// Names that begin so are no objects: they are on their way to be one.
const PART: &str = ".part-";

thread_local!(static URL: RefCell<String> = const { RefCell::new(String::new()) });

struct WebDav;

impl axiom::Plugin for WebDav {
    fn initialize(configuration: &Header) -> axiom::Result {
        URL.set(configuration.string("url").unwrap_or_default());
        Ok(())
    }

    fn execute(operation: u32, header: &Header) -> axiom::Result {
        let key = header.string("key").unwrap_or_default();
        match operation {
            axiom::PUT => put(&key, &axiom::read_all()),
            axiom::GET => get(&key, header.integer("offset"), header.integer("length")),
            axiom::STAT => stat(&key),
            axiom::LIST => list(header),
            axiom::DELETE => delete(&key),
            _ => Err(axiom::unsupported()),
        }
    }
}

axiom::plugin!(WebDav);

fn url(path: &str) -> String {
    URL.with_borrow(|url| format!("{url}{path}"))
}

fn folder_of(key: &str) -> &str {
    &key[..key.rfind('/').map_or(0, |at| at + 1)]
}

fn put(key: &str, object: &[u8]) -> axiom::Result {
    // Named by what is in it, so that two who write at once only ever write the same bytes there.
    let digest = Sha256::new().chain_update(key).chain_update([0]).chain_update(object).finalize();
    let name: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let part = format!("{}{PART}{name}", folder_of(key));
    let mut response = send("PUT", &part, &[], object)?;
    if matches!(response.status, 404 | 409) {
        make_folders(folder_of(key))?;
        response = send("PUT", &part, &[], object)?;
    }
    expect("PUT", &part, response)?;
    let destination = url(key);
    let moved = send("MOVE", &part, &[("destination", &destination), ("overwrite", "F")], &[])?;
    match moved.status {
        200..=299 => Ok(()),
        412 => {
            send("DELETE", &part, &[], &[])?;
            Err(failure(Class::Conflict, format!("{key} exists")))
        }
        // Another one moved the same bytes there first.
        404 => match item(key)? {
            Some(_) => Err(failure(Class::Conflict, format!("{key} exists"))),
            None => Err(failure(Class::Transient, format!("{part} was gone before it was moved"))),
        },
        _ => expect("MOVE", &part, moved).map(drop),
    }
}

/// The first one is that of the repository; what lies above it was there before.
fn make_folders(folder: &str) -> axiom::Result {
    let ends = folder.match_indices('/').map(|(at, _)| at + 1);
    for end in std::iter::once(0).chain(ends) {
        let mut made = send("MKCOL", &folder[..end], &[], &[])?;
        // Apache says 403 where another client made it at this moment, and 405 from then on.
        if made.status == 403 {
            made = send("MKCOL", &folder[..end], &[], &[])?;
        }
        // 405: it is there already. Some servers say 409 or 301 of the root.
        if !matches!(made.status, 200..=299 | 405) && end > 0 {
            expect("MKCOL", &folder[..end], made)?;
        }
    }
    Ok(())
}

fn get(key: &str, offset: Option<i64>, length: Option<i64>) -> axiom::Result {
    let range = match (offset, length) {
        (Some(offset), Some(length)) if length > 0 => Some((offset as usize, length as usize)),
        _ => None,
    };
    let wanted = range.map(|(offset, length)| format!("bytes={offset}-{}", offset + length - 1));
    let headers: Vec<(&str, &str)> = wanted.iter().map(|text| ("range", text.as_str())).collect();
    let response = expect("GET", key, send("GET", key, &headers, &[])?)?;
    let body = response.body.as_slice();
    axiom::write(match range {
        // A server may give everything, whatever it was asked for.
        Some((offset, length)) if response.status == 200 => {
            let from = offset.min(body.len());
            &body[from..(offset + length).min(body.len())]
        }
        _ => body,
    });
    Ok(())
}

fn properties(path: &str, depth: &str) -> axiom::Result<Response> {
    const WANTED: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?><propfind xmlns=\"DAV:\"><prop><resourcetype/>\
                          <getcontentlength/></prop></propfind>";
    let headers = [("depth", depth), ("content-type", "application/xml; charset=utf-8")];
    send("PROPFIND", path, &headers, WANTED.as_bytes())
}

/// What stands at a path; none where nothing does.
fn item(path: &str) -> axiom::Result<Option<Item>> {
    let response = properties(path, "0")?;
    // Apache says 400 of what would lie below a file.
    let is_below_file = response.status == 400 && match path.rsplit_once('/') {
        Some((parent, _)) => item(parent)?.is_some_and(|parent| !parent.is_folder),
        None => false,
    };
    if response.status == 404 || is_below_file {
        return Ok(None);
    }
    Ok(listing::items(&expect("PROPFIND", path, response)?.body)?.into_iter().next())
}

fn file(key: &str) -> axiom::Result<Item> {
    item(key)?.filter(|item| !item.is_folder).ok_or_else(|| failure(Class::NotFound, format!("there is no {key}")))
}

fn stat(key: &str) -> axiom::Result {
    let unknown = || failure(Class::Permanent, format!("the server does not say how long {key} is"));
    let length = file(key)?.length.ok_or_else(unknown)?;
    axiom::set_result(&format!(r#"{{"length":{length}}}"#));
    Ok(())
}

/// One folder a call: servers do not like to list a tree, and a result has an end.
fn list(header: &Header) -> axiom::Result {
    let limit = header.integer("limit").unwrap_or(1000).max(1) as usize;
    let prefix = header.string("prefix").unwrap_or_default();
    let mut cursor = header.string("cursor").map_or_else(|| Cursor::at(&prefix), |text| Cursor::parse(&text));
    let Some(folder) = cursor.folder().map(String::from) else {
        axiom::set_result(r#"{"entries":[]}"#);
        return Ok(());
    };
    let response = properties(&folder, "1")?;
    let mut items = match response.status {
        404 => Vec::new(),
        _ => listing::items(&expect("PROPFIND", &folder, response)?.body)?,
    };
    // Servers list the folder itself, too.
    let own = listing::path_of(&url(&folder));
    items.retain(|item| item.path != own && !item.name().starts_with('.'));
    items.sort_by(|a, b| a.name().cmp(b.name()));
    let page: Vec<&Item> = items.iter().filter(|item| cursor.is_after(item.name())).take(limit).collect();
    let is_all = page.last().is_none_or(|last| std::ptr::eq(*last, &items[items.len() - 1]));
    let mut entries = Vec::new();
    let mut folders = Vec::new();
    for item in &page {
        let key = format!("{folder}{}", item.name());
        if item.is_folder {
            folders.push(key + "/");
        } else {
            let length = item.length.ok_or_else(|| failure(Class::Permanent, "the server gives no lengths"))?;
            entries.push(format!(r#"{{"key":{},"length":{length}}}"#, axiom::quoted(&key)));
        }
    }
    cursor.go_on(page.last().map(|item| item.name()), is_all, folders);
    let next = cursor.text().map_or(String::new(), |text| format!(r#","cursor":{}"#, axiom::quoted(&text)));
    axiom::set_result(&format!(r#"{{"entries":[{}]{next}}}"#, entries.join(",")));
    Ok(())
}

/// DELETE of a folder takes everything in it.
fn delete(key: &str) -> axiom::Result {
    if item(key)?.is_none_or(|item| item.is_folder) {
        return Ok(());
    }
    match expect("DELETE", key, send("DELETE", key, &[], &[])?) {
        Err(error) if error.class != Class::NotFound as i32 => Err(error),
        _ => Ok(()),
    }
}

fn send(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> axiom::Result<Response> {
    let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{:?}:{}", name, axiom::quoted(value))).collect();
    let where_to = axiom::quoted(&url(path));
    let request = format!(r#"{{"method":"{method}","url":{where_to},"headers":{{{}}}}}"#, headers.join(","));
    axiom::http(&request, body)
}

fn expect(method: &str, path: &str, response: Response) -> axiom::Result<Response> {
    let status = response.status;
    let class = match status {
        200..=299 => return Ok(response),
        401 | 403 => Class::Auth,
        404 => Class::NotFound,
        412 => Class::Conflict,
        413 | 507 => Class::Quota,
        408 | 423 | 429 | 500 | 502..=504 => Class::Transient,
        _ => Class::Permanent,
    };
    Err(Failure { class: class as i32, message: format!("{method} {path}: the server answers {status}") })
}
