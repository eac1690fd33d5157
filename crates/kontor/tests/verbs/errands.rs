//! An errand with the real binary, as docs/guides/errand.md walks it: a reader by rules in the place of a model, simulated
//! merchants, starter skills in real sandboxes.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::hub::{Hub, kontor, said};

const REQUEST: &str = "order me a milk tea under ¥20 to the office";

/// A command that goes on until it is dropped, and what it printed first.
struct Going(Child);

impl Going {
    fn start(mut command: std::process::Command) -> (Self, Value) {
        let mut going = Self(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
        let (mut text, mut said) = (String::new(), None);
        for line in BufReader::new(going.0.stdout.take().unwrap()).lines() {
            text.push_str(&line.unwrap());
            said = serde_json::from_str(&text).ok();
            if said.is_some() {
                break;
            }
        }
        assert!(said.is_some(), "it ended: {text}");
        (going, said.unwrap_or_default())
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Market {
    hub: Hub,
    _model: Going,
    _merchants: Going,
}

impl Market {
    fn open() -> Self {
        let mut command = kontor();
        command.args(["demo", "model", "--port", "0", "--json"]);
        let (model, said) = Going::start(command);
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir_all(&data).unwrap();
        let (url, name) = (said["url"].as_str().unwrap(), said["model"].as_str().unwrap());
        let settings = format!(
            "[outbound]\nallow = [\"127.0.0.1/32\"]\n[[provider]]\nname = \"demo\"\nurl = \"{url}\"\nmodels = [\"{name}\"]\n"
        );
        std::fs::write(data.join("kontor.toml"), settings).unwrap();
        let hub = Hub::start_with(folder, &[], &[]);
        let (merchants, _) = Going::start(hub.command(&["demo", "merchants", "--port", "0", "--register", "--json"]));
        hub.json(&["purse", "top-up", "¥100"], 0);
        Self { hub, _model: model, _merchants: merchants }
    }

    fn mandate(&self) -> String {
        let mandate = self.hub.json(&["mandate", "new", "--total", "¥60", "--hours", "8", "--count", "3", "--yes"], 0);
        let id = mandate["id"].as_str().or_else(|| mandate["terms"]["id"].as_str());
        assert!(id.is_some(), "{mandate:#}");
        id.unwrap().to_owned()
    }

    fn free(&self) -> i64 {
        let purse = self.hub.json(&["purse", "show"], 0);
        let first = purse["items"].as_array().or_else(|| purse.as_array()).and_then(|items| items.first()).cloned();
        first.unwrap_or(purse)["free"]["minor"].as_i64().unwrap()
    }
}

#[test]
fn an_errand_is_bought_within_a_mandate_and_never_by_a_flag_alone() {
    let market = Market::open();
    let hub = &market.hub;
    // Without a mandate, and with nobody to ask, nothing is spent and nothing is left half done.
    let output = hub.command(&["ask", REQUEST, "--yes", "--lang", "en"]).output().unwrap();
    assert_eq!(output.status.code(), Some(6), "{}", said(&output));
    assert!(said(&output).contains("--mandate ID"), "{}", said(&output));
    assert_eq!(market.free(), 10_000);
    let errands = hub.json(&["errand", "list"], 0);
    assert_eq!(errands["items"][0]["state"], "cancelled", "{errands:#}");

    let mandate = market.mandate();
    let done = hub.json(&["ask", REQUEST, "--mandate", &mandate, "--yes"], 0);
    assert_eq!(
        (&done["state"], done["bought"]["total"]["minor"].as_i64()),
        (&"finished".into(), Some(1_500)),
        "{done:#}"
    );
    assert_eq!(market.free(), 8_500);

    let (id, order) = (done["id"].as_str().unwrap(), done["bought"]["checkout"].as_str().unwrap());
    let output = hub.command(&["explain", id]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for part in ["of 100 marks", "refused @kontor/", "it does not fit this step", "ran in the sandbox"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let receipt = hub.folder.path().join("order.json");
    hub.json(&["receipt", "order", order, "-o", receipt.to_str().unwrap()], 0);
    let checked = hub.json(&["receipt", "verify", receipt.to_str().unwrap()], 0);
    assert_eq!(checked["holds"], true, "{checked:#}");

    let zh =
        hub.command(&["ask", "帮我点一杯二十元以内的奶茶送到办公室", "--mandate", &mandate, "--yes"]).output().unwrap();
    assert!(said(&zh).contains("理解为") && zh.status.success(), "{}", said(&zh));
    let data = hub.data.to_str().unwrap();
    assert_eq!(hub.json(&["ledger", "check", "--data", data], 0)["agrees"], true);
}

#[test]
fn a_hub_that_is_killed_in_an_errand_ends_it_with_one_order() {
    let mut market = Market::open();
    let mandate = market.mandate();
    let asked = market.hub.json(&["ask", REQUEST, "--mandate", &mandate, "--yes", "--detach"], 0);
    let id = asked["id"].as_str().unwrap().to_owned();
    let wait = |hub: &Hub, until: &dyn Fn(&Value) -> bool| {
        let begun = Instant::now();
        loop {
            let errand = hub.json(&["errand", "show", &id], 0);
            if until(&errand) {
                return errand;
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "{errand:#}");
        }
    };
    wait(&market.hub, &|errand| errand["steps"].as_array().unwrap().len() >= 8);
    market.hub.process.kill().unwrap();
    market.hub.process.wait().unwrap();
    let folder = std::mem::replace(&mut market.hub.folder, tempfile::tempdir().unwrap());
    market.hub = Hub::start_with(folder, &[], &[]);
    let done = wait(&market.hub, &|errand| {
        errand["state"] != "running" && errand["state"] != "queued" && errand["state"] != "waiting"
    });
    assert_eq!(done["state"], "finished", "{done:#}");
    assert_eq!(market.free(), 8_500);
    let data = market.hub.data.to_str().unwrap();
    assert_eq!(market.hub.json(&["ledger", "check", "--data", data], 0)["agrees"], true);
}
