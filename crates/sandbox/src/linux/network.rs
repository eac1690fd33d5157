//! The network of inside: a namespace with nothing but a loopback device.
//!
//! The kernel takes as long to make one as for all other namespaces together, so another process makes it while the first one
//! inside sets up the root.

use std::io;
use std::os::fd::{AsFd as _, IntoRawFd as _, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};

use nix::errno::Errno;
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, sendto, socket_with};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::system;

const NEW_LINK: u16 = 16;
const REQUEST: u16 = 1;
const UP: u32 = 1;
/// Loopback is the first device of each network namespace.
const LOOPBACK: u32 = 1;
/// What is there before anything was told.
const NOTHING: i32 = i32::MIN;

/// A network that another process makes.
#[derive(Debug)]
pub struct Network {
    maker: Pid,
    told: &'static AtomicI32,
}

impl Network {
    /// Begins it, in the user namespace of this process.
    pub fn begin() -> io::Result<Self> {
        let told = Box::leak(Box::new(AtomicI32::new(NOTHING)));
        Ok(Self { maker: system::begin_aside(make, told)?, told })
    }

    /// Waits until it is there, and goes into it.
    pub fn enter(self) -> io::Result<()> {
        while let Err(error) = waitpid(self.maker, None) {
            if error != Errno::EINTR {
                return Err(error.into());
            }
        }
        match self.told.load(Ordering::Acquire) {
            NOTHING => Err(io::Error::other("it was not made")),
            error @ ..0 => Err(io::Error::from_raw_os_error(-error)),
            socket => {
                let namespace = system::network_of(&system::own(socket))?;
                Ok(move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?)
            }
        }
    }
}

/// Makes a network, and tells a socket in it or an error. It shares all memory with a process that goes on meanwhile, so it
/// does nothing but calls.
fn make(told: &AtomicI32) {
    let made = system::unshare(libc::CLONE_NEWNET).and_then(|()| up());
    told.store(
        made.map_or_else(|error| -error.raw_os_error().unwrap_or(libc::EIO), OwnedFd::into_raw_fd),
        Ordering::Release,
    );
}

/// Switches the loopback device on, which begins switched off.
fn up() -> io::Result<OwnedFd> {
    // Routes are protocol 0.
    let route = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    sendto(&route, &message(), SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    Ok(route)
}

/// `nlmsghdr` and `ifinfomsg`.
fn message() -> [u8; 32] {
    let kind = u32::from(NEW_LINK) | u32::from(REQUEST) << 16;
    let kind = if cfg!(target_endian = "big") { kind.rotate_left(16) } else { kind };
    let words = [32, kind, 0, 0, 0, LOOPBACK, UP, UP].map(u32::to_ne_bytes);
    let mut message = [0; 32];
    for (to, word) in message.chunks_exact_mut(4).zip(words) {
        to.copy_from_slice(&word);
    }
    message
}
