//! Why there is no plan, in words.

use super::Want;
use super::solve::{Demand, Failure, Place};
use super::universe::Universe;
use crate::Error;

/// Most versions and demands that are told.
const TOLD: usize = 8;

/// The failure as people are told.
pub(super) fn explain(universe: &Universe, failure: &Failure) -> Error {
    match failure {
        Failure::Circle { path, back_to } => {
            Error::RequiresCycle { chain: format!("{} → {}", way(universe, path), universe.name(*back_to)) }
        }
        Failure::Missing { path, need } => Error::RequiresConflict {
            explanation: format!(
                "{} requires {} {}, but there is no skill {}",
                way(universe, path),
                need.name,
                shown(&need.want),
                need.name
            ),
        },
        Failure::Conflict { skill, demands } => {
            let name = universe.name(*skill);
            let told: Vec<String> = demands.iter().take(TOLD).map(|demand| said(universe, demand, &name)).collect();
            let usable = universe.versions(*skill).iter().filter(|version| !version.withdrawn);
            let numbers: Vec<String> = usable.take(TOLD).map(|version| version.number.to_string()).collect();
            let nothing = universe.versions(*skill).is_empty();
            let explanation = match told.as_slice() {
                [only] if nothing => format!(
                    "{only}, but no version of it is admitted; its maintainers see what waits with `kontor info {name} --versions`"
                ),
                [only] if numbers.is_empty() => format!("{only}, but every version of it was withdrawn"),
                [only] => format!("{only}, but there are only {}", numbers.join(", ")),
                many => format!(
                    "no version of {name} suits everybody: {}; there are {}",
                    many.join(", but "),
                    if numbers.is_empty() { "none".to_owned() } else { numbers.join(", ") }
                ),
            };
            Error::RequiresConflict { explanation }
        }
        Failure::TooHard => Error::RequiresConflict {
            explanation: "there are too many combinations of versions to try: pin some of them".to_owned(),
        },
    }
}

fn said(universe: &Universe, demand: &Demand, name: &str) -> String {
    let want = shown(&demand.want);
    if demand.path.is_empty() {
        return format!("you ask for {name} {want}");
    }
    format!("{} requires {name} {want}", way(universe, &demand.path))
}

fn way(universe: &Universe, path: &[Place]) -> String {
    let step = |(skill, place): &Place| match universe.version(*skill, *place) {
        Some(version) => format!("{} {}", universe.name(*skill), version.number),
        None => universe.name(*skill),
    };
    path.iter().map(step).collect::<Vec<_>>().join(" → ")
}

fn shown(want: &Want) -> String {
    match want {
        Want::Any => "*".to_owned(),
        Want::Exactly(number) => number.to_string(),
        Want::Tagged(tag, _) => tag.to_string(),
        Want::Within(range) => range.to_string(),
    }
}
