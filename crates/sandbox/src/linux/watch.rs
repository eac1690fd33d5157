//! Watching a command: the calls by which it reaches for files, programs, networks and the kernel are told to whoever started
//! it, one by one and before they happen, and every address of every network leads to sockets that the watcher holds.
//!
//! The kernel hands the calls over by a filter (seccomp's user notification), so it works as an ordinary user and without
//! tracing. What is told may be changed by another thread of the command until the kernel reads it again: a witness sees, it
//! does not guard. What must not happen is refused by the filters of every sandbox, or here without looking at memory.

mod deed;

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use libc::c_long;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, sendto, socket_with, sockopt,
};

use super::init::wait_for;
use super::system;

pub use deed::Seen;

/// How many ports of each kind a command can reach.
const TCP_SOCKETS: usize = 40;
const UDP_SOCKETS: usize = 20;
/// Where the command's process keeps its end while it begins: far from what programs use.
const ASIDE: i32 = 700;
/// How long a command may take to begin.
const PATIENCE: Duration = Duration::from_secs(20);

/// Calls that are told and then happen.
const TOLD: &[c_long] = &[
    libc::SYS_openat,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_connect,
    libc::SYS_sendmmsg,
    libc::SYS_unlinkat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_truncate,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_setsid,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_open,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_creat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_link,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_symlink,
];

/// Calls that are told and always refused: each reaches for the kernel or for another process.
const REFUSED: &[(c_long, &str)] = &[
    (libc::SYS_mount, "mount"),
    (libc::SYS_umount2, "umount"),
    (libc::SYS_pivot_root, "pivot_root"),
    (libc::SYS_chroot, "chroot"),
    (libc::SYS_move_mount, "move_mount"),
    (libc::SYS_open_tree, "open_tree"),
    (libc::SYS_fsopen, "fsopen"),
    (libc::SYS_unshare, "unshare"),
    (libc::SYS_setns, "setns"),
    (libc::SYS_ptrace, "ptrace"),
    (libc::SYS_process_vm_readv, "process_vm_readv"),
    (libc::SYS_process_vm_writev, "process_vm_writev"),
    (libc::SYS_pidfd_getfd, "pidfd_getfd"),
    (libc::SYS_bpf, "bpf"),
    (libc::SYS_perf_event_open, "perf_event_open"),
    (libc::SYS_userfaultfd, "userfaultfd"),
    (libc::SYS_init_module, "init_module"),
    (libc::SYS_finit_module, "finit_module"),
    (libc::SYS_delete_module, "delete_module"),
    (libc::SYS_kexec_load, "kexec_load"),
    (libc::SYS_kexec_file_load, "kexec_file_load"),
    (libc::SYS_reboot, "reboot"),
    (libc::SYS_keyctl, "keyctl"),
    (libc::SYS_add_key, "add_key"),
    (libc::SYS_request_key, "request_key"),
    (libc::SYS_clock_settime, "clock_settime"),
    (libc::SYS_settimeofday, "settimeofday"),
    (libc::SYS_open_by_handle_at, "open_by_handle_at"),
];

/// Whether a call is refused by the witness, so that it can be told.
pub fn is_refused_there(call: c_long) -> bool {
    REFUSED.iter().any(|(refused, _)| *refused == call)
}

/// Lets every address of both internets lead to this machine's loopback, makes sockets there and hands them out.
pub fn open_sockets(watcher: &OwnedFd) -> io::Result<()> {
    route(AddressFamily::INET)?;
    // A kernel may be without the newer internet; then nothing there can be reached.
    let _ = route(AddressFamily::INET6);
    let mut sockets = Vec::new();
    for (kind, count) in [(SocketType::STREAM, TCP_SOCKETS), (SocketType::DGRAM, UDP_SOCKETS)] {
        for _ in 0..count {
            sockets.push(socket(kind)?);
        }
    }
    let descriptors: Vec<BorrowedFd<'_>> = sockets.iter().map(AsFd::as_fd).collect();
    send(watcher, &descriptors)
}

fn socket(kind: SocketType) -> io::Result<OwnedFd> {
    let make = |family| socket_with(family, kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None);
    let socket = match make(AddressFamily::INET6) {
        Ok(socket) => {
            sockopt::set_ipv6_v6only(&socket, false)?;
            socket
        }
        Err(_) => make(AddressFamily::INET)?,
    };
    sockopt::set_socket_reuseaddr(&socket, true)?;
    Ok(socket)
}

