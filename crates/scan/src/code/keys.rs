//! Keys of services in the environment of those who build and run programs.

use super::known::is_secret_name;

/// Services whose keys lie in the environment of those who build and run programs.
const SERVICES: &[&str] = &[
    "AWS",
    "AZURE",
    "GCP",
    "GOOGLE",
    "GITHUB",
    "GH",
    "GITLAB",
    "DOCKER",
    "NPM",
    "PYPI",
    "DATADOG",
    "SLACK",
    "STRIPE",
    "DATABASE",
    "DB",
    "POSTGRES",
    "MYSQL",
    "REDIS",
    "MONGO",
    "MONGODB",
    "SSH",
    "KUBE",
    "VAULT",
    "TWILIO",
    "SENDGRID",
    "HEROKU",
    "CLOUDFLARE",
    "DIGITALOCEAN",
    "JIRA",
    "OKTA",
    "SNYK",
    "SENTRY",
    "OPENAI",
    "ANTHROPIC",
    "HF",
    "HUGGINGFACE",
    "DISCORD",
    "TELEGRAM",
    "VERCEL",
    "SUPABASE",
    "PRIVATE",
    "MNEMONIC",
];

/// How many services' keys a piece of a program takes from the environment.
pub fn services_in(code: &str) -> usize {
    if code.len() > 6_000 || !["environ", "getenv", "process.env", "Deno.env"].iter().any(|name| code.contains(name)) {
        return 0;
    }
    let mut found: Vec<&str> = Vec::new();
    for word in code.split(|char: char| !(char.is_ascii_alphanumeric() || char == '_')) {
        let Some((service, rest)) = word.split_once('_') else { continue };
        let upper = !word.bytes().any(|byte| byte.is_ascii_lowercase());
        let secret = is_secret_name(rest) || matches!(rest, "URL" | "URI" | "DSN" | "WEBHOOK");
        if upper && secret && SERVICES.contains(&service) && !found.contains(&service) {
            found.push(service);
        }
    }
    found.len()
}
