//! Pages of the reference, written from the command line and the configuration themselves.

use std::fmt::Write as _;

use clap::{Arg, Command};

use crate::config::Config;
use crate::exit::Exit;

/// The page of every verb and option.
pub fn command_line(mut command: Command) -> String {
    command.build();
    let mut page = String::from("# Command line\n\n");
    page.push_str(
        "Written by `cargo xtask gen` from the program.\n\nData goes to standard output, everything else to standard \
         error. `--json` prints data as JSON. Colours and progress bars appear only on a terminal, and never with \
         `NO_COLOR`.\n\n## Options of every verb\n\n",
    );
    let everywhere: Vec<&Arg> = command.get_arguments().filter(|arg| arg.is_global_set()).collect();
    options(&mut page, everywhere.iter().copied());
    page.push_str("\n## Exit codes\n\n| code | meaning |\n|---|---|\n");
    for (exit, meaning) in Exit::ALL {
        let _ = writeln!(page, "| {} | {meaning} |", *exit as u8);
    }
    page.push_str(
        "\n## Errors as JSON\n\nWith `--json` a failure is one object in the last line of standard error:\n\n```json\n\
         {\"error\":{\"code\":\"skill_not_found\",\"message\":\"…\",\"hint\":\"…\"}}\n```\n\n`code` stays, `message` and `hint` are for \
         people; `findings` says what is wrong with a package, `request_id` names the request in the hub's log. A code of the \
         hub is one of [docs/errors](../errors/index.md). Those of the program: `usage`, `unreachable`, `denied`, \
         `not_found`, `refused`, `failed`, `digest_mismatch`, `too_large`, `package_refused`, `not_scanned`, and where a hub is not \
         believed `not_proven`, `keys_replaced`, `log_rolled_back`, `log_forked`, `log_replaced`, \
         `signer_changed`, `unsigned`, `signer_revoked`, `blocked`.\n",
    );
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        describe(&mut page, verb, "kontor", 2);
    }
    page
}

fn describe(page: &mut String, command: &Command, parent: &str, depth: usize) {
    let name = format!("{parent} {}", command.get_name());
    let about = command.get_long_about().or_else(|| command.get_about()).map(ToString::to_string).unwrap_or_default();
    let _ = write!(page, "\n{} {name}\n\n{}\n", "#".repeat(depth.min(4)), about.trim());
    let usage = command.clone().render_usage().to_string();
    let _ = write!(page, "\n```text\n{}\n```\n", usage.trim_start_matches("Usage: ").trim());
    let own: Vec<&Arg> = command.get_arguments().filter(|arg| !arg.is_global_set() && !arg.is_hide_set()).collect();
    if own.iter().any(|arg| arg.get_id() != "help" && arg.get_id() != "version") {
        page.push('\n');
        options(page, own.into_iter());
    }
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        describe(page, inner, &name, depth + 1);
    }
}

fn options<'a>(page: &mut String, args: impl Iterator<Item = &'a Arg>) {
    page.push_str("| option | meaning |\n|---|---|\n");
    for arg in args.filter(|arg| arg.get_id() != "help" && arg.get_id() != "version") {
        let help = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default();
        let choices: Vec<String> = arg
            .get_possible_values()
            .iter()
            .filter(|_| arg.get_action().takes_values())
            .map(|value| format!("`{}`", value.get_name()))
            .collect();
        let choices = if choices.is_empty() { String::new() } else { format!(" One of {}.", choices.join(", ")) };
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(page, "| `{}` | {}{choices} |", spelled(arg), help.replace('|', "\\|"));
    }
}

fn spelled(arg: &Arg) -> String {
    let value = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    let value = value.filter(|_| arg.get_action().takes_values());
    let Some(long) = arg.get_long() else {
        return format!("<{}>", value.unwrap_or_else(|| arg.get_id().to_string()));
    };
    let short = arg.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
    format!("{short}--{long}{}", value.map(|value| format!(" {value}")).unwrap_or_default())
}

/// The page of every key of the configuration.
pub fn configuration() -> String {
    let mut page = String::from(
        "# Configuration\n\nWritten by `cargo xtask gen` from the program.\n\nA value comes from, in this order, later \
         ones winning: its default, the file, the variable, the command line. The file is `kontor.toml` in the data \
         folder, or what `--config` or `KONTOR_CONFIG` names. A key that does not exist is an error. `kontor config \
         --explain` prints each value with its source.\n",
    );
    let defaults = toml::Table::try_from(Config::default()).unwrap_or_default();
    let mut section = None;
    for key in Config::keys() {
        let (here, name) = key.path.rsplit_once('.').unwrap_or(("", &key.path));
        if section.as_deref() != Some(here) {
            let title = if here.is_empty() { "Top of the file".to_owned() } else { format!("`[{here}]`") };
            let _ = write!(page, "\n## {title}\n\n| key | default | variable | meaning |\n|---|---|---|---|\n");
            section = Some(here.to_owned());
        }
        let default = if name == "data" {
            "`kontor` in the user's data folder".to_owned()
        } else {
            let table =
                if here.is_empty() { Some(&defaults) } else { defaults.get(here).and_then(toml::Value::as_table) };
            table.and_then(|table| table.get(name)).map_or_else(String::new, |value| format!("`{value}`"))
        };
        let _ = writeln!(page, "| `{name}` | {default} | `{}` | {} |", key.variable(), key.about);
    }
    page
}
