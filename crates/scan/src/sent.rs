//! Where programs send the content of files, held against what the skill says of itself.

use crate::code::Sent;
use crate::examine::{Examination, Origin};
use crate::report::Severity;

/// Parts of host names that every service has.
const COMMON: &[&str] = &[
    "www", "api", "apis", "app", "data", "example", "cloud", "online", "site", "http", "https", "static", "files",
    "upload", "server", "service", "services", "dev", "io", "com", "net", "org",
];
/// Services that need no explanation: public clouds, code hosts, package registries, makers of models.
const KNOWN: &[&str] = &[
    "amazonaws.com",
    "anthropic.com",
    "apple.com",
    "atlassian.net",
    "azure.com",
    "cloudflare.com",
    "fal.ai",
    "github.com",
    "githubusercontent.com",
    "gitlab.com",
    "google.com",
    "googleapis.com",
    "huggingface.co",
    "microsoft.com",
    "notion.com",
    "openai.com",
    "openrouter.ai",
    "replicate.com",
    "slack.com",
    "windows.net",
];

impl Examination<'_> {
    /// Finds content of files that goes to hosts of which the skill's own text says nothing.
    pub(crate) fn sent_unexplained(&mut self) {
        let said = self.said();
        for sent in std::mem::take(&mut self.facts.sent) {
            let strange = sent.hosts.iter().all(|host| !is_explained(host, &said));
            if strange && (sent.gathered || !said.is_empty()) {
                self.strange(&sent, said.is_empty());
            }
        }
    }

    fn strange(&mut self, sent: &Sent, silent: bool) {
        let severity = if sent.gathered && !silent { None } else { Some(Severity::Medium) };
        let origin = Origin { file: sent.file.clone(), place: Some((sent.line, 0)), ..Origin::default() };
        let message = format!("a program sends files to {}, of which the skill says nothing", sent.hosts.join(", "));
        self.find_weighed("code.files-to-network", severity, &origin, message, "");
    }
}

/// Whether a host lies on this machine or in its network, is generally known, or is named by the text.
fn is_explained(host: &str, said: &str) -> bool {
    let inside = ["localhost", "127.", "10.", "192.168.", "0.0.0.0"].iter().any(|start| host.starts_with(start));
    let known = KNOWN.iter().any(|known| host == *known || host.ends_with(&format!(".{known}")));
    let named = host
        .split('.')
        .filter(|label| label.len() > 3 && !COMMON.contains(label) && !label.bytes().all(|byte| byte.is_ascii_digit()))
        .any(|label| said.contains(label));
    inside || known || named || said.contains(host)
}
