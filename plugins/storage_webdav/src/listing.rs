//! What a server says of its files, and where a listing stands.

use crate::axiom::{self, failure, Class};
use quick_xml::events::Event;
use quick_xml::Reader;

pub struct Item {
    /// Without its percent signs and the slash at its end.
    pub path: String,
    pub is_folder: bool,
    pub length: Option<u64>,
}

impl Item {
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// The responses of a multistatus, RFC 4918 section 14.16, whatever prefix the server gives to `DAV:`.
pub fn items(xml: &[u8]) -> axiom::Result<Vec<Item>> {
    let broken = |why: &dyn std::fmt::Display| failure(Class::Permanent, format!("the server's list is damaged: {why}"));
    let mut reader = Reader::from_reader(xml);
    let mut items: Vec<Item> = Vec::new();
    let mut text = String::new();
    loop {
        match reader.read_event().map_err(|error| broken(&error))? {
            Event::Start(tag) => {
                text.clear();
                note(tag.local_name().as_ref(), &mut items);
            }
            Event::Empty(tag) => note(tag.local_name().as_ref(), &mut items),
            Event::Text(part) => text.push_str(&part.decode().map_err(|error| broken(&error))?),
            Event::GeneralRef(reference) => text.push(resolved(&reference).ok_or_else(|| broken(&"an unknown entity"))?),
            Event::End(tag) => {
                if let Some(item) = items.last_mut() {
                    match tag.local_name().as_ref() {
                        b"href" if item.path.is_empty() => item.path = path_of(text.trim()),
                        b"getcontentlength" => item.length = text.trim().parse().ok(),
                        _ => {}
                    }
                }
            }
            Event::Eof => return Ok(items),
            _ => {}
        }
    }
}

fn note(tag: &[u8], items: &mut Vec<Item>) {
    match tag {
        b"response" => items.push(Item { path: String::new(), is_folder: false, length: None }),
        b"collection" => {
            if let Some(item) = items.last_mut() {
                item.is_folder = true;
            }
        }
        _ => {}
    }
}

fn resolved(reference: &quick_xml::events::BytesRef) -> Option<char> {
    if let Ok(Some(c)) = reference.resolve_char_ref() {
        return Some(c);
    }
    match &**reference {
        b"amp" => Some('&'),
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        _ => None,
    }
}

/// The path in an address, or the whole of one that has only a path.
pub fn path_of(address: &str) -> String {
    let path = match address.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => address,
    };
    let bytes = path.trim_end_matches('/').as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        let code = digits.filter(|_| bytes[at] == b'%').and_then(|pair| u8::from_str_radix(pair, 16).ok());
        plain.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// Where a listing stands: the last name of the first folder that was told, and the folders that are to come.
pub struct Cursor {
    after: String,
    folders: Vec<String>,
}

impl Cursor {
    pub fn at(prefix: &str) -> Self {
        Self { after: String::new(), folders: vec![prefix.into()] }
    }

    pub fn parse(text: &str) -> Self {
        let mut lines = text.split('\n').map(String::from);
        Self { after: lines.next().unwrap_or_default(), folders: lines.collect() }
    }

    /// None where everything was told.
    pub fn text(&self) -> Option<String> {
        let folders = self.folders.join("\n");
        (!self.folders.is_empty()).then(|| format!("{}\n{folders}", self.after))
    }

    pub fn folder(&self) -> Option<&str> {
        self.folders.first().map(String::as_str)
    }

    pub fn is_after(&self, name: &str) -> bool {
        name > self.after.as_str()
    }

    /// `last` is the last name that was told; `is_all` where the folder has no more.
    pub fn go_on(&mut self, last: Option<&str>, is_all: bool, found: Vec<String>) {
        self.folders.extend(found);
        self.after.clear();
        if is_all {
            self.folders.remove(0);
        } else if let Some(last) = last {
            self.after.push_str(last);
        }
    }
}
