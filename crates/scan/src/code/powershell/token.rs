//! The words of PowerShell: names, texts, variables, and what parts statements from one another.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A name, a parameter, a number, a method behind a dot, an address without quotation marks.
    Word,
    /// A text in quotation marks.
    Text,
    /// A variable, without its mark.
    Variable,
    /// A sign between values.
    Operator,
    /// The bar of a pipe.
    Pipe,
    /// An opening parenthesis or bracket.
    Open,
    /// The end of a statement, or a brace.
    End,
}

/// One token in lower case, without back-ticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its text.
    pub text: String,
    /// Variables inside a text.
    pub variables: Vec<String>,
    /// Where it begins.
    pub at: usize,
    /// How many bytes it covers.
    pub length: usize,
}

impl Token {
    /// Whether it can be the name of a command, a method or a sign that calls.
    pub fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Operator)
    }

    /// Whether it gives a value to what stands before it.
    pub fn is_assignment(&self) -> bool {
        matches!(self.text.as_str(), "=" | "+=")
    }
}

/// How many tokens of a script are read.
const MOST: usize = 400_000;

/// Reads all tokens; comments are left out.
pub fn read(code: &str) -> Vec<Token> {
    let mut reader = Reader { code, bytes: code.as_bytes(), at: 0, depth: 0, braces: Vec::new(), tokens: Vec::new() };
    while reader.at < reader.bytes.len() && reader.tokens.len() < MOST {
        let before = reader.at;
        reader.next();
        if reader.at <= before {
            reader.at = before + 1;
        }
    }
    reader.tokens
}

