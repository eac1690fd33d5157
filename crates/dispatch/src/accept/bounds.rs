use super::StartRun;
use crate::Error;

/// The most arguments, and the most bytes of all of them.
const ARGUMENTS: (usize, usize) = (256, 64 << 10);
/// The most bytes on standard input.
const LARGEST_INPUT: usize = 4 << 20;
/// The most files, and the most bytes of all of them.
const FILES: (usize, usize) = (64, 32 << 20);
/// The most destinations, secrets and packages.
const GRANTS: usize = 64;
/// The longest name of a package, with its version.
const LONGEST_PACKAGE: usize = 300;
/// Holds what a caller sends to its bounds.
pub(super) fn held(start: &StartRun) -> Result<(), Error> {
    let said: usize = start.arguments.iter().map(String::len).fold(0, usize::saturating_add);
    if start.arguments.len() > ARGUMENTS.0 || said > ARGUMENTS.1 {
        return Err(Error::invalid(format!("at most {} arguments of {} bytes together", ARGUMENTS.0, ARGUMENTS.1)));
    }
    if start.arguments.iter().any(|argument| argument.contains('\0')) {
        return Err(Error::invalid("an argument has a zero byte, which no program can be given"));
    }
    if start.input.as_ref().is_some_and(|input| input.len() > LARGEST_INPUT) {
        return Err(Error::invalid(format!("the input is larger than {} MiB: give it as a file", LARGEST_INPUT >> 20)));
    }
    let held: usize = start.files.iter().map(|file| file.bytes.len()).fold(0, usize::saturating_add);
    if start.files.len() > FILES.0 || held > FILES.1 {
        return Err(Error::invalid(format!("at most {} files of {} MiB together", FILES.0, FILES.1 >> 20)));
    }
    let mut names: Vec<&str> = start.files.iter().map(|file| file.name.as_str()).collect();
    if let Some(name) = names.iter().find(|name| !is_plain(name)) {
        let shown: String = name.chars().filter(|char| !char.is_control()).take(80).collect();
        return Err(Error::invalid(format!("`{shown}` is no plain name of a file: no folders, no dot in front")));
    }
    names.sort_unstable();
    if names.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err(Error::invalid("two files have the same name"));
    }
    if start.network.len() > GRANTS || start.secrets.len() > GRANTS {
        return Err(Error::invalid(format!("at most {GRANTS} destinations and {GRANTS} secrets")));
    }
    let packages = &start.consent.packages;
    if packages.len() > GRANTS || packages.iter().any(|name| name.len() > LONGEST_PACKAGE) {
        return Err(Error::invalid(format!("at most {GRANTS} packages with names of {LONGEST_PACKAGE} bytes")));
    }
    if let Some(wide) = start.network.iter().find(|grant| grant.host().starts_with("*.")) {
        return Err(Error::invalid(format!("{wide} is a bound and no grant: name the hosts one by one")));
    }
    if let Some(name) = start.secrets.iter().find(|name| !is_variable(name)) {
        let shown: String = name.chars().filter(|char| !char.is_control()).take(80).collect();
        return Err(Error::invalid(format!("`{shown}` cannot be granted as a secret: capitals, digits and `_`")));
    }
    Ok(())
}

fn is_plain(name: &str) -> bool {
    (1..=255).contains(&name.len())
        && !name.starts_with('.')
        && !name.contains(['/', '\\'])
        && !name.chars().any(char::is_control)
}

fn is_variable(name: &str) -> bool {
    const OWN: [&str; 6] = ["PATH", "HOME", "LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONPATH", "NODE_OPTIONS"];
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=100).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with("KONTOR_") && !OWN.contains(&name)
}
