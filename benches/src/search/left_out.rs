//! An honest estimate: the main weights are chosen from a grid on all origins but one, and judged on that one.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use kontor_search::Weights;
use serde_json::json;

use super::corpus::Yardstick;
use super::figures::{Outcome, mean};
use super::{asked, filled};

/// What is tried of each weight, around the values that the product has.
const NAME: [f32; 3] = [0.75, 1.5, 3.0];
const DESCRIPTION: [f32; 3] = [1.0, 2.0, 3.0];
const BODY: [f32; 2] = [0.5, 1.0];
const SATURATION: [f32; 2] = [0.9, 1.5];
const COVERAGE: [f32; 3] = [0.0, 0.25, 0.5];
const PAIR: [f32; 2] = [0.0, 2.0];

/// One point of the grid with how every request was answered there.
struct Tried {
    weights: Weights,
    outcomes: Vec<Outcome>,
}

/// One origin that was left out.
struct Fold {
    origin: String,
    n: usize,
    /// With the weights that were best on the others.
    chosen: f64,
    /// With the product's weights.
    product: f64,
    weights: Weights,
}

/// Prints the figure of each origin under the weights that the others would choose, and the means over all requests.
pub fn run(yardstick: &Yardstick, json: bool) -> Result<()> {
    let tried = tries(yardstick)?;
    let mut origins: BTreeMap<&str, usize> = BTreeMap::new();
    for outcome in tried.first().map_or(&[][..], |point| &point.outcomes) {
        *origins.entry(outcome.origin()).or_default() += 1;
    }
    let folds = origins.iter().map(|(origin, n)| fold(&tried, origin, *n)).collect::<Result<Vec<_>>>()?;
    let chosen: Vec<&Outcome> = folds
        .iter()
        .flat_map(|fold| point(&tried, &fold.weights).filter(|outcome| outcome.origin() == fold.origin))
        .collect();
    let all = average(&chosen, |_| true);
    let others = average(&chosen, Outcome::is_of_others);
    if json {
        let folds = folds
            .iter()
            .map(|fold| json!({ "origin": fold.origin, "n": fold.n, "ndcg10": fold.chosen, "product": fold.product }));
        let folds: Vec<_> = folds.collect();
        println!("{}", json!({ "tried": tried.len(), "all": all, "other_origins": others, "folds": folds }));
        return Ok(());
    }
    println!("left out, nDCG@10 with weights chosen on the others (with the product's), of {} tried", tried.len());
    for Fold { origin, n, chosen, product, weights } in &folds {
        println!("{n:>7}  {chosen:.4} ({product:.4})  {origin}: {weights:?}");
    }
    println!("    all  {all:.4}, other origins {others:.4}");
    Ok(())
}

fn tries(yardstick: &Yardstick) -> Result<Vec<Tried>> {
    let mut index = filled(yardstick)?;
    let grid = grid();
    let mut tried = Vec::with_capacity(grid.len());
    for (place, weights) in grid.iter().enumerate() {
        index = index.ranking_by(*weights);
        tried.push(Tried { weights: *weights, outcomes: asked(yardstick, &index, false)? });
        eprint!("\r{} of {}", place + 1, grid.len());
    }
    eprintln!();
    Ok(tried)
}

fn grid() -> Vec<Weights> {
    let mut grid = vec![Weights::default()];
    let mut spread = |values: &[f32], set: fn(&mut Weights, f32)| {
        grid = grid
            .iter()
            .flat_map(|weights| {
                values.iter().map(|value| {
                    let mut weights = *weights;
                    set(&mut weights, *value);
                    weights
                })
            })
            .collect();
    };
    spread(&NAME, |weights, value| weights.name = value);
    spread(&DESCRIPTION, |weights, value| weights.description = value);
    spread(&BODY, |weights, value| weights.body = value);
    spread(&SATURATION, |weights, value| weights.saturation = value);
    spread(&COVERAGE, |weights, value| weights.coverage = value);
    spread(&PAIR, |weights, value| weights.pair = value);
    grid
}

/// The weights that are best on every other origin, judged on this one.
fn fold(tried: &[Tried], origin: &str, n: usize) -> Result<Fold> {
    let own = |outcome: &Outcome| outcome.origin() == origin;
    let others = |point: &Tried| mean(&point.outcomes, |outcome| !own(outcome));
    let best = tried.iter().max_by(|left, right| others(left).total_cmp(&others(right)));
    let best = best.context("nothing was tried")?;
    let product = tried.iter().find(|point| point.weights == Weights::default());
    Ok(Fold {
        origin: origin.to_owned(),
        n,
        chosen: mean(&best.outcomes, own),
        product: product.map_or(f64::NAN, |point| mean(&point.outcomes, own)),
        weights: best.weights,
    })
}

/// How every request was answered with these weights.
fn point<'a>(tried: &'a [Tried], weights: &Weights) -> impl Iterator<Item = &'a Outcome> {
    let found = tried.iter().find(|point| point.weights == *weights);
    found.into_iter().flat_map(|point| &point.outcomes)
}

#[expect(clippy::cast_precision_loss, reason = "some thousand requests")]
fn average(outcomes: &[&Outcome], wanted: impl Fn(&Outcome) -> bool) -> f64 {
    let values: Vec<f64> = outcomes.iter().filter(|one| wanted(one)).map(|one| one.ndcg10).collect();
    values.iter().sum::<f64>() / values.len() as f64
}
