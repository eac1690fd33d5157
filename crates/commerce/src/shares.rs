use kontor_db::runs::Led;
use kontor_ledger::{WHOLE, portion};
use kontor_types::Handle;
use serde::{Deserialize, Serialize};

/// Whose account gets which part of a sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// `merchant`, `publisher` or `hub`.
    pub owner_kind: String,
    /// Which of them.
    pub owner: String,
    /// What the account is for.
    pub code: String,
    /// Its part, in basis points.
    pub basis_points: u32,
}

/// Fixes who gets what: the platform, the publishers of the skills that led here in equal parts, and the merchant all the rest.
pub fn fix(merchant: &kontor_db::merchants::Merchant, led: &[Led]) -> Vec<Share> {
    let mut known: Vec<&Handle> = led.iter().filter_map(|run| run.author.as_ref()).collect();
    known.sort();
    known.dedup();
    let platform = u32::try_from(merchant.platform_share).unwrap_or(0).min(WHOLE);
    let together = if known.is_empty() { 0 } else { merchant.author_share };
    let parts = portion(&vec![1; known.len()], together);
    let mut shares = vec![share("hub", "platform", "fees", platform)];
    for (author, part) in known.iter().zip(parts) {
        shares.push(share("publisher", author.as_str(), "earnings", u32::try_from(part).unwrap_or(0)));
    }
    let given: u32 = shares.iter().map(|share| share.basis_points).sum();
    shares.insert(0, share("merchant", &merchant.slug, "sales", WHOLE.saturating_sub(given)));
    shares.retain(|share| share.basis_points > 0);
    shares
}

fn share(kind: &str, owner: &str, code: &str, basis_points: u32) -> Share {
    Share { owner_kind: kind.to_owned(), owner: owner.to_owned(), code: code.to_owned(), basis_points }
}
