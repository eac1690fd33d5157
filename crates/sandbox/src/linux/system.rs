//! The calls that have no safe form in a library. All unsafe code of the workspace is in this file and in `packed.rs`.
#![expect(unsafe_code, reason = "processes and mounts are made by calls that no library offers in a safe form")]

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::sync::atomic::AtomicI32;

use nix::unistd::Pid;

/// Begins a process like `fork`, in new namespaces that `flags` name. In the new process there is no number.
///
/// Fails when this process has more than one thread: only then would the new process be a torso, with locks held by threads
/// that it does not have.
pub fn begin(flags: libc::c_int) -> io::Result<Option<Pid>> {
    // Each thread is a link to that folder, beside the two that every folder has.
    if std::fs::metadata("/proc/self/task").is_ok_and(|tasks| tasks.nlink() > 3) {
        return Err(io::Error::other("the launcher has more than one thread"));
    }
    let flags = libc::c_long::from(flags | libc::SIGCHLD);
    // SAFETY: without CLONE_VM and a stack of its own the call is `fork`: the new process has its own copy of all memory and
    // goes on from here. There is one thread, which was just counted, so nothing in the copy is held by somebody else. The
    // arguments behind the flags are not read without the flags that use them.
    let outcome = unsafe { libc::syscall(libc::SYS_clone, flags, 0_usize, 0_usize, 0_usize, 0_usize) };
    match outcome {
        0 => Ok(None),
        number if number > 0 => Ok(i32::try_from(number).ok().map(Pid::from_raw)),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Begins a process that uses this one's memory until it becomes another program or ends; this process stands still meanwhile.
/// That spares a copy of all that memory, twice: once to make it, and once for each page that either changes.
pub fn begin_beside(mut work: &mut dyn FnMut() -> i32) -> io::Result<Pid> {
    extern "C" fn begun(work: *mut libc::c_void) -> libc::c_int {
        // SAFETY: `begin_beside` hands in what this names, and stands still as long as it is used.
        unsafe { (*work.cast::<&mut dyn FnMut() -> i32>())() }
    }
    let top = stack()?;
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: this process has one thread, which the kernel stops until the new one is done with the memory, so what the new
    // one does is like a call of `work` from here. Its stack is aligned and its own, and is never taken away; it comes back from
    // nothing but `work`, and then ends; a panic ends it too.
    let number = unsafe { libc::clone(begun, top, flags, (&raw mut work).cast()) };
    check(number)?;
    Ok(Pid::from_raw(number))
}

/// Begins a process that uses this one's memory and descriptors while this one goes on; it ends when `work` returns.
///
/// `work` does nothing but calls: it takes and gives no memory, and reads and writes nothing that this process uses but `told`.
pub fn begin_aside(work: fn(&AtomicI32), told: &'static AtomicI32) -> io::Result<Pid> {
    struct Task(fn(&AtomicI32), &'static AtomicI32);
    extern "C" fn begun(task: *mut libc::c_void) -> libc::c_int {
        // SAFETY: `begin_aside` hands in what this names, which lives for ever and is only read.
        let Task(work, told) = unsafe { &*task.cast::<Task>() };
        work(told);
        0
    }
    let task: *mut Task = Box::leak(Box::new(Task(work, told)));
    let top = stack()?;
    let flags = libc::CLONE_VM | libc::CLONE_FILES | libc::SIGCHLD;
    // SAFETY: the stack is aligned and its own, and is never taken away. Both processes have one set of thread-local values, of
    // which a failed call writes `errno`: whoever reads another one's has an error of its own, and the set-up fails with either.
    let number = unsafe { libc::clone(begun, top, flags, task.cast()) };
    check(number)?;
    Ok(Pid::from_raw(number))
}

/// New memory for a stack; gives back its upper end. Pages of it begin when they are touched, and the lowest never do, so that a
/// stack that grows too large ends the process.
fn stack() -> io::Result<*mut libc::c_void> {
    const SIZE: usize = 512 << 10;
    const GUARD: usize = 64 << 10;
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK | libc::MAP_NORESERVE;
    // SAFETY: what is asked for is new, so nothing that is used changes.
    unsafe {
        let stack = libc::mmap(std::ptr::null_mut(), SIZE, access, kind, -1, 0);
        if stack == libc::MAP_FAILED || libc::mprotect(stack, GUARD, libc::PROT_NONE) != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(stack.byte_add(SIZE))
    }
}

/// Takes over a descriptor that another process made in the descriptors of this one, and left to it.
pub fn own(descriptor: i32) -> OwnedFd {
    // SAFETY: its maker gave it up when it told its number, once.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

/// The network namespace that a socket is in.
pub fn network_of(socket: &OwnedFd) -> io::Result<OwnedFd> {
    const SIOCGSKNS: libc::c_ulong = 0x894c;
    // SAFETY: the request takes nothing and answers a new descriptor.
    let namespace = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCGSKNS) };
    check(namespace)?;
    Ok(own(namespace))
}

/// Ends this process at once: nothing is flushed, no destructor runs.
pub fn leave(code: i32) -> ! {
    // SAFETY: `_exit` has no preconditions.
    unsafe { libc::_exit(code) }
}

/// Leaves the namespaces of this process for new ones.
pub fn unshare(flags: libc::c_int) -> io::Result<()> {
    // SAFETY: no memory and no descriptors are involved: CLONE_FILES, the one flag that could take descriptors away from other
    // threads, is never given.
    check(unsafe { libc::unshare(flags & !libc::CLONE_FILES) })
}

/// Sets attributes of a mount, of all mounts below it too if `deep`, and the users that its files belong to.
pub fn set_attributes(
    mount: impl AsFd,
    attributes: u64,
    propagation: u64,
    users: Option<&OwnedFd>,
    deep: bool,
) -> io::Result<()> {
    let attributes = libc::mount_attr {
        attr_set: attributes | if users.is_some() { libc::MOUNT_ATTR_IDMAP } else { 0 },
        attr_clr: 0,
        propagation,
        userns_fd: users.map_or(0, |users| u64::try_from(users.as_raw_fd()).unwrap_or_default()),
    };
    let flags = libc::AT_EMPTY_PATH | if deep { libc::AT_RECURSIVE } else { 0 };
    let mount = mount.as_fd();
    // SAFETY: the path is a C string, the structure lives until the call returns and is as large as is said, and the descriptors
    // are borrowed for the call.
    let outcome = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    check(i32::try_from(outcome).unwrap_or(-1))
}

/// Lets every descriptor from `first` on be closed when another program begins.
pub fn close_at_exec_from(first: u32) -> io::Result<()> {
    // SAFETY: nothing is closed now, so no owner of a descriptor is affected.
    let outcome = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    check(i32::try_from(outcome).unwrap_or(-1))
}

/// The version of Landlock that the kernel has and enforces.
pub fn landlock_version() -> Option<i32> {
    const VERSION: libc::c_long = 1;
    // SAFETY: with no structure, no size and this flag, the call answers a number and does nothing.
    let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0_usize, VERSION) };
    i32::try_from(version).ok().filter(|version| *version > 0)
}

