//! Odd front matters for the comparison with the reference validator.

/// One skill to be judged.
pub struct Sample {
    pub folder: String,
    pub file: &'static str,
    pub bytes: Vec<u8>,
}

fn sample(text: impl Into<Vec<u8>>) -> Sample {
    Sample { folder: "x".to_owned(), file: "SKILL.md", bytes: text.into() }
}

/// All samples: tables of odd values, forms and names, and mutations drawn with a fixed seed.
pub fn all() -> Vec<Sample> {
    let mut samples: Vec<Sample> = FORMS.iter().map(|form| sample(*form)).collect();
    samples.extend(BYTES.iter().map(|bytes| sample(*bytes)));
    for key in ["name", "description", "compatibility", "license", "allowed-tools", "metadata"] {
        samples.extend(VALUES.iter().map(|value| sample(with_value(key, value))));
    }
    for value in VALUES {
        samples.push(sample(format!("---\nname: x\ndescription: d\nmetadata:\n  k: {value}\n  l: m\n---\nbody\n")));
        samples.push(sample(format!("---\nname: x\ndescription: d\nmetadata:\n  {value}: k\n---\nbody\n")));
        samples
            .push(sample(format!("---\nname: x\ndescription: d\nallowed-tools:\n  - {value}\n  - Read\n---\nbody\n")));
    }
    samples.extend(lengths());
    samples.extend(names());
    samples.extend(mutations(2_000));
    for file in ["skill.md", "Skill.md", "SKILL.MD"] {
        samples.push(Sample { file, ..sample("---\nname: x\ndescription: d\n---\nbody\n") });
    }
    samples
}

fn with_value(key: &str, value: &str) -> String {
    let mut pairs = vec![("name", "x"), ("description", "d")];
    pairs.retain(|(other, _)| *other != key);
    pairs.push((key, value));
    pairs.push(("license", "MIT"));
    pairs.dedup_by_key(|(key, _)| *key);
    let lines: Vec<_> = pairs.iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
    format!("---\n{}---\nbody\n", lines.concat())
}

/// What may stand behind `key: `.
const VALUES: &[&str] = &[
    "",
    "=",
    "<<",
    "~",
    "null",
    "true",
    "1",
    "1.0",
    "1_000",
    "0x1f",
    "12:30",
    "2026-01-01",
    "''",
    "' '",
    "\"\\t\"",
    "\"\\x1f\"",
    "\"\\u00a0\"",
    "|\n  \n",
    "|\n\n\n  x\n",
    ">\n",
    "|\n  x",
    ">-\n  x\n\n  y",
    "|2\n    x",
    "|+\n  x\n\n",
    "\n  - a",
    "\n- a",
    "\n- a\n- b",
    "\n  a: b",
    "\n  a:\n    b: c",
    "\n  a:\n    b: c\n  d:\n      e: f",
    "\n  a: b\n c: d",
    "\n  - a: b\n    c: d",
    "\n  - - a",
    "\n  -\n  - a",
    "\"\\x\"",
    "\"\\ud800\"",
    "\"\\ud83d\\ude00\"",
    "\"\\U00110000\"",
    "\"\\U0010ffff\"",
    "\"\\q\"",
    "\"\\'\"",
    "\"\\/\"",
    "\"\\\n  x\"",
    "'a''b'",
    "'a'b'",
    "'a",
    "\"a",
    "\"a\" b",
    "a: b",
    "a:b",
    "a:",
    "a :b",
    "a #b",
    "a#b",
    "#a",
    "# a",
    "- a",
    "-a",
    "-",
    "--",
    "? a",
    "?a",
    "?",
    ": a",
    ":a",
    ":",
    "@a",
    "`a`",
    "%a",
    "!a b",
    "!!str a",
    "!",
    "&a b",
    "&a",
    "*a",
    "*a*",
    "**a** b",
    "[a]",
    "[a",
    "{a: b}",
    "{a}",
    "]",
    "}",
    ", a",
    "a, b",
    "|a",
    ">a",
    "|-",
    "| # c\n  x",
    "|9\n         x",
    "|0\n x",
    "|+1-\n x",
    "\u{85}x",
    "x\u{2028}y",
    "x\u{2029}",
    "a\tb",
    "a\t",
    "\ta",
    "a \t",
    "\"a\tb\"",
    "'a\tb'",
    "'\n\n'",
    "'a\n  b'",
    "\"a\n---b\"",
    "a\n\n\n  b",
    "a\nb",
    "a\n  b",
    "a\n b:c",
    "a\n b: c",
    "a\n  # c\n  b",
    "\"a\n b: c\"",
    "...",
    "... x",
    "\n  ...",
    "\n...",
    "\n...\n...",
    "\u{feff}x",
    "x\u{feff}",
    "\u{a0}",
    "\u{3000}x",
    "x\u{7f}",
    "x\u{1}",
    "x\u{80}",
    "\u{1f600}",
    "\u{4e2d}\u{6587}",
    "http://x.y/z?a=b#c",
    "C:\\x",
    "\n  # c\n  a: b",
    "# c\n  a: b",
    "\n\n  # c\n\n  a: b",
    "\n  a: # c\n\n    # d\n    b: c",
    "\n  a:\n\n    # c\n\n    - b",
    "\n  <<:\n    a: b",
    "\n  <<: a",
    "\n  <<:\n    - a: b",
    "\n  ? a\n  : b",
    "\n  ? - a\n  : b",
    "\n  ? |\n    a\n  : b",
    "\n  : a",
    "\n  a: b\n  a: c",
    "\n  'a': b\n  a: c",
    "\n  1: a\n  1.0: b",
    "\n\ta: b",
    "\n\n\ta: b",
    "x\u{ad}y",
    "'#'",
];

