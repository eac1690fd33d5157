//! What the launcher and the first process inside say to each other, over a socket that keeps messages apart.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Ended, Error, Stopped};

/// The longest message.
const LONGEST: usize = 8 << 10;
/// The most descriptors that come with a message: a door for each of the groups.
const MOST_DESCRIPTORS: usize = 4;

/// From inside.
#[derive(Debug, Serialize, Deserialize)]
pub enum Told {
    /// It failed, and nothing of the command ran.
    Failed(Error),
    /// The network is there; the socket that comes with it is the proxy's.
    Ready,
    /// The command ended.
    Ended(End),
}

/// How the command ended.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct End {
    pub ended: Ended,
    pub stopped: Option<Stopped>,
    /// The kernel's version of Landlock, if it held.
    pub landlock: Option<i32>,
    /// The most memory that was seen at once, of all processes together, when it was looked at.
    pub memory: u64,
    /// The most time on processors that was seen, in microseconds.
    pub cpu: u64,
    /// Whether nothing that the command started outlived it.
    pub alone: bool,
    /// How many calls were refused or restricted.
    pub refused_calls: usize,
}

/// From the launcher.
#[derive(Debug, Serialize, Deserialize)]
pub enum Order {
    /// User and group are given.
    Given,
    /// Begin the command; says whether a group counts its memory. With it come the doors of the groups.
    Begin(bool),
    /// Send the command this signal.
    Signal(i32),
}

/// One end.
#[derive(Debug)]
pub struct Talk(OwnedFd);

impl Talk {
    /// Two ends.
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((Self(one), Self(other)))
    }

    /// Says something.
    pub fn say(&self, message: &impl Serialize, with: &[BorrowedFd<'_>]) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(message)?;
        bytes.truncate(LONGEST);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !with.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(with)) {
            return Err(io::Error::other("too many descriptors for a message"));
        }
        sendmsg(&self.0, &[IoSlice::new(&bytes)], &mut ancillary, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// Waits for a message; nothing when the other end is gone.
    pub fn hear<T: DeserializeOwned>(&self) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
        let mut bytes = vec![0; LONGEST];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let got = loop {
            match recvmsg(&self.0, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
                // Told once, when the other end went without having heard all; what it said is still there.
                Err(rustix::io::Errno::INTR | rustix::io::Errno::CONNRESET) => {}
                other => break other?,
            }
        };
        if got.bytes == 0 {
            return Ok(None);
        }
        if got.flags.contains(ReturnFlags::TRUNC) {
            return Err(io::Error::other("a message is too long"));
        }
        let mut with = Vec::new();
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                with.extend(descriptors);
            }
        }
        Ok(Some((serde_json::from_slice(bytes.get(..got.bytes).unwrap_or_default())?, with)))
    }
}

impl AsFd for Talk {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}
