/// How many documents share a word.
pub const BLOCK: usize = 64;

/// A set of the documents of one segment.
#[derive(Debug, Clone, Default)]
pub struct Bits {
    words: Vec<u64>,
}

impl Bits {
    /// The empty set with room for `size` documents.
    pub fn new(size: u32) -> Self {
        Self { words: vec![0; (size as usize).div_ceil(64)] }
    }

    /// The empty set of the same segment.
    pub fn emptied(&self) -> Self {
        Self { words: vec![0; self.words.len()] }
    }

    /// Adds a document; one beyond the room is not added.
    pub fn insert(&mut self, document: u32) {
        if let Some(word) = self.words.get_mut((document / 64) as usize) {
            *word |= 1 << (document % 64);
        }
    }

    /// Whether the document is in the set.
    pub fn contains(&self, document: u32) -> bool {
        self.words.get((document / 64) as usize).is_some_and(|word| word & (1 << (document % 64)) != 0)
    }

    /// Removes a document.
    pub fn remove(&mut self, document: u32) {
        if let Some(word) = self.words.get_mut((document / 64) as usize) {
            *word &= !(1 << (document % 64));
        }
    }

    /// Adds the documents of another set of the same segment.
    pub fn join(&mut self, other: &Self) {
        for (word, more) in self.words.iter_mut().zip(&other.words) {
            *word |= more;
        }
    }

    /// Removes the documents that are not in another set of the same segment.
    pub fn keep(&mut self, other: &Self) {
        for (word, kept) in self.words.iter_mut().zip(&other.words) {
            *word &= kept;
        }
    }

    /// How many documents are in the set.
    pub fn count(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// The documents in ascending order.
    pub fn iter(&self) -> Documents<'_> {
        Documents { words: self.words.iter(), rest: 0, next: 0 }
    }

    /// The blocks of 64 documents that hold any: the first of the block, and those in the set.
    pub fn blocks(&self) -> impl Iterator<Item = (u32, Documents<'_>)> + '_ {
        let filled = (0u32..).step_by(BLOCK).zip(&self.words).filter(|(_, word)| **word != 0);
        filled.map(|(first, word)| (first, Documents { words: [].iter(), rest: *word, next: first + 64 }))
    }
}

/// The documents of a set.
pub struct Documents<'a> {
    words: std::slice::Iter<'a, u64>,
    rest: u64,
    /// The first document behind those of `rest`.
    next: u32,
}

impl Iterator for Documents<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        while self.rest == 0 {
            self.rest = *self.words.next()?;
            self.next += 64;
        }
        let bit = self.rest.trailing_zeros();
        self.rest &= self.rest - 1;
        Some(self.next - 64 + bit)
    }
}
