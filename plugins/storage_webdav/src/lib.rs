//! Objects as files on a WebDAV server (RFC 4918). Names that begin with a point are no objects: they are on their way to be one.

#[path = "../../../plugin-pdk/rust/axiom.rs"]
mod axiom;
mod listing;
mod put;

use axiom::{failure, Class, Failure, Header, Response};
use listing::{Cursor, Item};
use std::cell::RefCell;

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
            axiom::PUT => put::put(&key, &axiom::read_all()),
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

fn get(key: &str, offset: Option<i64>, length: Option<i64>) -> axiom::Result {
    match (offset, length) {
        (Some(offset), Some(length)) if length > 0 => {
            axiom::write(&read_range(key, offset as usize, length as usize)?);
        }
        _ => axiom::write(&expect("GET", key, send("GET", key, &[], &[])?)?.body),
    }
    Ok(())
}

fn read_range(key: &str, offset: usize, length: usize) -> axiom::Result<Vec<u8>> {
    let range = format!("bytes={offset}-{}", offset + length - 1);
    let response = expect("GET", key, send("GET", key, &[("range", &range)], &[])?)?;
    let mut body = response.body;
    // A server may give everything, whatever it was asked for.
    if response.status == 200 {
        body.truncate(offset + length);
        body.drain(..offset.min(body.len()));
    }
    Ok(body)
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
    match response.status {
        200..=299 => Ok(response),
        _ => Err(refused(method, path, &response)),
    }
}

fn refused(method: &str, path: &str, response: &Response) -> Failure {
    let class = match response.status {
        401 | 403 => Class::Auth,
        404 => Class::NotFound,
        413 | 507 => Class::Quota,
        207 | 408 | 412 | 423 | 429 | 500 | 502..=504 => Class::Transient,
        _ => Class::Permanent,
    };
    failure(class, format!("{method} {path}: the server answers {}", response.status))
}
