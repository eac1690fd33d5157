use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use kontor_db::runs::{self, Executed, FileWay, RunFile};
use kontor_jobs::Failure;
use kontor_package::Content;
use kontor_registry::Found;
use kontor_registry::observed::{self, Ran};
use kontor_registry::secrets::Values;
use kontor_runs::{Finished, Frame, Host, Order, RanSkill, Runner, run_in};
use kontor_sandbox::Tier;
use kontor_translog::{Entry, Log};
use kontor_types::Digest;
use tokio_util::sync::CancellationToken;

use super::prepare::{Prepared, without_sandbox};
use super::seen::seen;
use super::{Attempt, Came, Stop};
use crate::Error;
use crate::asked::INPUT;
use crate::tell::Telling;

/// How often what a program says is written down, and whether somebody wants it to stop is looked at.
const BEAT: Duration = Duration::from_millis(200);
/// The largest answer that is kept in the row; a larger one is only in what was said.
const LARGEST_ANSWER: usize = 1 << 20;

/// Why a program was ended from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// Somebody does not want it any longer.
    Cancelled,
    /// Another worker has the run.
    Taken,
    /// This process ends.
    Stopping,
}

impl Attempt {
    /// Starts the program, and writes down what came of it.
    pub(super) async fn execute(&self, prepared: Prepared) -> Result<(), Stop> {
        let room = self.room()?;
        let given = self.lay_in(room.path()).await?;
        let secrets = self.secrets(&prepared.found).await?;
        self.enter(true).await?;
        let out = room.path().join("out");
        let stop = CancellationToken::new();
        let telling = Telling::default();
        let (finished, why) = {
            let running = self.run_program(&prepared, given, secrets, (room.path(), &out), &telling, &stop);
            let mut running = std::pin::pin!(running);
            let mut why = None;
            loop {
                tokio::select! {
                    finished = &mut running => break (finished, why),
                    () = tokio::time::sleep(BEAT) => {
                        self.hear(&telling).await;
                        if why.is_none() {
                            why = self.wanted().await;
                            if why.is_some() {
                                stop.cancel();
                            }
                        }
                    }
                }
            }
        };
        match why {
            Some(Why::Taken) => return Err(Stop::Taken),
            Some(Why::Stopping) => return Err(Stop::Again(Failure::Retry("the process ends".to_owned()))),
            Some(Why::Cancelled) | None => {}
        }
        let finished = finished?;
        self.runs.tell(self.run.id, self.number, &telling, true).await?;
        let files = self.keep(&finished, &out).await?;
        self.write_down(&prepared.content, &finished, files).await
    }

