use std::collections::BTreeMap;
use std::sync::Arc;

use kontor_commerce::SetAside;
use kontor_types::RunId;
use kontor_workflow::{Journal, Step, Stop};
use serde_json::{Value, json};

use super::run::Link;
use super::{ask, buy, discover, run};
use crate::Role;
use crate::agents::Means;
use crate::offers::{self, Refusal};
use crate::order::{Begun, Bought, Chosen, Discovered, Order, Ran, Story};
use crate::wish::Wish;
use crate::words::Say;

/// One errand, from its words to its receipt.
pub(crate) async fn errand(means: Arc<Means>, journal: Journal, order: Order) -> Result<Bought, Stop> {
    let begun: Begun = journal.step("begin", &(), |_| async { Ok(begin(&means)) }).await?;
    let id = journal.workflow().to_string();
    let understood = journal
        .step(Step::named("understand").tries(6), &order, |_| async {
            let caller = means.caller(&order).await?;
            means.understand(&caller, &order, &begun, &id).await
        })
        .await?;
    let wish = understood.wish;
    let mut tokens = understood.tokens;
    if !wish.not_taken.is_empty() {
        journal.tell("not taken", &json!({"refused": wish.not_taken})).await?;
    }
    let address = match order.deliver_to.clone().or_else(|| wish.deliver_to.clone()) {
        Some(address) => crate::wish::clip(&address),
        None => ask::address(&journal, &order, &begun).await?,
    };
    let discovered: Discovered = journal
        .step(Step::named("discover").tries(5), &order.language, |_| async {
            let caller = means.caller(&order).await?;
            means.discover(&caller, &order).await
        })
        .await?;
    let chosen = choose(&journal, &order, &begun, &discovered).await?;
    let mut ran = BTreeMap::new();
    let found = find(&means, &journal, &order, &begun, (&wish, &discovered), &chosen, &mut ran).await?;
    let link = |role: Role, input: Value, hosts: Vec<String>| link(&begun, &chosen, role, input, hosts);
    let compared = run::link(&means, &journal, &order, link(Role::Compare, found.clone(), Vec::new())?).await?;
    let comparison = compared.answer.clone();
    ran.insert(Role::Compare, compared);
    let picked = journal
        .step(Step::named("pick").tries(6), &comparison, |_| async {
            let caller = means.caller(&order).await?;
            means.pick(&caller, &order, &comparison, &id).await
        })
        .await?;
    if let Some(refusal) = &picked.refused {
        refuse(&journal, "model's pick", std::slice::from_ref(refusal)).await?;
    }
    tokens.extend(picked.tokens.clone());
    let mut input = json!({"comparison": comparison, "offer": picked.offer, "deliver_to": {"address": address}, "lang": order.language});
    if let Some(note) = &wish.note {
        input["note"] = json!(note);
    }
    if let Some(most) = wish.at_most {
        input["at_most"] = json!(most);
    }
    let written = run::link(&means, &journal, &order, link(Role::Order, input, Vec::new())?).await?;
    let draft = match offers::draft(&written.answer, &found, &comparison, &picked.offer, &wish, &address) {
        Ok(draft) => draft,
        Err(refusal) => {
            refuse(&journal, "order", std::slice::from_ref(&refusal)).await?;
            return Err(Stop::refuse(refusal.code.clone(), Say(order.language).refusal(&refusal)));
        }
    };
    ran.insert(Role::Order, written);
    let story = Story { order, wish, address, chosen, ran, tokens, picked, draft };
    buy::buy(&means, &journal, &begun, &story).await
}

fn begin(means: &Means) -> Begun {
    let now = means.clock.now();
    let runs = Role::ALL.into_iter().map(|role| (role, RunId::new(now))).collect();
    Begun { day: now.to_string().chars().take(10).collect(), runs, patience: now.after(means.settings.patience) }
}

/// The skills, one for each part, and the person's word for those that nobody has let run yet.
async fn choose(
    journal: &Journal,
    order: &Order,
    begun: &Begun,
    discovered: &Discovered,
) -> Result<BTreeMap<Role, Chosen>, Stop> {
    let mut chosen = BTreeMap::new();
    let mut unknown = Vec::new();
    for role in Role::ALL {
        let (one, allowed) = discover::settle(journal, role, discovered).await?;
        chosen.insert(role, one);
        if !allowed {
            unknown.push(role);
        }
    }
    let asked: BTreeMap<Role, &Chosen> =
        chosen.iter().filter(|(role, _)| unknown.contains(role)).map(|(role, one)| (*role, one)).collect();
    if !asked.is_empty() {
        ask::allow(journal, order, begun, &asked).await?;
    }
    Ok(chosen)
}

/// What the merchants offer, without what gives orders to programs.
async fn find(
    means: &Arc<Means>,
    journal: &Journal,
    order: &Order,
    begun: &Begun,
    (wish, discovered): (&Wish, &Discovered),
    chosen: &BTreeMap<Role, Chosen>,
    ran: &mut BTreeMap<Role, Ran>,
) -> Result<Value, Stop> {
    let merchants: Vec<Value> =
        discovered.shops.iter().map(|shop| json!({"id": shop.id, "name": shop.name, "url": shop.url})).collect();
    let mut input = json!({
        "words": wish.words, "currency": wish.currency, "lang": order.language, "quantity": wish.quantity, "today": begun.day,
        "merchants": merchants,
    });
    if let Some(most) = wish.at_most {
        input["budget"] = json!(most);
    }
    if let Some(day) = &wish.deliver_by {
        input["deliver_by"] = json!(day);
    }
    let hosts = discovered.shops.iter().map(|shop| shop.host.clone()).collect();
    let done = run::link(means, journal, order, link(begun, chosen, Role::Find, input, hosts)?).await?;
    let seen: Vec<SetAside> = journal
        .step(Step::named("read the texts").tries(3), &wish.words, |_| {
            means.read_texts(journal.owner().person, &wish.words)
        })
        .await?;
    let (found, refused) = offers::cleaned(done.answer.clone(), &seen);
    ran.insert(Role::Find, done);
    if !refused.is_empty() {
        refuse(journal, "product texts", &refused).await?;
    }
    if found.get("offers").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        return Err(Stop::refuse("nothing_found", Say(order.language).nothing_found(&wish.words)));
    }
    Ok(found)
}

fn link(
    begun: &Begun,
    chosen: &BTreeMap<Role, Chosen>,
    role: Role,
    input: Value,
    hosts: Vec<String>,
) -> Result<Link, Stop> {
    let missing = || Stop::refuse("no_skill", role.as_str());
    let (chosen, id) = (chosen.get(&role).ok_or_else(missing)?, begun.runs.get(&role).ok_or_else(missing)?);
    Ok(Link { role, id: *id, chosen: chosen.clone(), input, hosts })
}

/// Writes down what was refused, in the journal and in the hub's own log.
async fn refuse(journal: &Journal, what: &str, refused: &[Refusal]) -> Result<(), Stop> {
    for refusal in refused {
        tracing::warn!(errand.id = %journal.workflow(), refusal.code, refusal.about, "something foreign was refused in an errand");
    }
    journal.tell(&format!("refused: {what}"), &json!({"refused": refused})).await
}
