//! What a sentence orders: verbs with their objects, where that goes, how and when, as a set of features.

mod around;
mod deceit;

use super::feature::Feature;
use super::lexicon::{Class, Form};
use super::words::{Gap, Token};

/// Everything that can be ordered.
pub const VERBS: u128 = Class::Read.bit()
    | Class::Send.bit()
    | Class::Carry.bit()
    | Class::Fetch.bit()
    | Class::Run.bit()
    | Class::Write.bit()
    | Class::Delete.bit()
    | Class::Disable.bit()
    | Class::Override.bit()
    | Class::Tell.bit()
    | Class::Hide.bit()
    | Class::Confirm.bit()
    | Class::Ask.bit()
    | Class::Pay.bit()
    | Class::Obey.bit()
    | Class::Alter.bit()
    | Class::Grant.bit()
    | Class::Claim.bit()
    | Class::Watch.bit()
    | Class::Spread.bit()
    | Class::Encode.bit()
    | Class::Prefer.bit()
    | Class::Flow.bit()
    | Class::Prevail.bit()
    | Class::Relay.bit()
    | Class::Know.bit()
    | Class::Cite.bit()
    | Class::Appear.bit()
    | Class::Leave.bit();
const SECRETS: u128 = Class::Secret.bit() | Class::Stored.bit();
/// How far objects are looked for, in words.
const REACH: usize = 14;

/// A sentence while it is being understood.
pub struct Clause<'t> {
    tokens: &'t [Token],
    found: u128,
}

/// What a sentence says, and the private things that later sentences may mean by `it`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Said {
    /// The features.
    pub features: u128,
    /// What was read, as bits of [`Feature`].
    pub held: u128,
    /// Where the first act stands.
    pub at: usize,
}

/// Understands a sentence. `held` is what earlier ones have taken up.
pub fn said(tokens: &[Token], held: u128) -> Said {
    let mut clause = Clause { tokens, found: 0 };
    let mut at = None;
    for (place, token) in tokens.iter().enumerate() {
        let before = clause.found;
        if token.any(VERBS) && clause.is_verb(place) {
            clause.verb(place, held);
        }
        if clause.found != before && at.is_none() {
            at = Some(token.start);
        }
    }
    clause.around();
    let reads = [
        (Feature::ReadsSecret, Feature::SendsStored),
        (Feature::ReadsContent, Feature::SendsContent),
        (Feature::ReadsHost, Feature::SendsHost),
    ];
    let taken =
        reads.iter().filter(|(read, _)| clause.found & read.bit() != 0).fold(0, |all, (_, sent)| all | sent.bit());
    Said { features: clause.found, held: taken, at: at.unwrap_or(tokens.first().map_or(0, |token| token.start)) }
}

