//! How much memory a scan takes; a file of its own, so that nothing else runs in the process.

use std::fs;

use kontor_scan::Scanner;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

const SKILL: &str = "---\nname: a\ndescription: Does a thing.\n---\n# A\n\nText.\n";

#[test]
fn fifty_mebibytes_stay_below_three_hundred_megabytes() -> Result {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("SKILL.md"), SKILL)?;
    let prose = "Read the guide, then run the tests and send the report to the team. ".repeat(40);
    let code = "def add(a, b):\n    return requests.get('https://api.example.com/' + a).text + b\n\n";
    let mut written = 0usize;
    let mut number = 0;
    while written < 50 << 20 {
        let (name, text) = match number % 4 {
            0 => (format!("references/{number}.md"), format!("# Part\n\n{prose}\n\n").repeat(700)),
            1 => (format!("scripts/{number}.py"), code.repeat(11_000)),
            2 => (format!("data/{number}.json"), format!("[{}\"end\"]", "\"value\", ".repeat(200_000))),
            _ => (format!("data/{number}.txt"), "d2dldCAtcU8tIGh0dHA6Ly9leGFtcGxl\n".repeat(50_000)),
        };
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().ok_or("no folder")?)?;
        fs::write(path, &text)?;
        written += text.len();
        number += 1;
    }
    let report = Scanner::new()?.scan_path(folder.path())?;
    assert!(report.files > 20);
    if let Ok(status) = fs::read_to_string("/proc/self/status") {
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
        let kilobytes: u64 = most.trim().trim_end_matches(" kB").parse()?;
        assert!(kilobytes < 300_000, "{kilobytes} kB");
    }
    Ok(())
}
