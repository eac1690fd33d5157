//! Figures for operators: counted here, read by `/metrics`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kontor_dispatch::Counts;
use kontor_types::Timestamp;
use metrics::{Counter, Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

const REQUESTS: &str = "kontor_http_requests_total";
const DURATION: &str = "kontor_http_request_duration_seconds";
const RUNS: &str = "kontor_runs";
const OLDEST_RUN: &str = "kontor_runs_oldest_queued_seconds";
const SEARCH_BEHIND: &str = "kontor_search_changes_behind";
const LOG_STOPPED: &str = "kontor_log_stopped";
const WORKFLOWS: &str = "kontor_workflows";
const OLDEST_WORKFLOW: &str = "kontor_workflows_oldest_queued_seconds";
const BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// After how many requests what was measured is added up; until then each takes room.
const ADDED_UP_EVERY: u32 = 8_192;

static MEASURED: AtomicU32 = AtomicU32::new(0);
static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Starts counting, once in a process.
pub(crate) fn install() {
    HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new().set_buckets(BUCKETS).ok()?;
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        // Somebody else may have installed a recorder first; then the figures are theirs.
        metrics::set_global_recorder(recorder).ok()?;
        describe_counter!(REQUESTS, "Requests by method, route and status");
        describe_histogram!(DURATION, "Time to the beginning of the answer, by route");
        describe_gauge!(RUNS, "Runs of skills by state");
        describe_gauge!(OLDEST_RUN, "How long the oldest run waits for a worker");
        describe_gauge!(LOG_STOPPED, "Whether the transparency log takes nothing in: 1 when it does not");
        describe_gauge!(WORKFLOWS, "Workflows that are not over by state");
        describe_gauge!(OLDEST_WORKFLOW, "How long the oldest workflow waits for a worker");
        Some(handle)
    });
}

/// Takes over how many runs stand where; all processes on one database see the same.
pub fn runs(counts: &Counts, now: Timestamp) {
    let states = [
        ("queued", counts.queued),
        ("preparing", counts.preparing),
        ("running", counts.running),
        ("finished", counts.finished),
        ("failed", counts.failed),
        ("cancelled", counts.cancelled),
        ("lost", counts.lost),
    ];
    for (state, number) in states {
        gauge!(RUNS, "state" => state).set(f64::from(u32::try_from(number).unwrap_or(u32::MAX)));
    }
    gauge!(OLDEST_RUN).set(counts.oldest.map_or(0.0, |oldest| now.since(oldest).as_secs_f64()));
}

/// Takes over how many changes the search index of this process has not taken in.
#[expect(clippy::cast_precision_loss, reason = "a gauge needs no more than 53 bits")]
pub fn search_behind(changes: u64) {
    gauge!(SEARCH_BEHIND).set(changes as f64);
}

/// Takes over whether the transparency log takes nothing in.
pub fn log_stopped(stopped: bool) {
    gauge!(LOG_STOPPED).set(f64::from(u8::from(stopped)));
}

/// Takes over how many workflows that are not over stand where; all processes on one database see the same.
pub fn workflows(counts: &kontor_workflow::Counts, now: Timestamp) {
    let states = [
        ("queued", counts.queued),
        ("running", counts.running),
        ("waiting", counts.waiting),
        ("stalled", counts.stalled),
    ];
    for (state, number) in states {
        gauge!(WORKFLOWS, "state" => state).set(f64::from(u32::try_from(number).unwrap_or(u32::MAX)));
    }
    gauge!(OLDEST_WORKFLOW).set(counts.oldest.map_or(0.0, |oldest| now.since(oldest).as_secs_f64()));
}

/// All figures in the text format of Prometheus.
pub fn render() -> Option<String> {
    HANDLE.get().and_then(Option::as_ref).map(|handle| {
        handle.run_upkeep();
        handle.render()
    })
}

/// What a thread counts into, by route, so that a request looks no series up by all its labels.
#[derive(Default)]
struct Series(HashMap<String, OfRoute>);

struct OfRoute {
    durations: Histogram,
    answers: Vec<(&'static str, u16, Counter)>,
}

thread_local! {
    static SERIES: RefCell<Series> = RefCell::default();
}

impl Series {
    fn count(&mut self, method: &'static str, route: &str, status: u16, took: Duration) {
        if !self.0.contains_key(route) {
            let durations = histogram!(DURATION, "route" => route.to_owned());
            self.0.insert(route.to_owned(), OfRoute { durations, answers: Vec::new() });
        }
        let Some(of_route) = self.0.get_mut(route) else { return };
        of_route.durations.record(took.as_secs_f64());
        let known = |(of, with, _): &&(&str, u16, Counter)| *of == method && *with == status;
        if let Some((.., answers)) = of_route.answers.iter().find(known) {
            answers.increment(1);
            return;
        }
        let labels = [("method", method.to_owned()), ("route", route.to_owned()), ("status", status.to_string())];
        let answers = counter!(REQUESTS, &labels);
        answers.increment(1);
        of_route.answers.push((method, status, answers));
    }
}

/// Counts one answered request. `route` is a pattern, never a path: the number of series stays bounded.
pub(crate) fn request(method: &'static str, route: &str, status: u16, took: Duration) {
    SERIES.with_borrow_mut(|series| series.count(method, route, status, took));
    if MEASURED.fetch_add(1, Ordering::Relaxed) % ADDED_UP_EVERY == ADDED_UP_EVERY - 1
        && let Some(handle) = HANDLE.get().and_then(Option::as_ref)
    {
        // Nobody may ever ask for the figures.
        handle.run_upkeep();
    }
}
