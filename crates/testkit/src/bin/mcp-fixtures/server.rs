//! What the conformance suite wants a server to have.
#![expect(deprecated, reason = "the suite has scenarios for what newer revisions advise against")]

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientResult, CompleteRequestParams, CompleteResult,
    CompletionInfo, ContentBlock, CreateMessageRequestParams, ElicitRequest, ElicitRequestParams,
    GetPromptRequestParams, GetPromptResponse, GetPromptResult, ListPromptsResult, ListResourceTemplatesResult,
    ListResourcesResult, ListToolsResult, LoggingLevel, LoggingMessageNotificationParam, PaginatedRequestParams,
    ProgressNotificationParam, ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, ServerCapabilities,
    ServerConfig, ServerRequest, SetLevelRequestParams, SubscribeRequestParams, UnsubscribeRequestParams,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Tools, prompts and resources with what they answer.
const TEXT: &str = include_str!("fixtures.json");

/// The fixtures as data.
#[derive(Clone)]
pub struct Fixtures(Value);

impl Default for Fixtures {
    fn default() -> Self {
        Self(serde_json::from_str(TEXT).unwrap_or_default())
    }
}

impl Fixtures {
    /// A part of the fixtures in the form that the library has for it.
    fn part<T: DeserializeOwned>(&self, pointer: &str) -> Result<T, ErrorData> {
        let part = self.0.pointer(pointer).cloned().ok_or_else(|| unknown(pointer))?;
        read(part)
    }

    async fn told(&self, name: &str, context: &RequestContext<RoleServer>) -> Result<(), ErrorData> {
        match name {
            "test_tool_with_logging" => {
                for line in ["Tool execution started", "Tool processing data", "Tool execution completed"] {
                    let message = LoggingMessageNotificationParam::new(LoggingLevel::Info, json!(line));
                    context.peer.notify_logging_message(message).await.map_err(failed)?;
                }
            }
            "test_tool_with_progress" => {
                let Some(token) = context.meta.get_progress_token() else { return Ok(()) };
                for step in [0.0, 50.0, 100.0] {
                    let progress = ProgressNotificationParam::new(token.clone(), step).with_total(100.0);
                    context.peer.notify_progress(progress).await.map_err(failed)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Asks whoever sits at the client; `None` for tools that ask nothing.
    async fn asked(
        &self,
        request: &CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<Option<String>, ErrorData> {
        let argument = |name: &str| {
            request.arguments.as_ref().and_then(|given| given.get(name)).and_then(Value::as_str).unwrap_or_default()
        };
        if request.name == "test_sampling" {
            let prompt = json!({"type": "text", "text": argument("prompt")});
            let asked: CreateMessageRequestParams =
                read(json!({"messages": [{"role": "user", "content": prompt}], "maxTokens": 100}))?;
            let answer = context.peer.create_message(asked).await.map_err(failed)?;
            return Ok(Some(format!("LLM response: {}", json!(answer.message))));
        }
        let Ok(form) = self.part::<Value>(&format!("/forms/{}", request.name)) else { return Ok(None) };
        let message = if request.name == "test_elicitation" { argument("message") } else { "Please answer" };
        let asked: ElicitRequestParams = read(json!({"mode": "form", "message": message, "requestedSchema": form}))?;
        let request = ServerRequest::ElicitRequest(ElicitRequest::new(asked));
        match context.peer.send_request(request).await.map_err(failed)? {
            ClientResult::ElicitResult(answer) => Ok(Some(format!("Elicitation completed: {}", json!(answer)))),
            _ => Err(failed("the client answered something else")),
        }
    }
}

impl ServerHandler for Fixtures {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_prompts()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_completions()
            .enable_logging()
            .build();
        ServerConfig::new(capabilities)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.part("/tools")?))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.told(&request.name, &context).await?;
        if let Some(text) = self.asked(&request, &context).await? {
            return Ok(CallToolResult::success(vec![ContentBlock::text(text)]).into());
        }
        let answer: CallToolResult = self.part(&format!("/answers/{}", request.name))?;
        Ok(answer.into())
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(ListResourcesResult::with_all_items(self.part("/resources")?))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(ListResourceTemplatesResult::with_all_items(self.part("/templates")?))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = &request.uri;
        let templated = uri.strip_prefix("test://template/").and_then(|rest| rest.strip_suffix("/data"));
        let contents = match templated {
            Some(id) => {
                let text = json!({"id": id, "templateTest": true, "data": format!("Data for ID: {id}")}).to_string();
                read(json!({"uri": uri, "mimeType": "application/json", "text": text}))?
            }
            None => self.part(&format!("/contents/{}", uri.trim_start_matches("test://")))?,
        };
        Ok(ReadResourceResult::new(vec![contents]).into())
    }

    async fn subscribe(&self, _: SubscribeRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn unsubscribe(&self, _: UnsubscribeRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn set_level(&self, _: SetLevelRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let begun = request.argument.value;
        let values = ["paris", "park", "test-value"].iter().filter(|word| word.starts_with(&begun));
        let found = CompletionInfo::new(values.map(ToString::to_string).collect()).map_err(failed)?;
        Ok(CompleteResult::new(found))
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(self.part("/prompts")?))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let mut text = self.part::<Value>(&format!("/messages/{}", request.name))?.to_string();
        for (name, value) in request.arguments.unwrap_or_default() {
            text = text.replace(&format!("{{{name}}}"), value.as_str().unwrap_or_default());
        }
        let messages = serde_json::from_str(&text).map_err(failed)?;
        Ok(GetPromptResult::new(messages).into())
    }
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value).map_err(failed)
}

fn unknown(what: &str) -> ErrorData {
    ErrorData::invalid_params(format!("there is no fixture {what}"), None)
}

fn failed(error: impl std::fmt::Display) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}
