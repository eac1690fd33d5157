//! PowerShell: a tokenizer of our own, and labels that flow through pipes, variables, files and calls.
//!
//! Names mean the same in any case and with back-ticks inside, so both go before anything is compared. Blocks are read in
//! the order of the text; a function's parameters carry what its callers' variables of the same name carry.

mod token;

use std::collections::HashMap;

use crate::capability::Capabilities;
use crate::code::Bench;
use crate::code::known;
use crate::code::values::Labels;
use token::{Kind, Token};

/// Commands and methods that bring something from the network or send something there.
const TALKERS: &[&str] = &[
    "iwr",
    "irm",
    "invoke-webrequest",
    "invoke-restmethod",
    "curl",
    "curl.exe",
    "wget",
    "start-bitstransfer",
    "send-mailmessage",
    ".downloadstring",
    ".downloaddata",
    ".downloadfile",
    ".uploadstring",
    ".uploaddata",
    ".uploadfile",
    ".uploadvalues",
    ".getstringasync",
    ".getasync",
    ".postasync",
    ".getstream",
    ".openread",
];
const READERS: &[&str] = &[
    "get-content",
    "gc",
    "cat",
    "type",
    ".readalltext",
    ".readallbytes",
    ".readalllines",
    "copy-item",
    "compress-archive",
];
const DECODERS: &[&str] = &[".frombase64string", "gzipstream", "deflatestream", "-bxor", ".fromhexstring"];
const RUNNERS: &[&str] =
    &["iex", "invoke-expression", ".create", ".invokescript", "invoke-command", "add-type", ".addscript"];
const STARTERS: &[&str] = &[
    "start-process",
    "saps",
    "start",
    "invoke-item",
    "ii",
    "&",
    ".",
    "powershell",
    "powershell.exe",
    "pwsh",
    "msiexec",
    "rundll32",
];
const WRITERS: &[&str] = &[
    "set-content",
    "add-content",
    "out-file",
    ".writealltext",
    ".writeallbytes",
    ".appendalltext",
    "copy-item",
    ">",
    ">>",
];
/// How many statements of a script are followed.
const STATEMENTS: usize = 20_000;

/// Follows the labels through one script.
pub fn examine(code: &str, bench: &mut Bench<'_>) {
    let tokens = token::read(code);
    let mut script = Script { variables: HashMap::new(), files: HashMap::new(), client: None, ran: false };
    for statement in statements(&tokens).take(STATEMENTS) {
        script.statement(statement, bench);
    }
    if let (Some(at), true) = (script.client, script.ran) {
        bench.find("code.reverse-shell", at, 1, "");
    }
}

/// Tokens between separators and braces, each a statement of its own.
fn statements(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    tokens.split(|token| token.kind == Kind::End).filter(|statement| !statement.is_empty())
}

struct Script {
    variables: HashMap<String, Labels>,
    /// What lies in files, by the text of their paths.
    files: HashMap<String, Labels>,
    /// Where a connection of bytes was opened.
    client: Option<usize>,
    ran: bool,
}

impl Script {
    fn statement(&mut self, statement: &[Token], bench: &mut Bench<'_>) {
        let assigned = statement.iter().take(6).position(|token| token.kind == Kind::Operator && token.is_assignment());
        let (target, value) = match assigned {
            Some(place) => (statement[..place].last(), &statement[place + 1..]),
            None => (None, statement),
        };
        let labels = self.pipeline(value, bench);
        if statement.first().is_some_and(|first| first.text == "foreach")
            && let Some(name) = statement.iter().find(|token| token.kind == Kind::Variable)
        {
            self.variables.insert(name.text.clone(), labels);
            return;
        }
        if let Some(target) = target.filter(|target| target.kind == Kind::Variable) {
            let adds = assigned.and_then(|place| statement.get(place)).is_some_and(|token| token.text == "+=");
            let before =
                if adds { self.variables.get(&target.text).copied().unwrap_or_default() } else { Labels::NONE };
            self.variables.insert(target.text.clone(), labels | before);
        }
    }

    fn pipeline(&mut self, tokens: &[Token], bench: &mut Bench<'_>) -> Labels {
        let mut labels = Labels::NONE;
        for stage in tokens.split(|token| token.kind == Kind::Pipe) {
            labels = self.stage(stage, labels, bench);
        }
        labels
    }