/// Whole files.
const FORMS: &[&str] = &[
    "---\nname: x\ndescription: d\n---\nbody\n",
    "",
    "---",
    "------",
    "---\n---",
    "--- ---\n",
    "no front matter\n",
    "\n---\nname: x\ndescription: d\n---\n",
    " ---\nname: x\ndescription: d\n---\n",
    "\u{feff}---\nname: x\ndescription: d\n---\n",
    "---\rname: x\rdescription: d\r---\r",
    "---\r\nname: x\r\ndescription: d\r\n---\r\n",
    "---name: x\ndescription: d---",
    "---\nname: x\ndescription: d\n----\n",
    "---\nname: x\ndescription: d\n",
    "----\nname: x\ndescription: d\n---\n",
    "--- \nname: x\ndescription: d\n---\n",
    "--- # c\nname: x\ndescription: d\n---\n",
    "---\n\nname: x\n\n\ndescription: d\n\n---\n",
    "---\nname: x\ndescription: d\n...\n---\n",
    "---\n...\nname: x\ndescription: d\n---\n",
    "---\n%YAML 1.1\nname: x\ndescription: d\n---\n",
    "---\n  name: x\n  description: d\n---\n",
    "---\n  name: x\n description: d\n---\n",
    "---\n\tname: x\ndescription: d\n---\n",
    "---\n\n\tname: x\n\tdescription: d\n---\n",
    "---\n- name: x\n---\n",
    "---\nname\n---\n",
    "---\n# c\n---\n",
    "---\n\n---\n",
    "---\nname: x\ndescription: d\nmetadata:\n---\n",
    "---\nName: x\ndescription: d\n---\n",
    "---\n'name': x\n\"description\": d\n---\n",
    "---\nname : x\ndescription : d\n---\n",
    "---\nname: x\ndescription: d\nallowed_tools: a\n---\n",
    "---\nname: x\nname: x\ndescription: d\n---\n",
    "---\nname: x\ndescription: d\nversion: 1.0.0\n---\n",
    "---\nname: x\ndescription: a --- b\n---\n",
    "---\nname: x\ndescription: a\n--- b\n---\n",
    "---\n{name: x, description: d}\n---\n",
    "---\n\"name\": \"x\"\n\"description\": \"d\"\n---\n",
    "---\nname: x\n# c\ndescription: d # c\n# c\n---\n",
    "---\nname:\n  x\ndescription:\n  d\n---\n",
    "---\nname:\n\n  x\ndescription: d\n---\n",
    "---\nname: x\ndescription: d\n\n\n# c\n\n---\n",
    "---\nname: x\n  description: d\n---\n",
    "---\nname: x\ndescription: d\n  license: MIT\n---\n",
    "---\n? name\n: x\n? description\n: d\n---\n",
    "---\nname: x\ndescription: d\n<<:\n  a: b\n---\n",
    "---\nname: x\ndescription: d\n<<: x\n---\n",
    "---\nname: x\ndescription: d\n=: x\n---\n",
    "---\nname: x\ndescription: d\nmetadata: \n  a: b\n  \n  c: d\n---\n",
    "---\nname: x \ndescription: d  \n---\n",
    "---\nname: x\t\ndescription: d\n---\n",
];

