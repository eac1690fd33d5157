//! What a sentence has kept from people, renamed or passed off as something else.

use super::{Clause, SECRETS};
use crate::intent::feature::Feature;
use crate::intent::lexicon::{Class, Form};
use crate::intent::words::{Gap, Token};

impl Clause<'_> {
    /// Orders to hide, to claim, to watch and to prefer.
    pub(super) fn deceives(&mut self, token: Token, objects: u128, place: usize) {
        let of = |class: Class| objects & class.bit() != 0;
        if token.is(Class::Hide) {
            let before = (place.saturating_sub(6)..place).fold(0, |all, at| all | self.token(at).classes);
            let step = of(Class::It) || of(Class::Step) || before & Class::It.bit() != 0;
            let from = (place + 1..place + 9).any(|at| self.token(at).is(Class::From));
            self.add_if(step && from && (of(Class::User) || of(Class::Answer)), Feature::HidesUser);
            self.add_if(step, Feature::Hides);
        }
        if token.is(Class::Leave) {
            let out = (place + 1..place + 9)
                .take_while(|at| self.token(*at).gap != Gap::Break)
                .find(|at| self.token(*at).is(Class::Out));
            if let Some(out) = out {
                let of_answer =
                    (out + 1..out + 4).any(|at| self.token(at).any(Class::Answer.bit() | Class::User.bit()));
                let step = (place + 1..out).any(|at| self.token(at).any(Class::It.bit() | Class::Step.bit()));
                self.add_if(step && of_answer, Feature::HidesUser);
                self.add_if(step || of_answer, Feature::Hides);
                let problem = (place + 1..out).any(|at| self.token(at).is(Class::Problem));
                self.add_if(problem, Feature::KeepsProblem);
            }
        }
        if token.is(Class::Claim) {
            self.add(Feature::Claim);
            self.relabels(place);
            self.add_if(of(Class::Success), Feature::ClaimsSuccess);
        }
        if token.is(Class::Watch) {
            self.add_if(
                of(Class::User) && (of(Class::Content) || of(Class::Every) || of(Class::All)),
                Feature::Watches,
            );
        }
        if token.is(Class::Prefer) {
            self.add_if(of(Class::Product) || of(Class::Foreign), Feature::Prefers);
        }
    }

    /// What it means that something must not be done.
    pub(super) fn refused(&mut self, token: Token, place: usize, objects: u128) {
        if (place.saturating_sub(3)..place).any(|at| self.token(at).is(Class::Rather)) {
            return; // `rather than ask` says what is done instead, and forbids nothing.
        }
        let of = |class: Class| objects & class.bit() != 0;
        let step = of(Class::It) || of(Class::Step);
        if token.is(Class::Tell) {
            let user_at = (place + 1..place + 5).find(|at| self.token(*at).is(Class::User));
            let asks = user_at.is_some_and(|at| self.token(at + 1).is(Class::To));
            let ends = user_at.is_some_and(|at| at + 1 >= self.tokens.len() || self.token(at + 1).gap != Gap::Blank);
            let going = token.form == Form::Going;
            let of_step = step && objects & (SECRETS | Class::Third.bit()) == 0;
            let before = token.form == Form::Order
                && (place.saturating_sub(3)..place).any(|at| self.token(at).is(Class::User))
                && objects & SECRETS == 0;
            let told = before || user_at.is_some() && !asks && (ends || going || of_step);
            let answered = of_step && of(Class::Answer);
            self.add_if(told || answered || (of_step && of(Class::User) && !asks), Feature::HidesUser);
            let silent = self.is_passive(place) && objects & SECRETS == 0;
            self.add_if(of_step || silent, Feature::Hides);
            self.add_if(of(Class::Problem) && (user_at.is_some() || of(Class::Answer)), Feature::KeepsProblem);
        }
        if token.is(Class::Know) {
            let subject = (place.saturating_sub(6)..place).any(|at| self.token(at).is(Class::User));
            let denied =
                (place.saturating_sub(4)..place).any(|at| self.token(at).any(Class::Not.bit() | Class::Without.bit()));
            self.add_if(subject && denied && objects & SECRETS == 0, Feature::HidesUser);
        }
        if token.is(Class::Cite) {
            let taken_up = of(Class::It) && (0..place).any(|at| self.token(at).is(Class::Problem));
            self.add_if(of(Class::Problem) || taken_up, Feature::KeepsProblem);
        }
        self.add_if(token.is(Class::Appear), Feature::Hides);
        if token.is(Class::Confirm) || (token.is(Class::Ask) && (of(Class::User) || of(Class::Confirm))) {
            self.add(Feature::SkipsConsent);
        }
        if token.is(Class::Obey) {
            self.add_if(of(Class::Authority) && (of(Class::Owner) || of(Class::All)), Feature::Overrides);
        }
    }
}