    /// Writes down what was said meanwhile; what cannot be written now is lost from the log, never from the run's files.
    async fn hear(&self, telling: &Telling) {
        if let Err(error) = self.runs.tell(self.run.id, self.number, telling, false).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, run.id = %self.run.id, "what a program says could not be written down");
        }
    }

    /// Whether somebody wants the program to end.
    async fn wanted(&self) -> Option<Why> {
        if self.runs.0.stop.is_cancelled() {
            return Some(Why::Stopping);
        }
        let mut conn = self.runs.read().await.ok()?;
        match runs::is_held(&mut conn, self.run.id, self.number).await {
            Ok(Some(true)) => Some(Why::Cancelled),
            Ok(Some(false)) | Err(_) => None,
            Ok(None) => Some(Why::Taken),
        }
    }

    async fn run_program(
        &self,
        prepared: &Prepared,
        (input, files): (Vec<u8>, Vec<PathBuf>),
        secrets: Values,
        (room, out): (&Path, &Path),
        telling: &Telling,
        stop: &CancellationToken,
    ) -> Result<Finished, Stop> {
        let parts = &self.runs.0.parts;
        let skill =
            RanSkill { name: self.run.skill.clone(), digest: self.run.digest, registry: Some(parts.hub.clone()) };
        let runner = Runner {
            person: Some(self.run.person.to_string()),
            program: format!("kontor {} of {}", env!("CARGO_PKG_VERSION"), parts.hub),
            machine: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        };
        let order = Order {
            skill,
            content: &prepared.content,
            entry: prepared.entry.clone(),
            program: prepared.program.clone(),
            arguments: self.asked.arguments.iter().map(Into::into).collect(),
            input,
            files,
            out: Some(out.to_path_buf()),
            granted: self.asked.granted.clone(),
            secrets,
            lock: prepared.lock.clone(),
            layer: prepared.layer.clone(),
            decision: self.asked.decision.clone(),
            overlay: self.asked.overlay.clone(),
            runner,
            tier: Tier::Full,
            accept_weaker: self.runs.settings().accept_weaker,
        };
        let sandbox = self.runs.0.sandbox.as_ref().ok_or_else(without_sandbox)?;
        let host = Host { sandbox, clock: &*parts.clock, key: &parts.key };
        let frame = Frame {
            id: Some(self.run.id),
            attempt: u32::try_from(self.run.executions.saturating_add(1)).ok(),
            room: Some(room.to_path_buf()),
            stop: stop.clone(),
        };
        Ok(run_in(order, &host, telling, &frame).await?)
    }

    /// What it reads on its standard input, and the files that are copied into its work folder.
    async fn lay_in(&self, room: &Path) -> Result<(Vec<u8>, Vec<PathBuf>), Stop> {
        let given = runs::files(&mut self.runs.read().await?, self.run.id, FileWay::In).await?;
        let folder = room.join("in");
        tokio::fs::create_dir(&folder).await.map_err(Error::Folder)?;
        let (mut input, mut files) = (Vec::new(), Vec::new());
        for file in given {
            let bytes = self.runs.0.parts.blobs.get(&file.digest).await.map_err(Error::from)?;
            if file.path == INPUT {
                input = bytes.to_vec();
                continue;
            }
            let path = folder.join(&file.path);
            tokio::fs::write(&path, &bytes).await.map_err(Error::Folder)?;
            files.push(path);
        }
        Ok((input, files))
    }

    /// The values of its secrets, if whoever asked for it may still have them.
    async fn secrets(&self, found: &Found) -> Result<Values, Stop> {
        if self.asked.secrets.is_empty() {
            return Ok(Values::new());
        }
        let parts = &self.runs.0.parts;
        let caller = parts.access.in_the_name_of(&self.run.person).await.map_err(Error::from)?;
        let wanted = &self.asked.secrets;
        let released = parts.secrets.release(&caller, &self.run.publisher, found, wanted, self.run.id).await;
        Ok(released.map_err(Error::from)?)
    }

    /// Puts what it left and said into the blob store; rows point to it when the step is written down.
    async fn keep(&self, finished: &Finished, out: &Path) -> Result<Vec<(RunFile, FileWay)>, Stop> {
        let blobs = &self.runs.0.parts.blobs;
        let mut kept = Vec::new();
        for (name, said) in [("stdout", &finished.stdout), ("stderr", &finished.stderr)] {
            let digest = blobs.put(Bytes::copy_from_slice(&said.bytes)).await.map_err(Error::from)?;
            let file = RunFile { path: name.to_owned(), size: said.bytes.len() as u64, digest };
            kept.push((file, FileWay::Said));
        }
        // The first two are the streams; all others were collected from the work folder.
        for sealed in finished.receipt.outputs.iter().skip(2) {
            let bytes = tokio::fs::read(out.join(&sealed.name)).await.map_err(Error::Folder)?;
            let (size, digest) = (bytes.len() as u64, Digest::of(&bytes));
            blobs.put_as(&digest, bytes.into()).await.map_err(Error::from)?;
            kept.push((RunFile { path: sealed.name.clone(), size, digest }, FileWay::Out));
        }
        Ok(kept)
    }

    async fn write_down(
        &self,
        content: &Content,
        finished: &Finished,
        files: Vec<(RunFile, FileWay)>,
    ) -> Result<(), Stop> {
        let exit = &finished.receipt.exit;
        let small =
            |answer: &serde_json::Value| serde_json::to_vec(answer).is_ok_and(|text| text.len() <= LARGEST_ANSWER);
        let came = Came {
            outcome: exit.outcome.clone(),
            code: exit.code,
            signal: exit.signal,
            answer: finished.answer.clone().filter(small),
            problems: finished.problems.clone(),
        };
        let executed = Executed {
            result: serde_json::to_value(&came).unwrap_or_default(),
            receipt: finished.envelope.to_json(),
            salts: serde_json::to_value(&finished.salts).unwrap_or_default(),
        };
        let ran = Ran {
            name: self.run.skill.clone(),
            version: self.run.version_id,
            digest: self.run.digest,
            publisher: self.run.publisher_id,
            seen: seen(finished, content),
        };
        let notary = self.runs.0.parts.registry.log().clone();
        let (id, number, now) = (self.run.id, self.number, self.runs.now());
        let held = self.runs.write(move |tx| {
            let (executed, files) = (executed.clone(), files.clone());
            let (notary, ran) = (notary.clone(), ran.clone());
            Box::pin(async move {
                if !runs::executed(tx, id, number, &executed).await? {
                    return Ok(false);
                }
                for (file, way) in &files {
                    runs::add_file(tx, id, *way, file, now).await?;
                }
                // In the log or on its way there, from the moment at which the run has a receipt.
                Log::enqueue(tx, Entry::of_receipt(executed.receipt), now).await?;
                observed::record(tx, &notary, &ran, now).await?;
                Ok(true)
            })
        });
        if !held.await? {
            return Err(Stop::Taken);
        }
        self.runs.0.parts.registry.log().log().wake();
        Ok(())
    }
}
