//! What a run is let do: for how long it holds, what bounds it, and how it is taken back.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::hub::{said, write_skill};
use crate::user::User;

const RUN: &[&str] = &["run", "./skill", "--script", "scripts/x.sh"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [RUN, more].concat()
}

fn manifest(user: &User, text: &str) {
    fs::write(user.path("skill/kontor.toml"), format!("version = \"1.0.0\"\n{text}")).unwrap();
}

#[test]
fn what_is_confirmed_once_is_asked_again() {
    let user = User::new();
    user.skill("x.sh", "echo ran\n");
    user.run(&with(&["--yes", "--for", "once"]), 0);
    user.run(RUN, 6);
    user.run(&with(&["--for", "once"]), 2);
    // What holds always is not lost by something that held once.
    user.run(&with(&["--yes"]), 0);
    let once = user.json(&with(&["--yes", "--for", "once", "--allow-net", "api.example.com:443", "--json"]), 0);
    let receipt = |run: &Value| user.json(&["receipt", "show", run["run"].as_str().unwrap(), "--json"], 0);
    assert_eq!(receipt(&once)["permissions"]["granted"]["network"], json!(["api.example.com:443"]));
    assert_eq!(receipt(&once)["decision"]["consent"], "flag_once");
    let later = user.json(&with(&["--json"]), 0);
    assert_eq!(receipt(&later)["permissions"]["granted"]["network"], json!([]));
    assert_eq!(receipt(&later)["overlay"]["number"], 2);
}