impl Clause<'_> {
    const fn add(&mut self, feature: Feature) {
        self.found |= feature.bit();
    }

    fn add_if(&mut self, condition: bool, feature: Feature) {
        if condition {
            self.add(feature);
        }
    }

    fn token(&self, place: usize) -> Token {
        self.tokens.get(place).copied().unwrap_or(Token {
            start: 0,
            classes: 0,
            form: Form::Base,
            gap: Gap::Break,
            quoted: false,
        })
    }

    /// Whether a word that can be a verb is one here, and an order or a statement about the agent or the skill.
    fn is_verb(&self, place: usize) -> bool {
        let token = self.token(place);
        let Some(before) = place.checked_sub(1).map(|before| self.token(before)) else {
            return matches!(token.form, Form::Base | Form::Order);
        };
        match token.form {
            Form::Base if before.is(Class::Article) && token.gap == Gap::Blank => false,
            Form::Base => {
                let leads = Class::And.bit()
                    | Class::Or.bit()
                    | Class::Not.bit()
                    | Class::Must.bit()
                    | Class::Modal.bit()
                    | Class::Agent.bit()
                    | Class::First.bit()
                    | Class::Stealth.bit()
                    | Class::Every.bit()
                    | Class::Unasked.bit()
                    | Class::Forever.bit()
                    | Class::Lead.bit();
                token.gap != Gap::Blank
                    || before.any(leads)
                    || before.is(Class::To)
                    || self.names_object(place)
                    || self.opens_with_time(place)
            }
            Form::Third => {
                let carried = if token.is(Class::Carry) { Class::Carrier.bit() } else { 0 };
                let subjects = carried
                    | Class::Agent.bit()
                    | Class::Itself.bit()
                    | Class::And.bit()
                    | Class::Program.bit()
                    | Class::It.bit();
                before.any(subjects) || self.token(place.saturating_sub(2)).any(subjects & !Class::And.bit())
            }
            Form::Going => before.any(Class::Without.bit() | Class::Not.bit() | Class::By.bit() | Class::Lead.bit()),
            Form::Past => self.is_passive(place),
            Form::Order => token.gap != Gap::Blank || !before.any(Class::User.bit() | Class::Third.bit()),
        }
    }

    /// Whether an address or a path follows at once: `load https://…`.
    fn names_object(&self, place: usize) -> bool {
        let things = Class::Foreign.bit()
            | Class::Public.bit()
            | Class::AgentFile.bit()
            | Class::Stored.bit()
            | Class::Startup.bit();
        (place + 1..place + 3).any(|at| self.token(at).any(things) && self.token(at).gap == Gap::Blank)
    }

    /// Whether something of this class follows soon, and not in brackets.
    fn next_is(&self, place: usize, class: Class) -> bool {
        (place + 1..place + 8)
            .take_while(|at| self.token(*at).gap == Gap::Blank || *at == place + 1)
            .any(|at| self.token(at).is(class))
    }

    /// Whether the sentence begins with when: `at the beginning of a session load …`.
    fn opens_with_time(&self, place: usize) -> bool {
        let times = Class::If.bit() | Class::First.bit() | Class::Every.bit() | Class::Lead.bit() | Class::At.bit();
        let named = Class::User.bit() | Class::Third.bit() | Class::Program.bit() | Class::Article.bit();
        place < 12
            && self.token(0).any(times)
            && !self.token(place - 1).any(named)
            && (1..place).all(|at| self.token(at).gap == Gap::Blank && !self.token(at).any(Class::User.bit()))
    }

    fn is_passive(&self, place: usize) -> bool {
        self.token(place).form == Form::Past
            && (place.saturating_sub(4)..place).any(|before| self.token(before).is(Class::Be))
    }

    /// Whether the verb is forbidden.
    fn negated(&self, place: usize) -> bool {
        let mut at = place;
        let (mut listed, mut joined) = (false, false);
        let mut infinitive = place > 0 && self.token(place - 1).is(Class::To);
        if self.token(place).form == Form::Order && self.denied_behind(place) {
            return true;
        }
        while at > 0 && place - at < 9 {
            let token = self.token(at);
            if token.gap == Gap::Break {
                return false;
            }
            let behind = (place + 1..place + 7).take_while(|next| self.token(*next).gap != Gap::Break);
            if token.gap == Gap::Comma {
                if !listed && !behind.into_iter().any(|next| self.token(next).is(Class::Or)) {
                    return false;
                }
                listed = true;
            }
            at -= 1;
            let before = self.token(at);
            if before.any(Class::Not.bit() | Class::Rather.bit()) || (before.is(Class::Without) && (listed || !joined))
            {
                return true;
            }
            joined |= before.is(Class::And);
            if before.is(Class::Or) {
                listed = true;
            }
            let order = self.token(place).form == Form::Order && before.form == Form::Order;
            if before.any(VERBS) && !order && self.is_verb(at) && !listed {
                // Who must not be asked to do something must not do it.
                if !std::mem::take(&mut infinitive) {
                    return false;
                }
            }
            if before.is(Class::To) && !listed && before.classes & VERBS == 0 && place - at > 4 {
                return false;
            }
        }
        false
    }

    /// Whether a denial stands behind the verb and its object: `erwähne die Ablage nicht`.
    fn denied_behind(&self, place: usize) -> bool {
        (place + 1..place + 7)
            .take_while(|at| self.token(*at).gap == Gap::Blank)
            .any(|at| self.token(at).is(Class::Not))
    }

    /// Whether somebody else does it: an attacker, a page, a text.
    fn foreign_subject(&self, place: usize) -> bool {
        let from = place.saturating_sub(7);
        (from..place)
            .rev()
            .take_while(|at| self.token(at + 1).gap != Gap::Break)
            .any(|at| self.token(at).is(Class::Third))
    }

    /// The classes of what the verb is done to.
    fn objects(&self, place: usize) -> u128 {
        let mut all = 0;
        let mut tool = false;
        for at in place + 1..(place + 1 + REACH).min(self.tokens.len()) {
            let token = self.token(at);
            if token.gap == Gap::Break && at > place + 1 {
                break;
            }
            let verb = token.any(VERBS) && self.is_verb(at) && matches!(token.form, Form::Base | Form::Order);
            let joined = at > place && (self.token(at - 1).is(Class::And) || self.token(at - 1).is(Class::Or));
            if verb && at > place + 2 && (joined || token.gap == Gap::Comma) {
                break;
            }
            if token.is(Class::By) {
                tool = true;
            } else if token.is(Class::To) || token.gap == Gap::Comma {
                tool = false;
            }
            if !tool {
                all |= token.classes;
            }
        }
        if self.token(place).form == Form::Order {
            // What an order is about may stand before it, behind a word such as `把` or `bitte`.
            let clause =
                (place.saturating_sub(REACH)..place).rev().take_while(|at| self.token(at + 1).gap != Gap::Break);
            if let Some(lead) = clause.into_iter().filter(|at| self.token(*at).is(Class::Lead)).last() {
                all |= (lead + 1..place).fold(0, |all, at| all | self.token(at).classes);
            }
        }
        if self.is_passive(place) {
            let from = place.saturating_sub(REACH);
            for at in (from..place).rev().take_while(|at| self.token(at + 1).gap != Gap::Break) {
                all |= self.token(at).classes;
            }
        }
        all
    }

    fn has(&self, class: Class) -> bool {
        self.tokens.iter().any(|token| token.is(class))
    }

    fn verb(&mut self, place: usize, held: u128) {
        let token = self.token(place);
        if self.foreign_subject(place) {
            return;
        }
        let objects = self.objects(place);
        let of = |class: Class| objects & class.bit() != 0;
        if self.negated(place) {
            self.refused(token, place, objects);
            return;
        }
        let secret = objects & SECRETS != 0;
        if token.is(Class::Send) || (token.is(Class::Relay) && self.leads_out(place)) {
            self.sends(place, objects, held);
        }
        if token.is(Class::Read) {
            self.add_if(secret, Feature::ReadsSecret);
            self.add_if(of(Class::Content), Feature::ReadsContent);
            self.add_if(of(Class::Host), Feature::ReadsHost);
        }
        let carrier = (place.saturating_sub(3)..place).any(|at| self.token(at).is(Class::Carrier));
        if token.is(Class::Carry) && (carrier || of(Class::Carrier) || of(Class::Foreign) || of(Class::Answer)) {
            self.add_if(secret, Feature::PutsSecret);
            self.add_if(of(Class::Content), Feature::PutsContent);
            self.destination(place);
            self.add_if(of(Class::Carrier) || carrier, Feature::Carrier);
            self.add_if(of(Class::Answer), Feature::IntoAnswer);
        }
        if token.is(Class::Flow) {
            let before = (place.saturating_sub(REACH)..place).fold(0, |all, at| all | self.token(at).classes);
            self.add_if(before & SECRETS != 0, Feature::FlowsSecret);
            self.add_if(before & Class::Content.bit() != 0, Feature::FlowsContent);
        }
        if token.is(Class::Encode) {
            self.add_if(secret, Feature::EncodesSecret);
            self.add_if(of(Class::Content) || of(Class::It) || secret, Feature::Encodes);
        }
        if token.is(Class::Fetch) {
            self.add_if(of(Class::Program), Feature::FetchesProgram);
            let remote = self.next_is(place, Class::Foreign) || self.next_is(place, Class::Public);
            self.add_if(remote, Feature::FetchesSome);
            self.add_if(remote, Feature::Foreign);
        }
        if token.is(Class::Run) {
            self.add_if(of(Class::Program), Feature::RunsProgram);
            self.add_if(of(Class::It), Feature::RunsIt);
            self.add_if(self.next_is(place, Class::Foreign), Feature::RunsForeign);
            self.add_if(self.next_is(place, Class::Foreign), Feature::Foreign);
        }
        if token.is(Class::Obey) {
            self.add_if(of(Class::It) || of(Class::Orders), Feature::ObeysIt);
        }
        self.writes(token, objects);
        self.weakens(token, objects, place);
        self.deceives(token, objects, place);
    }

    fn sends(&mut self, place: usize, objects: u128, held: u128) {
        let of = |class: Class| objects & class.bit() != 0;
        let secret = of(Class::Secret);
        let content = of(Class::Content) || (of(Class::Generic) && of(Class::All));
        self.add_if(of(Class::Stored) || (secret && of(Class::All)), Feature::SendsStored);
        self.add_if(secret, Feature::SendsSecret);
        self.add_if(content, Feature::SendsContent);
        self.add_if(of(Class::Host), Feature::SendsHost);
        if !secret && !content && !of(Class::Host) {
            self.add(Feature::SendsSome);
            // `POST https://…` is how a request is written, and takes nothing up.
            let noted = self.token(place + 1).is(Class::Foreign);
            if !noted && (of(Class::It) || of(Class::Generic) || objects & Class::Content.bit() == 0) {
                let here = [
                    (Feature::ReadsSecret, Feature::SendsStored),
                    (Feature::ReadsContent, Feature::SendsContent),
                    (Feature::ReadsHost, Feature::SendsHost),
                ];
                let read = here
                    .iter()
                    .filter(|(read, _)| self.found & read.bit() != 0)
                    .fold(0, |all, (_, sent)| all | sent.bit());
                self.found |= held | read;
            }
        }
        self.destination(place);
    }

    /// Where it goes: what stands behind `to`, `at`, `via`, or behind the verb itself.
    fn destination(&mut self, place: usize) {
        let mut open = 2;
        for at in place + 1..self.tokens.len().min(place + 30) {
            let token = self.token(at);
            self.add_if(token.is(Class::Foreign) && token.gap == Gap::Blank && at < place + REACH, Feature::Foreign);
            if token.any(Class::To.bit() | Class::As.bit()) {
                open = 5;
            } else if open == 0 {
                continue;
            }
            open -= 1;
            self.add_if(token.is(Class::Foreign), Feature::Foreign);
            self.add_if(token.is(Class::Declared), Feature::Declared);
            self.add_if(token.is(Class::Vague), Feature::Vague);
            self.add_if(token.is(Class::Public), Feature::Public);
            self.add_if(token.is(Class::Names), Feature::Names);
            self.add_if(token.is(Class::Carrier), Feature::Carrier);
        }
        let before = (0..place)
            .any(|at| self.token(at).is(Class::To) && (at..at + 4).any(|next| self.token(next).is(Class::Foreign)));
        self.add_if(before || self.is_passive(place) && self.has(Class::Foreign), Feature::Foreign);
    }

    /// Whether a weak word such as `copy` or `put` has a place to go to.
    fn leads_out(&self, place: usize) -> bool {
        let out = Class::Foreign.bit() | Class::Public.bit() | Class::Names.bit() | Class::Vague.bit();
        if self.token(place).gap == Gap::Break && self.token(place + 1).is(Class::Foreign) {
            return true; // `PUT https://…`
        }
        (place + 1..self.tokens.len().min(place + 16))
            .any(|at| self.token(at).is(Class::To) && (at + 1..at + 5).any(|next| self.token(next).any(out)))
    }

    fn writes(&mut self, token: Token, objects: u128) {
        let of = |class: Class| objects & class.bit() != 0;
        if token.is(Class::Write) {
            self.add_if(of(Class::AgentFile), Feature::WritesAgent);
            self.add_if(of(Class::Startup), Feature::WritesStartup);
            self.add_if(of(Class::Harm), Feature::AddsHarm);
            self.add_if(of(Class::Others) && !of(Class::Itself), Feature::WritesOthers);
        }
        if token.is(Class::Write) || token.is(Class::Spread) {
            self.add_if(of(Class::Itself) && of(Class::Others), Feature::Spreads);
        }
        if token.is(Class::Delete) {
            self.add_if(of(Class::Broad), Feature::DeletesBroad);
            self.add_if(of(Class::Traces), Feature::DeletesTraces);
        }
        if token.is(Class::Alter) {
            self.add_if(of(Class::Result) || of(Class::Account) || of(Class::Traces), Feature::AltersResult);
            self.add_if(of(Class::Harm), Feature::AddsHarm);
        }
        if token.is(Class::Pay) {
            self.add_if(of(Class::Money) || of(Class::Account), Feature::Pays);
        }
    }

    fn weakens(&mut self, token: Token, objects: u128, place: usize) {
        let of = |class: Class| objects & class.bit() != 0;
        if token.is(Class::Disable) {
            self.add_if(of(Class::Protection), Feature::Disables);
            self.add_if(of(Class::Caution), Feature::DisablesCaution);
            self.add_if(of(Class::Requests) || of(Class::Confirm), Feature::SkipsConsent);
            self.add_if(of(Class::Problem), Feature::SkipsProblem);
        }
        if token.is(Class::Override) {
            let owned = of(Class::Owner) || of(Class::All);
            self.add_if(of(Class::Authority) && owned, Feature::Overrides);
            self.add_if(of(Class::Problem), Feature::SkipsProblem);
        }
        if token.is(Class::Prevail) {
            let before = (place.saturating_sub(REACH)..place).fold(0, |all, at| all | self.token(at).classes);
            let self_first = before & Class::Itself.bit() != 0;
            self.add_if(self_first && (of(Class::Authority) || of(Class::User)), Feature::Prevails);
        }
        if token.is(Class::Grant) {
            self.add_if(of(Class::Requests) && (of(Class::All) || of(Class::Every)), Feature::Grants);
        }
        if token.is(Class::Ask) {
            let of_user = token.form != Form::Order || of(Class::User);
            self.add_if(of(Class::Deep) && of_user, Feature::AsksDeep);
            self.add_if(objects & SECRETS != 0, Feature::AsksSecret);
        }
    }
}
