//! The words of orders: a table of lemmas by class, with their forms, and of phrases.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use aho_corasick::AhoCorasick;

use crate::error::Error;
use crate::rules::RulePack;

macro_rules! classes {
    ($($name:ident = $text:literal,)*) => {
        /// What a word can be in an order.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Class { $($name,)* }

        impl Class {
            const ALL: &'static [(&'static str, Self)] = &[$(($text, Self::$name),)*];

            /// The class as one bit.
            pub const fn bit(self) -> u128 {
                1 << self as u8
            }

            fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().find(|(text, _)| *text == name).map(|(_, class)| *class)
            }
        }
    };
}

classes! {
    // What can be done
    Read = "read", Send = "send", Carry = "carry", Fetch = "fetch", Run = "run", Write = "write", Delete = "delete",
    Disable = "disable", Override = "override", Tell = "tell", Hide = "hide", Confirm = "confirm", Ask = "ask", Pay = "pay",
    Obey = "obey", Alter = "alter", Grant = "grant", Claim = "claim", Watch = "watch", Spread = "spread", Encode = "encode",
    Prefer = "prefer", Flow = "flow", Prevail = "prevail", Relay = "relay", Know = "know",
    // What it is done to
    Secret = "secret", Stored = "stored", Content = "content", Generic = "generic", Host = "host", AgentFile = "agent-file",
    Startup = "startup", Protection = "protection", Caution = "caution", Authority = "authority", Owner = "owner",
    Program = "program", Orders = "orders", User = "user", Agent = "agent", Third = "third", Itself = "itself", Others = "others",
    Requests = "requests", Traces = "traces", Broad = "broad", Money = "money", Account = "account", Harm = "harm",
    Result = "result", Success = "success", Answer = "answer", Problem = "problem", Deep = "deep", Product = "product",
    // Where it goes
    Vague = "vague", Public = "public", Names = "names", Carrier = "carrier", Foreign = "foreign",
    Declared = "declared",
    // How, when and why
    Stealth = "stealth", Every = "every", All = "all", Forever = "forever", Must = "must", First = "first", Pretext = "pretext",
    If = "if", Regardless = "regardless", Consent = "consent", Unasked = "unasked", Phrase = "phrase", Later = "later",
    // Small words
    Not = "not", Without = "without", Or = "or", And = "and", To = "to", By = "by", It = "it", Be = "be", Article = "article",
    Modal = "modal", Lead = "lead", From = "from", Step = "step", At = "at", Question = "question", Agree = "agree", Cite = "cite", Appear = "appear", Remark = "remark", Normal = "normal", Fret = "fret", As = "as", Unbound = "unbound", Request = "request", Leave = "leave", Out = "out", Rather = "rather",
}

/// The form in which a verb stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// The bare verb, as in an order; every other word too.
    #[default]
    Base,
    /// The third person.
    Third,
    /// The past, or what something was made.
    Past,
    /// What is going on.
    Going,
    /// An order wherever it stands, as in languages whose imperative is a form of its own or has none.
    Order,
}

/// What is known of a word.
#[derive(Debug, Clone, Copy, Default)]
pub struct Entry {
    /// The classes, as bits.
    pub classes: u128,
    /// The form, for verbs.
    pub form: Form,
    /// Whether phrases begin with it.
    pub begins: bool,
}

/// Words that are one thing together, behind their first.
#[derive(Debug)]
pub struct Phrase {
    /// The first byte of the second word.
    pub next: u8,
    /// The other words.
    pub others: Vec<String>,
    /// What the whole is.
    pub entry: Entry,
}

/// Words are short and come from the pack, so that a simple sum is enough.
#[derive(Debug, Default)]
pub struct Sum(u64);

impl Hasher for Sum {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0.rotate_left(5) ^ u64::from(*byte)).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
    }

    fn write_u8(&mut self, _: u8) {}

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

type Table<V> = HashMap<String, V, BuildHasherDefault<Sum>>;

/// All words and phrases.
#[derive(Debug, Default)]
pub struct Lexicon {
    words: Table<Entry>,
    /// By first word.
    phrases: Table<Vec<Phrase>>,
    /// Words of languages without blanks.
    unspaced: Vec<(String, u128)>,
    /// Parts of paths and addresses, and what each of them makes of the whole.
    paths: Option<AhoCorasick>,
    path_classes: Vec<u128>,
}

impl Lexicon {
    /// Reads the pack's verbs and nouns.
    pub fn new(pack: &RulePack) -> Result<Self, Error> {
        let mut lexicon = Self::default();
        let class = |name: &str| {
            Class::named(name).ok_or_else(|| Error::Rules(format!("there is no class `{name}` for words of orders")))
        };
        for (name, lemmas) in &pack.verbs {
            let class = class(name)?;
            for lemma in lemmas {
                for (text, form) in forms(lemma) {
                    lexicon.add(&text, class, form);
                }
            }
        }
        for (name, words) in &pack.nouns {
            let class = class(name)?;
            for word in words {
                lexicon.add(word, class, Form::Base);
                if word.len() > 2 && word.is_ascii() && !word.ends_with(['s', '*']) {
                    lexicon.add(&format!("{word}s"), class, Form::Base);
                }
            }
        }
        let mut paths = Vec::new();
        for (name, parts) in &pack.paths {
            let bits = name.split('+').map(|name| class(name).map(Class::bit)).sum::<Result<u128, _>>()?;
            paths.extend(parts);
            lexicon.path_classes.resize(paths.len(), bits);
        }
        lexicon.paths = Some(AhoCorasick::new(paths).map_err(|error| Error::Rules(error.to_string()))?);
        lexicon.unspaced.sort();
        for others in lexicon.phrases.values_mut() {
            others.sort_by_key(|phrase| std::cmp::Reverse(phrase.others.len()));
        }
        Ok(lexicon)
    }

