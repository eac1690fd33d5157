//! The three parts that skills play in an errand, and what fits each of them.

use kontor_package::{Content, Tool};
use kontor_runs::Schema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Language;
use crate::judge::{Misfit, Unfit};

/// A part that a skill plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Finds offers in the merchants' catalogues.
    Find,
    /// Compares them.
    Compare,
    /// Writes the order down.
    Order,
}

impl Role {
    /// All of them, in the order in which they are used.
    pub const ALL: [Self; 3] = [Self::Find, Self::Compare, Self::Order];

    /// The word in journals.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Find => "find",
            Self::Compare => "compare",
            Self::Order => "order",
        }
    }

    /// The words that the registry is searched for.
    pub const fn search(self, language: Language) -> &'static str {
        match self {
            Self::Find => language.pick("find offers in merchants' catalogues", "在商家目录中查找报价"),
            Self::Compare => language.pick("compare offers unit price shipping coupons", "比价 单价 运费 优惠券"),
            Self::Order => language.pick("write an order draft for a checkout", "写订单草稿 结算"),
        }
    }

    /// The tool of a skill that takes what this part is given and may answer what the next one needs; else why none does.
    ///
    /// # Errors
    /// One for each tool that does not fit, and one when there is no tool.
    pub fn fitting(self, content: &Content, tools: &[Tool]) -> Result<Tool, Vec<Misfit>> {
        let mut misfits = Vec::new();
        for tool in tools.iter().take(MOST_TOOLS) {
            match self.misfit(content, tool) {
                None => return Ok(tool.clone()),
                Some(misfit) => misfits.push(misfit),
            }
        }
        if misfits.is_empty() {
            misfits.push(Misfit { tool: None, why: Unfit::NoTool, place: None, detail: String::new() });
        }
        Err(misfits)
    }

    fn misfit(self, content: &Content, tool: &Tool) -> Option<Misfit> {
        let misfit = |why, place, detail| Some(Misfit { tool: Some(tool.name.clone()), why, place, detail });
        let (Some(input), Some(output)) = (&tool.input, &tool.output) else {
            return misfit(Unfit::NoSchema, None, String::new());
        };
        let schema = |path: &str| Schema::of(content, path).map_err(|error| (path.to_owned(), error.to_string()));
        let (input, output) = match (schema(input), schema(output)) {
            (Ok(input), Ok(output)) => (input, output),
            (Err((path, reason)), _) | (_, Err((path, reason))) => {
                return misfit(Unfit::BrokenSchema, Some(path), reason);
            }
        };
        let (given, answered) = self.probe();
        let unlike = |schema: &Schema, value: &Value| schema.problems(value).into_iter().next();
        if let Some(problem) = unlike(&input, &given) {
            return misfit(Unfit::Input, place(&problem), problem);
        }
        if let Some(problem) = unlike(&output, &answered) {
            return misfit(Unfit::Output, place(&problem), problem);
        }
        // A schema that lets everything pass says nothing of what comes out.
        match unlike(&output, &json!({"kontor": "anything"})) {
            None => misfit(Unfit::Anything, None, String::new()),
            Some(_) => None,
        }
    }

    /// An input that each skill in this part must take, and an answer that its schema must allow.
    fn probe(self) -> (Value, Value) {
        let yuan = |minor: i64| json!({"minor": minor, "currency": "CNY"});
        let told = |minor: i64| json!({"minor": minor, "currency": "CNY", "text": format!("{minor}")});
        let offers = json!({
            "currency": "CNY", "lang": "en", "need": {"amount": 1, "unit": "piece"}, "extra_packs": 0, "rank_by": "total",
            "budget": yuan(2000), "today": "2026-03-04",
            "shops": [{"id": "shop", "name": "Shop", "shipping": {"fee": yuan(300), "free_from": yuan(3000)}}],
            "coupons": [{"id": "shop:NEW", "kind": "amount_off", "shop": "shop", "off": yuan(200), "min_spend": yuan(1000)}],
            "offers": [{"id": "shop:tea", "shop": "shop", "title": "Tea", "price": yuan(1500), "currency": "CNY", "pack": "500ml*1", "stock": 3}],
            "sources": [{"shop": "shop", "name": "Shop", "state": "answered", "found": 1}],
        });
        let comparison = json!({
            "currency": "CNY", "rank_by": "total", "need": {"value": "1", "unit": "piece"},
            "advice": {"best": "shop:tea", "lines": [{"code": "best", "text": "Buy it."}]},
            "ranked": [{
                "rank": 1, "offer_id": "shop:tea", "title": "Tea", "shop": "shop", "shop_name": "Shop", "fits": true, "misses": [], "packs": 1,
                "amount": {"value": "1", "unit": "piece"}, "unit_price": {"value": "15.0000", "per": "piece"},
                "effective_unit_price": {"value": "16.0000", "per": "piece"}, "goods": told(1500),
                "discounts": [{"coupon_id": "shop:NEW", "layer": "shop", "off": told(200)}],
                "fees": told(0), "shipping": told(300), "tax": told(0), "total": told(1600), "delivery_days": null, "notes": []
            }],
            "not_compared": []
        });
        match self {
            Self::Find => {
                let given = json!({
                    "words": ["tea", "茶"], "currency": "CNY", "lang": "en", "quantity": 1, "budget": yuan(2000), "today": "2026-03-04",
                    "merchants": [{"id": "shop", "name": "Shop", "url": "http://127.0.0.1:8080/ucp"}]
                });
                (given, offers)
            }
            Self::Compare => (offers, comparison),
            Self::Order => {
                let given = json!({
                    "comparison": comparison, "offer": "shop:tea", "deliver_to": {"address": "the office"}, "note": "less sugar",
                    "at_most": yuan(2000), "lang": "en"
                });
                let order = json!({
                    "order": {
                        "merchant": "shop", "merchant_name": "Shop", "offer": "shop:tea", "currency": "CNY",
                        "lines": [{"item": "tea", "title": "Tea", "quantity": 1}], "coupons": ["NEW"],
                        "deliver_to": {"address": "the office"}, "note": "less sugar", "expected_total": told(1600)
                    },
                    "summary": ["1 × Tea"], "problems": []
                });
                (given, order)
            }
        }
    }
}

/// Where a problem is, as a pointer; nothing for the whole.
fn place(problem: &str) -> Option<String> {
    let (place, _) = problem.split_once(": ")?;
    place.starts_with('/').then(|| place.to_owned())
}

/// Most tools of a skill that are tried.
const MOST_TOOLS: usize = 16;
