use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Which providers there are and what their models are called here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Providers; of those that have a model, the first is asked first.
    pub providers: Vec<Provider>,
    /// Names that lead to certain models in a certain order.
    pub routes: Vec<Route>,
}

/// Somebody who answers in the form of OpenAI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// What it is called here.
    pub name: String,
    /// Where its paths begin, with its `/v1` if it has one: `/chat/completions` is put behind it and nothing else.
    pub url: String,
    /// The file with its key, mode 0600; without a key when empty.
    #[serde(default)]
    pub key_file: PathBuf,
    /// The secret of a publisher that is its key, like `@acme/OPENAI_KEY`, in place of a file.
    #[serde(default)]
    pub key_secret: String,
    /// Its models.
    pub models: Vec<Model>,
    /// The most requests at once; more wait, and then go to the next provider.
    #[serde(default = "concurrency")]
    pub concurrency: u32,
    /// Seconds until a connection stands.
    #[serde(default = "connect_seconds")]
    pub connect_seconds: u32,
    /// Seconds until the answer begins.
    #[serde(default = "first_byte_seconds")]
    pub first_byte_seconds: u32,
    /// Seconds between two parts of an answer.
    #[serde(default = "between_seconds")]
    pub between_seconds: u32,
    /// Seconds until a whole answer, tries with other providers included, is there.
    #[serde(default = "total_seconds")]
    pub total_seconds: u32,
    /// Errors within half a minute after which it is left alone for a while.
    #[serde(default = "errors")]
    pub errors: u32,
    /// The field that bounds an answer, where a budget has to and the request does not.
    #[serde(default = "limit_field")]
    pub limit_field: String,
}

/// A model of a provider: its name alone, or with more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct Model {
    /// What it is called here.
    pub name: String,
    /// What the provider calls it.
    pub upstream: String,
    /// What it costs; a model without a price is not called by whoever has a budget.
    pub price: Option<Price>,
    /// The most tokens of an answer that the budget has to have room for when the request does not say.
    pub max_output: u32,
}

/// What a million tokens cost, in major units like `0.25`: at most six decimals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// The currency.
    pub currency: String,
    /// Tokens sent.
    pub input: String,
    /// Tokens sent that the provider had at hand; as the others when empty.
    #[serde(default)]
    pub cached: String,
    /// Tokens received.
    pub output: String,
}

/// A name that leads to certain models, the first of which answers if it can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The name.
    pub model: String,
    /// Models as `provider/model`.
    pub to: Vec<String>,
}

/// A model as it is written in a file.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a model is its name, or a table with `name` and at most `upstream`, `max_output` and `price`"
)]
enum Written {
    Name(String),
    Table(Table),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    name: String,
    #[serde(default)]
    upstream: String,
    #[serde(default)]
    price: Option<Price>,
    #[serde(default = "max_output")]
    max_output: u32,
}

impl From<Written> for Model {
    fn from(written: Written) -> Self {
        match written {
            Written::Name(name) => Self::new(&name),
            Written::Table(Table { name, upstream, price, max_output }) => {
                let upstream = if upstream.is_empty() { name.clone() } else { upstream };
                Self { name, upstream, price, max_output }
            }
        }
    }
}

impl Provider {
    /// A provider without a key and without models.
    pub fn new(name: &str, url: &str) -> Self {
        Self {
            name: name.to_owned(),
            url: url.to_owned(),
            key_file: PathBuf::new(),
            key_secret: String::new(),
            models: Vec::new(),
            concurrency: concurrency(),
            connect_seconds: connect_seconds(),
            first_byte_seconds: first_byte_seconds(),
            between_seconds: between_seconds(),
            total_seconds: total_seconds(),
            errors: errors(),
            limit_field: limit_field(),
        }
    }

    /// With one model more.
    #[must_use]
    pub fn model(mut self, model: Model) -> Self {
        self.models.push(model);
        self
    }
}

impl Model {
    /// A model that the provider calls the same, without a price.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), upstream: name.to_owned(), price: None, max_output: max_output() }
    }

    /// With a price for a million tokens sent and received.
    #[must_use]
    pub fn priced(mut self, currency: &str, input: &str, output: &str) -> Self {
        let (currency, input, output) = (currency.to_owned(), input.to_owned(), output.to_owned());
        self.price = Some(Price { currency, input, cached: String::new(), output });
        self
    }
}

const fn concurrency() -> u32 {
    64
}

const fn connect_seconds() -> u32 {
    5
}

const fn first_byte_seconds() -> u32 {
    120
}

const fn between_seconds() -> u32 {
    60
}

const fn total_seconds() -> u32 {
    600
}

const fn errors() -> u32 {
    5
}

const fn max_output() -> u32 {
    4_096
}

fn limit_field() -> String {
    "max_tokens".to_owned()
}
