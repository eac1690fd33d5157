//! What stands around the acts of a sentence: places, times, reasons, the user's word.

use super::Clause;
use crate::intent::feature::Feature;
use crate::intent::lexicon::Class;

impl Clause<'_> {
    /// What stands around the acts.
    pub(super) fn around(&mut self) {
        let plain = [
            (Class::Foreign, Feature::Address),
            (Class::Account, Feature::Account),
            (Class::Stealth, Feature::Stealth),
            (Class::Every, Feature::Every),
            (Class::All, Feature::All),
            (Class::Forever, Feature::Forever),
            (Class::Must, Feature::Must),
            (Class::First, Feature::First),
            (Class::Pretext, Feature::Pretext),
            (Class::If, Feature::If),
            (Class::Phrase, Feature::Phrase),
            (Class::Later, Feature::Later),
            (Class::Regardless, Feature::Regardless),
            (Class::Consent, Feature::Consent),
            (Class::Unasked, Feature::Unasked),
            (Class::User, Feature::User),
            (Class::Third, Feature::Third),
            (Class::Secret, Feature::Secret),
            (Class::Content, Feature::Content),
            (Class::AgentFile, Feature::AgentFile),
            (Class::Authority, Feature::Authority),
            (Class::Itself, Feature::Itself),
            (Class::Others, Feature::Others),
            (Class::Orders, Feature::Orders),
            (Class::Result, Feature::Result),
            (Class::Harm, Feature::Harm),
            (Class::Money, Feature::Money),
            (Class::Program, Feature::Program),
            (Class::Unbound, Feature::Unbound),
            (Class::Agent, Feature::Agent),
            (Class::Request, Feature::Request),
        ];
        for (class, feature) in plain {
            self.add_if(self.has(class), feature);
        }
        self.add_if(self.agrees(), Feature::Consent);
        let questions = (0..self.tokens.len()).any(|at| {
            self.token(at).is(Class::If)
                && (at + 1..at + 4).any(|near| self.token(near).is(Class::User))
                && (at + 1..at + 6).any(|near| self.token(near).is(Class::Question))
        });
        self.add_if(questions, Feature::Questioned);
        self.add_if(questions && self.found & Feature::Claim.bit() != 0, Feature::Covers);
        let unsaid = (0..self.tokens.len()).any(|at| {
            self.token(at).is(Class::Remark)
                && (at.saturating_sub(3)..at)
                    .any(|before| self.token(before).any(Class::Not.bit() | Class::Without.bit()))
        });
        self.add_if(unsaid, Feature::Hides);
        self.add_if(self.has(Class::Fret) && self.has(Class::User), Feature::Soothes);
        self.add_if(self.has(Class::Normal), Feature::Normal);
    }

    /// Whether what was done is to be given another name: `describe the result as "…"`.
    pub(super) fn relabels(&mut self, place: usize) {
        let named = (place + 1..place + 9).any(|at| {
            self.token(at).quoted
                && (place + 1..at)
                    .any(|before| self.token(before).any(Class::As.bit() | Class::By.bit() | Class::It.bit()))
        });
        let said = (place + 1..place + 5).any(|at| self.token(at).is(Class::User) && self.token(at + 1).quoted);
        self.add_if(named, Feature::Relabels);
        self.add_if(said, Feature::Scripts);
    }

    /// Whether the user decides: `after the user confirmed`, `with their consent`.
    fn agrees(&self) -> bool {
        (0..self.tokens.len()).any(|at| {
            let token = self.token(at);
            token.any(Class::Confirm.bit() | Class::Agree.bit())
                && !self.negated(at)
                && (at.saturating_sub(6)..at + 4).any(|near| self.token(near).is(Class::User))
                && (at.saturating_sub(6)..at).any(|near| {
                    self.token(near).any(Class::If.bit() | Class::First.bit() | Class::By.bit() | Class::Ask.bit())
                })
        })
    }
}