const BYTES: &[&[u8]] = &[
    b"---\nname: x\ndescription: \xff\n---\n",
    b"---\nname: x\ndescription: d\n---\n\xff",
    b"---\nname: x\ndescription: d\0\n---\n",
    b"---\nname: x\ndescription: d\n---\n\0",
    b"\xff\xfe-\0-\0-\0",
];

fn lengths() -> Vec<Sample> {
    let mut samples = Vec::new();
    for length in [63, 64, 65, 499, 500, 501, 1_023, 1_024, 1_025, 2_000] {
        let long = "a".repeat(length);
        samples.push(Sample {
            folder: long.chars().take(200).collect(),
            ..sample(format!("---\nname: {long}\ndescription: d\n---\n"))
        });
        for char in ["a", "\u{e9}", "\u{1f600}"] {
            let long = char.repeat(length);
            samples.push(sample(format!("---\nname: x\ndescription: {long}\n---\n")));
            samples.push(sample(format!("---\nname: x\ndescription: d\ncompatibility: '{long}'\n---\n")));
        }
        samples.push(sample(format!("---\nname: x\ndescription: |\n  {long}\n---\n")));
        samples.push(sample(format!("---\nname: x\ndescription: >\n  {}\n  b\n---\n", "a ".repeat(length / 2))));
        samples.push(sample(format!("---\nname: x\ndescription: d\nmetadata:\n  {long}: d\n---\n")));
        samples.push(sample(format!("---\nname: x\ndescription: d\nmetadata:\n  ? {long}\n  : d\n---\n")));
    }
    for depth in [5, 20, 60] {
        let levels: Vec<_> = (1..=depth).map(|level| format!("{}a:\n", "  ".repeat(level))).collect();
        let levels = levels.concat();
        let inside = "  ".repeat(depth + 1);
        samples.push(sample(format!("---\nname: x\ndescription: d\nmetadata:\n{levels}{inside}b: c\n---\n")));
        samples.push(sample(format!("---\nname: x\ndescription: d\nmetadata:\n  {}x\n---\n", "- ".repeat(depth))));
    }
    samples
}

fn names() -> Vec<Sample> {
    let letters: Vec<char> = "aZ0-_ .\u{e9}\u{df}\u{c9}\u{1c5}\u{130}\u{131}\u{3a3}\u{3c3}\u{3c2}\u{fb01}\u{ff21}\u{2460}\u{2163}\u{aa}\
        \u{4e2d}\u{3042}\u{d55c}\u{905}\u{93f}\u{629}\u{64e}\u{e4f}\u{663}\u{bd}\u{2082}\u{3007}\u{3280}\u{1d41a}\u{10428}\
        \u{1f600}\u{200b}\u{301}\u{2bc}\u{d03}\u{a66e}\u{13f8}\u{ab70}"
        .chars()
        .collect();
    let mut random = Random(7);
    let mut samples = Vec::new();
    for _ in 0..600 {
        let length = 1 + random.below(4);
        let name: String = (0..length).map(|_| letters[random.below(letters.len())]).collect();
        if name.chars().any(|char| char != '.') {
            samples
                .push(Sample { folder: name.clone(), ..sample(format!("---\nname: {name}\ndescription: d\n---\n")) });
        }
    }
    samples
}