/// A route by which all addresses of a family are this machine's own: a message of `nlmsghdr`, `rtmsg` and one attribute.
fn route(family: AddressFamily) -> io::Result<()> {
    const NEW_ROUTE: u16 = 24;
    const REQUEST_CREATE: u16 = 0x1 | 0x400;
    const TABLE_LOCAL: u8 = 255;
    const PROTOCOL_STATIC: u8 = 4;
    const SCOPE_HOST: u8 = 254;
    const TYPE_LOCAL: u8 = 2;
    const DEVICE: u16 = 4;
    const LOOPBACK: u32 = 1;
    let mut message = Vec::with_capacity(36);
    message.extend(36_u32.to_ne_bytes());
    message.extend(NEW_ROUTE.to_ne_bytes());
    message.extend(REQUEST_CREATE.to_ne_bytes());
    message.extend([0; 8]);
    let family = u8::try_from(family.as_raw()).map_err(io::Error::other)?;
    message.extend([family, 0, 0, 0, TABLE_LOCAL, PROTOCOL_STATIC, SCOPE_HOST, TYPE_LOCAL]);
    message.extend([0; 4]);
    message.extend(8_u16.to_ne_bytes());
    message.extend(DEVICE.to_ne_bytes());
    message.extend(LOOPBACK.to_ne_bytes());
    let routes = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    sendto(&routes, &message, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    Ok(())
}

fn send(to: &OwnedFd, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(TCP_SOCKETS + UDP_SOCKETS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
    sendmsg(to, &[IoSlice::new(b"w")], &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Puts the end of the command's process where the filter knows it.
pub fn aside(watcher: &OwnedFd) -> io::Result<OwnedFd> {
    Ok(rustix::io::fcntl_dupfd_cloexec(watcher, ASIDE)?)
}

/// Begins to hand calls over, in the command's process: its next step is the first that is told.
pub fn begin(watcher: &OwnedFd) -> io::Result<()> {
    let own = u32::try_from(watcher.as_raw_fd()).map_err(io::Error::other)?;
    let listener = system::listen(&program(own))?;
    send(watcher, &[listener.as_fd()])
}

/// The filter. By `own`, a descriptor that the command does not have, the listener itself is handed out.
fn program(own: u32) -> Vec<libc::sock_filter> {
    const LOAD: u16 = 0x20;
    const EQUAL: u16 = 0x15;
    const AND: u16 = 0x54;
    const RETURN: u16 = 0x06;
    const fn one(code: u16, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
        libc::sock_filter { code, jt, jf, k }
    }
    const fn argument(number: u32) -> u32 {
        16 + 8 * number
    }
    let tell = one(RETURN, 0, 0, libc::SECCOMP_RET_USER_NOTIF);
    let allow = one(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW);
    let number = |call: c_long| u32::try_from(call).unwrap_or(u32::MAX);
    let mut program = vec![one(LOAD, 0, 0, 0)];
    for call in TOLD.iter().copied().chain(REFUSED.iter().map(|(call, _)| *call)) {
        program.extend([one(EQUAL, 0, 1, number(call)), tell]);
    }
    // A message to somebody who is named: datagrams without a connection.
    program.extend([
        one(EQUAL, 0, 6, number(libc::SYS_sendto)),
        one(LOAD, 0, 0, argument(4)),
        one(EQUAL, 0, 3, 0),
        one(LOAD, 0, 0, argument(4) + 4),
        one(EQUAL, 0, 1, 0),
        allow,
        tell,
        one(EQUAL, 0, 4, number(libc::SYS_sendmsg)),
        one(LOAD, 0, 0, argument(0)),
        one(EQUAL, 0, 1, own),
        allow,
        tell,
        // Sockets of the internet below TCP and UDP.
        one(EQUAL, 0, 11, number(libc::SYS_socket)),
        one(LOAD, 0, 0, argument(0)),
        one(EQUAL, 1, 0, libc::AF_INET.cast_unsigned()),
        one(EQUAL, 0, 8, libc::AF_INET6.cast_unsigned()),
        one(LOAD, 0, 0, argument(1)),
        one(AND, 0, 0, 0xf),
        one(EQUAL, 4, 0, libc::SOCK_RAW.cast_unsigned()),
        one(LOAD, 0, 0, argument(2)),
        one(EQUAL, 3, 0, 0),
        one(EQUAL, 2, 0, libc::IPPROTO_TCP.cast_unsigned()),
        one(EQUAL, 1, 0, libc::IPPROTO_UDP.cast_unsigned()),
        tell,
        allow,
    ]);
    program
}

/// Sees what a watched command does, call by call, and holds the sockets to which every address leads.
#[derive(Debug)]
pub struct Witness {
    talk: UnixStream,
    listener: Option<OwnedFd>,
    tcp: Vec<OwnedFd>,
    udp: Vec<OwnedFd>,
}

impl Witness {
    pub(super) const fn new(talk: UnixStream) -> Self {
        Self { talk, listener: None, tcp: Vec::new(), udp: Vec::new() }
    }

    /// Waits until the command is about to begin; says whether it is. When it is not, the command's outcome says why.
    pub fn wait(&mut self) -> io::Result<bool> {
        let end = Instant::now() + PATIENCE;
        let mut has_sockets = false;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            if wait_for(&[&self.talk], Some(left))?.first() != Some(&true) {
                continue;
            }
            let Some(mut some) = self.take()? else { return Ok(false) };
            if has_sockets {
                self.listener = some.pop();
                return Ok(self.listener.is_some());
            }
            self.udp = some.split_off(some.len().min(TCP_SOCKETS));
            self.tcp = some;
            has_sockets = true;
        }
        Ok(false)
    }

    fn take(&mut self) -> io::Result<Option<Vec<OwnedFd>>> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(TCP_SOCKETS + UDP_SOCKETS))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        let got = recvmsg(&self.talk, &mut [IoSliceMut::new(&mut byte)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
        if got.bytes == 0 {
            return Ok(None);
        }
        let mut taken = Vec::new();
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(some) = message {
                taken.extend(some);
            }
        }
        Ok(Some(taken))
    }

    /// The next thing that the command, or something that it started, is about to do; nothing when all of them ended, or
    /// when nothing happens for that long. It waits until [`Witness::go_on`] or [`Witness::answer`].
    pub fn next(&mut self, most: Duration) -> io::Result<Option<Seen>> {
        let Some(listener) = &self.listener else { return Ok(None) };
        let end = Instant::now() + most;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            use rustix::event::{PollFd, PollFlags, Timespec, poll};
            let mut polled = [PollFd::new(listener, PollFlags::IN)];
            let left = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
            match poll(&mut polled, Some(&left)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let said = polled[0].revents();
            if said.contains(PollFlags::IN) {
                match system::next_call(listener) {
                    Ok(call) => return Ok(Some(Seen::of(&call))),
                    // The process has ended meanwhile.
                    Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINTR)) => {}
                    Err(error) => return Err(error),
                }
            } else if said.intersects(PollFlags::HUP | PollFlags::ERR) {
                self.listener = None;
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// Whether everything that was watched has ended.
    pub const fn is_over(&self) -> bool {
        self.listener.is_none()
    }

    /// Whether what was seen was still waiting for its answer when it was looked at, so that it was not read from another
    /// process.
    pub fn holds(&self, seen: &Seen) -> bool {
        self.listener.as_ref().is_some_and(|listener| system::still_waits(listener, seen.id))
    }

    /// Lets it happen; what is always refused stays refused.
    pub fn go_on(&self, seen: &Seen) {
        let Some(listener) = &self.listener else { return };
        let refused = !TOLD.contains(&seen.call) && !deed::is_message(seen.call);
        // Whoever has ended needs no answer.
        let _ = if refused {
            system::answer(listener, seen.id, libc::EPERM, false)
        } else {
            system::answer(listener, seen.id, 0, true)
        };
    }

    /// Says that it was done, without doing it.
    pub fn pretend(&self, seen: &Seen) {
        if is_refused_there(seen.call) || seen.call == libc::SYS_socket {
            return self.go_on(seen);
        }
        if let Some(listener) = &self.listener {
            let _ = system::answer(listener, seen.id, 0, false);
        }
    }

    /// A socket that takes connections to this port of every address, if there is one left.
    pub fn listen(&mut self, port: u16) -> io::Result<Option<TcpListener>> {
        let Some(socket) = self.tcp.pop() else { return Ok(None) };
        bind(&socket, port)?;
        rustix::net::listen(&socket, 64)?;
        Ok(Some(socket.into()))
    }

    /// A socket that takes datagrams to this port of every address, if there is one left.
    pub fn receive(&mut self, port: u16) -> io::Result<Option<UdpSocket>> {
        let Some(socket) = self.udp.pop() else { return Ok(None) };
        bind(&socket, port)?;
        Ok(Some(socket.into()))
    }
}

fn bind(socket: &OwnedFd, port: u16) -> io::Result<()> {
    let any: IpAddr = if sockopt::socket_domain(socket)? == AddressFamily::INET6 {
        Ipv6Addr::UNSPECIFIED.into()
    } else {
        Ipv4Addr::UNSPECIFIED.into()
    };
    Ok(rustix::net::bind(socket, &SocketAddr::new(any, port))?)
}
