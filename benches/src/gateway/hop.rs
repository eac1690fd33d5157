//! The two servers beside the hub, each as a process of its own: a provider that answers at once, and a bare hop to it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use futures::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde::Deserialize;
use tokio::net::TcpListener;

/// The word that makes this program a provider.
pub const PROVIDER: &str = "gateway-provider";
/// The word that makes it a hop to one.
pub const HOP: &str = "gateway-hop";
/// Events of a stream.
const EVENTS: usize = 22;

const ANSWER: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"provided","choices":[{"index":0,"message":{"role":"assistant","content":"Unloading at dawn takes four hands, two ropes, and somebody who has read the list."},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":18,"total_tokens":38}}"#;

type Answer = Response<BoxBody<Bytes, hyper::Error>>;

/// A server as a process of its own.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts one; it says on its first line where it listens.
    pub fn start(word: &str, to: Option<SocketAddr>) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(word).args(to.map(|to| to.to_string())).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().context("a server does not start")?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("a server says nothing")?;
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line)?;
        Ok(Self { child, address: line.trim().parse().context("a server does not say where it listens")? })
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves until it is killed.
pub fn serve(word: &str, to: Option<&str>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("{}", listener.local_addr()?);
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
        let to: Option<&'static str> = match (word, to) {
            (HOP, Some(to)) => Some(Box::leak(format!("http://{to}/v1/chat/completions").into_boxed_str())),
            (PROVIDER, None) => None,
            _ => bail!("a provider takes no address, a hop one"),
        };
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let client = client.clone();
            let service = service_fn(move |request| {
                let client = client.clone();
                async move {
                    Ok::<_, Infallible>(match to {
                        Some(to) => pass_on(&client, to, request).await,
                        None => answer(request).await,
                    })
                }
            });
            tokio::spawn(async move {
                let server = hyper::server::conn::http1::Builder::new();
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    })
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    stream: bool,
}

async fn answer(request: Request<Incoming>) -> Answer {
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let streams = serde_json::from_slice::<Wanted>(&body).is_ok_and(|wanted| wanted.stream);
    if !streams {
        return told("application/json", Full::new(Bytes::from_static(ANSWER.as_bytes())).map_err(never).boxed());
    }
    let chunk = |delta: &str, reason: &str| {
        format!(
            "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"provided\",\"choices\":[{{\"index\":0,\"delta\":{{{delta}}},\"finish_reason\":{reason}}}]}}\n\n"
        )
    };
    let mut events: Vec<String> =
        (2..EVENTS).map(|number| chunk(&format!("\"content\":\"word{number} \""), "null")).collect();
    events.push(chunk("", "\"stop\""));
    events.push("data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"provided\",\"choices\":[],\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":20,\"total_tokens\":40}}\n\ndata: [DONE]\n\n".to_owned());
    let frames = stream::iter(events.into_iter().map(|event| Ok(Frame::data(Bytes::from(event)))));
    told("text/event-stream", StreamBody::new(frames).boxed())
}

/// The least that a hop can do: read the model, put another key in, pass the rest on.
async fn pass_on(client: &Client<HttpConnector, Full<Bytes>>, to: &'static str, request: Request<Incoming>) -> Answer {
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    std::hint::black_box(serde_json::from_slice::<Wanted>(&body).is_ok());
    let mut passed = Request::new(Full::new(body));
    *passed.method_mut() = hyper::Method::POST;
    *passed.uri_mut() = hyper::Uri::from_static(to);
    passed.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    passed.headers_mut().insert(AUTHORIZATION, HeaderValue::from_static("Bearer sk-provided"));
    match client.request(passed).await {
        Ok(response) => response.map(BodyExt::boxed),
        Err(_) => told("text/plain", Full::new(Bytes::new()).map_err(never).boxed()),
    }
}

fn told(kind: &'static str, body: BoxBody<Bytes, hyper::Error>) -> Answer {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn never(never: Infallible) -> hyper::Error {
    match never {}
}
