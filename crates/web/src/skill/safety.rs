//! What the hub found in a version and decided about it, each finding at its file and line.

use kontor_registry::{Decision, DecisionOutcome, ScanFinding, Verdict};
use kontor_scan::Severity;
use maud::{Markup, html};

use super::Shown;
use crate::{Language, files};

/// The most findings that are shown at once; the others are behind a fold.
const FIRST: usize = 6;
/// The most that are shown at all.
const MOST: usize = 100;

/// The verdict, the decision with its reasons, and the evidence.
pub fn safety(language: Language, shown: &Shown) -> Markup {
    let (first, rest) = shown.evidence.split_at(shown.evidence.len().min(FIRST));
    html! {
        div.row {
            (badge(language, shown.verdict))
            @if let Some(decision) = &shown.decision { (decided(language, decision)) }
        }
        p { (verdict(language, shown.verdict)) }
        @if let Some(decision) = &shown.decision { (reasons(language, decision)) }
        @if !first.is_empty() {
            ol.findings { @for finding in first { li { (evidence(language, &shown.place, finding)) } } }
        }
        @if !rest.is_empty() {
            details {
                summary { (language.and_more(rest.len() as u64)) }
                ol.findings { @for finding in rest.iter().take(MOST) { li { (evidence(language, &shown.place, finding)) } } }
            }
        }
        @if !shown.unexamined.is_empty() {
            details {
                summary { (language.pick("What could not be examined", "未能检查的内容")) }
                ul { @for (file, reason) in shown.unexamined.iter().take(MOST) { li { code { (file) } " " span lang="en" { (reason) } } } }
            }
        }
    }
}

/// The verdict in a word.
pub fn badge(language: Language, verdict: Option<Verdict>) -> Markup {
    let (class, word) = match verdict {
        None => ("badge", language.pick("not scanned yet", "尚未扫描")),
        Some(Verdict::Clean) => ("badge good", language.pick("no harm found", "未发现危害")),
        Some(Verdict::Incomplete) => ("badge warn", language.pick("not fully examined", "未能完全检查")),
        Some(Verdict::Suspicious) => ("badge warn", language.pick("look before use", "使用前请查看")),
        Some(Verdict::Malicious) => ("badge bad", language.pick("harmful", "有害")),
    };
    html! { span class=(class) { (word) } }
}

fn verdict(language: Language, verdict: Option<Verdict>) -> &'static str {
    let words = language.words();
    match verdict {
        None => words.unscanned,
        Some(Verdict::Clean) => words.scanned_clean,
        Some(Verdict::Incomplete) => words.scanned_incomplete,
        Some(Verdict::Suspicious) => words.scanned_suspicious,
        Some(Verdict::Malicious) => words.scanned_malicious,
    }
}

/// What was decided, in a word.
pub fn decided(language: Language, decision: &Decision) -> Markup {
    let (class, word) = match decision.outcome {
        DecisionOutcome::Admit => ("badge good", language.pick("admitted", "已放行")),
        DecisionOutcome::Review => ("badge warn", language.pick("waits for a person", "等待人工审核")),
        DecisionOutcome::Quarantine => ("badge warn", language.pick("quarantined", "已隔离")),
        DecisionOutcome::Reject => ("badge bad", language.pick("rejected", "已拒绝")),
    };
    html! { span class=(class) { (word) } }
}

/// Why it was decided so.
pub fn reasons(language: Language, decision: &Decision) -> Markup {
    let told: Vec<(&str, &str)> = decision
        .reasons
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|reason| Some((reason["policy"].as_str()?, reason["text"].as_str()?)))
        .collect();
    html! {
        @if !told.is_empty() {
            p.small { (language.pick("Decided because:", "判定理由：")) }
            ul.small { @for (policy, text) in told { li { span lang="en" { (text) } " " span.faint { code { (policy) } } } } }
        }
    }
}

/// One finding: how grave, what and where, with its excerpt. `place` is the address of the version's page.
pub fn headline(language: Language, place: &str, finding: &ScanFinding) -> Markup {
    let (class, word) = match finding.severity {
        Severity::Critical => ("badge bad", language.pick("critical", "严重")),
        Severity::High => ("badge bad", language.pick("high", "高")),
        Severity::Medium => ("badge warn", language.pick("medium", "中")),
        Severity::Low => ("badge", language.pick("low", "低")),
        Severity::Info | Severity::None => ("badge", language.pick("note", "提示")),
    };
    html! {
        p {
            span class=(class) { (word) } " "
            bdi lang="en" { (finding.message) } " "
            @if !finding.file.is_empty() { (at(place, finding)) }
            @if finding.waived.is_some() { " " span.badge { (language.pick("waived", "已豁免")) } }
        }
        @if !finding.excerpt.is_empty() { pre tabindex="0" { code { (finding.excerpt) } } }
    }
}

/// The same, and what to do about it behind a fold.
pub fn evidence(language: Language, place: &str, finding: &ScanFinding) -> Markup {
    html! {
        (headline(language, place, finding))
        details lang="en" {
            summary lang=(language.tag()) { (language.pick("Why, and what to do", "原因与处理办法")) }
            p { (finding.why) }
            p { (finding.remedy) }
            p.faint { code { (finding.rule) } @if !finding.decoded.is_empty() { " · " (finding.decoded.join(" → ")) } }
        }
    }
}

/// The place of a finding, as a link to the line where the file can be shown.
fn at(place: &str, finding: &ScanFinding) -> Markup {
    let outer = finding.file.split('!').next().unwrap_or_default();
    let shown = if finding.line > 0 { format!("{}:{}", finding.file, finding.line) } else { finding.file.clone() };
    let is_inside = outer.len() < finding.file.len();
    let anchor = if finding.line > 0 && !is_inside { format!("#L{}", finding.line) } else { String::new() };
    html! { a href={ (files::address(place, outer)) (anchor) } { code { (shown) } } }
}
