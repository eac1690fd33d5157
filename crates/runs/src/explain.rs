//! Permissions and receipts in plain words.

use kontor_package::NetworkGrant;

use crate::permissions::Granted;
use crate::receipt::Receipt;

/// What a run may do, a sentence each.
pub fn grants(granted: &Granted) -> Vec<String> {
    let mut lines = Vec::new();
    lines.push(match granted.read.as_slice() {
        [] => "read its own files, and change none of them".to_owned(),
        read => format!("read its program and of its other files {}, and change none of them", few(read)),
    });
    lines.push(format!(
        "write at most {} in a folder of its own, which is thrown away unless you collect it with --out",
        bytes(granted.disk)
    ));
    let (bounds, hosts): (Vec<&NetworkGrant>, Vec<&NetworkGrant>) =
        granted.network.iter().partition(|grant| grant.host().starts_with("*."));
    if hosts.is_empty() {
        lines.push("no connection to anywhere".to_owned());
    } else {
        lines.push(format!("connect to {}", and(hosts.into_iter().map(host))));
    }
    if !bounds.is_empty() {
        let below = and(bounds.into_iter().map(host));
        lines.push(format!("connect to {below}, but only to those that you name with --allow-net in each run"));
    }
    if granted.secrets.is_empty() {
        lines.push("no password, key or other variable of yours".to_owned());
    } else {
        lines.push(format!("read the secret {}", and(granted.secrets.iter().cloned())));
    }
    lines.push(format!("take at most {} and {} of memory", time(granted.wall_ms), bytes(granted.memory)));
    lines
}

fn host(grant: &NetworkGrant) -> String {
    match (grant.host().strip_prefix("*."), grant.port()) {
        (Some(name), 443) => format!("every host below {name}"),
        (Some(name), port) => format!("every host below {name} at port {port}"),
        (None, 443) => grant.host().to_owned(),
        (None, port) => format!("{} at port {port}", grant.host()),
    }
}

/// A receipt as sentences.
pub fn receipt(receipt: &Receipt) -> Vec<String> {
    let entry = &receipt.entry;
    let what = if entry.tool { format!("the tool `{}`", entry.name) } else { format!("the script `{}`", entry.name) };
    let who = receipt.runner.person.as_deref().unwrap_or("Somebody");
    let program = match &entry.program_version {
        Some(version) => format!("{} {version}", entry.program),
        None => entry.program.clone(),
    };
    let mut lines = vec![format!(
        "{who} ran {what} of {} with {program} on {}, for {}.",
        receipt.skill.name,
        receipt.started_at,
        time(receipt.resources.wall_ms)
    )];
    lines.push(format!("The skill's bytes were {}.", receipt.skill.digest));
    lines.push(decision(receipt));
    lines.push(permissions(receipt));
    let packages = receipt.dependencies.python.iter().chain(&receipt.dependencies.node);
    let packages: Vec<String> = packages.map(|package| format!("{} {}", package.name, package.version)).collect();
    if packages.is_empty() {
        lines.push("It had no packages of others.".to_owned());
    } else {
        lines.push(format!("It had {} packages of others, each held to its hash: {}.", packages.len(), few(&packages)));
    }
    if receipt.dependencies.install_scripts {
        lines.push(
            "Programs of these packages ran for their installation, in a sandbox, and may have changed them."
                .to_owned(),
        );
    }
    lines.extend(network(receipt));
    lines.push(files(receipt));
    for left in receipt.left_behind.iter().take(10) {
        lines.push(format!("Not kept: `{}`, because {}.", left.name, left.reason));
    }
    for alarm in &receipt.alarms {
        lines.push(format!(
            "ALARM: the secret {} was found in {} ({}), and was taken out. Change the secret if you did not expect this.",
            alarm.secret, alarm.place, alarm.form
        ));
    }
    lines.push(ending(receipt));
    let layers = &receipt.sandbox.layers;
    if receipt.sandbox.tier == "landlock" {
        lines.push(
            "It was held by a weaker tier that was asked for: it saw the names of all files of the machine, and had no \
             root of its own."
                .to_owned(),
        );
    }
    lines.push(format!(
        "Between it and the machine stood the sandbox `{}`: {}.",
        receipt.sandbox.tier,
        and(layers.iter().cloned())
    ));
    lines
}

fn decision(receipt: &Receipt) -> String {
    let decision = &receipt.decision;
    let by = match (&receipt.skill.registry, decision.by.as_str()) {
        (Some(registry), "hub") => format!("The hub {registry} let it run"),
        _ => "It was scanned on this machine and let run".to_owned(),
    };
    let found =
        if decision.verdict.is_empty() { String::new() } else { format!("; the scan found it {}", decision.verdict) };
    let consent = match decision.consent.as_str() {
        "declared" => "It got only what its manifest declares, so nobody was asked",
        "asked" => "Whoever ran it was asked and said yes",
        "asked_once" => "Whoever ran it was asked and said yes, for this run",
        "asked_for_session" => "Whoever ran it was asked and said yes, for that session",
        "flag" => "Whoever ran it said yes beforehand",
        "flag_once" => "Whoever ran it said yes beforehand, for this run",
        "flag_for_session" => "Whoever ran it said yes beforehand, for that session",
        "stored_for_session" => "It had been confirmed before in that session",
        _ => "It had been confirmed before for this version",
    };
    let overlay =
        receipt.overlay.as_ref().map(|overlay| format!(" (overlay version {})", overlay.number)).unwrap_or_default();
    let waived: Vec<String> = decision.waived.iter().map(|word| waived(word)).collect();
    let waived =
        if waived.is_empty() { String::new() } else { format!(" Whoever ran it {}.", and(waived.into_iter())) };
    format!("{by}{found}. {consent}{overlay}.{waived}")
}

