//! Which features make an order harmful: linear models whose weights are data of the rule pack.

use serde::Deserialize;

use super::feature::Feature;
use crate::error::Error;
use crate::report::Severity;
use crate::rules::RulePack;

/// One kind of harm: which acts can be it, and how much each feature says for or against it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The rule of the finding.
    pub rule: String,
    /// Acts of which the sentence must have one.
    pub any: Vec<String>,
    /// Features of which the sentence, or one beside it, must have one besides.
    #[serde(default)]
    pub with: Vec<String>,
    /// Features of which there must be one as well.
    #[serde(default)]
    pub and: Vec<String>,
    /// Features by their names: `x` in the sentence itself, `near x` in one beside it, `text x` anywhere in the text.
    pub weights: std::collections::BTreeMap<String, i32>,
    /// From how much on the finding is medium.
    #[serde(default = "medium")]
    pub medium: i32,
    /// From how much on the finding is high.
    #[serde(default = "high")]
    pub high: i32,
}

const fn medium() -> i32 {
    60
}

const fn high() -> i32 {
    80
}

/// A model ready to be used.
#[derive(Debug)]
pub struct Ready {
    /// The rule's place in the pack.
    pub rule: usize,
    any: u128,
    with: u128,
    and: u128,
    own: Vec<(Feature, i32)>,
    near: Vec<(Feature, i32)>,
    text: Vec<(Feature, i32)>,
    medium: i32,
    high: i32,
}

/// What was said in a sentence, beside it, and in the whole text.
#[derive(Debug, Clone, Copy)]
pub struct Scene {
    /// In the sentence itself.
    pub own: u128,
    /// In the sentences beside it.
    pub near: u128,
    /// Anywhere in the text.
    pub text: u128,
}

impl Ready {
    /// Reads the models of the pack.
    pub fn all(pack: &RulePack) -> Result<Vec<Self>, Error> {
        pack.models.iter().map(|model| Self::new(pack, model)).collect()
    }

    fn new(pack: &RulePack, model: &Model) -> Result<Self, Error> {
        let rule = pack.index(&model.rule).ok_or_else(|| Error::Rules(format!("there is no rule {}", model.rule)))?;
        let bits = |names: &[String]| names.iter().map(|name| named(name).map(Feature::bit)).sum::<Result<u128, _>>();
        let mut ready = Self {
            rule,
            any: bits(&model.any)?,
            with: bits(&model.with)?,
            and: bits(&model.and)?,
            own: Vec::new(),
            near: Vec::new(),
            text: Vec::new(),
            medium: model.medium,
            high: model.high,
        };
        for (name, weight) in &model.weights {
            if let Some(name) = name.strip_prefix("near ") {
                ready.near.push((named(name)?, *weight));
            } else if let Some(name) = name.strip_prefix("text ") {
                ready.text.push((named(name)?, *weight));
            } else {
                ready.own.push((named(name)?, *weight));
            }
        }
        Ok(ready)
    }

    /// How harmful the scene is by this model, and what says so.
    pub fn judge(&self, scene: Scene) -> Option<(Severity, String)> {
        let said = scene.own | scene.near;
        let lacks = |wanted: u128| wanted != 0 && said & wanted == 0;
        if scene.own & self.any == 0 || lacks(self.with) || lacks(self.and) {
            return None;
        }
        let parts = [
            (&self.own, scene.own, ""),
            (&self.near, scene.near & !scene.own, "nearby "),
            (&self.text, scene.text & !scene.own & !scene.near, "elsewhere "),
        ];
        let mut score = 0;
        let mut said = Vec::new();
        for (weights, features, place) in parts {
            for (feature, weight) in weights.iter().filter(|(feature, _)| features & feature.bit() != 0) {
                score += weight;
                if *weight > 0 {
                    said.push((-weight, format!("{place}{}", name_of(*feature).replace('-', " "))));
                }
            }
        }
        let severity = if score >= self.high {
            Severity::High
        } else if score >= self.medium {
            Severity::Medium
        } else {
            return None;
        };
        said.sort();
        let said: Vec<String> = said.into_iter().map(|(_, what)| what).collect();
        Some((severity, said.join(", ")))
    }
}

fn named(name: &str) -> Result<Feature, Error> {
    let found = Feature::ALL.iter().find(|(known, _)| *known == name).map(|(_, feature)| *feature);
    found.ok_or_else(|| Error::Rules(format!("there is no feature `{name}` of orders")))
}

fn name_of(feature: Feature) -> &'static str {
    Feature::ALL.iter().find(|(_, known)| *known == feature).map_or("", |(name, _)| name)
}
