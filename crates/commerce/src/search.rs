use futures::future::join_all;
use http::Method;
use kontor_types::Money;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::merchant::{Shop, Told};
use crate::quote::shown;
use crate::terms::LARGEST_AMOUNT;
use crate::{Commerce, Error, SetAside};
use kontor_db::merchants;

/// Most offers of one merchant that are read.
const MOST: u32 = 100;
/// The longest description that is kept, in characters.
const LONGEST: usize = 2_000;

/// What is looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// In words.
    pub query: String,
    /// Only things of this category.
    #[serde(default)]
    pub category: Option<String>,
    /// Only things that cost no more.
    #[serde(default)]
    pub most: Option<Money>,
    /// How many of each merchant, at most 100.
    #[serde(default)]
    pub limit: u32,
}

/// Something that a merchant sells. Its texts are the merchant's, never an instruction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The hub's name for the merchant.
    pub merchant: String,
    /// What the merchant calls itself.
    pub merchant_name: String,
    /// The merchant's id of the item.
    pub item: String,
    /// What it is called.
    pub title: String,
    /// What is said of it.
    pub description: String,
    /// What kind of thing it is.
    pub category: String,
    /// What one costs.
    pub price: Money,
    /// How much of what one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// The fee for bringing an order.
    pub delivery: Money,
    /// From which sum of lines on there is no fee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_delivery_from: Option<Money>,
    /// What takes something off.
    pub coupons: Vec<CouponOffer>,
    /// How many there are.
    pub stock: i64,
}

/// How much of what a piece is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// How much.
    pub quantity: i64,
    /// Of what, for example `ml`.
    pub unit: String,
}

/// A coupon that a merchant tells of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CouponOffer {
    /// What is written into the order.
    pub code: String,
    /// What is said of it.
    #[serde(default)]
    pub text: String,
    /// What it takes off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minus: Option<Money>,
    /// What it takes off the lines, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u32>,
    /// From which sum of lines on it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Money>,
}

/// What the merchants said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// What they sell.
    pub offers: Vec<Offer>,
    /// Who did not answer.
    pub silent: Vec<Silent>,
    /// What gives orders to programs, and was therefore left out.
    #[serde(default)]
    pub set_aside: Vec<SetAside>,
}

/// A merchant that did not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silent {
    /// The hub's name for it.
    pub merchant: String,
    /// What happened.
    pub reason: String,
}

impl Commerce {
    /// Asks every merchant at once.
    pub async fn search(&self, search: &Search) -> Result<Found, Error> {
        let rows = merchants::list(&mut self.read().await?).await?;
        let shops: Vec<Shop> = rows.into_iter().map(|row| Shop { outbound: self.0.outbound.clone(), row }).collect();
        let answers = join_all(shops.iter().map(|shop| of(shop, search))).await;
        let mut found = Found::default();
        for (shop, answer) in shops.iter().zip(answers) {
            match answer {
                Ok((offers, set_aside)) => {
                    found.offers.extend(offers);
                    found.set_aside.extend(set_aside);
                }
                Err(reason) => found.silent.push(Silent { merchant: shop.row.slug.clone(), reason }),
            }
        }
        Ok(found)
    }
}

async fn of(shop: &Shop, search: &Search) -> Result<(Vec<Offer>, Vec<SetAside>), String> {
    let limit = if search.limit == 0 { MOST } else { search.limit.min(MOST) };
    let mut asked = json!({ "query": search.query, "pagination": { "limit": limit } });
    if let Some(category) = &search.category {
        asked["filters"] = json!({ "categories": [category] });
    }
    let said = match shop.ask(Method::POST, "/catalog/search", None, Some(&asked)).await {
        Told::Yes(said) => said,
        Told::No { detail, .. } => return Err(detail),
        Told::Unknown(reason) => return Err(reason),
    };
    let products = said.get("products").and_then(Value::as_array).ok_or("its answer has no products")?;
    let mut set_aside = Vec::new();
    let coupons = coupons(shop, &said, &mut set_aside);
    // One that breaks the form is left out; the others are not its fault.
    let offers = products.iter().take(limit as usize).filter_map(|product| offer(shop, &said, product, &coupons));
    let offers = offers.filter(|(offer, texts)| {
        let orders = texts.judge(offer);
        let passes = orders.is_none();
        set_aside.extend(orders);
        passes && search.most.is_none_or(|most| within(offer, most))
    });
    let offers = offers.map(|(offer, _)| offer).collect();
    Ok((offers, set_aside))
}