/// What somebody did without or allowed besides.
fn waived(word: &str) -> String {
    match word {
        "no_verify" => "left out the check of the hub's log".to_owned(),
        "accept_findings" => "let it run although the scan found it malicious".to_owned(),
        "install_scripts" => "let packages run programs of their own for their installation".to_owned(),
        "accept_weaker" => "let it run although this machine lacks a part of the sandbox".to_owned(),
        other => format!("gave the option `{other}`"),
    }
}

fn permissions(receipt: &Receipt) -> String {
    let granted = &receipt.permissions.granted;
    let network =
        if granted.network.is_empty() { "no network".to_owned() } else { and(granted.network.iter().map(host)) };
    let secrets = if granted.secrets.is_empty() {
        "no secret".to_owned()
    } else {
        format!("the secret {}", and(granted.secrets.iter().cloned()))
    };
    format!(
        "It was granted {network} and {secrets}, {} and {} of memory.",
        time(granted.wall_ms),
        bytes(granted.memory)
    )
}

fn network(receipt: &Receipt) -> Vec<String> {
    if receipt.exit.outcome == "lost" {
        return vec!["What it connected to is not known.".to_owned()];
    }
    if receipt.connections.is_empty() {
        return vec!["It connected to nothing.".to_owned()];
    }
    let told = receipt.connections.iter().take(20).map(|connection| {
        let place = format!("{}:{}", connection.host, connection.port);
        if connection.decision == "granted" {
            let request = connection.request.as_ref().map(|request| format!(" ({request})")).unwrap_or_default();
            format!(
                "It connected to {place}{request}: {} out, {} in.",
                bytes(connection.sent),
                bytes(connection.received)
            )
        } else {
            format!("It tried to connect to {place} and was refused: {}.", connection.decision)
        }
    });
    let mut lines: Vec<String> = told.collect();
    if receipt.connections.len() > lines.len() {
        lines.push(format!("And {} more connections.", receipt.connections.len() - lines.len()));
    }
    lines
}

fn files(receipt: &Receipt) -> String {
    let names = |list: &[crate::receipt::Sealed]| {
        let names: Vec<String> = list.iter().map(|one| format!("{} ({})", one.name, bytes(one.size))).collect();
        if names.is_empty() { "nothing".to_owned() } else { few(&names) }
    };
    format!("In went {}. Out came {}.", names(&receipt.inputs), names(&receipt.outputs))
}

fn ending(receipt: &Receipt) -> String {
    let used = match receipt.resources.memory {
        Some(memory) => format!("{} of processor time and {} of memory", time(receipt.resources.cpu_ms), bytes(memory)),
        None => format!("{} of processor time", time(receipt.resources.cpu_ms)),
    };
    let exit = &receipt.exit;
    let how = match (exit.outcome.as_str(), exit.code, exit.signal) {
        ("done", ..) => "It ended well".to_owned(),
        ("failed", Some(code), _) => format!("It failed with code {code}"),
        ("time_limit", ..) => "It was ended because its time was over".to_owned(),
        ("disk_limit", ..) => "It was ended because it wrote more than it may".to_owned(),
        ("memory_limit", ..) => "It was ended because it wanted more memory than it may have".to_owned(),
        ("cancelled", ..) => "It was cancelled while its program ran".to_owned(),
        ("output_refused", ..) => "It ended, but what it answered does not fit the tool's schema".to_owned(),
        ("lost", ..) => {
            return "The process that held it was lost, so how it ended and what it used is not known; nothing of it is \
                    left."
                .to_owned();
        }
        (_, _, Some(signal)) => format!("It was ended by signal {signal}"),
        (other, ..) => format!("It ended as `{other}`"),
    };
    format!("{how}, after {used}.")
}

/// Names with an `and` before the last.
fn and(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    match names.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

fn few(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let more = names.len().saturating_sub(SHOWN);
    let shown = names.iter().take(SHOWN).cloned();
    if more == 0 { and(shown) } else { format!("{} and {more} more", shown.collect::<Vec<_>>().join(", ")) }
}

/// Milliseconds for people.
pub fn time(milliseconds: u64) -> String {
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..120_000 => format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100),
        120_000..7_200_000 => format!("{} min", milliseconds / 60_000),
        _ => format!("{} h", milliseconds / 3_600_000),
    }
}

/// Bytes for people.
pub fn bytes(bytes: u64) -> String {
    for (size, unit) in [(1_u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")] {
        if bytes >= size {
            let tenths = u128::from(bytes) * 10 / u128::from(size);
            return if tenths.is_multiple_of(10) {
                format!("{} {unit}", tenths / 10)
            } else {
                format!("{}.{} {unit}", tenths / 10, tenths % 10)
            };
        }
    }
    format!("{bytes} bytes")
}
