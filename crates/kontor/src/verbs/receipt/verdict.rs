//! What came of checking a receipt, told on the terminal.

use kontor_translog::Report;
use kontor_types::Check;
use serde_json::{Value, json};

use crate::session::Session;
use crate::terminal::plain;
use crate::verbs::proof::{keys_known, outcome, show_checks};

/// The checks of a receipt, and those of the proof that it is in a log where there is one.
pub struct Verdict<'a> {
    /// Of the receipt itself.
    pub checks: &'a [Check],
    /// Of its proof.
    pub logged: Option<&'a Report>,
}

impl Verdict<'_> {
    /// Whether all of it holds and somebody who is believed signed.
    pub fn holds(&self) -> bool {
        Check::all_hold(self.checks) && self.logged.is_none_or(Report::holds)
    }

    /// Tells each check and what came of all. `about` names the receipt for programs, `word` says for people what stays the word
    /// of whoever signed it.
    pub fn tell(&self, mut about: Value, word: &str, session: &Session) {
        let (terminal, held) = (&session.terminal, self.holds());
        if terminal.json {
            about["holds"] = json!(held);
            about["checks"] = json!(self.checks);
            if let Some(report) = self.logged {
                let known = keys_known(report);
                about["log"] = json!({ "holds": report.holds(), "keys_known": known, "checks": report.checks });
            }
            terminal.json(&about);
            return;
        }
        for check in self.checks {
            let (style, word) = outcome(check.outcome);
            terminal.data(&format!("{:<12} {}: {}", check.name, terminal.paint(style, word), plain(&check.detail)));
        }
        if let Some(report) = self.logged {
            show_checks(report, 1, session);
        }
        let text = if held { format!("the receipt holds; {word}") } else { "the receipt does not hold".to_owned() };
        terminal.data(&text);
    }
}