    /// One command with what comes to it through the pipe; gives what it passes on.
    fn stage(&mut self, tokens: &[Token], input: Labels, bench: &mut Bench<'_>) -> Labels {
        let Some(first) = tokens.first() else { return input };
        let (at, length) = (first.at, tokens.last().map_or(1, |last| (last.at + last.length).saturating_sub(first.at)));
        let has = |names: &[&str]| tokens.iter().any(|token| token.is_name() && names.contains(&token.text.as_str()));
        let mut all = input;
        for token in tokens {
            all |= self.value(token, bench);
        }
        let mut given = all;
        if has(READERS) && all.has(Labels::SECRET_PATH) {
            given |= Labels::SECRET;
            let secret = tokens.iter().find(|token| plain(token).has(Labels::SECRET_PATH));
            Capabilities::note(&mut bench.capabilities.secrets, secret.map_or("a secret file", |token| &token.text));
        }
        if has(READERS) {
            for token in tokens {
                given |= self.files.get(&token.text).copied().unwrap_or_default();
            }
        }
        if has(DECODERS) {
            given |= Labels::DECODED;
        }
        if has(TALKERS) {
            given = self.talks(tokens, given, (at, length), bench);
        }
        if tokens.iter().any(|token| token.text.ends_with("sockets.tcpclient")) {
            self.client = self.client.or(Some(at));
            given |= Labels::NETWORK;
        }
        if has(&[".read", ".readasync"]) && given.has(Labels::NETWORK) {
            for token in tokens.iter().filter(|token| token.kind == Kind::Variable) {
                *self.variables.entry(token.text.clone()).or_default() |= Labels::NETWORK;
            }
        }
        self.runs(tokens, given, (at, length), bench);
        self.writes(tokens, given, (at, length), bench);
        plants(tokens, (at, length), bench);
        if first.kind == Kind::Word {
            Capabilities::note(&mut bench.capabilities.exec, &first.text);
        }
        if has(READERS) { given.without(Labels::SECRET_PATH) } else { given }
    }

    /// What a token carries.
    fn value(&self, token: &Token, bench: &mut Bench<'_>) -> Labels {
        match token.kind {
            Kind::Variable => match token.text.strip_prefix("env:") {
                Some(name) if known::is_secret_name(name) => {
                    Capabilities::note(&mut bench.capabilities.secrets, &name.to_ascii_uppercase());
                    Labels::KEY
                }
                Some(_) => Labels::NONE,
                None => self.variables.get(&token.text).copied().unwrap_or_default(),
            },
            Kind::Text => {
                if let Some(host) = known::host_of(&token.text) {
                    Capabilities::note(&mut bench.capabilities.network, &host);
                }
                let inner = token.variables.iter();
                inner.fold(plain(token), |all, name| all | self.variables.get(name).copied().unwrap_or_default())
            }
            Kind::Word
                if token.text.trim_end_matches(['\\', '/', '*']) == "env:"
                    || token.text == ".getenvironmentvariables" =>
            {
                Labels::ENVIRONMENT
            }
            Kind::Word => {
                if let Some(host) = known::host_of(&token.text) {
                    Capabilities::note(&mut bench.capabilities.network, &host);
                }
                plain(token)
            }
            _ => Labels::NONE,
        }
    }

    fn talks(
        &mut self,
        tokens: &[Token],
        given: Labels,
        (at, length): (usize, usize),
        bench: &mut Bench<'_>,
    ) -> Labels {
        let local = tokens.iter().any(|token| token.text.contains("//localhost") || token.text.contains("//127."));
        if given.has(Labels::SECRET) && !local {
            bench.find("code.secret-to-network", at, length, "");
        } else if given.has(Labels::ENVIRONMENT) && !local {
            bench.find("code.environment-to-network", at, length, "");
        }
        let named = tokens.iter().position(|token| matches!(token.text.as_str(), "-outfile" | "-destination" | "-o"));
        let method = tokens.iter().any(|token| token.text == ".downloadfile");
        let target = match named {
            Some(place) => tokens.get(place + 1),
            None if method => tokens.iter().rev().find(|token| matches!(token.kind, Kind::Text | Kind::Variable)),
            None => None,
        };
        if let Some(target) = target {
            self.files.insert(target.text.clone(), Labels::NETWORK);
            if target.kind == Kind::Variable {
                *self.variables.entry(target.text.clone()).or_default() |= Labels::LOADED;
            }
            Capabilities::note(&mut bench.capabilities.writes, &target.text);
        }
        for token in tokens.iter().filter(|token| token.text.contains("://")) {
            Capabilities::note(&mut bench.capabilities.downloads, &token.text);
        }
        given.without(Labels::SECRET | Labels::ENVIRONMENT | Labels::DECODED) | Labels::NETWORK
    }

