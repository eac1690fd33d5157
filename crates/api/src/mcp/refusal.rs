//! Failures in the protocol's words: as a result that a model can read, or as an error of the protocol.

use kontor_types::Code;
use rmcp::ErrorData;
use rmcp::model::{CallToolResult, ContentBlock, MetaObject};
use serde_json::{Value, json};

use super::untrusted::visible;
use crate::Failure;

/// The key under which answers carry our stable code.
const KEY: &str = "kontor/problem";

/// What a tool that failed tells whoever called it: code, what happened, what to do next.
pub(super) fn result(failure: &Failure) -> CallToolResult {
    failure.log();
    let mut result = CallToolResult::error(vec![ContentBlock::text(visible(&line(failure)))]);
    let mut meta = MetaObject::new();
    meta.insert(KEY.to_owned(), problem(failure));
    result.meta = Some(meta);
    result
}

/// The error of a request that is about no tool. What is not there is a wrong parameter, as the protocol has it.
pub(super) fn error(failure: &Failure) -> ErrorData {
    failure.log();
    let data = Some(json!({ KEY: problem(failure) }));
    let message = visible(&line(failure));
    match failure.code().status() {
        500.. => ErrorData::internal_error(message, data),
        _ => ErrorData::invalid_params(message, data),
    }
}

/// The error of a resource that is not there for the caller.
pub(super) fn missing_resource(uri: &str) -> ErrorData {
    let data = Some(json!({ KEY: { "code": Code::NotFound, "uri": uri } }));
    ErrorData::resource_not_found(format!("nothing is served at {}", visible(uri)), data)
}

fn line(failure: &Failure) -> String {
    let problem = failure.problem();
    let hint = failure.hinted().map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("{}: {}{hint}", problem.code, problem.detail)
}

fn problem(failure: &Failure) -> Value {
    let problem = failure.problem();
    json!({ "code": problem.code, "detail": problem.detail, "hint": failure.hinted(), "matches": failure.named() })
}
