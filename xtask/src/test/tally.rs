//! Counts what test runners say at their end, whichever runner it is.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context as _, Result, bail};

use crate::shell;

/// What all runners together counted, and their own closing lines.
#[derive(Debug, Default)]
pub struct Tally {
    passed: u64,
    failed: u64,
    closing: Vec<String>,
}

impl Tally {
    /// Runs a test runner, shows what it says and remembers how it closes.
    pub fn run(&mut self, command: &mut Command) -> Result<()> {
        let line = shell::line(command);
        let mut runner = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {line}"))?;
        let (stdout, stderr) = (runner.stdout.take(), runner.stderr.take());
        let (before, tally) = (self.passed, Mutex::new(self));
        thread::scope(|scope| {
            scope.spawn(|| stdout.map(|stream| follow(stream, &tally)));
            scope.spawn(|| stderr.map(|stream| follow(stream, &tally)));
        });
        let status = runner.wait()?;
        if !status.success() {
            bail!("{line} ended with {status}");
        }
        if tally.into_inner().unwrap_or_else(PoisonError::into_inner).passed == before {
            bail!("{line} ran no test");
        }
        Ok(())
    }

    /// Counts what passed without a runner of its own, with what each says at its end.
    pub fn add(&mut self, closing: Vec<String>) {
        self.passed = self.passed.saturating_add(closing.len() as u64);
        self.closing.extend(closing);
    }

    /// Prints the closing lines again, so that they are the last that is seen, and the sum on a line of its own.
    pub fn close(&self) {
        println!();
        for line in &self.closing {
            println!("{line}");
        }
        println!("{} passed, {} failed", self.passed, self.failed);
    }

    fn read(&mut self, line: &str) {
        if let Some((passed, failed)) = counts(line) {
            self.passed = self.passed.saturating_add(passed);
            self.failed = self.failed.saturating_add(failed);
            self.closing.push(line.trim().to_owned());
        }
    }
}

fn follow(stream: impl Read, tally: &Mutex<&mut Tally>) {
    for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        tally.lock().unwrap_or_else(PoisonError::into_inner).read(&line);
    }
}

/// What a closing line says has passed and failed.
fn counts(line: &str) -> Option<(u64, u64)> {
    if let Some(rest) = line.strip_prefix("# ") {
        let (word, number) = rest.split_once(' ')?;
        let number = number.parse().ok()?;
        return match word {
            "pass" => Some((number, 0)),
            "fail" | "cancelled" => Some((0, number)),
            _ => None,
        };
    }
    // Indented, such a line is what nextest shows of one test's own output.
    if !(line.trim_start().starts_with("Summary [") || line.starts_with("test result: ")) {
        return None;
    }
    let failed = ["failed", "timed out", "exec failed"].iter().filter_map(|word| before(line, word)).sum();
    Some((before(line, "passed").unwrap_or_default(), failed))
}

/// The number right before a word.
fn before(line: &str, word: &str) -> Option<u64> {
    let mut parts = line.split([',', ';', ':', '.', '(']).map(str::trim);
    parts.find_map(|part| part.strip_suffix(word)?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::counts;

    #[test]
    fn closing_lines_are_understood() {
        for (line, expected) in [
            ("     Summary [   5.043s] 46 tests run: 46 passed, 0 skipped", Some((46, 0))),
            ("Summary [   2.890s] 20/46 tests run: 19 passed (2 slow), 1 failed, 0 skipped", Some((19, 1))),
            ("Summary [  60.001s] 3 tests run: 1 passed, 1 failed, 1 timed out, 2 skipped", Some((1, 2))),
            (
                "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.4s",
                Some((3, 0)),
            ),
            ("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out", Some((3, 2))),
            ("# pass 12", Some((12, 0))),
            ("# fail 1", Some((0, 1))),
            ("# tests 13", None),
            ("# Subtest: it passes", None),
            ("    test result: FAILED. 0 passed; 1 failed; 0 ignored", None),
            ("running 3 tests", None),
        ] {
            assert_eq!(counts(line), expected, "{line}");
        }
    }
}