/// Lets a broken pipe end this process again, as programs expect; the language's runtime has switched that off.
pub fn end_at_broken_pipe() {
    // SAFETY: the default action runs no code of ours.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
}

/// Lets a filter hold for this process and all that it starts; gives back where the calls that it hands over are told.
pub fn listen(program: &[libc::sock_filter]) -> io::Result<OwnedFd> {
    let length = u16::try_from(program.len()).map_err(io::Error::other)?;
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    let install = |flags: libc::c_ulong| {
        // SAFETY: the program and its instructions live until the call returns, which copies them and changes nothing.
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program) }
    };
    let mut outcome = install(libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
    if outcome < 0 && io::Error::last_os_error().raw_os_error() == Some(libc::EINVAL) {
        outcome = install(libc::SECCOMP_FILTER_FLAG_NEW_LISTENER);
    }
    check(i32::try_from(outcome).unwrap_or(-1))?;
    // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(i32::try_from(outcome).unwrap_or(-1)) })
}

/// Takes the next call that a filter handed over.
pub fn next_call(listener: &OwnedFd) -> io::Result<libc::seccomp_notif> {
    // SAFETY: the structure holds plain numbers, for which zero is a value; the kernel wants it zeroed.
    let mut call: libc::seccomp_notif = unsafe { std::mem::zeroed() };
    // SAFETY: the structure is the one that this request fills, and lives until the call returns.
    check(unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut call) })?;
    Ok(call)
}

/// Whether a call that was handed over still waits for its answer.
pub fn still_waits(listener: &OwnedFd, id: u64) -> bool {
    // SAFETY: the request reads one number, which lives until the call returns.
    unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ID_VALID, &raw const id) == 0 }
}

/// Answers a call: with an error, with success, or by letting it go on.
pub fn answer(listener: &OwnedFd, id: u64, error: i32, go_on: bool) -> io::Result<()> {
    let flags = if go_on { u32::try_from(libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE).unwrap_or(1) } else { 0 };
    let mut response = libc::seccomp_notif_resp { id, val: 0, error: -error, flags };
    // SAFETY: the structure is the one that this request reads, and lives until the call returns.
    check(unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &raw mut response) })
}

fn check(outcome: libc::c_int) -> io::Result<()> {
    if outcome < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
