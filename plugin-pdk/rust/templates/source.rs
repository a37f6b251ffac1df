mod axiom;

use axiom::{failure, Class, Header};

const NAME: &str = "hello.txt";
const CONTENT: &[u8] = b"Hello from a plugin\n";

struct Plugin;

impl axiom::Plugin for Plugin {
    fn execute(operation: u32, header: &Header) -> axiom::Result {
        match operation {
            axiom::LIST => {
                axiom::set_result(&format!(r#"{{"entries":[{{"name":"{NAME}","length":{}}}]}}"#, CONTENT.len()));
            }
            axiom::READ => {
                if header.string("name").as_deref() != Some(NAME) {
                    return Err(failure(Class::NotFound, "there is no such stream"));
                }
                let number = |key| header.integer(key).unwrap_or(0) as usize;
                let from = number("offset").min(CONTENT.len());
                let length = number("length").min(CONTENT.len() - from);
                axiom::write(&CONTENT[from..from + length]);
            }
            _ => return Err(axiom::unsupported()),
        }
        Ok(())
    }
}

axiom::plugin!(Plugin);
