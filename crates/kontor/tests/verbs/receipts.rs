//! `kontor run`, `receipt` and `explain`: skills that work inside the sandbox and leave a receipt.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::hub::{Hub, said, write_skill};
use crate::user::{User, starter};

#[test]
fn a_typed_tool_runs_on_a_transcript_and_its_receipt_holds_without_a_network() {
    let user = User::new();
    let skill = starter("meeting-minutes");
    let target = skill.to_str().unwrap();
    let input = skill.join("examples/extract-weekly.in.json");
    let answer = user.json(&["run", target, "extract", "--input", input.to_str().unwrap(), "--yes", "--json"], 0);
    let expected: Value =
        serde_json::from_slice(&fs::read(skill.join("examples/extract-weekly.out.json")).unwrap()).unwrap();
    assert_eq!(answer["answer"], expected);
    assert_eq!(answer["exit"], json!({"outcome": "done", "code": 0}));

    let receipt = User::receipt(&answer);
    let receipt = receipt.to_str().unwrap();
    let given = ["--skill", target, "--with", input.to_str().unwrap(), "--json"];
    let checked = user.json(&[&["receipt", "verify", receipt][..], &given].concat(), 0);
    let outcomes: Vec<_> = checked["checks"].as_array().unwrap().iter().map(|check| check["outcome"].clone()).collect();
    assert!(outcomes.iter().all(|outcome| outcome == "passed"), "{checked:#}");

    // Somebody else believes it only with the runner's key, got by another way.
    let key = String::from_utf8(user.run(&["receipt", "key"], 0).stdout).unwrap();
    let stranger = User::new();
    stranger.json(&["receipt", "verify", receipt, "--json"], 1);
    stranger.json(&["receipt", "verify", receipt, "--key", key.trim(), "--json"], 0);
    let mut forged: Value = serde_json::from_slice(&fs::read(receipt).unwrap()).unwrap();
    let payload = forged["payload"].as_str().unwrap().to_owned();
    forged["payload"] = json!(payload.replacen('A', "B", 1));
    fs::write(user.path("forged.json"), forged.to_string()).unwrap();
    let output = user.command(&["receipt", "verify", "forged.json"]).output().unwrap();
    assert_ne!(output.status.code(), Some(0));

    let run = answer["run"].as_str().unwrap();
    let told = String::from_utf8(user.run(&["explain", run], 0).stdout).unwrap();
    assert!(told.contains("the tool `extract`") && told.contains("It connected to nothing."), "{told}");
    // The second run is not asked about.
    user.json(&["run", target, "extract", "--input", input.to_str().unwrap(), "--json"], 0);
}

#[test]
fn a_tool_takes_and_gives_only_what_fits_its_schemas() {
    let user = User::new();
    write_skill(&user.path(""), "skill", "skill", "Text.");
    let manifest =
        "[[tool]]\nname = \"say\"\ncommand = [\"sh\", \"say.sh\"]\ninput = \"in.json\"\noutput = \"out.json\"\n";
    let number = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}).to_string();
    let files =
        [("kontor.toml", manifest), ("in.json", number.as_str()), ("out.json", number.as_str()), ("say.sh", "cat\n")];
    for (name, text) in files {
        fs::write(user.path("skill").join(name), text).unwrap();
    }
    for (input, code) in [("{\"n\": 1}", 0), ("{\"n\": \"one\"}", 6), ("no json", 6)] {
        fs::write(user.path("in.json"), input).unwrap();
        user.json(&["run", "./skill", "--input", "in.json", "--yes", "--json"], code);
    }
    fs::write(user.path("skill/say.sh"), "echo '{\"n\": null}'\n").unwrap();
    fs::write(user.path("in.json"), "{\"n\": 1}").unwrap();
    let answer = user.json(&["run", "./skill", "--input", "in.json", "--yes", "--json"], 8);
    assert_eq!(answer["exit"]["outcome"], "output_refused");
    assert_eq!(answer["answer"], Value::Null);
}

