//! The life of one hub from its first start to its last check, with the deaths in between.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context as _, Result};
use futures::future::try_join_all;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tempfile::TempDir;

use super::Tally;
use super::client::{Client, Door};
use super::death::Death;
use super::hub::{Hub, Place, age_blobs};
use super::witness::Seen;

/// Clients that work side by side.
const CLIENTS: u64 = 6;

/// A hub that is killed again and again.
pub struct Life {
    folder: TempDir,
    place: Place,
    clients: Vec<Client>,
    random: StdRng,
    seed: u64,
    tally: Tally,
}

impl Life {
    /// A hub of its own, in a database of the server if one is named.
    pub async fn begin(program: &Path, seed: u64, number: u32, server: Option<&str>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("kontor-crash-").tempdir()?;
        let database = match server {
            Some(server) => Some(kontor_db::testing::create_database(server).await?),
            None => None,
        };
        let own = seed ^ (u64::from(number) << 16);
        let program = std::path::absolute(program)?;
        let place = Place { program, data: folder.path().join("data"), database };
        let clients = (0..CLIENTS).map(|client| Client::new(own ^ (client << 48))).collect();
        let random = StdRng::seed_from_u64(own);
        Ok(Self { folder, place, clients, random, seed, tally: Tally::default() })
    }

    /// Dies of everything, then is looked at as a whole. What is needed to find a fault is kept.
    pub async fn live(mut self, deaths: Range<u32>) -> Result<Tally> {
        let outcome = self.all(deaths).await;
        if outcome.is_err() || !self.tally.lost.is_empty() || !self.tally.wrong.is_empty() {
            eprintln!("crash: the hub is kept in {}", self.folder.keep().display());
        }
        outcome.map(|()| self.tally)
    }

    async fn all(&mut self, deaths: Range<u32>) -> Result<()> {
        for number in deaths {
            let death = Death::of(number, self.seed);
            self.die(&death).await.with_context(|| format!("death {number}, {death:?}"))?;
            self.tally.count(&death, self.place.database.is_some());
            if self.random.random_bool(0.5) {
                self.check(false, true).await.with_context(|| format!("after death {number}, {death:?}"))?;
            }
        }
        self.end().await.context("at the end")
    }

    async fn die(&mut self, death: &Death) -> Result<()> {
        let mut hub = self.place.start(death.armed().as_deref())?;
        if let Death::Start { after } = death {
            tokio::time::sleep(*after).await;
            return hub.kill().await;
        }
        let door = self.open(&mut hub).await?;
        self.look(&door).await?;
        let beside = self.random.random_bool(0.2);
        let check = async {
            let checked = if beside { self.place.check(false, false).await } else { Ok((0, Vec::new())) };
            checked.context("fsck beside a working hub")
        };
        let work = try_join_all(self.clients.iter_mut().map(|client| client.work(&door)));
        let fate = async {
            if let Death::Work { after } = death {
                tokio::time::sleep(*after).await;
                return hub.kill().await;
            }
            hub.dead().await
        };
        // The first that fails ends the others, which might wait for it for ever.
        let ((_, left), ..) = tokio::try_join!(check, fate, work)?;
        self.tally.wrong.extend(left);
        Ok(())
    }

    async fn open(&self, hub: &mut Hub) -> Result<Door> {
        let door = Door::new(hub.ready().await?, self.place.database.is_none())?;
        door.make_publisher().await?;
        Ok(door)
    }

    async fn look(&mut self, door: &Door) -> Result<()> {
        door.decided().await?;
        let seen = try_join_all(self.clients.iter_mut().map(|client| Seen::of(client, door))).await?;
        for seen in seen {
            self.tally.lost.extend(seen.lost);
            self.tally.wrong.extend(seen.wrong);
        }
        Ok(())
    }

    async fn check(&mut self, deep: bool, mend: bool) -> Result<u64> {
        let (mended, left) = self.place.check(deep, mend).await?;
        self.tally.repaired += mended;
        self.tally.wrong.extend(left);
        Ok(mended)
    }

    /// Sends everything again that was not answered, looks at everything once more, and lets nothing be left over.
    async fn end(&mut self) -> Result<()> {
        let mut hub = self.place.start(None)?;
        let door = self.open(&mut hub).await?;
        self.look(&door).await?;
        try_join_all(self.clients.iter_mut().map(|client| client.settle(&door))).await?;
        for version in
            self.clients.iter_mut().flat_map(|client| &mut client.skills).flat_map(|skill| &mut skill.versions)
        {
            version.seen = false;
        }
        self.look(&door).await?;
        let all = Seen::of_all(&self.clients, &door).await?;
        self.tally.wrong.extend(all.wrong);
        hub.kill().await?;
        age_blobs(&self.place.data.join("blobs"))?;
        self.check(true, true).await?;
        if self.check(true, true).await? > 0 {
            self.tally.wrong.push("fsck mends again what it has mended".to_owned());
        }
        self.tally.acknowledged = self.clients.iter().map(|client| client.acknowledged).sum();
        Ok(())
    }
}
