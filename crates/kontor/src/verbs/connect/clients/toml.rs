//! Servers in settings that are TOML: a table of ours at the end, between marks. Nothing else of the text is touched.

use std::fmt::Write as _;

use toml::{Table, Value};

use super::Entry;

const SERVERS: &str = "mcp_servers";

/// The table of a server.
pub fn table(name: &str, entry: &Entry) -> String {
    let list: Vec<String> = entry.arguments.iter().map(|text| quoted(text)).collect();
    format!("[{SERVERS}.{name}]\ncommand = {}\nargs = [{}]\n", quoted(&entry.command), list.join(", "))
}

/// The settings with a server.
pub fn with(text: &str, name: &str, entry: &Entry, ours: bool) -> Result<String, String> {
    let wanted = read(&table(name, entry))?;
    let there = server(&read(text)?, name);
    if there.is_some() && there == server(&wanted, name) {
        return Ok(text.to_owned());
    }
    if there.is_some() && !ours {
        return Err(format!("it has another server `{name}`; choose a name with --name"));
    }
    let rest = without(text, name)?;
    let gap = if rest.is_empty() || rest.ends_with("\n\n") {
        ""
    } else if rest.ends_with('\n') {
        "\n"
    } else {
        "\n\n"
    };
    let mut after = format!("{rest}{gap}");
    let _ = write!(after, "{}\n{}{}\n", begin(name), table(name, entry), end(name));
    let made = read(&after)?;
    if server(&made, name) != server(&wanted, name) || stripped(made, name) != stripped(read(&rest)?, name) {
        return Err("a table at its end would not be a server".to_owned());
    }
    Ok(after)
}

/// The settings without the server of this name.
pub fn without(text: &str, name: &str) -> Result<String, String> {
    if server(&read(text)?, name).is_none() {
        return Ok(text.to_owned());
    }
    let missing = || format!("`{SERVERS}.{name}` in it is not between the marks that were written around it");
    let start = text.find(&begin(name)).ok_or_else(missing)?;
    let mark = end(name);
    let stop = text.get(start..).and_then(|rest| rest.find(&mark)).ok_or_else(missing)?;
    let stop = start.saturating_add(stop).saturating_add(mark.len());
    let before = text.get(..start).unwrap_or_default();
    let behind = text.get(stop..).unwrap_or_default().trim_start_matches(['\r', '\n']);
    // The empty line above came with the table.
    let before = before.strip_suffix("\n\n").map_or(before.to_owned(), |before| format!("{before}\n"));
    let after = format!("{before}{behind}");
    if server(&read(&after)?, name).is_some() {
        return Err(missing());
    }
    Ok(after)
}

fn begin(name: &str) -> String {
    format!("# begin of {name}, written by `kontor connect`")
}

fn end(name: &str) -> String {
    format!("# end of {name}")
}

fn read(text: &str) -> Result<Table, String> {
    text.parse().map_err(|_| "it is not valid TOML".to_owned())
}

fn server(root: &Table, name: &str) -> Option<Value> {
    root.get(SERVERS)?.as_table()?.get(name).cloned()
}

/// Everything but the server.
fn stripped(mut root: Table, name: &str) -> Table {
    if let Some(servers) = root.get_mut(SERVERS).and_then(Value::as_table_mut) {
        servers.remove(name);
        if servers.is_empty() {
            root.remove(SERVERS);
        }
    }
    root
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "model = \"o5\" # the good one\n\n[mcp_servers.other]\ncommand = \"x\"\n";

    fn entry() -> Entry {
        Entry { command: "/opt/my \"kontor\"".to_owned(), arguments: vec!["mcp".to_owned()] }
    }

    #[test]
    fn a_table_comes_and_goes_and_comments_stay() {
        let after = with(BEFORE, "kontor", &entry(), false).unwrap_or_default();
        assert!(after.starts_with(BEFORE) && after.contains("[mcp_servers.kontor]"), "{after}");
        assert_eq!(with(&after, "kontor", &entry(), true), Ok(after.clone()));
        assert_eq!(without(&after, "kontor").as_deref(), Ok(BEFORE));
        let moved = Entry { arguments: vec!["mcp".to_owned(), "--tools".to_owned()], ..entry() };
        let again = with(&format!("{after}\n[later]\nx = 1\n"), "kontor", &moved, true).unwrap_or_default();
        assert_eq!(again.matches("[mcp_servers.kontor]").count(), 1, "{again}");
        assert!(again.contains("[later]\nx = 1\n"), "{again}");
    }

    #[test]
    fn what_is_somebody_elses_is_left() {
        assert!(with(BEFORE, "other", &entry(), false).is_err());
        assert!(without(BEFORE, "other").is_err());
        assert!(with("not toml", "kontor", &entry(), false).is_err());
        assert!(with("mcp_servers = { other = { command = \"x\" } }\n", "kontor", &entry(), false).is_err());
        assert_eq!(with("", "kontor", &entry(), false).and_then(|text| without(&text, "kontor")).as_deref(), Ok(""));
    }
}
