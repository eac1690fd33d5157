use std::future::Future;
use std::marker::PhantomData;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Journal, Stop};

/// What a workflow does.
///
/// It is run from its beginning whenever a worker takes the workflow, so it must ask its journal for the same things in the same
/// order: whatever may be different next time (time, chance, the world) comes out of a step or out of its input.
pub trait Definition: Send + Sync + 'static {
    /// Its name.
    fn kind(&self) -> &str;

    /// Its version: a workflow keeps the one with which it began. A definition that asks for other things gets another number.
    fn version(&self) -> u32;

    /// Runs it over a journal.
    fn run(&self, journal: Journal, input: Value) -> BoxFuture<'static, Result<Value, Stop>>;
}

struct Defined<F, I, O> {
    kind: &'static str,
    version: u32,
    run: F,
    types: PhantomData<fn(I) -> O>,
}

/// A definition from a function that takes and gives values of its own types.
pub fn define<I, O, F, Fut>(kind: &'static str, version: u32, run: F) -> impl Definition
where
    I: DeserializeOwned + Send + 'static,
    O: Serialize + Send + 'static,
    F: Fn(Journal, I) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<O, Stop>> + Send + 'static,
{
    Defined { kind, version, run, types: PhantomData }
}

impl<F, I, O, Fut> Definition for Defined<F, I, O>
where
    I: DeserializeOwned + Send + 'static,
    O: Serialize + Send + 'static,
    F: Fn(Journal, I) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<O, Stop>> + Send + 'static,
{
    fn kind(&self) -> &str {
        self.kind
    }

    fn version(&self) -> u32 {
        self.version
    }

    fn run(&self, journal: Journal, input: Value) -> BoxFuture<'static, Result<Value, Stop>> {
        let input = match serde_json::from_value::<I>(input) {
            Ok(input) => input,
            Err(error) => {
                let stop = Stop::refuse("input_refused", format!("what was asked for cannot be read: {error}"));
                return futures::future::ready(Err(stop)).boxed();
            }
        };
        let run = (self.run)(journal, input);
        async move {
            let output = run.await?;
            serde_json::to_value(&output).map_err(|error| Stop::invalid(format!("what came of it is no JSON: {error}")))
        }
        .boxed()
    }
}
