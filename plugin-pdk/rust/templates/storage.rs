mod axiom;

use axiom::{failure, Class, Header, Response};
use std::cell::RefCell;

thread_local!(static URL: RefCell<String> = const { RefCell::new(String::new()) });

struct Plugin;

impl axiom::Plugin for Plugin {
    fn initialize(configuration: &Header) -> axiom::Result {
        URL.set(configuration.string("url").unwrap_or_default());
        Ok(())
    }

    fn execute(operation: u32, header: &Header) -> axiom::Result {
        let key = header.string("key").unwrap_or_default();
        match operation {
            axiom::PUT => drop(request("PUT", &key, r#"{"if-none-match":"*"}"#, &axiom::read_all())?),
            axiom::GET => axiom::write(&request("GET", &key, &range(header), &[])?.body),
            axiom::STAT => {
                let response = request("HEAD", &key, "{}", &[])?;
                let headers = Header::from(response.header.object("headers").unwrap_or_default());
                let length = headers.string("content-length").unwrap_or_default();
                axiom::set_result(&format!(r#"{{"length":{length}}}"#));
            }
            axiom::DELETE => match request("DELETE", &key, "{}", &[]) {
                Err(error) if error.class == Class::NotFound as i32 => {}
                other => drop(other?),
            },
            // LIST: how it is done differs from server to server.
            _ => return Err(axiom::unsupported()),
        }
        Ok(())
    }
}

axiom::plugin!(Plugin);

fn range(header: &Header) -> String {
    match (header.integer("offset"), header.integer("length")) {
        (Some(offset), Some(length)) if length > 0 => {
            format!(r#"{{"range":"bytes={offset}-{}"}}"#, offset + length - 1)
        }
        _ => "{}".into(),
    }
}

fn request(method: &str, key: &str, headers: &str, body: &[u8]) -> axiom::Result<Response> {
    let url = axiom::quoted(&(URL.with_borrow(String::clone) + key));
    let request = format!(r#"{{"method":"{method}","url":{url},"headers":{headers}}}"#);
    let response = axiom::http(&request, body)?;
    let status = response.status;
    let class = match status {
        200..=299 => return Ok(response),
        404 => Class::NotFound,
        412 => Class::Conflict,
        408 | 429 | 500..=599 => Class::Transient,
        _ => Class::Permanent,
    };
    Err(failure(class, format!("{method} {key}: the server answers {status}")))
}