    fn add(&mut self, text: &str, class: Class, form: Form) {
        if text.chars().any(|char| ('\u{3000}'..'\u{a000}').contains(&char)) {
            match self.unspaced.iter_mut().find(|(known, _)| known == text) {
                Some((_, classes)) => *classes |= class.bit(),
                None => self.unspaced.push((text.to_owned(), class.bit())),
            }
            return;
        }
        let mut words = text.split([' ', '\'']).filter(|word| !word.is_empty());
        let Some(first) = words.next() else { return };
        let others: Vec<String> = words.map(str::to_owned).collect();
        let word = self.words.entry(first.to_owned()).or_default();
        if others.is_empty() {
            word.form = if word.classes == 0 { form } else { word.form };
            word.classes |= class.bit();
            return;
        }
        word.begins = true;
        let list = self.phrases.entry(first.to_owned()).or_default();
        if let Some(phrase) = list.iter_mut().find(|phrase| phrase.others == others) {
            phrase.entry.classes |= class.bit();
        } else {
            let next = others.first().and_then(|other| other.bytes().next()).unwrap_or_default();
            list.push(Phrase { next, others, entry: Entry { classes: class.bit(), form, begins: false } });
        }
    }

    /// What a word is, in lower case.
    pub fn word(&self, word: &str) -> Option<&Entry> {
        self.words.get(word)
    }

    /// The phrases that begin with a word, longest first.
    pub fn phrases(&self, first: &str) -> &[Phrase] {
        self.phrases.get(first).map_or(&[], Vec::as_slice)
    }

    /// What a path or an address is by its parts.
    pub fn path(&self, word: &str) -> u128 {
        let found = self.paths.iter().flat_map(|paths| paths.find_overlapping_iter(word));
        let classes = found.filter_map(|part| self.path_classes.get(part.pattern().as_usize()));
        classes.fold(0, |all, classes| all | classes)
    }

    /// The longest known word at the beginning of a text without blanks.
    pub fn unspaced(&self, text: &str) -> Option<(usize, u128)> {
        let first = text.chars().next()?;
        let from = self.unspaced.partition_point(|(known, _)| known.chars().next() < Some(first));
        let same = self.unspaced.get(from..)?.iter().take_while(|(known, _)| known.starts_with(first));
        same.filter(|(known, _)| text.starts_with(known.as_str()))
            .map(|(known, classes)| (known.len(), *classes))
            .max_by_key(|(length, _)| *length)
    }
}

/// The forms of a verb: `copy`, `send:sent`, `submit!` where the last letter is doubled; the first word of a phrase changes.
fn forms(lemma: &str) -> Vec<(String, Form)> {
    if let Some(order) = lemma.strip_suffix('@') {
        return vec![(order.to_owned(), Form::Order)];
    }
    let (lemma, past) = lemma.split_once(':').unwrap_or((lemma, ""));
    let (verb, rest) = lemma.split_once(' ').map_or((lemma, String::new()), |(verb, rest)| (verb, format!(" {rest}")));
    if !verb.is_ascii() {
        return vec![(lemma.to_owned(), Form::Base)];
    }
    let doubled = verb.ends_with('!');
    let verb = verb.trim_end_matches('!');
    let last = verb.chars().next_back().unwrap_or_default();
    let mut stem = verb.to_owned();
    if doubled {
        stem.push(last);
    }
    let ends_in_y = last == 'y'
        && !verb.ends_with(['a', 'e', 'o'])
        && !["ay", "ey", "oy", "uy"].iter().any(|end| verb.ends_with(end));
    let without_last = verb.get(..verb.len().saturating_sub(1)).unwrap_or_default();
    let third = if ends_in_y {
        format!("{without_last}ies")
    } else if ["s", "x", "z", "ch", "sh", "o"].iter().any(|end| verb.ends_with(end)) {
        format!("{verb}es")
    } else {
        format!("{verb}s")
    };
    let regular = if ends_in_y {
        format!("{without_last}ied")
    } else if last == 'e' {
        format!("{verb}d")
    } else {
        format!("{stem}ed")
    };
    let going = if last == 'e' && !verb.ends_with("ee") { format!("{without_last}ing") } else { format!("{stem}ing") };
    let past = if past.is_empty() { regular } else { past.to_owned() };
    vec![
        (format!("{verb}{rest}"), Form::Base),
        (format!("{third}{rest}"), Form::Third),
        (format!("{past}{rest}"), Form::Past),
        (format!("{going}{rest}"), Form::Going),
    ]
}
