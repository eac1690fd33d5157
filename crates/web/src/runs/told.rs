//! Grants and receipts in plain words.

use kontor_package::NetworkGrant;
use kontor_runs::{Connection, Granted, Receipt, Sealed};
use maud::{Markup, html};

use crate::Language;
use crate::words::size;

/// The most names of a list that are shown.
const MOST: usize = 20;

/// What a run gets beside hosts and secrets, and of these, a line each.
pub fn grants(language: Language, granted: &Granted) -> Vec<Markup> {
    let own = if granted.read.is_empty() {
        language.pick("read the skill's own files, and change none of them", "读取技能自身的文件，但不能更改")
    } else {
        language.pick(
            "read the skill's program and those of its files that its author names, and change none of them",
            "读取技能的程序和作者指明的文件，但不能更改",
        )
    };
    let mut lines = vec![html! { (own) }];
    lines.push(match language {
        Language::English => html! { "write up to " (size(granted.disk)) " in an empty folder of its own" },
        Language::Chinese => html! { "在自己的空文件夹中最多写入 " (size(granted.disk)) },
    });
    if granted.network.is_empty() {
        lines.push(html! { (language.pick("no connection to anywhere", "不能连接任何网络")) });
    }
    lines.extend(granted.network.iter().map(|grant| connects(language, grant)));
    if granted.secrets.is_empty() {
        lines.push(html! { (language.pick("no password or key of yours", "不能读取您的任何密码或密钥")) });
    }
    lines.extend(
        granted.secrets.iter().map(|name| html! { (language.pick("read the secret ", "读取密钥 ")) code { (name) } }),
    );
    let (time, memory) = (time(language, granted.wall_ms), size(granted.memory));
    lines.push(match language {
        Language::English => html! { "take up to " (time) " and " (memory) " of memory" },
        Language::Chinese => html! { "最多用时 " (time) "，内存 " (memory) },
    });
    lines
}

/// That it may connect somewhere.
pub fn connects(language: Language, grant: &NetworkGrant) -> Markup {
    html! { (language.pick("connect to ", "连接 ")) code { (grant) } }
}

/// That hosts below a name can be granted.
pub fn below(language: Language, grant: &NetworkGrant) -> Markup {
    let name = grant.host().trim_start_matches("*.");
    html! {
        (language.pick("connect to hosts below ", "连接下列域名下的主机：")) code { (name) }
        (language.pick(", only to those that you name", "，仅限您指明的主机"))
    }
}

/// Milliseconds for people.
pub fn time(language: Language, milliseconds: u64) -> String {
    let tenths = |unit: u64| {
        let tenths = milliseconds.saturating_mul(10) / unit;
        if tenths.is_multiple_of(10) { format!("{}", tenths / 10) } else { format!("{}.{}", tenths / 10, tenths % 10) }
    };
    match milliseconds {
        0..1_000 => format!("{milliseconds} {}", language.pick("ms", "毫秒")),
        1_000..120_000 => format!("{} {}", tenths(1_000), language.pick("s", "秒")),
        120_000..7_200_000 => format!("{} {}", tenths(60_000), language.pick("min", "分钟")),
        _ => format!("{} {}", tenths(3_600_000), language.pick("h", "小时")),
    }
}

/// The beginning of a text that may be long.
pub fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A receipt, line by line: what is asked and what is answered.
pub fn receipt(language: Language, receipt: &Receipt) -> Vec<(&'static str, Markup)> {
    let mut lines = begun(language, receipt);
    let lost = receipt.exit.outcome == "lost";
    let (granted, refused): (Vec<&Connection>, Vec<&Connection>) =
        receipt.connections.iter().partition(|one| one.decision == "granted");
    lines.push((language.pick("What it connected to", "连接了什么"), connections(language, &granted, lost)));
    lines.push((language.pick("What it was refused", "被拒绝的内容"), connections(language, &refused, lost)));
    let packages = receipt.dependencies.python.iter().chain(&receipt.dependencies.node);
    let packages: Vec<String> = packages.map(|package| format!("{} {}", package.name, package.version)).collect();
    if !packages.is_empty() {
        lines.push((language.pick("Packages of others", "他人的软件包"), html! { (few(&packages)) }));
    }
    lines.push((language.pick("What went in", "输入"), sealed(language, &receipt.inputs)));
    lines.push((language.pick("What came out", "输出"), sealed(language, &receipt.outputs)));
    let left = receipt.left_behind.iter().map(|left| format!("{}: {}", left.name, left.reason));
    let left: Vec<String> = left.collect();
    if !left.is_empty() {
        lines.push((language.pick("Not kept", "未保留"), html! { span lang="en" { (few(&left)) } }));
    }
    for alarm in &receipt.alarms {
        let text = language
            .pick("a secret was found where it should not be, and was taken out: ", "在不应出现之处发现密钥，已删除：");
        let alarm = html! { b.bad { (text) code { (alarm.secret) } " · " bdi { (alarm.place) } } };
        lines.push((language.pick("Alarm", "警报"), alarm));
    }
    lines.extend(ended(language, receipt));
    lines
}

