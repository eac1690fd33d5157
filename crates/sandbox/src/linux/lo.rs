//! The loopback device of a new network namespace begins switched off.

use std::io;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, sendto, socket_with};

const NEW_LINK: u16 = 16;
const REQUEST: u16 = 1;
const UP: u32 = 1;
/// Loopback is the first device of each network namespace.
const LOOPBACK: i32 = 1;

/// Switches it on.
pub fn up() -> io::Result<()> {
    // Routes are protocol 0.
    let route = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    sendto(&route, &message(), SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    Ok(())
}

/// `nlmsghdr` and `ifinfomsg`.
fn message() -> Vec<u8> {
    let mut message = Vec::with_capacity(32);
    message.extend(32_u32.to_ne_bytes());
    message.extend(NEW_LINK.to_ne_bytes());
    message.extend(REQUEST.to_ne_bytes());
    message.extend([0; 8]);
    message.extend([0; 4]);
    message.extend(LOOPBACK.to_ne_bytes());
    message.extend(UP.to_ne_bytes());
    message.extend(UP.to_ne_bytes());
    message
}
