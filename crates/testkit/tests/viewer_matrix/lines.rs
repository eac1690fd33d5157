//! What each route is about, and how to ask it.
//!
//! `{p}` and `{s}` stand for the publisher and the skill asked for, `{token}`, `{transfer}`, `{report}`, `{review}`, `{webhook}`,
//! `{ticket}` and `{person}` for somebody else's things, all either real or made up.

use kontor_types::Digest;

/// What a route may tell of, and so what it must keep to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// One skill that the request names.
    Skill(Told),
    /// One publisher that the request names.
    Publisher,
    /// Something that belongs to somebody else, named by its id or secret.
    Thing,
    /// Many skills or publishers; `true` when every skill of this world that may be listed must be in it.
    List(bool),
    /// The caller's own things, or the hub itself; nothing that the request names can be hidden.
    Own,
}

/// Who is told of a skill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Whoever may open it.
    Opener,
    /// Whoever finds it in lists.
    Finder,
    /// Whoever maintains it.
    Maintainer,
    /// Nobody: the answer is the same whether it is there or not.
    Nobody,
}

/// What a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    Nothing,
    Json(&'static str),
    /// A form as old clients send it, with `--matrix` between its parts.
    Parts(&'static str),
    /// The archive of a skill.
    Archive,
}

/// One route and a request to it.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    pub method: &'static str,
    pub path: &'static str,
    pub target: &'static str,
    pub body: Body,
    pub accept: &'static str,
    pub about: About,
    /// Whether asking changes something for those who may.
    pub changes: bool,
    /// Whether it tells nothing to those who are not signed in.
    pub signed_in: bool,
}

impl Line {
    pub const fn json(self, body: &'static str) -> Self {
        Self { body: Body::Json(body), ..self }
    }

    pub const fn carrying(self, body: Body) -> Self {
        Self { body, ..self }
    }

    /// Sent with POST, but only to ask.
    pub const fn reading(self) -> Self {
        Self { changes: false, ..self }
    }

    pub const fn told(self, told: Told) -> Self {
        Self { about: About::Skill(told), ..self }
    }

    pub const fn signed_in(self) -> Self {
        Self { signed_in: true, ..self }
    }

    pub const fn as_page(self) -> Self {
        Self { accept: "text/html", ..self }
    }

    /// Headers that could open a side door: a range, or a guess at what the answer would be.
    pub fn conditions(&self) -> Vec<Vec<(&'static str, String)>> {
        if self.method != "GET" {
            return vec![Vec::new()];
        }
        let guess = Digest::of(b"a guess").hex();
        vec![
            Vec::new(),
            vec![("range", "bytes=0-0".to_owned())],
            vec![("if-none-match", "*".to_owned())],
            vec![("if-none-match", format!("\"{guess}\""))],
        ]
    }
}

/// A request to `target`, which fills the places of the route's `path`.
pub fn line(method: &'static str, path: &'static str, target: &'static str, about: About) -> Line {
    let changes = method != "GET";
    Line { method, path, target, body: Body::Nothing, accept: "application/json", about, changes, signed_in: false }
}

/// A request about one skill.
pub fn skill(method: &'static str, path: &'static str, target: &'static str) -> Line {
    line(method, path, target, About::Skill(Told::Opener))
}

/// A request that the route's pattern itself spells, about the caller or the hub.
pub fn own(method: &'static str, path: &'static str) -> Line {
    line(method, path, path, About::Own)
}

/// A request about something of somebody else.
pub fn thing(method: &'static str, path: &'static str, target: &'static str) -> Line {
    line(method, path, target, About::Thing)
}

/// A list; what may be listed must be in it.
pub fn list(path: &'static str, target: &'static str) -> Line {
    line("GET", path, target, About::List(true))
}

/// The route table, with what each line is about.
pub fn lines() -> Vec<Line> {
    [super::native::native(), super::foreign::foreign()].concat()
}
