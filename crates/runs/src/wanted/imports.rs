use std::collections::BTreeSet;

use kontor_package::Content;

use super::text;

/// The most files of a skill that are followed from one script.
const MOST: usize = 60;

/// The first parts of modules that a Python script imports at its top level, over the skill's own modules, without those that
/// come with the interpreter.
pub fn python(content: &Content, path: &str, own: &BTreeSet<String>) -> BTreeSet<String> {
    let mut seen = BTreeSet::from([path.to_owned()]);
    let mut waiting = vec![path.to_owned()];
    let mut found = BTreeSet::new();
    let root = folder(path).to_owned();
    while let Some(file) = waiting.pop() {
        for module in text(content, &file).map(modules).unwrap_or_default() {
            let first = module.split('.').next().unwrap_or_default().to_owned();
            if first.is_empty() || own.contains(&first) {
                continue;
            }
            let local = locals(content, &root, folder(&file), &module);
            if local.is_empty() {
                if !is_package_of(content, &root, &first) {
                    found.insert(first);
                }
                continue;
            }
            for file in local {
                if seen.len() < MOST && seen.insert(file.clone()) {
                    waiting.push(file);
                }
            }
        }
    }
    found
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The files of the skill that an import may mean.
fn locals(content: &Content, root: &str, here: &str, module: &str) -> Vec<String> {
    let inner = module.replace('.', "/");
    let first = module.split('.').next().unwrap_or_default();
    let mut files = Vec::new();
    for base in [root, here, folder(root), ""] {
        let join = |name: &str| if base.is_empty() { name.to_owned() } else { format!("{base}/{name}") };
        for name in [
            format!("{inner}.py"),
            format!("{inner}/__init__.py"),
            format!("{first}.py"),
            format!("{first}/__init__.py"),
        ] {
            let file = join(&name);
            if content.get(&file).is_some() && !files.contains(&file) {
                files.push(file);
            }
        }
    }
    files
}

/// Whether a folder of the skill has this name and holds modules.
fn is_package_of(content: &Content, root: &str, name: &str) -> bool {
    let inside = |base: &str| {
        let prefix = if base.is_empty() { format!("{name}/") } else { format!("{base}/{name}/") };
        content.files().any(|(file, _)| {
            file.starts_with(&prefix) && file.rsplit_once('.').is_some_and(|(_, extension)| extension == "py")
        })
    };
    inside(root) || inside(folder(root))
}

/// The modules that lines at the left margin import.
fn modules(script: &str) -> Vec<String> {
    let mut modules = Vec::new();
    let mut quoted = None;
    for line in script.lines() {
        if let Some(quotes) = quoted {
            if line.contains(quotes) {
                quoted = None;
            }
            continue;
        }
        if let Some(rest) = line.strip_prefix("import ") {
            let rest = rest.split('#').next().unwrap_or(rest);
            modules.extend(rest.split(',').filter_map(|part| part.split_whitespace().next()).map(str::to_owned));
        } else if let Some(rest) = line.strip_prefix("from ") {
            modules.extend(rest.split_whitespace().next().filter(|name| !name.starts_with('.')).map(str::to_owned));
        } else {
            // A text over several lines can have lines that look like imports.
            quoted = ["\"\"\"", "'''"].into_iter().find(|quotes| line.matches(quotes).count() % 2 == 1);
        }
    }
    let is_module =
        |name: &String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.');
    modules.retain(is_module);
    modules
}

/// Whether a Python file does something when it is started, and is not only there to be imported.
pub fn is_python_entry(script: &str) -> bool {
    if script.contains("__main__") {
        return true;
    }
    let mut quoted = None;
    let mut brackets = 0_i64;
    for line in script.lines() {
        if let Some(quotes) = quoted {
            if line.contains(quotes) {
                quoted = None;
            }
            continue;
        }
        let code = line.split('#').next().unwrap_or(line);
        let opened = brackets > 0;
        brackets += i64::try_from(code.matches(['(', '[', '{']).count()).unwrap_or(0);
        brackets -= i64::try_from(code.matches([')', ']', '}']).count()).unwrap_or(0);
        let is_text = ["\"\"\"", "'''"].into_iter().find(|quotes| line.matches(quotes).count() % 2 == 1);
        if is_text.is_some() {
            quoted = is_text;
            continue;
        }
        let called = code.find('(').is_some_and(|at| {
            let head = code.get(..at).unwrap_or_default();
            !head.is_empty() && head.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte))
        });
        let loops = ["for ", "while ", "with "].iter().any(|word| code.starts_with(word));
        if !opened && (called || loops) && !code.starts_with("class ") && !code.starts_with("def ") {
            return true;
        }
    }
    false
}

/// The packages that a JavaScript or TypeScript file imports, over the skill's own files.
pub fn node(content: &Content, path: &str) -> BTreeSet<String> {
    let mut seen = BTreeSet::from([path.to_owned()]);
    let mut waiting = vec![path.to_owned()];
    let mut found = BTreeSet::new();
    while let Some(file) = waiting.pop() {
        for name in text(content, &file).map(specifiers).unwrap_or_default() {
            if name.starts_with('.') {
                let target = resolve(folder(&file), &name);
                for ending in ["", ".js", ".mjs", ".cjs", ".ts", "/index.js"] {
                    let candidate = format!("{target}{ending}");
                    if content.get(&candidate).is_some() && seen.len() < MOST && seen.insert(candidate.clone()) {
                        waiting.push(candidate);
                    }
                }
            } else if let Some(package) = package_of(&name) {
                found.insert(package);
            }
        }
    }
    found
}

fn resolve(folder: &str, name: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in name.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// What stands in quotes behind `from`, `import` and `require(`.
fn specifiers(script: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in script.lines() {
        let code = line.trim_start();
        if code.starts_with("//") || code.starts_with('*') {
            continue;
        }
        for word in ["require(", " from ", "import ", "import("] {
            for (at, _) in code.match_indices(word) {
                let rest = code.get(at + word.len()..).unwrap_or_default().trim_start();
                let Some(quote) = rest.chars().next().filter(|quote| ['"', '\''].contains(quote)) else { continue };
                let inner = rest.get(1..).and_then(|rest| rest.split(quote).next());
                found.extend(inner.filter(|inner| inner.len() < 214).map(str::to_owned));
            }
        }
    }
    found
}

fn package_of(name: &str) -> Option<String> {
    if name.starts_with("node:") || name.starts_with('/') || name.contains(':') {
        return None;
    }
    let mut parts = name.split('/');
    let first = parts.next()?;
    let package = if first.starts_with('@') { format!("{first}/{}", parts.next()?) } else { first.to_owned() };
    let built_in = BUILT_IN.contains(&package.as_str());
    (!built_in && super::is_npm_name(&package)).then_some(package)
}

/// Modules that come with Node.
const BUILT_IN: &[&str] = &[
    "assert",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "constants",
    "crypto",
    "dgram",
    "diagnostics_channel",
    "dns",
    "domain",
    "events",
    "fs",
    "http",
    "http2",
    "https",
    "inspector",
    "module",
    "net",
    "os",
    "path",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "repl",
    "stream",
    "string_decoder",
    "sys",
    "timers",
    "tls",
    "trace_events",
    "tty",
    "url",
    "util",
    "v8",
    "vm",
    "wasi",
    "worker_threads",
    "zlib",
];
