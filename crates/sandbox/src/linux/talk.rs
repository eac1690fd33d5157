//! What the launcher and the first process inside say to each other, over a socket that keeps messages apart.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Ended, Error, Stopped};

/// The longest message.
const LONGEST: usize = 8 << 10;

/// From inside.
#[derive(Debug, Serialize, Deserialize)]
pub enum Told {
    /// It failed, and nothing of the command ran.
    Failed(Error),
    /// All is set up; the socket that comes with it is the proxy's, if there is one.
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
}

/// From the launcher.
#[derive(Debug, Serialize, Deserialize)]
pub enum Order {
    /// User and group are given.
    Given,
    /// Begin the command.
    Begin,
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
    pub fn say(&self, message: &impl Serialize, with: Option<&OwnedFd>) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(message)?;
        bytes.truncate(LONGEST);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let descriptors = with.map(AsFd::as_fd);
        if let Some(descriptor) = descriptors.as_ref() {
            ancillary.push(SendAncillaryMessage::ScmRights(std::slice::from_ref(descriptor)));
        }
        sendmsg(&self.0, &[IoSlice::new(&bytes)], &mut ancillary, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// Waits for a message; nothing when the other end is gone.
    pub fn hear<T: DeserializeOwned>(&self) -> io::Result<Option<(T, Option<OwnedFd>)>> {
        let mut bytes = vec![0; LONGEST];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let got = loop {
            match recvmsg(&self.0, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::CONNRESET) => return Ok(None),
                other => break other?,
            }
        };
        if got.bytes == 0 {
            return Ok(None);
        }
        if got.flags.contains(ReturnFlags::TRUNC) {
            return Err(io::Error::other("a message is too long"));
        }
        let mut with = None;
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                with = descriptors.last();
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