#[test]
fn before_somebody_has_said_yes_a_script_is_only_tried_with_nothing_granted_and_nothing_kept() {
    let user = User::new();
    let mark = user.path("mark");
    let script = format!("touch {} skill/x 2>/dev/null; echo ran\n", mark.display());
    user.skill("x.sh", &script);
    let refused = user.run(&["run", "./skill", "--script", "scripts/x.sh"], 6);
    assert!(!String::from_utf8_lossy(&refused.stdout).contains("ran"));
    assert!(said(&refused).contains("was tried once with `--help` and nothing granted"), "{}", said(&refused));
    assert!(!mark.exists(), "the trial reaches nothing of the machine");
    assert!(said(&refused).contains("no connection to anywhere"), "{}", said(&refused));
    assert!(!user.path("settings/runs").exists());
    let ran = user.run(&["run", "./skill", "--script", "scripts/x.sh", "--yes"], 0);
    assert_eq!(ran.stdout, b"ran\n");
    // What was confirmed covers this version only, and only that much.
    user.run(&["run", "./skill", "--script", "scripts/x.sh"], 0);
    user.run(&["run", "./skill", "--script", "scripts/x.sh", "--allow-net", "api.example.com:443"], 6);
    fs::write(user.path("skill/scripts/x.sh"), "echo changed\n").unwrap();
    user.run(&["run", "./skill", "--script", "scripts/x.sh"], 6);
    user.run(&["run", "./skill", "--script", "scripts/x.sh", "--yes"], 0);
    user.run(&["run", "./skill", "--forget"], 0);
    user.run(&["run", "./skill", "--script", "scripts/x.sh"], 6);
    user.run(&["run", "./skill", "--script", "scripts/no.sh", "--yes"], 5);
    user.run(&["run", "./skill", "no-such-tool", "--yes"], 5);
}

#[test]
fn files_go_in_and_come_out_and_links_stay_behind() {
    let user = User::new();
    user.skill(
        "x.py",
        "import os, sys\nrows = open('in.csv').read().splitlines()\nos.makedirs('made/deep')\n\
         open('made/deep/out.csv', 'w').write('\\n'.join(reversed(rows)))\nos.symlink('/etc/passwd', 'link')\n\
         os.link('in.csv', 'twice')\nprint(sys.argv[1:])\n",
    );
    fs::write(user.path("in.csv"), "a\nb\nc").unwrap();
    let run = [
        "run",
        "./skill",
        "--script",
        "scripts/x.py",
        "--file",
        "in.csv",
        "--out",
        "out",
        "--yes",
        "--json",
        "--",
        "one",
        "two words",
    ];
    let answer = user.json(&run, 0);
    assert_eq!(fs::read_to_string(user.path("out/made/deep/out.csv")).unwrap(), "c\nb\na");
    assert!(!user.path("out/link").exists() && !user.path("out/twice").exists());
    assert_eq!(answer["stdout"], "['one', 'two words']\n");
    let left: Vec<_> = answer["left_behind"].as_array().unwrap().iter().map(|left| left["name"].clone()).collect();
    assert!(left.contains(&json!("link")), "{answer:#}");
    let receipt = User::receipt(&answer);
    let receipt = receipt.to_str().unwrap();
    user.json(&["receipt", "verify", receipt, "--with", "out/made/deep/out.csv", "--with", "in.csv", "--json"], 0);
    fs::write(user.path("other"), "x").unwrap();
    user.json(&["receipt", "verify", receipt, "--with", "other", "--json"], 1);
}

#[test]
fn a_run_has_no_environment_no_network_and_cannot_change_the_skill() {
    let user = User::new();
    user.skill(
        "x.py",
        "import os, socket\nprint('CANARY' in ''.join(os.environ.values()))\n\
         try:\n    socket.create_connection(('127.0.0.1', 1), 2)\nexcept OSError as error:\n    print('no network')\n\
         try:\n    open(__file__, 'a')\nexcept OSError:\n    print('read-only')\n",
    );
    let before = fs::read(user.path("skill/scripts/x.py")).unwrap();
    let mut command = user.command(&["run", "./skill", "--script", "scripts/x.py", "--yes"]);
    let output = command.env("SOME_SECRET", "CANARY-in-the-environment").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "False\nno network\nread-only\n", "{}", said(&output));
    assert_eq!(fs::read(user.path("skill/scripts/x.py")).unwrap(), before);
}

