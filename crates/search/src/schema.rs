//! What the index holds of a document, and under which names.

use kontor_types::{PublisherId, SkillId, Visibility};
use tantivy::schema::{
    BytesOptions, Field, INDEXED, IndexRecordOption, NumericOptions, STORED, Schema, SchemaBuilder, TextFieldIndexing,
    TextOptions,
};
use tantivy::tokenizer::{TextAnalyzer, TokenizerManager};
use tantivy::{TantivyDocument, Term};

use crate::Document;
use crate::analysis::{Cutter, Style, has_chinese, key, terms};
use crate::hits::Card;
use crate::sketch::sketch;

/// Raised whenever the fields or the cutting of text change: an index of another format is fed again.
pub const FORMAT: u32 = 7;

/// The script whose words are rare or frequent among the documents that have it.
pub const CHINESE: &str = "chinese";

/// The most characters of a description that a list shows.
const SHOWN: usize = 400;
/// The most bytes of a name, a description and a list of keywords that are read.
const SHORT_TEXT_LIMIT: usize = 4 * 1024;
/// The most bytes of a keyword, a category and a licence.
pub const WORD_LIMIT: usize = 200;
/// The most keywords and categories of one document.
const WORDS_LIMIT: usize = 50;

/// Names of the columns that are read by name.
pub mod column {
    pub const ID_HIGH: &str = "id_high";
    pub const ID_LOW: &str = "id_low";
    pub const HEAD: &str = "head";
    pub const HANDLE: &str = "handle";
    pub const SLUG: &str = "slug";
    pub const CATEGORY: &str = "category";
    pub const KEYWORD: &str = "keyword";
    pub const LICENSE: &str = "license";
    pub const UPDATED: &str = "updated";
    pub const CREATED: &str = "created";
    pub const DOWNLOADS: &str = "downloads";
    pub const INSTALLS: &str = "installs";
    pub const STARS: &str = "stars";
    pub const TRENDING: &str = "trending";
    /// All counters in one number, growing with their logarithm.
    pub const USES: &str = "uses";
}

/// The fields of the index.
#[derive(Debug, Clone)]
pub struct Fields {
    pub schema: Schema,
    pub id: Field,
    id_high: Field,
    id_low: Field,
    head: Field,
    /// Who may list it: one word per document, see [`access_word`].
    pub access: Field,
    pub handle: Field,
    pub slug: Field,
    pub name_key: Field,
    pub category: Field,
    pub keyword: Field,
    pub license: Field,
    pub spec_valid: Field,
    updated: Field,
    created: Field,
    downloads: Field,
    installs: Field,
    stars: Field,
    trending: Field,
    uses: Field,
    pub name: Field,
    pub description: Field,
    pub keywords: Field,
    pub body: Field,
    pub plain_name: Field,
    pub plain_text: Field,
    /// Holds [`CHINESE`] when a text of the document does.
    pub script: Field,
    pub card: Field,
    pub sketch: Field,
}

impl Fields {
    /// The fields of the present format.
    pub fn new() -> Self {
        let mut builder = Schema::builder();
        let number = || NumericOptions::default().set_fast();
        Self {
            id: builder.add_bytes_field("id", BytesOptions::default().set_indexed()),
            id_high: builder.add_u64_field(column::ID_HIGH, number()),
            id_low: builder.add_u64_field(column::ID_LOW, number()),
            head: builder.add_u64_field(column::HEAD, number()),
            access: word(&mut builder, "access", false),
            handle: word(&mut builder, column::HANDLE, true),
            slug: word(&mut builder, column::SLUG, true),
            name_key: word(&mut builder, "name_key", false),
            category: word(&mut builder, column::CATEGORY, true),
            keyword: word(&mut builder, column::KEYWORD, true),
            license: word(&mut builder, column::LICENSE, true),
            spec_valid: builder.add_bool_field("spec_valid", INDEXED),
            updated: builder.add_i64_field(column::UPDATED, number()),
            created: builder.add_i64_field(column::CREATED, number()),
            downloads: builder.add_u64_field(column::DOWNLOADS, number()),
            installs: builder.add_u64_field(column::INSTALLS, number()),
            stars: builder.add_u64_field(column::STARS, number()),
            trending: builder.add_f64_field(column::TRENDING, number()),
            uses: builder.add_f64_field(column::USES, number()),
            name: text(&mut builder, "name", Style::Name, true),
            description: text(&mut builder, "description", Style::Text, true),
            keywords: text(&mut builder, "keywords", Style::Text, true),
            body: ranked_terms(&mut builder, "body"),
            plain_name: text(&mut builder, "plain_name", Style::Plain, false),
            plain_text: text(&mut builder, "plain_text", Style::Plain, false),
            script: word(&mut builder, "script", false),
            card: builder.add_text_field("card", STORED),
            sketch: builder.add_text_field("sketch", STORED),
            schema: builder.build(),
        }
    }

