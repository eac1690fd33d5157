//! What can be checked about the receipt of an order without asking anybody.

use kontor_crypto::{Envelope, VerifyingKey};
use kontor_ledger::{WHOLE, portion};
use kontor_types::{Check, Digest, Outcome};

use crate::{Mode, OrderReceipt, Posting, Quote, Terms};

/// What a receipt of an order is held against.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// Keys for receipts that are believed.
    pub keys: Vec<VerifyingKey>,
    /// The buyer's own keys for mandates, where they are here.
    pub own: Vec<VerifyingKey>,
    /// The merchant's key for quotes, got from it by another way.
    pub merchant: Option<VerifyingKey>,
    /// Files that may be receipts of its runs, by name.
    pub files: Vec<(String, Digest)>,
}

/// Checks a receipt and all that it ties together.
pub fn verify(receipt: &OrderReceipt, envelope: &Envelope, evidence: &Evidence) -> Vec<Check> {
    let mut checks = vec![signature(envelope, evidence)];
    let (check, quote) = quote(receipt, evidence);
    checks.push(check);
    let (check, terms) = mandate(receipt, evidence);
    checks.push(check);
    if let (Some(quote), Some(terms)) = (&quote, &terms) {
        checks.push(allowed(receipt, quote, terms));
        checks.push(postings(receipt, quote, terms));
    }
    checks.extend(runs(receipt, evidence));
    checks
}

fn check(name: &'static str, outcome: Result<String, String>) -> Check {
    match outcome {
        Ok(detail) => Check { name, outcome: Outcome::Passed, detail },
        Err(detail) => Check { name, outcome: Outcome::Failed, detail },
    }
}

fn signature(envelope: &Envelope, evidence: &Evidence) -> Check {
    if evidence.keys.is_empty() {
        let detail = "no key of the hub is known here, so nobody vouches for it: name one with --key".to_owned();
        return Check { name: "signature", outcome: Outcome::NotChecked, detail };
    }
    let signer = OrderReceipt::signer(envelope, &evidence.keys);
    check("signature", signer.map(|key| format!("signed with the key {key}")).map_err(|error| error.to_string()))
}

fn quote(receipt: &OrderReceipt, evidence: &Evidence) -> (Check, Option<Quote>) {
    let key = evidence.merchant.unwrap_or(receipt.merchant_key);
    let opened = Quote::open(&receipt.quote, &key).map_err(|refusal| refusal.detail).and_then(|quote| {
        if Quote::digest_of(&receipt.quote) != receipt.quote_digest {
            return Err("the quote is not the one with this digest".to_owned());
        }
        let total = quote.currency.minor(quote.total);
        if total != receipt.total {
            return Err(format!("{} were paid, and the merchant's quote says {total}", receipt.total));
        }
        Ok(quote)
    });
    match opened {
        Ok(quote) => {
            let detail = format!(
                "the merchant signed {} for {} lines with the key {}",
                receipt.total,
                quote.lines.len(),
                key.id()
            );
            (check("quote", Ok(detail)), Some(quote))
        }
        Err(detail) => (check("quote", Err(detail)), None),
    }
}

fn mandate(receipt: &OrderReceipt, evidence: &Evidence) -> (Check, Option<Terms>) {
    let opened =
        Terms::open(&receipt.mandate.envelope.to_json(), &[receipt.mandate.key]).map_err(|refusal| refusal.detail);
    let fits = opened.and_then(|(terms, key)| {
        if terms.hub != receipt.hub || terms.person != receipt.buyer {
            return Err("the mandate is for another hub or another person".to_owned());
        }
        if !evidence.own.is_empty() && !evidence.own.contains(&receipt.mandate.key) {
            return Err(format!("the mandate is signed with the key {key}, which is none of yours"));
        }
        let whose = if evidence.own.is_empty() { "the buyer's key" } else { "your key" };
        Ok((terms, format!("signed with {whose} {key}")))
    });
    match fits {
        Ok((terms, detail)) => (check("mandate", Ok(detail)), Some(terms)),
        Err(detail) => (check("mandate", Err(detail)), None),
    }
}