#[test]
fn a_granted_secret_comes_out_in_no_form_and_rings_the_alarm() {
    let user = User::new();
    user.skill(
        "x.py",
        "import base64, os\nvalue = os.environ['EXAMPLE_TOKEN']\nprint('plain', value)\n\
         print('base64', base64.b64encode(b'x' + value.encode()).decode())\nprint('hex', value.encode().hex())\n\
         open('leak.txt', 'w').write(value)\nopen('fine.txt', 'w').write('fine')\n",
    );
    let run =
        ["run", "./skill", "--script", "scripts/x.py", "--secret", "EXAMPLE_TOKEN", "--out", "out", "--yes", "--json"];
    user.run(&run, 2);
    let value = "s3cr3t-value-of-the-token";
    let output = user.command(&run).env("EXAMPLE_TOKEN", value).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let shown = answer["stdout"].as_str().unwrap();
    assert!(shown.starts_with("plain [secret EXAMPLE_TOKEN]\n"), "{shown}");
    assert_eq!(shown.matches("[secret EXAMPLE_TOKEN]").count(), 3, "{shown}");
    assert!(!output.stdout.windows(value.len()).any(|part| part == value.as_bytes()));
    assert!(user.path("out/fine.txt").exists() && !user.path("out/leak.txt").exists());
    let forms: Vec<_> = answer["alarms"].as_array().unwrap().iter().map(|alarm| alarm["form"].clone()).collect();
    assert_eq!(forms, ["base64", "hex", "plain", "plain"]);
    // A secret that nobody grants is not there.
    fs::write(user.path("skill/scripts/x.py"), "import os\nprint(os.environ.get('EXAMPLE_TOKEN'))\n").unwrap();
    let run = ["run", "./skill", "--script", "scripts/x.py", "--yes"];
    let output = user.command(&run).env("EXAMPLE_TOKEN", value).output().unwrap();
    assert_eq!(output.stdout, b"None\n", "{}", said(&output));
}

#[test]
fn a_program_that_fails_or_takes_too_long_leaves_a_receipt_too() {
    let user = User::new();
    user.skill("x.sh", "echo before\n[ -z \"$1\" ] || exec sleep 60\nexit 3\n");
    let failed = user.json(&["run", "./skill", "--script", "scripts/x.sh", "--yes", "--json"], 8);
    assert_eq!(failed["exit"], json!({"outcome": "failed", "code": 3}));
    let late = user.json(&["run", "./skill", "--script", "scripts/x.sh", "--wall", "3s", "--json", "--", "sleep"], 8);
    assert_eq!(late["exit"]["outcome"], "time_limit");
    assert_eq!(late["stdout"], "before\n");
    user.json(&["receipt", "verify", User::receipt(&late).to_str().unwrap(), "--json"], 0);
}

/// What a script says, and a sleep that no other program has.
const SLEEPS: &str = "[ -z \"$1\" ] || exit\necho working\necho words > kept.txt\nexec sleep 86399.125\n";

/// The one process that this one started.
fn child_of(parent: u32) -> i32 {
    let stat = |entry: fs::DirEntry| fs::read_to_string(entry.path().join("stat")).ok();
    let stats = fs::read_dir("/proc").unwrap().flatten().filter_map(stat);
    let mut children = stats.filter_map(|stat| {
        let (name, rest) = stat.rsplit_once(')')?;
        (rest.split_whitespace().nth(1)? == parent.to_string()).then(|| name.split(' ').next()?.parse().ok())?
    });
    children.next().unwrap()
}

/// Programs that run with this among their words.
fn running(word: &str) -> usize {
    let lines =
        fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| line.split(|byte| *byte == 0).any(|one| one == word.as_bytes())).count()
}