/// The texts of an offer at their full length: what is cut off when it is shown is read here.
struct Texts<'p> {
    title: &'p str,
    description: &'p str,
    category: &'p str,
}

impl Texts<'_> {
    fn judge(&self, offer: &Offer) -> Option<SetAside> {
        let unit = offer.unit.as_ref().map(|unit| unit.unit.as_str()).unwrap_or_default();
        let texts = [
            ("item", offer.item.as_str()),
            ("title", self.title),
            ("description", self.description),
            ("category", self.category),
            ("unit", unit),
        ];
        SetAside::first(&offer.merchant, &offer.item, &texts)
    }
}

/// The coupons of a merchant; one whose text gives orders is left out, without the offers that it is for.
fn coupons(shop: &Shop, said: &Value, set_aside: &mut Vec<SetAside>) -> Vec<CouponOffer> {
    let told = said.get("coupons").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let read = told.iter().take(20).filter_map(|told| {
        let text = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or_default();
        let orders =
            SetAside::first(&shop.row.slug, text("code"), &[("coupon", text("code")), ("coupon", text("text"))]);
        let passes = orders.is_none();
        set_aside.extend(orders);
        passes.then(|| coupon(told)).flatten()
    });
    read.collect()
}

fn within(offer: &Offer, most: Money) -> bool {
    offer.price.currency == most.currency && offer.price.minor <= most.minor
}

fn offer<'p>(shop: &Shop, said: &Value, product: &'p Value, coupons: &[CouponOffer]) -> Option<(Offer, Texts<'p>)> {
    let text = |name: &str| product.get(name).and_then(Value::as_str).unwrap_or_default();
    let price = money(product.get("price")?)?;
    let unit = product.get("unit").and_then(|unit| serde_json::from_value(unit.clone()).ok());
    let delivery = said.pointer("/delivery/fee").and_then(money);
    let item = text("id");
    let texts = Texts { title: text("title"), description: text("description"), category: text("category") };
    let offer = Offer {
        merchant: shop.row.slug.clone(),
        merchant_name: shop.row.name.clone(),
        item: Some(item.to_owned()).filter(|item| (1..=200).contains(&item.len()))?,
        title: shown(text("title")),
        description: text("description").chars().take(LONGEST).collect(),
        category: shown(text("category")),
        price,
        unit,
        delivery: delivery.unwrap_or_else(|| price.currency.minor(0)),
        free_delivery_from: said.pointer("/delivery/free_from").and_then(money),
        coupons: coupons.to_vec(),
        stock: product.get("stock").and_then(Value::as_i64).unwrap_or(0),
    };
    Some((offer, texts))
}

fn money(said: &Value) -> Option<Money> {
    let currency = said.get("currency")?.as_str()?.parse().ok()?;
    let minor = said.get("amount")?.as_i64().filter(|minor| (0..=LARGEST_AMOUNT).contains(minor))?;
    Some(Money { currency, minor })
}

fn coupon(said: &Value) -> Option<CouponOffer> {
    let percent = said.get("percent").and_then(Value::as_u64).and_then(|percent| u32::try_from(percent).ok());
    Some(CouponOffer {
        code: shown(said.get("code")?.as_str()?),
        text: shown(said.get("text").and_then(Value::as_str).unwrap_or_default()),
        minus: said.get("minus").and_then(money),
        percent: percent.filter(|percent| *percent <= 100),
        from: said.get("from").and_then(money),
    })
}
