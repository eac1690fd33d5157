//! Links that open a client and let it take this hub in as an MCP server.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::Language;

/// What the hub is called in the settings of a client.
const NAME: &str = "kontor";

/// One link for each client that documents such addresses; each asks the person before it changes its settings.
pub fn links(language: Language, hub: &str) -> Markup {
    html! {
        p.row {
            span { (language.pick("Open in", "打开")) }
            @for (client, address) in [("Cursor", cursor(hub)), ("VS Code", vs_code(hub))] {
                a.button.quiet href=(address) rel="nofollow noopener" { (client) }
            }
        }
        p.faint.small { (language.pick(
            "The client asks you first. It then starts kontor on your machine, which must be installed and signed in; the link holds no secret.",
            "客户端会先征求您的同意，然后在您的机器上启动 kontor；请先安装并登录。链接中不含任何密钥。")) }
    }
}

/// The program that speaks MCP for this hub, with the sign-in that the person has.
fn server(hub: &str) -> Value {
    json!({ "command": "kontor", "args": ["mcp", "--registry", hub] })
}

/// <https://cursor.com/docs/mcp/install-links>
fn cursor(hub: &str) -> String {
    let server = STANDARD.encode(server(hub).to_string());
    format!("cursor://anysphere.cursor-deeplink/mcp/install?name={NAME}&config={}", escaped(&server))
}

/// <https://code.visualstudio.com/api/extension-guides/ai/mcp#create-an-mcp-installation-url>
fn vs_code(hub: &str) -> String {
    let mut server = server(hub);
    server["name"] = NAME.into();
    format!("vscode:mcp/install?{}", escaped(&server.to_string()))
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;

    use super::*;

    const HUB: &str = "https://hub.example/?a=\"b\"&c";

    fn part<'a>(address: &'a str, before: &str) -> std::borrow::Cow<'a, str> {
        percent_decode_str(address.split_once(before).unwrap().1).decode_utf8().unwrap()
    }

    #[test]
    fn a_client_reads_the_server_out_of_its_link() {
        let expected = json!({ "command": "kontor", "args": ["mcp", "--registry", HUB] });
        let given = STANDARD.decode(part(&cursor(HUB), "install?name=kontor&config=").as_bytes()).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&given).unwrap(), expected);
        let given: Value = serde_json::from_str(&part(&vs_code(HUB), "install?")).unwrap();
        assert_eq!(
            (given["name"].as_str(), &given["command"], &given["args"]),
            (Some("kontor"), &expected["command"], &expected["args"])
        );
    }
}
