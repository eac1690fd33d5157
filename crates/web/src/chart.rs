//! Use of a skill by day, as a drawing from the server with its numbers in a table beneath.

use std::collections::BTreeMap;

use kontor_registry::DayUse;
use kontor_types::Day;
use maud::{Markup, html};

use crate::Language;

/// How many days are drawn.
pub const DAYS: u32 = 30;
/// The size of the drawing: a day is 20 wide.
const WIDE: u64 = 600;
const HIGH: u64 = 120;

/// The last days up to `today`; what was not used at all is said in a sentence.
pub fn usage(language: Language, days: &[DayUse], today: Day) -> Markup {
    let used: BTreeMap<i64, (u64, u64)> =
        days.iter().map(|day| (day.day.number(), (day.downloads, day.installs))).collect();
    let first = today.number() - i64::from(DAYS) + 1;
    let drawn: Vec<(u64, u64)> =
        (first..=today.number()).map(|day| used.get(&day).copied().unwrap_or_default()).collect();
    let most = drawn.iter().map(|(downloads, installs)| *downloads.max(installs)).max().unwrap_or(0);
    let (downloads, installs) = drawn.iter().fold((0, 0), |sum, day| (sum.0 + day.0, sum.1 + day.1));
    let told = match language {
        Language::English => {
            format!("{} and {} in {DAYS} days", language.downloads(downloads), language.installs(installs))
        }
        Language::Chinese => format!("{DAYS} 天内 {}，{}", language.downloads(downloads), language.installs(installs)),
    };
    if most == 0 {
        return html! { p.faint { (language.pick("Nobody has used it in the last 30 days.", "最近 30 天没有人使用。")) } };
    }
    html! {
        figure.chart {
            figcaption { (told) }
            svg role="img" aria-label=(told) viewBox={ "0 0 " (WIDE) " " (HIGH) } preserveAspectRatio="none" {
                @for (place, (downloads, installs)) in (0_u64..).zip(&drawn) {
                    (bar("downloads", place * 20 + 2, *downloads, most))
                    (bar("installs", place * 20 + 10, *installs, most))
                }
            }
            p.small.faint { span.key.downloads {} (language.pick("downloads", "下载")) " " span.key.installs {} (language.pick("installs", "安装")) }
            details {
                summary { (language.pick("The numbers", "数据")) }
                table {
                    caption.hidden { (told) }
                    thead { tr {
                        th scope="col" { (language.pick("Day", "日期")) }
                        th.number scope="col" { (language.pick("Downloads", "下载")) }
                        th.number scope="col" { (language.pick("Installs", "安装")) }
                    } }
                    tbody { @for day in days.iter().rev() { tr {
                        th.day scope="row" { (day.day) } td.number { (day.downloads) } td.number { (day.installs) }
                    } } }
                }
            }
        }
    }
}

/// One bar, at least a hair high where there was any use.
fn bar(class: &str, at: u64, value: u64, most: u64) -> Markup {
    let high = (value.saturating_mul(HIGH) / most.max(1)).max(u64::from(value > 0) * 2);
    html! { @if value > 0 { rect class=(class) x=(at) y=(HIGH - high) width="7" height=(high) {} } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_without_use_keep_their_place_and_old_ones_are_left_out() {
        let today = Day::from(20_000);
        let used = |day, downloads, installs| DayUse { day: Day::from(day), downloads, installs };
        let days = [used(19_960, 900, 900), used(19_971, 4, 0), used(20_000, 2, 1)];
        let drawn = usage(Language::English, &days, today).into_string();
        assert_eq!(drawn.matches("<rect").count(), 3, "{drawn}");
        assert!(drawn.contains("6 downloads and 1 install in 30 days"), "{drawn}");
        assert!(drawn.contains(r#"x="2" y="0" width="7" height="120""#), "the most is as high as the drawing: {drawn}");
        assert!(drawn.contains(r#"x="582" y="60""#), "half as much is half as high, on the last day: {drawn}");
    }

    #[test]
    fn what_nobody_used_is_said_in_words() {
        let drawn = usage(Language::Chinese, &[], Day::from(20_000)).into_string();
        assert!(drawn.contains("没有人使用") && !drawn.contains("<svg"), "{drawn}");
    }
}
