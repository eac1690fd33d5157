//! What is written down of each connection.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::head::Head;
use crate::destination::shown;
use crate::{Connection, ConnectionTotal, Destination};

/// How many connections are listed of those that were allowed, and of those that were not; more are only counted. So no
/// number of refused ones pushes one off the list that was allowed.
const LISTED: usize = 1000;
/// How many destinations are counted apart of those that were allowed, and of those that were not.
const APART: usize = 500;

/// What was written down of all connections.
#[derive(Debug, Default)]
pub struct Written {
    /// Those that are listed, in the order in which they ended.
    pub connections: Vec<Connection>,
    /// How many are not listed.
    pub unlisted: u64,
    /// All, by destination.
    pub totals: Vec<ConnectionTotal>,
}

impl Written {
    fn add(&mut self, connection: Connection) {
        let granted = connection.refused.is_none();
        self.count(&connection, granted);
        if self.connections.iter().filter(|one| one.refused.is_none() == granted).count() < LISTED {
            self.connections.push(connection);
        } else {
            self.unlisted = self.unlisted.saturating_add(1);
        }
    }

    fn count(&mut self, connection: &Connection, granted: bool) {
        let routed = connection.destination.as_ref().map(|there| format!("{}:{}", there.host(), there.port()));
        let name = routed.unwrap_or_else(|| connection.asked.clone());
        let apart = self.totals.iter().filter(|one| one.granted == granted).count() < APART;
        let known = self.totals.iter().position(|one| one.granted == granted && one.destination == name);
        let name = if known.is_some() || apart { name } else { String::new() };
        let place = self.totals.iter().position(|one| one.granted == granted && one.destination == name);
        let place = place.unwrap_or_else(|| {
            self.totals.push(ConnectionTotal { destination: name, granted, count: 0, sent: 0, received: 0 });
            self.totals.len().saturating_sub(1)
        });
        if let Some(total) = self.totals.get_mut(place) {
            total.count = total.count.saturating_add(1);
            total.sent = total.sent.saturating_add(connection.sent);
            total.received = total.received.saturating_add(connection.received);
        }
    }
}

/// The list.
#[derive(Debug, Clone, Default)]
pub struct Records(Arc<Mutex<Written>>);

impl Records {
    /// A connection begins; it is listed when its record is dropped, however it ends.
    pub fn begin(&self) -> Record {
        Record {
            list: self.clone(),
            begun: Instant::now(),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            connection: Connection {
                asked: String::new(),
                destination: None,
                address: None,
                sni: None,
                request: None,
                sent: 0,
                received: 0,
                duration: Duration::ZERO,
                refused: None,
            },
        }
    }

    /// All that ended.
    pub fn take(&self) -> Written {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One connection.
#[derive(Debug)]
pub struct Record {
    list: Records,
    begun: Instant,
    sent: AtomicU64,
    received: AtomicU64,
    connection: Connection,
}

impl Record {
    pub fn asked(&mut self, head: &Head) {
        self.connection.asked = head.destination.to_string();
        self.connection.request = head.request.as_deref().map(shown);
    }

    pub fn routed(&mut self, grant: Destination, address: IpAddr) {
        self.connection.destination = Some(grant);
        self.connection.address = Some(address);
    }

    pub fn greeted(&mut self, name: Option<&str>) {
        self.connection.sni = name.map(shown);
    }

    pub fn refused(&mut self, why: &str) {
        self.connection.refused = Some(shown(why));
    }

    pub fn sent(&self, count: usize) {
        self.sent.fetch_add(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
    }

    pub fn received(&self, count: usize) {
        self.received.fetch_add(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let ended = Connection {
            sent: *self.sent.get_mut(),
            received: *self.received.get_mut(),
            duration: self.begun.elapsed(),
            ..self.connection.clone()
        };
        self.list.0.lock().unwrap_or_else(PoisonError::into_inner).add(ended);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_of_refused_connections_hides_one_that_was_allowed() {
        let records = Records::default();
        for number in 0..LISTED + 200 {
            let mut record = records.begin();
            record.connection.asked = format!("host-{number}.example:443");
            record.refused("nobody granted it");
        }
        let mut allowed = records.begin();
        allowed.connection.destination = "api.example.com:443".parse().ok();
        allowed.sent(7);
        drop(allowed);
        let written = records.take();
        assert_eq!((written.connections.len(), written.unlisted), (LISTED + 1, 200));
        assert_eq!(written.totals.iter().map(|total| total.count).sum::<u64>(), LISTED as u64 + 201);
        assert_eq!(written.totals.len(), APART + 2, "the rest is one line");
        let granted: Vec<_> = written.totals.iter().filter(|total| total.granted).collect();
        let granted: Vec<_> = granted.iter().map(|one| (one.destination.as_str(), one.count, one.sent)).collect();
        assert_eq!(granted, [("api.example.com:443", 1, 7)]);
    }
}
