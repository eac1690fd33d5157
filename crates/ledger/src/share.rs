use kontor_types::Money;

use crate::{Leg, Refusal};

/// All basis points there are.
pub const WHOLE: u32 = 10_000;

/// What the platform keeps of a sale unless something else was agreed, in basis points.
pub const PLATFORM_SHARE: u32 = 1_500;

/// Splits what `debit` pays among accounts by basis points; what does not divide goes to the largest remainders, of equal ones to
/// the first. Who gets nothing has no leg.
///
/// # Errors
/// [`Refusal::Amount`] unless the shares are 10,000 together and the amount is more than nothing.
pub fn split(debit: i64, amount: Money, shares: &[(i64, u32)]) -> Result<Vec<Leg>, Refusal> {
    let sum: u64 = shares.iter().map(|(_, share)| u64::from(*share)).sum();
    if sum != u64::from(WHOLE) {
        return Err(Refusal::Amount { rule: "shares are 10,000 basis points together" });
    }
    if amount.minor <= 0 {
        return Err(Refusal::Amount { rule: "every amount is more than nothing" });
    }
    let weights: Vec<i64> = shares.iter().map(|(_, share)| i64::from(*share)).collect();
    let parts = portion(&weights, amount.minor);
    let legs = shares.iter().zip(parts).filter(|(_, part)| *part > 0);
    Ok(legs.map(|((credit, _), part)| Leg { debit, credit: *credit, amount: amount.currency.minor(part) }).collect())
}

/// Parts of `whole` in proportion to weights that are not negative, by largest remainder: they are `whole` together, and none is
/// more than its weight unless `whole` is more than all weights.
pub fn portion(weights: &[i64], whole: i64) -> Vec<i64> {
    let total: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    if total <= 0 {
        return vec![0; weights.len()];
    }
    let exact = weights.iter().map(|weight| i128::from(*weight) * i128::from(whole));
    let mut parts: Vec<(i128, i128)> = exact.map(|exact| (exact / total, exact % total)).collect();
    let left = i128::from(whole) - parts.iter().map(|(part, _)| part).sum::<i128>();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|place| parts.get(*place).map(|(_, remainder)| -remainder));
    for place in order.into_iter().take(usize::try_from(left).unwrap_or(0)) {
        if let Some((part, _)) = parts.get_mut(place) {
            *part += 1;
        }
    }
    parts.into_iter().map(|(part, _)| i64::try_from(part).unwrap_or(i64::MAX)).collect()
}
