use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How many items a page has: 1 to 200, 25 unless told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct PageSize(u32);

impl PageSize {
    /// The most items one page has.
    pub const MAX: u32 = 200;

    /// The nearest allowed size.
    pub const fn clamped(size: u32) -> Self {
        if size == 0 {
            Self(1)
        } else if size > Self::MAX {
            Self(Self::MAX)
        } else {
            Self(size)
        }
    }

    /// The number of items.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The number of rows to ask a database for: one more, to learn whether another page follows.
    pub const fn and_one(self) -> i64 {
        self.0 as i64 + 1
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self(25)
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Where the next page begins, if one follows.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Cuts rows that were asked for with [`PageSize::and_one`] to a page; `cursor` says where the page after an item
    /// begins.
    pub fn cut(mut items: Vec<T>, size: PageSize, cursor: impl FnOnce(&T) -> Cursor) -> Self {
        let size = size.get() as usize;
        let more = items.len() > size;
        items.truncate(size);
        let next = if more { items.last().map(cursor) } else { None };
        Self { items, next }
    }

    /// The same page with other items.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { items: Vec::new(), next: None }
    }
}

/// Where the next page begins: opaque to clients, `~`-separated sort keys within.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct Cursor(String);

impl Cursor {
    /// Makes a cursor of the last item's sort keys; none may hold `~`.
    pub fn of(keys: &[&dyn fmt::Display]) -> Self {
        let plain: Vec<String> = keys.iter().map(ToString::to_string).collect();
        Self(hex::encode(plain.join("~")))
    }

    /// The sort keys, if the cursor is one of ours with `N` of them.
    pub fn keys<const N: usize>(&self) -> Option<[String; N]> {
        let plain = String::from_utf8(hex::decode(&self.0).ok()?).ok()?;
        let keys: Vec<String> = plain.split('~').map(str::to_owned).collect();
        keys.try_into().ok()
    }

    /// The text sent to clients.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Cursor {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
