use futures::future::join_all;
use http::Method;
use kontor_types::Money;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::merchant::{Shop, Told};
use crate::quote::shown;
use crate::terms::LARGEST_AMOUNT;
use crate::{Commerce, Error};
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
                Ok(offers) => found.offers.extend(offers),
                Err(reason) => found.silent.push(Silent { merchant: shop.row.slug.clone(), reason }),
            }
        }
        Ok(found)
    }
}

async fn of(shop: &Shop, search: &Search) -> Result<Vec<Offer>, String> {
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
    // One that breaks the form is left out; the others are not its fault.
    let offers = products.iter().take(limit as usize).filter_map(|product| offer(shop, &said, product));
    Ok(offers.filter(|offer| search.most.is_none_or(|most| within(offer, most))).collect())
}

fn within(offer: &Offer, most: Money) -> bool {
    offer.price.currency == most.currency && offer.price.minor <= most.minor
}

fn offer(shop: &Shop, said: &Value, product: &Value) -> Option<Offer> {
    let text = |name: &str| product.get(name).and_then(Value::as_str).unwrap_or_default();
    let price = money(product.get("price")?)?;
    let unit = product.get("unit").and_then(|unit| serde_json::from_value(unit.clone()).ok());
    let delivery = said.pointer("/delivery/fee").and_then(money);
    let coupons = said.get("coupons").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let item = text("id");
    Some(Offer {
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
        coupons: coupons.iter().take(20).filter_map(coupon).collect(),
        stock: product.get("stock").and_then(Value::as_i64).unwrap_or(0),
    })
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
