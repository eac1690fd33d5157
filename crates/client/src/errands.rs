//! Errands on the hub: asking, following, answering, ending.

use kontor_types::WorkflowId;
use kontor_wire as wire;
use reqwest::Method;

use crate::api::{API, Client};
use crate::error::Error;
use crate::runs::RunEvent;
use crate::transport::Request;

impl Client {
    /// Asks for an errand, once, however often the connection breaks.
    pub async fn start_errand(&self, errand: &wire::NewErrand) -> Result<wire::Errand, Error> {
        self.transport.json(Request::new(Method::POST, &[API, "errands"]).json(errand)?).await
    }

    /// Errands that the caller may see, the newest first.
    pub async fn errands(&self, query: &wire::ErrandQuery) -> Result<wire::ErrandPage, Error> {
        self.transport.json(Request::new(Method::GET, &[API, "errands"]).query(query)?).await
    }

    /// One errand.
    pub async fn errand(&self, id: WorkflowId) -> Result<wire::Errand, Error> {
        self.transport.json(Request::new(Method::GET, &[API, "errands", &id.to_string()])).await
    }

    /// Answers what an errand asks.
    pub async fn answer_errand(&self, id: WorkflowId, answer: &wire::ErrandAnswer) -> Result<wire::Errand, Error> {
        let id = id.to_string();
        self.transport.json(Request::new(Method::POST, &[API, "errands", &id, "answers"]).json(answer)?).await
    }

    /// Ends an errand.
    pub async fn cancel_errand(&self, id: WorkflowId) -> Result<wire::Errand, Error> {
        self.transport.json(Request::new(Method::POST, &[API, "errands", &id.to_string(), "cancel"])).await
    }

    /// What happens in an errand after entry `after`, handed to `told` until the stream ends; tells whether it ended with the
    /// result. `told` says whether it wants to hear more.
    ///
    /// # Errors
    /// A connection that broke off: what was told until then counts, and the rest can be asked for.
    pub async fn follow_errand(
        &self,
        id: WorkflowId,
        after: u64,
        told: impl FnMut(RunEvent) -> bool,
    ) -> Result<bool, Error> {
        self.follow(&[API, "errands", &id.to_string(), "events"], after, told).await
    }
}
