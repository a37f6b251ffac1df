mod axiom;

use axiom::Header;

struct Plugin;

impl axiom::Plugin for Plugin {
    fn execute(operation: u32, header: &Header) -> axiom::Result {
        if operation != axiom::RUN {
            return Err(axiom::unsupported());
        }
        // `event`, `status` and `message` say what happened: here is what you make of it.
        let length = header.string("message").unwrap_or_default().len();
        axiom::set_result(&format!(r#"{{"status":"SUCCESS","metrics":{{"message_bytes":{length}}}}}"#));
        Ok(())
    }
}

axiom::plugin!(Plugin);