/// Front matters that are valid before they are mutated.
const SEEDS: &[&str] = &[
    "\nname: x\ndescription: some words here\n",
    "\nname: x\ndescription: |\n  lines of\n  text\n\n  more\nlicense: MIT\n",
    "\nname: x\ndescription: >-\n  folded text\n  here\n\nlicense: MIT\nmetadata:\n  a: b\n  c: 1.0\n",
    "\nname: x\ndescription: \"quoted text\"\nmetadata:\n  list:\n    - a\n    - b: c\n      d: e\n  map:\n    k: v\nallowed-tools:\n  - Read\n  - Write\n",
    "\nname: 'x'\ndescription: multi line\n  plain scalar\n  goes on\ncompatibility: needs git\n# comment\nlicense: MIT # trailing\n",
    "\n# head\n\nname: x\n\n# mid\n\ndescription: d\n\nmetadata:\n  # inner\n  a: b\n\n  # inner two\n  c:\n    - x\n\n    # z\n    - y\n",
    "\nname: x\ndescription: d\nallowed-tools:\n- Read\n- Write\n-\nmetadata:\n  ? a\n  : b\n  c: |2\n      two\n    x\n",
    "\nmetadata:\n  a:\n    b:\n      c: d\n  e:\n    f: g\nname: x\ndescription: 'it''s\n  two lines\n\n  three'\n",
];

/// What is put somewhere into a front matter.
const PIECES: &[&str] = &[
    "\n",
    "\n\n",
    "\n\n\n",
    " ",
    "  ",
    "\t",
    ":",
    ": ",
    ":\n",
    "- ",
    "-",
    "#",
    " # c\n",
    "\n# c\n",
    "\n  # c\n",
    "\n\n  # c\n\n",
    "'",
    "\"",
    "|",
    "|\n",
    ">",
    "|-\n",
    "|+\n",
    "|2\n",
    "> # c\n",
    "? ",
    "?",
    "&a ",
    "*a",
    "!t ",
    "@x",
    "%x",
    "[",
    "]",
    "{",
    "}",
    ",",
    "<<: x",
    "<<:\n  a: b",
    "=",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\\",
    "...\n",
    "\n...\n",
    "key: v\n",
    "  k: v\n",
    "    k: v\n",
    "- x\n",
    "- - x\n",
    "description: d\n",
    "metadata:\n",
    "  - a: b\n    c: d\n",
    "\r\n",
    "---",
    "a:b",
    "a #b",
    "\n    \n",
    "\n\t\n",
    "\n \t\n",
    "- # c\n",
    "-\n\n",
    "? |\n  a\n: b\n",
    "?\n",
    "\n:\n",
    "\n: b\n",
    ": # c\n",
    ":\n\n  # c\n",
    ":\n# c\n\n# d\n",
];

fn mutations(count: usize) -> Vec<Sample> {
    let mut random = Random(1);
    (0..count)
        .map(|_| {
            let mut front: Vec<char> = SEEDS[random.below(SEEDS.len())].chars().collect();
            for _ in 0..=random.below(3) {
                mutate(&mut front, &mut random);
            }
            let front: String = front.into_iter().collect();
            sample(format!("---{front}---\nbody\n"))
        })
        .collect()
}

fn mutate(front: &mut Vec<char>, random: &mut Random) {
    let anywhere = random.below(front.len() + 1);
    match random.below(10) {
        0..3 => {
            let piece = PIECES[random.below(PIECES.len())].chars();
            front.splice(anywhere..anywhere, piece);
        }
        3..7 => {
            let starts: Vec<usize> = (1..=front.len()).filter(|at| matches!(front[at - 1], '\n' | ' ')).collect();
            let at = starts.get(random.below(starts.len().max(1))).copied().unwrap_or(0);
            front.splice(at..at, PIECES[random.below(PIECES.len())].chars());
        }
        7..9 => {
            let end = (anywhere + 1 + random.below(4)).min(front.len());
            front.drain(anywhere..end);
        }
        _ => {
            let indent = vec![' '; random.below(4)];
            let at = front[..anywhere].iter().rposition(|char| *char == '\n').map_or(0, |at| at + 1);
            front.splice(at..at, indent);
        }
    }
}

/// A fixed sequence of numbers (the multiplier of Knuth's MMIX).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % limit.max(1) as u64).unwrap_or(0)
    }
}
