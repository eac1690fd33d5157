//! What is written down of each connection.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::head::Head;
use crate::destination::shown;
use crate::{Connection, Destination};

/// How many connections are listed; more are only counted.
const LISTED: usize = 1000;

/// The list.
#[derive(Debug, Clone, Default)]
pub struct Records(Arc<Mutex<(Vec<Connection>, u64)>>);

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

    /// All that ended, and how many were too many to list.
    pub fn take(&self) -> (Vec<Connection>, u64) {
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
        let mut list = self.list.0.lock().unwrap_or_else(PoisonError::into_inner);
        if list.0.len() >= LISTED {
            list.1 = list.1.saturating_add(1);
            return;
        }
        list.0.push(Connection {
            sent: *self.sent.get_mut(),
            received: *self.received.get_mut(),
            duration: self.begun.elapsed(),
            ..self.connection.clone()
        });
    }
}