struct Reader<'c> {
    code: &'c str,
    bytes: &'c [u8],
    at: usize,
    /// Open parentheses: a line that ends inside them goes on.
    depth: usize,
    /// Open braces, and whether each belongs to a table of values.
    braces: Vec<bool>,
    tokens: Vec<Token>,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn push(&mut self, kind: Kind, start: usize, text: &str) {
        let clean: String = text.chars().filter(|char| *char != '`').collect();
        let variables = if kind == Kind::Text { inside(&clean.to_ascii_lowercase()) } else { Vec::new() };
        self.tokens.push(Token {
            kind,
            text: clean.to_ascii_lowercase(),
            variables,
            at: start,
            length: self.at.saturating_sub(start).max(1),
        });
    }

    fn next(&mut self) {
        let start = self.at;
        match self.peek(0) {
            b'`' if matches!(self.peek(1), b'\n' | b'\r') => self.at += if self.peek(2) == b'\n' { 3 } else { 2 },
            b'\n' | b';' => {
                self.at += 1;
                let goes_on =
                    self.depth > 0 || self.in_table() || self.tokens.last().is_some_and(|last| last.kind == Kind::Pipe);
                if (self.bytes.get(start) == Some(&b';') && !self.in_table()) || !goes_on {
                    self.push(Kind::End, start, "");
                }
            }
            b'{' => {
                let table = start > 0 && self.bytes.get(start - 1) == Some(&b'@');
                self.braces.push(table);
                self.at += 1;
                if !table {
                    self.push(Kind::End, start, "");
                }
            }
            b'}' => {
                self.at += 1;
                if self.braces.pop() != Some(true) {
                    self.push(Kind::End, start, "");
                }
            }
            b'=' if self.in_table() => self.at += 1,
            b'<' if self.peek(1) == b'#' => self.skip_to("#>"),
            b'#' => self.at = self.rest().find('\n').map_or(self.bytes.len(), |end| self.at + end),
            b'@' if matches!(self.peek(1), b'"' | b'\'') && matches!(self.peek(2), b'\n' | b'\r') => {
                self.here_text(start);
            }
            b'"' | b'\'' => self.text(start),
            b'$' if is_name(self.peek(1)) || self.peek(1) == b'{' => self.variable(start),
            b'|' if self.peek(1) == b'|' => self.sign(start, 2, Kind::End),
            b'|' => self.sign(start, 1, Kind::Pipe),
            b'&' if self.peek(1) == b'&' => self.sign(start, 2, Kind::End),
            b'(' => {
                self.depth += 1;
                self.sign(start, 1, Kind::Open);
            }
            b')' => {
                self.depth = self.depth.saturating_sub(1);
                self.at += 1;
            }
            b' ' | b'\t' | b'\r' | b'[' | b']' | b',' | b'$' | b'@' => self.at += 1,
            b'+' if self.peek(1) == b'=' => self.sign(start, 2, Kind::Operator),
            b'>' if self.peek(1) == b'>' => self.sign(start, 2, Kind::Operator),
            b'=' | b'+' | b'>' | b'&' => self.sign(start, 1, Kind::Operator),
            b'.' if self.peek(1) == b' ' || self.peek(1) == b'(' => self.sign(start, 1, Kind::Operator),
            _ => self.word(start),
        }
    }

    fn in_table(&self) -> bool {
        self.braces.last() == Some(&true)
    }

    fn rest(&self) -> &str {
        self.code.get(self.at..).unwrap_or_default()
    }

    fn sign(&mut self, start: usize, length: usize, kind: Kind) {
        self.at += length;
        let text = self.code.get(start..self.at).unwrap_or_default().to_owned();
        self.push(kind, start, &text);
    }

    fn skip_to(&mut self, end: &str) {
        self.at = self.rest().find(end).map_or(self.bytes.len(), |place| self.at + place + end.len());
    }

    fn here_text(&mut self, start: usize) {
        let end = if self.peek(1) == b'"' { "\n\"@" } else { "\n'@" };
        let from = self.at + 2;
        self.at = from;
        self.skip_to(end);
        let text = self.code.get(from..self.at.saturating_sub(end.len()).max(from)).unwrap_or_default().to_owned();
        self.push(Kind::Text, start, &text);
    }

    fn text(&mut self, start: usize) {
        let mark = self.peek(0);
        self.at += 1;
        while self.at < self.bytes.len() {
            match self.peek(0) {
                b'`' if mark == b'"' => self.at += 2,
                byte if byte == mark && self.peek(1) == mark => self.at += 2,
                byte if byte == mark => break,
                _ => self.at += 1,
            }
        }
        let end = self.at.min(self.bytes.len());
        let text = self.code.get(start + 1..end).unwrap_or_default().to_owned();
        self.at = (end + 1).min(self.bytes.len());
        self.push(Kind::Text, start, &text);
    }

    fn variable(&mut self, start: usize) {
        self.at += 1;
        if self.peek(0) == b'{' {
            self.skip_to("}");
        } else {
            while is_name(self.peek(0)) || (self.peek(0) == b':' && is_name(self.peek(1))) {
                self.at += 1;
            }
        }
        let text = self.code.get(start + 1..self.at).unwrap_or_default().trim_matches(['{', '}']).to_owned();
        self.push(Kind::Variable, start, &text);
    }

    /// A name up to what cannot belong to it; a method is a word of its own with its dot.
    fn word(&mut self, start: usize) {
        let method = self.peek(0) == b'.' || (self.peek(0) == b':' && self.peek(1) == b':');
        if self.peek(0) == b':' {
            self.at += 1;
        }
        self.at += 1;
        while self.at < self.bytes.len() {
            let byte = self.peek(0);
            let ends = matches!(
                byte,
                b' ' | b'\t'
                    | b'\r'
                    | b'\n'
                    | b';'
                    | b'|'
                    | b'('
                    | b')'
                    | b'{'
                    | b'}'
                    | b','
                    | b'"'
                    | b'\''
                    | b'['
                    | b']'
                    | b'='
                    | b'+'
                    | b'>'
            ) || (byte == b'$' && !method)
                || (method && byte == b'.')
                || (byte == b':' && self.peek(1) == b':');
            if ends {
                break;
            }
            self.at += 1;
        }
        while self.at < self.bytes.len() && !self.code.is_char_boundary(self.at) {
            self.at += 1;
        }
        let text = self.code.get(start..self.at).unwrap_or_default().to_owned();
        let text = if method { format!(".{}", text.trim_start_matches(['.', ':'])) } else { text };
        self.push(Kind::Word, start, &text);
    }
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The variables inside a text in double quotation marks.
fn inside(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for piece in text.split('$').skip(1).take(64) {
        let piece = piece.trim_start_matches(['{', '(', '$']);
        let end = piece.find(|char: char| !(char.is_ascii_alphanumeric() || char == '_')).unwrap_or(piece.len());
        if let Some(name) = piece.get(..end).filter(|name| !name.is_empty()) {
            found.push(name.to_owned());
        }
    }
    found
}