    /// The index's form of a document.
    pub fn document(&self, document: &Document) -> TantivyDocument {
        let mut fields = TantivyDocument::new();
        let (high, low) = document.skill.uuid().as_u64_pair();
        fields.add_bytes(self.id, document.skill.uuid().as_bytes());
        fields.add_u64(self.id_high, high);
        fields.add_u64(self.id_low, low);
        fields.add_u64(self.head, document.copy_of.map_or(low, |head| head.uuid().as_u64_pair().1));
        fields.add_text(self.access, access_word(document.publisher, document.visibility));
        fields.add_text(self.handle, document.handle.as_str());
        fields.add_text(self.slug, document.slug.as_str());
        fields.add_text(self.name_key, key(&document.display_name));
        for category in document.categories.iter().take(WORDS_LIMIT) {
            fields.add_text(self.category, filter_word(category));
        }
        for keyword in document.keywords.iter().take(WORDS_LIMIT) {
            fields.add_text(self.keyword, filter_word(keyword));
        }
        if let Some(license) = &document.license {
            fields.add_text(self.license, cut(license, WORD_LIMIT));
        }
        fields.add_bool(self.spec_valid, document.spec_valid);
        fields.add_i64(self.updated, document.updated.micros());
        fields.add_i64(self.created, document.created.micros());
        fields.add_u64(self.downloads, document.downloads);
        fields.add_u64(self.installs, document.installs);
        fields.add_u64(self.stars, document.stars);
        fields.add_f64(self.trending, if document.trending.is_finite() { document.trending } else { 0.0 });
        fields.add_f64(self.uses, uses(document));
        self.add_texts(document, &mut fields);
        fields.add_text(self.card, card(document));
        fields
    }

    fn add_texts(&self, document: &Document, fields: &mut TantivyDocument) {
        let name = name_text(document);
        // A derived description is a part of the body: there it counts, not as the author's word on the skill.
        let description = if document.description_derived { "" } else { &document.description };
        let description = cut(description, SHORT_TEXT_LIMIT);
        let keywords: Vec<&str> = (document.keywords.iter().chain(&document.categories))
            .take(2 * WORDS_LIMIT)
            .map(|word| cut(word, WORD_LIMIT))
            .collect();
        let keywords = keywords.join(" ");
        let body = cut(&document.body, Document::BODY_LIMIT);
        if [&name, description, body].into_iter().any(has_chinese) {
            fields.add_text(self.script, CHINESE);
        }
        fields.add_text(self.name, &name);
        fields.add_text(self.plain_name, &name);
        fields.add_text(self.description, description);
        fields.add_text(self.plain_text, description);
        fields.add_text(self.keywords, &keywords);
        let [name, description, keywords, body] =
            [&name, description, &keywords, body].map(|text| terms(text, Style::Text));
        fields.add_text(self.sketch, sketch(&[&name, &description, &keywords, &body]));
        fields.add_text(self.body, body.join(" "));
    }

    /// The term that names a skill's document.
    pub fn id_term(&self, skill: SkillId) -> Term {
        Term::from_field_bytes(self.id, skill.uuid().as_bytes())
    }
}

/// The ways of cutting text, under the names that the schema uses.
pub fn tokenizers() -> TokenizerManager {
    let manager = TokenizerManager::default();
    for style in [Style::Text, Style::Name, Style::Plain] {
        manager.register(style_name(style), TextAnalyzer::from(Cutter(style)));
    }
    manager
}

/// The one word that says who may list a document: everybody, members of its publisher, or maintainers there.
pub fn access_word(publisher: PublisherId, visibility: Visibility) -> String {
    match visibility {
        Visibility::Public => "public".to_owned(),
        Visibility::Unlisted | Visibility::Organisation => format!("member:{publisher}"),
        Visibility::Private => format!("maintainer:{publisher}"),
    }
}

/// A category or keyword as filters compare it.
pub fn filter_word(word: &str) -> String {
    cut(word.trim(), WORD_LIMIT).to_lowercase()
}

/// The first `limit` bytes of a text, whole characters only.
pub fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

/// The words of a name: as displayed, and the slug unless it says the same.
fn name_text(document: &Document) -> String {
    let shown = cut(&document.display_name, SHORT_TEXT_LIMIT);
    if key(shown) == document.slug.as_str() { shown.to_owned() } else { format!("{shown} {}", document.slug) }
}

/// An install says more than a download, a star more than both.
#[expect(clippy::cast_precision_loss, reason = "a logarithm needs no more precision")]
fn uses(document: &Document) -> f64 {
    (document.downloads as f64 + 3.0 * document.installs as f64 + 10.0 * document.stars as f64).ln_1p()
}

fn card(document: &Document) -> String {
    let card = Card {
        skill: document.skill,
        publisher: document.publisher,
        handle: document.handle.clone(),
        slug: document.slug.clone(),
        display_name: cut(&document.display_name, SHORT_TEXT_LIMIT).to_owned(),
        description: document.description.chars().take(SHOWN).collect(),
    };
    serde_json::to_string(&card).unwrap_or_default()
}

const fn style_name(style: Style) -> &'static str {
    match style {
        Style::Text => "text",
        Style::Name => "name",
        Style::Plain => "plain",
    }
}

fn word(builder: &mut SchemaBuilder, name: &str, fast: bool) -> Field {
    let indexing = TextFieldIndexing::default()
        .set_tokenizer("raw")
        .set_fieldnorms(false)
        .set_index_option(IndexRecordOption::Basic);
    let options = TextOptions::default().set_indexing_options(indexing);
    builder.add_text_field(name, if fast { options.set_fast("raw") } else { options })
}

/// A long text whose terms are given with blanks between them: they are cut once, for the sketch too.
fn ranked_terms(builder: &mut SchemaBuilder, name: &str) -> Field {
    let indexing = TextFieldIndexing::default()
        .set_tokenizer("whitespace")
        .set_fieldnorms(true)
        .set_index_option(IndexRecordOption::WithFreqs);
    builder.add_text_field(name, TextOptions::default().set_indexing_options(indexing))
}

fn text(builder: &mut SchemaBuilder, name: &str, style: Style, ranked: bool) -> Field {
    let record = if ranked { IndexRecordOption::WithFreqs } else { IndexRecordOption::Basic };
    let indexing =
        TextFieldIndexing::default().set_tokenizer(style_name(style)).set_fieldnorms(ranked).set_index_option(record);
    builder.add_text_field(name, TextOptions::default().set_indexing_options(indexing))
}
