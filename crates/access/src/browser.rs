//! Which browser somebody uses, in a few words.

/// What a browser's own name for itself holds, and what people call it; those that pass as another come before it.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("FxiOS", "Firefox"),
    ("Firefox", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chromium", "Chromium"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
];

const SYSTEMS: &[(&str, &str)] = &[
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
];

/// What a session is called whose browser said nothing that is known.
const UNKNOWN: &str = "a browser";

/// The browser and the system that a `User-Agent` names: enough for its owner to know it again, too little to tell
/// people apart.
pub(crate) fn described(user_agent: &str) -> String {
    let named = |known: &[(&str, &'static str)]| {
        known.iter().find(|(needle, _)| user_agent.contains(needle)).map(|(_, name)| *name)
    };
    let parts: Vec<&str> = [named(BROWSERS), named(SYSTEMS)].into_iter().flatten().collect();
    if parts.is_empty() { UNKNOWN.to_owned() } else { parts.join(", ") }
}