/// Whether the mandate allowed this quote when the money was held.
fn allowed(receipt: &OrderReceipt, quote: &Quote, terms: &Terms) -> Check {
    let outcome = held(receipt).and_then(|reserve| {
        if reserve.at >= quote.expires_at {
            return Err("the money was held after the quote had ended".to_owned());
        }
        terms.allow(&receipt.merchant, quote, &receipt.quote_digest, reserve.at).map_err(|refusal| refusal.detail)?;
        Ok(match terms.mode {
            Mode::Instant => "the buyer confirmed exactly this quote".to_owned(),
            Mode::Delegated => format!("within the {} that the buyer allowed in advance", terms.total),
        })
    });
    check("allowed", outcome)
}

fn held(receipt: &OrderReceipt) -> Result<&Posting, String> {
    let found = receipt.postings.iter().find(|posting| posting.kind == "reserve");
    found.ok_or_else(|| "it tells of no reservation".to_owned())
}

/// Whether what moved is the price, from purse and mandate, in the parts that were fixed.
fn postings(receipt: &OrderReceipt, quote: &Quote, terms: &Terms) -> Check {
    let outcome = held(receipt).and_then(|reserve| {
        let posts: Vec<&Posting> = receipt.postings.iter().filter(|posting| posting.kind == "post").collect();
        let [post] = posts.as_slice() else { return Err("it tells not of exactly one payment".to_owned()) };
        if receipt.postings.len() != 2 || reserve.legs != post.legs {
            return Err("what moved is not what was held".to_owned());
        }
        if post.at < reserve.at || post.transfer <= reserve.transfer {
            return Err("the money moved before it was held".to_owned());
        }
        let whole: u64 = receipt.shares.iter().map(|share| u64::from(share.basis_points)).sum();
        if whole != u64::from(WHOLE) {
            return Err("the parts that were fixed are not the whole".to_owned());
        }
        let mut expected = parts(receipt, quote);
        let mandates = format!("person/{}/mandates", receipt.buyer);
        expected.push((format!("person/{}/mandate {}", receipt.buyer, terms.id), mandates, quote.total));
        let said: Vec<(String, String, i64)> =
            post.legs.iter().map(|leg| (leg.from.clone(), leg.to.clone(), leg.amount.minor)).collect();
        let currency = post.legs.iter().all(|leg| leg.amount.currency == quote.currency);
        if said != expected || !currency {
            return Err("the legs are not the price in the parts that were fixed, from purse and mandate".to_owned());
        }
        Ok(format!("{} moved in {} parts by transfer {}, once", receipt.total, expected.len() - 1, post.transfer))
    });
    check("postings", outcome)
}

fn parts(receipt: &OrderReceipt, quote: &Quote) -> Vec<(String, String, i64)> {
    let weights: Vec<i64> = receipt.shares.iter().map(|share| i64::from(share.basis_points)).collect();
    let parts = receipt.shares.iter().zip(portion(&weights, quote.total)).filter(|(_, part)| *part > 0);
    let purse = format!("person/{}/purse", receipt.buyer);
    parts
        .map(|(share, part)| (purse.clone(), format!("{}/{}/{}", share.owner_kind, share.owner, share.code), part))
        .collect()
}

fn runs(receipt: &OrderReceipt, evidence: &Evidence) -> Vec<Check> {
    let runs = &receipt.tied.runs;
    let mut checks: Vec<Check> = evidence
        .files
        .iter()
        .map(|(name, digest)| {
            let run = runs.iter().find(|run| run.receipt == *digest);
            let found = run.map(|run| format!("{name} is the receipt of the run {} of {}", run.run, run.skill));
            check("run", found.ok_or_else(|| format!("{name} is the receipt of none of its runs")))
        })
        .collect();
    let given = |run: &&crate::TiedRun| !evidence.files.iter().any(|(_, digest)| *digest == run.receipt);
    checks.extend(runs.iter().filter(given).map(|run| Check {
        name: "run",
        outcome: Outcome::NotChecked,
        detail: format!("the receipt of the run {} of {} was not given: name its file with --with", run.run, run.skill),
    }));
    checks
}