    fn runs(&mut self, tokens: &[Token], given: Labels, (at, length): (usize, usize), bench: &mut Bench<'_>) {
        let named = |names: &[&str]| tokens.iter().any(|token| token.is_name() && names.contains(&token.text.as_str()));
        let assembly = named(&[".load", ".loadfrom"]) && tokens.iter().any(|token| token.text.ends_with("assembly"));
        if named(RUNNERS) || assembly {
            self.ran |= given.has(Labels::NETWORK);
            if given.has(Labels::NETWORK) {
                bench.find("code.download-to-exec", at, length, "");
            } else if given.has(Labels::DECODED) {
                bench.find("code.decoded-to-exec", at, length, "");
            }
        }
        let first = tokens.iter().find(|token| token.kind != Kind::Open);
        if first.is_some_and(|first| first.is_name() && STARTERS.contains(&first.text.as_str())) {
            let loaded = tokens.iter().skip(1).any(|token| {
                let file = self.files.get(&token.text).copied().unwrap_or_default();
                let held = token.variables.iter().chain(std::iter::once(&token.text));
                let held =
                    held.fold(Labels::NONE, |all, name| all | self.variables.get(name).copied().unwrap_or_default());
                file.has(Labels::NETWORK) || held.has(Labels::LOADED)
            });
            if loaded {
                bench.find("code.download-to-exec", at, length, "");
            }
        }
        let pieces = tokens.iter().take(6).filter(|token| token.kind == Kind::Text).count();
        let joined = tokens.iter().take(6).any(|token| token.kind == Kind::Operator && token.text == "+");
        if first.is_some_and(|first| first.text == "&" || first.text == ".") && pieces > 1 && joined {
            bench.find("code.disguised-call", at, length, "");
        }
    }

    fn writes(&mut self, tokens: &[Token], given: Labels, (at, length): (usize, usize), bench: &mut Bench<'_>) {
        if !tokens.iter().any(|token| token.is_name() && WRITERS.contains(&token.text.as_str())) {
            return;
        }
        for token in tokens.iter().filter(|token| matches!(token.kind, Kind::Text | Kind::Word | Kind::Variable)) {
            let labels = plain(token)
                | if token.kind == Kind::Variable {
                    self.variables.get(&token.text).copied().unwrap_or_default()
                } else {
                    Labels::NONE
                };
            if labels.has(Labels::AGENT_PATH) {
                Capabilities::note(&mut bench.capabilities.agent_configuration, &token.text);
                bench.find("code.agent-settings", at, length, "");
            }
            if labels.has(Labels::START_PATH) || token.text == "profile" {
                bench.find("code.persist", at, length, "");
            }
            if given.touches(Labels::NETWORK | Labels::SECRET) && token.kind != Kind::Word {
                let content = given & (Labels::NETWORK | Labels::SECRET);
                *self.files.entry(token.text.clone()).or_default() |= content;
                if token.kind == Kind::Variable && content.has(Labels::NETWORK) {
                    *self.variables.entry(token.text.clone()).or_default() |= Labels::LOADED;
                }
            }
        }
    }
}

/// What a token is as a path.
fn plain(token: &Token) -> Labels {
    let path = token.text.replace('\\', "/");
    known::labels_of_text(&path) | known::labels_of_text(path.trim_start_matches('/'))
}

/// Tasks, services and entries of the registry that start something by themselves.
fn plants(tokens: &[Token], (at, length): (usize, usize), bench: &mut Bench<'_>) {
    let has = |name: &str| tokens.iter().any(|token| token.text == name);
    let hidden = tokens.iter().any(|token| {
        ["powershell", "-enc", "hidden", "\\temp", "\\public", "appdata", "mshta", "wscript", "http"]
            .iter()
            .any(|sign| token.text.contains(sign))
    });
    let in_registry = tokens.iter().any(|token| token.text.contains("currentversion\\run"));
    let sets = has("set-itemproperty") || has("new-itemproperty") || has("sp");
    if (sets && in_registry) || (has("new-scheduledtaskaction") && hidden) || (has("new-service") && hidden) {
        bench.find("code.persist", at, length, "");
    }
}
