mod axiom;

use axiom::Header;

/// Snapshots from one full one to the next.
const EACH: i64 = 7;

struct Plugin;

impl axiom::Plugin for Plugin {
    fn execute(operation: u32, header: &Header) -> axiom::Result {
        if operation != axiom::PLAN {
            return Err(axiom::unsupported());
        }
        let since_full = header.integer("since_full").unwrap_or(-1);
        let is_full = since_full < 0 || since_full + 1 >= EACH;
        let mode = if is_full { "full" } else { "incremental" };
        axiom::set_result(&format!(r#"{{"mode":"{mode}","parent":null}}"#));
        Ok(())
    }
}

axiom::plugin!(Plugin);
