//! What a run was seen to do, from its receipt and from what its program said.

use std::collections::{BTreeSet, HashSet};

use kontor_package::Content;
use kontor_registry::observed::{Behaviour, Seen};
use kontor_runs::{Finished, Need, Observation, Receipt};

/// How much of a skill's files is looked at for names.
const LOOKED_AT: usize = 4 << 20;
/// The longest ending of a file's name that is told.
const LONGEST_ENDING: usize = 5;

/// Everything that a finished run of these files was seen to do; the names are foreign words.
pub(crate) fn seen(finished: &Finished, content: &Content) -> Vec<Seen> {
    let words = Words::of(content);
    let mut found = measured(&finished.receipt, &words);
    // What a program says of itself is told apart from what was measured.
    for need in Observation::of(&finished.stdout.bytes, &finished.stderr.bytes).needs {
        let (kind, name) = match need {
            Need::Network(Some(host)) => (Behaviour::WantedHost, host),
            Need::Variable(name) => (Behaviour::WantedVariable, name),
            Need::Program(name) => (Behaviour::WantedProgram, name),
            Need::Network(None) | Need::Module(_) => continue,
        };
        found.push(Seen { kind, known: words.have(&name), name });
    }
    found
}

/// What the sandbox and its proxy have seen.
fn measured(receipt: &Receipt, words: &Words) -> Vec<Seen> {
    let mut found = Vec::new();
    let mut add = |kind, name: String, known| found.push(Seen { kind, name, known });
    for grant in &receipt.permissions.granted.network {
        add(Behaviour::Granted, grant.to_string(), words.have(grant.host()));
    }
    for name in &receipt.permissions.granted.secrets {
        add(Behaviour::Given, name.clone(), words.have(name));
    }
    for one in &receipt.connections {
        let kind = if one.decision == "granted" { Behaviour::Connected } else { Behaviour::Refused };
        add(kind, format!("{}:{}", one.host, one.port), words.have(&one.host));
    }
    // The first two are the streams. A name that somebody gave a file is not told, only what kind of file it is.
    let left = receipt.outputs.iter().skip(2).map(|one| words.of_file(&one.name));
    for name in left.collect::<BTreeSet<_>>() {
        add(Behaviour::Wrote, name, true);
    }
    let entry = &receipt.entry;
    add(Behaviour::Started, format!("{} {}", entry.program, entry.name), true);
    let exit = &receipt.exit;
    let how = match (exit.outcome.as_str(), exit.code, exit.signal) {
        ("failed", Some(code), _) => format!("failed with code {code}"),
        ("killed", _, Some(signal)) => format!("killed by signal {signal}"),
        (other, _, _) => other.to_owned(),
    };
    add(Behaviour::Ended, how, true);
    found
}

/// The words that stand in a skill's files: whoever has the files is told nothing by them.
struct Words(HashSet<String>);

impl Words {
    fn of(content: &Content) -> Self {
        let mut words = HashSet::new();
        let mut left = LOOKED_AT;
        for (path, bytes) in content.files() {
            let bytes = bytes.get(..bytes.len().min(left)).unwrap_or_default();
            left -= bytes.len();
            for text in [path, &String::from_utf8_lossy(bytes)] {
                let part = |char: char| char.is_alphanumeric() || matches!(char, '.' | '-' | '_');
                words.extend(text.split(|char| !part(char)).filter_map(word));
            }
        }
        Self(words)
    }

    fn have(&self, name: &str) -> bool {
        word(name).is_some_and(|word| self.0.contains(&word))
    }

    /// A file's name where the skill's own files speak of it; else `*` and its ending where they speak of one like it.
    fn of_file(&self, path: &str) -> String {
        if path.split('/').all(|part| self.have(part)) {
            return path.to_owned();
        }
        let plain = |ending: &&str| {
            (1..=LONGEST_ENDING).contains(&ending.len()) && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let ending = path.rsplit_once('.').map(|(_, ending)| ending).filter(plain);
        let known = |ending: &&str| {
            let ending = format!(".{}", ending.to_ascii_lowercase());
            self.have(ending.trim_start_matches('.')) || self.0.iter().any(|word| word.ends_with(&ending))
        };
        ending.filter(known).map_or_else(|| "*".to_owned(), |ending| format!("*.{}", ending.to_ascii_lowercase()))
    }
}

/// A word as it is compared.
fn word(text: &str) -> Option<String> {
    let text = text.trim_matches(['.', '-']);
    (!text.is_empty() && text.len() <= 253).then(|| text.to_lowercase())
}

#[cfg(test)]
mod tests {
    use kontor_package::{Content, Limits};

    use super::Words;

    #[test]
    fn only_words_of_the_files_themselves_are_known() {
        let files = [
            ("SKILL.md", "Asks https://API.example.com/v1?x=1 for `report.csv`, with $API_TOKEN."),
            ("scripts/go.py", "open('charts/' + name + '.svg')"),
        ];
        let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
        let content = Content::from_files(files.to_vec(), &Limits::CEILING).unwrap_or_default();
        let words = Words::of(&content);
        assert!(words.have("api.example.com") && words.have("API_TOKEN"));
        assert!(!words.have("example.com") && !words.have("customer.example.com"));
        let told = ["report.csv", "smith.csv", "charts/smith.svg", "smith", "smith.secretword", "x.zip"];
        let told = told.map(|path| words.of_file(path));
        assert_eq!(told, ["report.csv", "*.csv", "*.svg", "*", "*", "*"]);
    }
}