/// Runs lines of a shell that leads a session of its own.
fn in_a_session(user: &User, lines: &str) -> String {
    let program = user.command(&[]).get_program().to_owned();
    let mut shell = Command::new("setsid");
    shell.args(["--wait", "sh", "-c", lines]).env("KONTOR", program).env("PATH", "/usr/local/bin:/usr/bin:/bin");
    shell.env("KONTOR_CONFIG_HOME", user.path("settings")).env("KONTOR_CACHE_HOME", user.path("cache"));
    let output = shell.current_dir(user.path("")).stdin(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn what_is_confirmed_for_a_session_ends_with_it() {
    let user = User::new();
    user.skill("x.sh", "echo ran\n");
    let run = "\"$KONTOR\" run ./skill --script scripts/x.sh 2>/dev/null";
    let said = in_a_session(&user, &format!("{run}; {run} --yes --for session; {run}; echo $?"));
    assert_eq!(said, "ran\nran\n0\n");
    let said = in_a_session(&user, &format!("{run}; echo $?; \"$KONTOR\" consent list"));
    assert!(said.starts_with("6\n") && said.contains("a session that is over"), "{said}");
}

#[test]
fn consents_are_listed_and_taken_back() {
    let user = User::new();
    assert_eq!(user.json(&["consent", "list", "--json"], 0), json!({"items": []}));
    user.skill("x.sh", "echo ran\n");
    user.run(&with(&["--yes", "--allow-net", "api.example.com:443"]), 0);
    // The bytes that it was confirmed for are not in the folder any more.
    fs::write(user.path("skill/scripts/x.sh"), "echo changed\n").unwrap();
    user.run(&with(&["--yes"]), 0);
    let listed = user.json(&["consent", "list", "--json"], 0);
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    let open = items.iter().find(|item| item["permissions"]["network"] == json!(["api.example.com:443"])).unwrap();
    assert_eq!((&open["skill"], &open["for"], &open["consent"]), (&json!("skill"), &json!("always"), &json!("flag")));
    let digest = open["digest"].as_str().unwrap();
    user.run(&["consent", "revoke", &digest[..7 + 10]], 0);
    assert_eq!(user.json(&["consent", "list", "--json"], 0)["items"].as_array().unwrap().len(), 1);
    user.run(&["consent", "revoke", digest], 6);
    user.run(RUN, 0);
    user.run(&["consent", "revoke", "skill"], 0);
    user.run(RUN, 6);
    user.run(&with(&["--yes"]), 0);
    user.run(&["consent", "revoke", "--all"], 0);
    user.run(RUN, 6);
    user.run(&["consent", "revoke"], 2);
}

#[test]
fn a_name_that_stands_for_many_hosts_grants_those_that_are_named() {
    let user = User::new();
    user.skill("x.sh", "echo ran\n");
    manifest(&user, "[permissions]\nnetwork = [\"*.example.com:443\"]\n");
    let first = user.run(&with(&["--yes"]), 0);
    assert!(said(&first).contains("every host below example.com, but only to those that you name"), "{}", said(&first));
    let named = user.json(&with(&["--allow-net", "api.example.com:443", "--json"]), 0);
    let receipt = user.json(&["receipt", "show", named["run"].as_str().unwrap(), "--json"], 0);
    assert_eq!(receipt["permissions"]["granted"]["network"], json!(["api.example.com:443"]));
    user.run(&with(&["--allow-net", "api.example.org:443"]), 6);
}

#[test]
fn no_run_gets_more_than_the_operator_allows() {
    let user = User::new();
    user.skill("x.sh", "echo ran\n");
    manifest(&user, "[permissions]\nnetwork = [\"api.example.com:443\", \"api.example.org:443\"]\n");
    fs::create_dir_all(user.path("settings")).unwrap();
    fs::write(user.path("settings/run.toml"), "network = [\"*.example.com:443\"]\ndisk = \"1MiB\"\n").unwrap();
    let first = user.run(&with(&["--yes", "--json"]), 0);
    let told = said(&first);
    assert!(told.contains("connect to api.example.com\n") && told.contains("at most 1 MiB"), "{told}");
    assert!(told.contains("connections to api.example.org:443: run.toml lets no run have them"), "{told}");
    let refused = user.run(&with(&["--yes", "--allow-net", "other.example:443"]), 6);
    assert!(
        said(&refused).contains("run.toml lets no run on this machine have other.example:443"),
        "{}",
        said(&refused)
    );
}

#[test]
fn a_run_that_fills_its_folder_is_ended() {
    let user = User::new();
    user.skill("x.sh", "for n in $(seq 40); do head -c 100000 /dev/zero > file$n; done\necho written\nsleep 60\n");
    let full = user.json(&with(&["--yes", "--disk", "1MiB", "--out", "out", "--json"]), 8);
    assert_eq!(full["exit"]["outcome"], "disk_limit", "{full:#}");
    let told = user.run(&["explain", full["run"].as_str().unwrap()], 0);
    assert!(String::from_utf8(told.stdout).unwrap().contains("because it wrote more than it may"));
    // What was given does not count.
    fs::write(user.path("large"), vec![1; 2 << 20]).unwrap();
    fs::write(user.path("skill/scripts/x.sh"), "sleep 1\ncat large | wc -c\n").unwrap();
    let output = user.run(&with(&["--yes", "--disk", "1MiB", "--file", "large"]), 0);
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "2097152");
}

#[test]
fn a_skill_that_names_what_it_reads_sees_that_and_its_program() {
    let user = User::new();
    user.skill("x.sh", "cd /skill && find . -type f | sort\n");
    for (path, text) in [("assets/a.txt", "a"), ("notes/n.txt", "n"), ("scripts/lib/l.sh", "l")] {
        fs::create_dir_all(user.path("skill").join(path).parent().unwrap()).unwrap();
        fs::write(user.path("skill").join(path), text).unwrap();
    }
    let every = String::from_utf8(user.run(&with(&["--yes"]), 0).stdout).unwrap();
    assert!(every.contains("./notes/n.txt"), "{every}");
    manifest(&user, "[permissions]\nread = [\"assets/\"]\n");
    let output = user.run(&with(&["--yes"]), 0);
    let named = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(named, "./SKILL.md\n./assets/a.txt\n./kontor.toml\n./scripts/lib/l.sh\n./scripts/x.sh\n");
    assert!(said(&output).contains("read its program and of its other files assets/"), "{}", said(&output));
}

#[test]
fn an_answer_that_does_not_fit_is_not_passed_on() {
    let user = User::new();
    write_skill(&user.path(""), "skill", "skill", "Text.");
    manifest(&user, "[[tool]]\nname = \"say\"\ncommand = [\"sh\", \"say.sh\"]\noutput = \"out.json\"\n");
    fs::write(user.path("skill/out.json"), json!({"type": "object", "required": ["n"]}).to_string()).unwrap();
    fs::write(user.path("skill/say.sh"), "echo working >&2\necho '{\"m\": 1}'\n").unwrap();
    let output = user.run(&["run", "./skill", "say", "--yes"], 8);
    assert!(output.stdout.is_empty() && said(&output).contains("working\n"), "{}", said(&output));
    fs::write(user.path("skill/say.sh"), "echo '{\"n\": 1}'\n").unwrap();
    assert_eq!(user.run(&["run", "./skill", "say", "--yes"], 0).stdout, b"{\"n\": 1}\n");
}

/// A registry of files, on a port of its own. Programs do not ask the proxy for 127.0.0.1, so it has another address.
struct Registry(Child, String);

impl Registry {
    fn start(user: &User) -> Self {
        let folder = user.path("registry");
        fs::create_dir(&folder).unwrap();
        let mut server = Command::new("python3");
        server.args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.2"]).current_dir(&folder);
        let mut server = server.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.split_whitespace().skip_while(|word| *word != "port").nth(1).unwrap();
        let address = format!("http://127.0.0.2:{port}");
        Self(server, address)
    }

    /// A package whose module is its own name.
    fn add(&self, user: &User, name: &str, mut facts: Value) {
        const PACK: &str = "import base64,hashlib,io,sys,tarfile\nout=io.BytesIO()\n\
            with tarfile.open(fileobj=out,mode='w:gz') as tar:\n for name,text in zip(sys.argv[2::2],sys.argv[3::2]):\n  \
            info=tarfile.TarInfo('package/'+name);info.size=len(text);tar.addfile(info,io.BytesIO(text.encode()))\n\
            open(sys.argv[1],'wb').write(out.getvalue())\n\
            print('sha512-'+base64.b64encode(hashlib.sha512(out.getvalue()).digest()).decode())\n";
        facts["name"] = json!(name);
        facts["version"] = json!("1.0.0");
        let archive = format!("{name}.tgz");
        let mut pack = Command::new("python3");
        pack.args(["-c", PACK]).arg(user.path("registry").join(&archive));
        pack.args(["package.json", &facts.to_string(), "index.js", &format!("module.exports = {name:?};\n")]);
        let integrity = String::from_utf8(pack.output().unwrap().stdout).unwrap();
        facts["dist"] = json!({"tarball": format!("{}/{archive}", self.1), "integrity": integrity.trim()});
        let document = json!({"name": name, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": facts}});
        fs::write(user.path("registry").join(name), document.to_string()).unwrap();
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_node_package_comes_with_what_only_this_system_needs() {
    let user = User::new();
    let registry = Registry::start(&user);
    registry.add(&user, "for-linux", json!({"os": ["linux"]}));
    registry.add(&user, "for-windows", json!({"os": ["win32"]}));
    let both = json!({"for-linux": "1.0.0", "for-windows": "1.0.0"});
    registry.add(&user, "main-thing", json!({"optionalDependencies": both}));
    user.skill("x.cjs", "console.log(require('main-thing'), require('for-linux'))\n");
    fs::write(user.path("skill/package.json"), json!({"dependencies": {"main-thing": "^1.0.0"}}).to_string()).unwrap();
    let run = |more: &[&str]| {
        let mut command = user.command(&[&["run", "./skill", "--script", "scripts/x.cjs"], more].concat());
        command.env("npm_config_registry", &registry.1).env("HOME", user.path("")).output().unwrap()
    };
    let first = run(&["--yes", "--json"]);
    assert_eq!(first.status.code(), Some(0), "{}", said(&first));
    let answer: Value = serde_json::from_slice(&first.stdout).unwrap();
    assert_eq!(answer["stdout"], "main-thing for-linux\n");
    let receipt = user.json(&["receipt", "show", answer["run"].as_str().unwrap(), "--json"], 0);
    let packages = receipt["dependencies"]["node"].as_array().unwrap();
    let names: Vec<_> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["for-linux", "main-thing"]);
    // When the layer is gone, exactly these are brought again.
    fs::remove_dir_all(user.path("cache")).unwrap();
    assert_eq!(String::from_utf8_lossy(&run(&[]).stdout), "main-thing for-linux\n");
}