/// Folders of groups that a launcher made.
fn groups(folder: &Path, launcher: i32) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let own = format!("kontor-run-{launcher}-");
    folders
        .map(|entry| {
            usize::from(entry.file_name().to_string_lossy().starts_with(&own)) + groups(&entry.path(), launcher)
        })
        .sum()
}

#[test]
fn a_run_whose_launcher_is_killed_says_so_in_a_signed_receipt_and_leaves_nothing() {
    for (tier, seconds) in [("full", "86399.125"), ("landlock", "86399.25")] {
        let user = User::new();
        user.skill("x.sh", &SLEEPS.replace("86399.125", seconds));
        let mut command = user.command(&["run", "./skill", "--script", "scripts/x.sh", "--yes", "--tier", tier]);
        command.args(["--out", "out"]).env("TMPDIR", user.path(""));
        let mut held = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = [0; 8];
        held.stdout.as_mut().unwrap().read_exact(&mut said).unwrap();
        assert_eq!(&said, b"working\n");
        let launcher = child_of(held.id());
        kill(Pid::from_raw(launcher), Signal::SIGKILL).unwrap();
        let output = held.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(8), "{tier}: {output:?}");
        assert_eq!((running(seconds), groups(Path::new("/sys/fs/cgroup"), launcher)), (0, 0), "{tier}");
        let left: Vec<_> = fs::read_dir(user.path("")).unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("kontor-")), "{tier}: {left:?}");
        assert!(!Path::new("/tmp").join(format!("kontor-ground-{launcher}-0")).exists(), "{tier}");

        let runs = user.json(&["receipt", "list", "--json"], 0);
        let run = runs["items"][0]["run"].as_str().unwrap();
        let receipt = user.json(&["receipt", "show", run, "--json"], 0);
        assert_eq!(receipt["exit"], json!({"outcome": "lost"}), "{tier}");
        assert_eq!(receipt["sandbox"]["tier"], tier);
        assert_eq!(fs::read_to_string(user.path("out/kept.txt")).unwrap(), "words\n");
        user.json(&["receipt", "verify", run, "--with", "out/kept.txt", "--json"], 0);
        let told = String::from_utf8(user.run(&["explain", run], 0).stdout).unwrap();
        assert!(
            told.contains("was lost, so how it ended") && told.contains("What it connected to is not known"),
            "{told}"
        );
    }
}