fn begun(language: Language, receipt: &Receipt) -> Vec<(&'static str, Markup)> {
    let (entry, decision) = (&receipt.entry, &receipt.decision);
    let version = entry.program_version.as_deref().unwrap_or_default();
    let what = html! {
        code { (entry.name) } " · " a href={ "/" (receipt.skill.name) } { (receipt.skill.name) } br;
        span.faint { (entry.program) " " (version) }
    };
    let why = html! {
        @if !decision.verdict.is_empty() {
            (language.pick("The scan found it ", "扫描结论：")) b { (verdict(language, &decision.verdict)) }
            (language.pick(". ", "。"))
        }
        (consent(language, &decision.consent))
    };
    let granted = html! { ul { @for line in grants(language, &receipt.permissions.granted) { li { (line) } } } };
    vec![
        (language.pick("What ran", "运行内容"), what),
        (language.pick("Its digest", "内容摘要"), html! { code { (receipt.skill.digest) } }),
        (language.pick("For whom", "为谁运行"), html! { bdi { (receipt.runner.person.as_deref().unwrap_or("—")) } }),
        (language.pick("Why it might run", "为何允许运行"), why),
        (language.pick("What it was granted", "获准内容"), granted),
    ]
}

fn ended(language: Language, receipt: &Receipt) -> [(&'static str, Markup); 4] {
    let (used, exit) = (&receipt.resources, &receipt.exit);
    let took = html! {
        (time(language, used.wall_ms)) " · " (language.pick("processor ", "处理器 ")) (time(language, used.cpu_ms))
        @if let Some(memory) = used.memory { " · " (language.pick("memory ", "内存 ")) (size(memory)) }
    };
    let free =
        language.pick("nothing: runs on this hub are counted, not charged", "无：本技能中心的运行只计次，不收费");
    let held = html! { (language.pick("the sandbox ", "沙箱 ")) code { (receipt.sandbox.tier) } };
    [
        (
            language.pick("How it ended", "如何结束"),
            html! { (ending(language, &exit.outcome, exit.code, exit.signal)) },
        ),
        (language.pick("How long it took", "用时"), took),
        (language.pick("What it cost", "费用"), html! { (free) }),
        (language.pick("What held it", "隔离方式"), held),
    ]
}

fn connections(language: Language, all: &[&Connection], lost: bool) -> Markup {
    let more = all.len().saturating_sub(MOST);
    html! {
        @if lost { (language.pick("not known", "未知")) }
        @else if all.is_empty() { (language.pick("nothing", "无")) }
        @else {
            ul { @for one in all.iter().take(MOST) { li {
                code { (one.host) ":" (one.port) } " "
                @if one.decision == "granted" {
                    span.faint { (size(one.sent)) (language.pick(" out, ", " 发出，")) (size(one.received)) (language.pick(" in", " 接收")) }
                } @else { span.faint lang="en" { (one.decision) } }
            } } }
            @if more > 0 { span.faint { (language.and_more(more as u64)) } }
        }
    }
}

fn sealed(language: Language, list: &[Sealed]) -> Markup {
    let names: Vec<String> = list.iter().map(|one| format!("{} ({})", one.name, size(one.size))).collect();
    html! { @if names.is_empty() { (language.pick("nothing", "无")) } @else { bdi { (few(&names)) } } }
}

fn few(names: &[String]) -> String {
    let more = names.len().saturating_sub(MOST);
    let shown = names.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} … +{more}") }
}

/// What a scan found, in a word.
fn verdict(language: Language, word: &str) -> &str {
    match word {
        "clean" => language.pick("harmless", "无害"),
        "suspicious" => language.pick("suspicious", "可疑"),
        "malicious" => language.pick("malicious", "恶意"),
        other => other,
    }
}

const fn consent(language: Language, word: &str) -> &'static str {
    match word.as_bytes() {
        b"declared" => language.pick("It got no more than its author declares.", "仅获得作者声明的内容。"),
        b"flag" => language
            .pick("Whoever started it agreed to more than its author declares.", "启动者同意了超出作者声明的内容。"),
        _ => language
            .pick("What goes beyond its author's words had been agreed to before.", "超出作者声明的内容此前已获同意。"),
    }
}

/// How a program ended.
pub fn ending(language: Language, outcome: &str, code: Option<i32>, signal: Option<i32>) -> String {
    let numbered = |english: &'static str, chinese: &'static str, number: i32| {
        format!("{} {number}", language.pick(english, chinese))
    };
    let text =
        match (outcome, code, signal) {
            ("done", ..) => language.pick("it ended well", "正常结束"),
            ("failed", Some(code), _) => return numbered("its program failed with code", "程序失败，代码", code),
            ("time_limit", ..) => language.pick("it was ended because its time was over", "因超时被终止"),
            ("disk_limit", ..) => language.pick("it was ended because it wrote more than it may", "因写入过多被终止"),
            ("memory_limit", ..) => language.pick("it was ended because it wanted too much memory", "因内存过多被终止"),
            ("cancelled", ..) => language.pick("it was cancelled", "已取消"),
            ("output_refused", ..) => language
                .pick("it ended, but its answer is not what the tool promises", "已结束，但结果不符合工具的约定"),
            ("lost", ..) => language
                .pick("the machine that ran it was lost; how it ended is not known", "运行它的机器失联，结果未知"),
            (_, _, Some(signal)) => return numbered("it was ended by signal", "被信号终止：", signal),
            (other, ..) => other,
        };
    text.to_owned()
}
