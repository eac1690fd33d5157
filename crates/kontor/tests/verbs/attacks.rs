//! What a skill, its packages and the folder that one stands in try against whoever runs it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::hub::said;
use crate::user::User;

const RUN: [&str; 6] = ["run", "./skill", "--script", "scripts/x.py", "--yes", "--json"];

/// A source distribution in `folder` whose build back end runs `attack` before it makes its wheel.
fn distribution(folder: &Path, attack: &str) {
    let backend = format!(
        "import os, zipfile\ndef build_wheel(folder, config_settings=None, metadata_directory=None):\n    {attack}\n    \
         name = 'demothing-1.0-py3-none-any.whl'\n    with zipfile.ZipFile(os.path.join(folder, name), 'w') as wheel:\n        \
         wheel.writestr('demothing.py', 'WORD = \"here\"\\n')\n        base = 'demothing-1.0.dist-info/'\n        \
         wheel.writestr(base + 'METADATA', 'Metadata-Version: 2.1\\nName: demothing\\nVersion: 1.0\\n')\n        \
         wheel.writestr(base + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n        \
         wheel.writestr(base + 'RECORD', '')\n    return name\n"
    );
    let tree = folder.join("demothing-1.0");
    fs::create_dir_all(&tree).unwrap();
    let project = "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n\
                   [project]\nname = \"demothing\"\nversion = \"1.0\"\n";
    fs::write(tree.join("pyproject.toml"), project).unwrap();
    fs::write(tree.join("PKG-INFO"), "Metadata-Version: 2.1\nName: demothing\nVersion: 1.0\n").unwrap();
    fs::write(tree.join("backend.py"), backend).unwrap();
    let packed =
        Command::new("tar").args(["-czf", "demothing-1.0.tar.gz", "demothing-1.0"]).current_dir(folder).status();
    assert!(packed.unwrap().success());
    fs::remove_dir_all(&tree).unwrap();
}

fn with_packages(user: &User, more: &[&str]) -> Output {
    let mut command = user.command(&[&RUN[..], more].concat());
    command.env("PIP_NO_INDEX", "1").env("PIP_FIND_LINKS", user.path("packages")).output().unwrap()
}

fn answer(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", said(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn nothing_in_the_folder_that_one_stands_in_runs_outside_of_the_sandbox() {
    let user = User::new();
    user.skill(
        "x.py",
        "# /// script\n# dependencies = [\"demothing\"]\n# ///\nimport demothing\nprint(demothing.WORD)\n",
    );
    fs::create_dir(user.path("packages")).unwrap();
    distribution(&user.path("packages"), "pass");
    let mark = user.path("mark");
    for module in ["pip.py", "json.py", "site.py", "encodings.py"] {
        let text = format!("open({:?}, 'a').write('{module} ran\\n')\n", mark.to_str().unwrap());
        fs::write(user.path(module), text).unwrap();
    }
    let ran = answer(&with_packages(&user, &["--install-scripts"]));
    assert_eq!(ran["stdout"], "here\n");
    assert!(!mark.exists(), "{}", fs::read_to_string(&mark).unwrap_or_default());
}

#[test]
fn what_builds_a_package_writes_and_shows_nothing_of_the_machine() {
    let user = User::new();
    user.skill(
        "x.py",
        "# /// script\n# dependencies = [\"demothing\"]\n# ///\nimport os\nprint(sorted(os.listdir('/layer/python')))\n",
    );
    fs::create_dir_all(user.path("packages")).unwrap();
    fs::create_dir(user.path("home")).unwrap();
    fs::write(user.path("home/secret"), "secret").unwrap();
    fs::write(user.path("victim"), "untouched").unwrap();
    let (victim, home) = (user.path("victim"), user.path("home"));
    let attack = format!(
        "[os.symlink({:?}, '/work/' + n) for n in ('locked.txt', 'lock.json', 'requirements.txt', 'package.json')]; \
         [os.symlink({:?}, '/work/' + n) for n in ('python', 'node_modules', 'layer', 'unpack')]",
        victim.to_str().unwrap(),
        home.to_str().unwrap(),
    );
    distribution(&user.path("packages"), &attack);
    let ran = answer(&with_packages(&user, &["--install-scripts"]));
    assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
    let shown = ran["stdout"].as_str().unwrap();
    assert!(shown.contains("demothing.py") && !shown.contains("secret"), "{shown}");
    let receipt = user.json(&["receipt", "show", ran["run"].as_str().unwrap(), "--json"], 0);
    assert_eq!(receipt["dependencies"]["install_scripts"], true);
}

#[test]
fn wheels_that_are_a_link_are_not_taken() {
    let user = User::new();
    user.skill("x.py", "# /// script\n# dependencies = [\"demothing\"]\n# ///\nprint(1)\n");
    fs::create_dir_all(user.path("packages")).unwrap();
    let attack = format!("os.symlink({:?}, '/work/wheels')", user.path("packages").to_str().unwrap());
    distribution(&user.path("packages"), &attack);
    let refused = with_packages(&user, &["--install-scripts"]);
    assert_ne!(refused.status.code(), Some(0), "{}", said(&refused));
}

#[test]
fn a_program_of_ones_own_shows_nothing_beside_itself() {
    let user = User::new();
    let home = user.path("home");
    fs::create_dir_all(home.join("bin")).unwrap();
    for name in ["bin/key", "key"] {
        fs::write(home.join(name), "PRIVATE").unwrap();
    }
    let script = format!("cat {0}/key {0}/bin/key 2>/dev/null\necho done\n", home.display());
    for (name, file) in [("node", "x.js"), ("ruby", "x.rb"), ("ksh", "x.ksh")] {
        let program = home.join("bin").join(name);
        fs::write(&program, "#!/bin/sh\nif [ \"$1\" = --version ]; then echo v22.20.0; else exec /bin/sh \"$1\"; fi\n")
            .unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        user.skill(file, &format!("#!/usr/bin/env {name}\n{script}"));
        let path = format!("{}:{}", home.join("bin").display(), std::env::var("PATH").unwrap());
        let mut command = user.command(&["run", "./skill", "--script", &format!("scripts/{file}"), "--yes", "--json"]);
        let ran = answer(&command.env("PATH", path).env("HOME", &home).output().unwrap());
        assert_eq!(ran["stdout"], "done\n", "{name}");
    }
}