#[test]
fn a_run_in_the_weaker_tier_that_was_asked_for_says_so() {
    let user = User::new();
    user.skill(
        "x.py",
        "import os, socket\nopen('made.txt', 'w').write('words')\n\
         try:\n    socket.socket()\nexcept OSError:\n    print('no network')\n\
         try:\n    open(__file__, 'a')\nexcept OSError:\n    print('read-only')\n",
    );
    let run = ["run", "./skill", "--script", "scripts/x.py", "--tier", "landlock", "--json", "--out", "out"];
    let refused =
        user.command(&[&run[..], &["--allow-net", "api.example.com:443", "--yes"]].concat()).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(said(&refused).contains("in the tier `landlock` no network can be granted"), "{}", said(&refused));
    let asked = user.run(&run, 6);
    assert!(said(&asked).contains("names, sizes and times of all files"), "{}", said(&asked));

    let answer = user.json(&[&run[..], &["--yes"]].concat(), 0);
    assert_eq!(answer["stdout"], "no network\nread-only\n");
    assert_eq!(fs::read_to_string(user.path("out/made.txt")).unwrap(), "words");
    let run = answer["run"].as_str().unwrap();
    let receipt = user.json(&["receipt", "show", run, "--json"], 0);
    assert_eq!(receipt["sandbox"]["tier"], "landlock");
    let layers: Vec<&str> = receipt["sandbox"]["layers"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(layers.contains(&"without namespaces") && layers.contains(&"without a root of its own"), "{layers:?}");
    user.json(&["receipt", "verify", run, "--json"], 0);
    let told = String::from_utf8(user.run(&["explain", run], 0).stdout).unwrap();
    assert!(told.contains("a weaker tier that was asked for"), "{told}");
}

#[test]
fn packages_come_from_a_locked_layer_and_stand_in_the_receipt() {
    let user = User::new();
    user.skill(
        "x.py",
        "# /// script\n# dependencies = [\"little-thing\"]\n# ///\nimport little_thing\nprint(little_thing.WORD)\n",
    );
    let wheels = user.path("wheels");
    fs::create_dir(&wheels).unwrap();
    let program = "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], 'w') as wheel:\n    wheel.writestr('little_thing.py', 'WORD = \"here\"\\n')\n    \
                base = 'little_thing-1.0.dist-info/'\n    wheel.writestr(base + 'METADATA', 'Metadata-Version: 2.1\\nName: little-thing\\nVersion: 1.0\\n')\n    \
                wheel.writestr(base + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n    \
                wheel.writestr(base + 'RECORD', '')\n";
    let made =
        Command::new("python3").args(["-c", program]).arg(wheels.join("little_thing-1.0-py3-none-any.whl")).status();
    assert!(made.unwrap().success());
    let run = |more: &[&str]| {
        let mut command = user.command(&[&["run", "./skill", "--script", "scripts/x.py"][..], more].concat());
        command.env("PIP_NO_INDEX", "1").env("PIP_FIND_LINKS", &wheels).output().unwrap()
    };
    let first = run(&["--yes", "--json"]);
    assert_eq!(first.status.code(), Some(0), "{}", said(&first));
    let answer: Value = serde_json::from_slice(&first.stdout).unwrap();
    assert_eq!(answer["stdout"], "here\n");
    let shown = user.json(&["receipt", "show", answer["run"].as_str().unwrap(), "--json"], 0);
    let package = &shown["dependencies"]["python"][0];
    assert_eq!((&package["name"], &package["version"]), (&json!("little-thing"), &json!("1.0")));
    assert!(package["hashes"][0].as_str().unwrap().starts_with("sha256:"));
    // The layer is there, so the folder of wheels is not needed again; when the layer is gone, another wheel is refused.
    fs::write(wheels.join("little_thing-1.0-py3-none-any.whl"), "changed").unwrap();
    assert_eq!(run(&[]).stdout, b"here\n");
    fs::remove_dir_all(user.path("cache")).unwrap();
    let refused = run(&[]);
    assert_eq!(refused.status.code(), Some(6), "{}", said(&refused));
}

#[test]
fn a_skill_of_a_hub_runs_as_its_policy_permits() {
    let hub = Hub::start_with(tempfile::tempdir().unwrap(), &[], &[]);
    let input = starter("shopping-advisor").join("examples/compare-water.in.json");
    let run = ["run", "@kontor/shopping-advisor", "compare", "--input", input.to_str().unwrap(), "--yes"];
    let answer = hub.json(&run, 0);
    assert_eq!(answer["skill"]["name"], "@kontor/shopping-advisor@1.1.0");
    assert_eq!(answer["skill"]["registry"], hub.url.as_str());
    let receipt = hub.json(&["receipt", "show", answer["run"].as_str().unwrap()], 0);
    assert_eq!(receipt["decision"]["by"], "hub");
    let skill = starter("shopping-advisor");
    let checked =
        hub.json(&["receipt", "verify", answer["run"].as_str().unwrap(), "--skill", skill.to_str().unwrap()], 0);
    assert_eq!(checked["holds"], true);
    let balanced = hub.command(&["policy", "show", "balanced"]).output().unwrap().stdout;
    let forbidden =
        "@id(\"no-runs\")\n@reason(\"nothing runs here\")\nforbid (principal, action == Action::\"run\", resource);\n";
    let file = hub.folder.path().join("policy.cedar");
    fs::write(&file, [balanced, forbidden.into()].concat()).unwrap();
    hub.json(&["policy", "set", file.to_str().unwrap()], 0);
    let (code, told) = hub.complaint(Path::new("."), &run);
    assert_eq!(code, 6, "{told}");
    assert!(told.contains("nothing runs here"), "{told}");
}
