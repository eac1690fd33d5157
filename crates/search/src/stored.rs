//! Reading what the index keeps of a document.

use std::collections::HashMap;
use std::sync::Arc;

use kontor_types::SkillId;
use tantivy::columnar::ColumnValues;
use tantivy::schema::document::{DeserializeError, DocumentDeserialize, DocumentDeserializer};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocAddress, DocSet, Searcher, SegmentReader, TERMINATED, Term};

use crate::hits::Card;
use crate::paging::skill_id;
use crate::schema::{Fields, column};
use crate::{Error, Sort};

/// The texts that the index keeps of documents, each read once a query.
pub struct Reading<'a> {
    searcher: &'a Searcher,
    fields: &'a Fields,
    cards: HashMap<DocAddress, String>,
}

impl<'a> Reading<'a> {
    pub fn new(searcher: &'a Searcher, fields: &'a Fields) -> Self {
        Self { searcher, fields, cards: HashMap::new() }
    }

    /// The sketch of a document.
    pub fn sketch(&mut self, address: DocAddress) -> Result<String, Error> {
        let (card, sketch) = self.read(address)?;
        self.cards.insert(address, card);
        Ok(sketch)
    }

    /// What a list shows of a document.
    pub fn card(&mut self, address: DocAddress) -> Result<Card, Error> {
        let text = match self.cards.remove(&address) {
            Some(known) => known,
            None => self.read(address)?.0,
        };
        serde_json::from_str(&text).map_err(|error| std::io::Error::from(error).into())
    }

    fn read(&self, address: DocAddress) -> Result<(String, String), Error> {
        let Texts(texts) = self.searcher.doc(address)?;
        let (mut card, mut sketch) = (String::new(), String::new());
        for (field, text) in texts {
            if field == self.fields.card {
                card = text;
            } else if field == self.fields.sketch {
                sketch = text;
            }
        }
        Ok((card, sketch))
    }
}

/// A stored document: all that is stored is text.
struct Texts(Vec<(Field, String)>);

impl DocumentDeserialize for Texts {
    fn deserialize<'de, D: DocumentDeserializer<'de>>(mut stored: D) -> Result<Self, DeserializeError> {
        let mut texts = Vec::with_capacity(2);
        while let Some(text) = stored.next_field()? {
            texts.push(text);
        }
        Ok(Self(texts))
    }
}

/// The documents of a segment that have a word in a field, in ascending order.
pub fn documents_with(segment: &SegmentReader, field: Field, word: &str) -> Result<Vec<u32>, Error> {
    let term = Term::from_field_text(field, word);
    let terms = segment.inverted_index(field)?;
    let Some(mut found) = terms.read_postings(&term, IndexRecordOption::Basic)? else { return Ok(Vec::new()) };
    let mut documents = Vec::new();
    while found.doc() != TERMINATED {
        documents.push(found.doc());
        found.advance();
    }
    Ok(documents)
}

/// The ids of a segment's documents.
#[derive(Clone)]
pub struct Ids {
    high: Arc<dyn ColumnValues<u64>>,
    low: Arc<dyn ColumnValues<u64>>,
}

impl Ids {
    pub fn new(segment: &SegmentReader) -> Result<Self, Error> {
        let column = |name| segment.fast_fields().column_first_or_default::<u64>(name);
        Ok(Self { high: column(column::ID_HIGH)?, low: column(column::ID_LOW)? })
    }

    /// The lower half of a document's id, which no two documents share.
    pub fn low(&self, document: u32) -> u64 {
        self.low.get_val(document)
    }

    pub fn skill(&self, document: u32) -> SkillId {
        skill_id(self.high.get_val(document), self.low.get_val(document))
    }
}

/// What orders a segment's documents besides words.
#[derive(Clone)]
pub enum Usage {
    Moment(Arc<dyn ColumnValues<i64>>),
    Count(Arc<dyn ColumnValues<u64>>),
    Number(Arc<dyn ColumnValues<f64>>),
}

impl Usage {
    pub fn new(segment: &SegmentReader, sort: Sort) -> Result<Self, Error> {
        let columns = segment.fast_fields();
        let count = |name| columns.column_first_or_default::<u64>(name);
        Ok(match sort {
            Sort::Updated => Self::Moment(columns.column_first_or_default(column::UPDATED)?),
            Sort::Created => Self::Moment(columns.column_first_or_default(column::CREATED)?),
            Sort::Downloads => Self::Count(count(column::DOWNLOADS)?),
            Sort::Installs => Self::Count(count(column::INSTALLS)?),
            Sort::Stars => Self::Count(count(column::STARS)?),
            Sort::Trending => Self::Number(columns.column_first_or_default(column::TRENDING)?),
            Sort::Relevance => Self::Number(columns.column_first_or_default(column::USES)?),
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "an order of counts and microseconds needs no more than 53 bits")]
    pub fn value(&self, document: u32) -> f64 {
        match self {
            Self::Moment(moments) => moments.get_val(document) as f64,
            Self::Count(counts) => counts.get_val(document) as f64,
            Self::Number(numbers) => numbers.get_val(document),
        }
    }

    /// No document of the segment has more.
    #[expect(clippy::cast_precision_loss, reason = "an order of counts and microseconds needs no more than 53 bits")]
    pub fn most(&self) -> f64 {
        match self {
            Self::Moment(moments) => moments.max_value() as f64,
            Self::Count(counts) => counts.max_value() as f64,
            Self::Number(numbers) => numbers.max_value(),
        }
    }
}
