//! The receipt of an order in plain words.

use crate::{Mode, OrderReceipt, Quote, Terms};

/// What happened, one sentence after another.
pub fn sentences(receipt: &OrderReceipt) -> Vec<String> {
    let OrderReceipt { buyer, merchant, order, total, tied, .. } = receipt;
    let mut lines = Vec::new();
    if !tied.request.is_empty() {
        lines.push(format!("@{buyer} asked for: {}", tied.request));
    }
    for choice in &tied.choices {
        let refused = if choice.refused.is_empty() {
            String::new()
        } else {
            format!(" Not taken: {}.", choice.refused.join("; "))
        };
        lines.push(format!("{}: {} was taken, because {}.{refused}", choice.what, choice.chosen, choice.reason));
    }
    for run in &tied.runs {
        lines.push(format!("The skill {} ({}) ran as {}.", run.skill, run.digest, run.run));
    }
    for tokens in &tied.tokens {
        let cost = tokens.cost.map(|cost| format!(" for {cost}")).unwrap_or_default();
        lines.push(format!(
            "The model {} read {} tokens and wrote {}{cost}.",
            tokens.model, tokens.input, tokens.output
        ));
    }
    if let Ok(quote) = Quote::open(&receipt.quote, &receipt.merchant_key) {
        lines.extend(bought(&quote, merchant));
    }
    if let Ok((terms, _)) = Terms::open(&receipt.mandate.envelope.to_json(), &[receipt.mandate.key]) {
        lines.push(match terms.mode {
            Mode::Instant => format!("@{buyer} confirmed this quote, and nothing else, with the mandate {}.", terms.id),
            Mode::Delegated => format!(
                "@{buyer} had allowed up to {} in {} purchases until {} with the mandate {}.",
                terms.total, terms.count, terms.until, terms.id
            ),
        });
    }
    lines.push(format!("{total} were paid from the purse of @{buyer}; {merchant} calls the order {order}."));
    for leg in receipt.postings.iter().filter(|posting| posting.kind == "post").flat_map(|posting| &posting.legs) {
        if leg.from == format!("person/{buyer}/purse") {
            lines.push(format!("Of it {} went to {}.", leg.amount, leg.to));
        }
    }
    lines
}

fn bought(quote: &Quote, merchant: &str) -> Vec<String> {
    let money = |minor: i64| quote.currency.minor(minor);
    let mut lines: Vec<String> = quote
        .lines
        .iter()
        .map(|line| format!("{merchant} sold {} of `{}` at {} each.", line.quantity, line.title, money(line.price)))
        .collect();
    let less = if quote.discount > 0 { format!(", {} were taken off", money(quote.discount)) } else { String::new() };
    lines.push(format!("Delivery was {}{less}; the quote held until {}.", money(quote.delivery), quote.expires_at));
    lines
}
