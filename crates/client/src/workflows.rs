//! Workflows on the hub: looked at, followed, answered and ended.

use kontor_types::WorkflowId;
use kontor_wire as wire;
use reqwest::Method;
use serde_json::Value;

use crate::RunEvent;
use crate::api::{API, Client};
use crate::error::Error;
use crate::transport::Request;

impl Client {
    /// Workflows that the caller may see, the newest first.
    pub async fn workflows(&self, query: &wire::WorkflowQuery) -> Result<wire::WorkflowPage, Error> {
        self.transport.json(Request::new(Method::GET, &[API, "workflows"]).query(query)?).await
    }

    /// One workflow with its journal.
    pub async fn workflow(&self, id: WorkflowId) -> Result<wire::WorkflowDetail, Error> {
        self.transport.json(Request::new(Method::GET, &[API, "workflows", &id.to_string()])).await
    }

    /// Ends a workflow.
    pub async fn cancel_workflow(&self, id: WorkflowId) -> Result<wire::Workflow, Error> {
        self.transport.json(Request::new(Method::POST, &[API, "workflows", &id.to_string(), "cancel"])).await
    }

    /// Lets a workflow go on, or begins it anew.
    pub async fn retry_workflow(&self, id: WorkflowId, retry: wire::WorkflowRetry) -> Result<wire::Workflow, Error> {
        let path = [API, "workflows", &id.to_string(), "retry"];
        self.transport.json(Request::new(Method::POST, &path).json(&retry)?).await
    }

    /// Answers a question of a workflow.
    pub async fn answer_workflow(
        &self,
        id: WorkflowId,
        question: &str,
        answer: Value,
    ) -> Result<wire::Workflow, Error> {
        let path = [API, "workflows", &id.to_string(), "answers"];
        let given = wire::WorkflowAnswer { question: question.to_owned(), answer };
        self.transport.json(Request::new(Method::POST, &path).json(&given)?).await
    }

    /// The journal of a workflow after entry number `after`, handed to `told` as it grows, until the stream ends; tells whether it
    /// ended with the result.
    ///
    /// # Errors
    /// A connection that broke off: what was told until then counts, and the rest can be asked for.
    pub async fn follow_workflow(
        &self,
        id: WorkflowId,
        after: u64,
        mut told: impl FnMut(RunEvent),
    ) -> Result<bool, Error> {
        let all = |event| {
            told(event);
            true
        };
        self.follow(&[API, "workflows", &id.to_string(), "events"], after, all).await
    }
}
