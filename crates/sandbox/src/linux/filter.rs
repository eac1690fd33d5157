//! The list of system calls that are refused, in groups with their reasons.
//!
//! What a program needs for its work on its own files, memory and processes is allowed. Refused is what reaches for the kernel,
//! for other processes, for new namespaces, or for parts of the kernel where most holes were found. The rules answer with an
//! error, so that libraries fall back; a call in a foreign calling convention ends the process, because the rules would not
//! understand its numbers.

use std::collections::BTreeMap;

use libc::{EPERM, c_long};
use seccompiler::SeccompCmpArgLen::Dword;
use seccompiler::SeccompCmpOp::{Eq, MaskedEq, Ne};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCondition, SeccompFilter, SeccompRule, TargetArch, sock_filter,
};

/// Changes what is mounted, where the root is, and which namespaces a process is in.
const MOUNTS: &[c_long] = &[
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    STATMOUNT,
    LISTMOUNT,
    OPEN_TREE_ATTR,
    libc::SYS_unshare,
    libc::SYS_setns,
];

/// Changes or replaces the running kernel, or asks it for its secrets.
const KERNEL: &[c_long] = &[
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_syslog,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    libc::SYS_nfsservctl,
    libc::SYS_lookup_dcookie,
];

/// Looks into other processes, or takes things out of them.
const PROCESSES: &[c_long] = &[
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    libc::SYS_move_pages,
    libc::SYS_migrate_pages,
];

/// Parts of the kernel that hold things for longer than a process lives, or that are rich in holes and poor in uses here.
const SURFACE: &[c_long] = &[
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_fanotify_init,
    libc::SYS_fanotify_mark,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_memfd_secret,
    libc::SYS_remap_file_pages,
    libc::SYS_vmsplice,
];

/// Memory that no file and no process shows: only where a group counts memory is it allowed.
const UNCOUNTED: &[c_long] = &[libc::SYS_shmget, libc::SYS_shmat, libc::SYS_msgget, libc::SYS_semget];

/// Calls that only this processor has: input and output ports, segments, old interfaces.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: &[c_long] = &[
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_uselib,
    libc::SYS_ustat,
    libc::SYS_sysfs,
    libc::SYS__sysctl,
];
#[cfg(not(target_arch = "x86_64"))]
const ARCHITECTURE: &[c_long] = &[];

/// Calls that are answered as if the kernel did not know them, so that libraries take the older call: their arguments lie in
/// memory, where rules cannot read them, or they are a second way to all other calls.
const UNKNOWN: &[c_long] = &[
    libc::SYS_clone3,
    libc::SYS_openat2,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
];

// Newer than the library's list; the numbers are the same on all architectures.
const STATMOUNT: c_long = 457;
const LISTMOUNT: c_long = 458;
const OPEN_TREE_ATTR: c_long = 467;
const FCHMODAT2: c_long = 452;

/// Flags of `clone` that make namespaces.
const NAMESPACES: &[libc::c_int] = &[
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

/// Requests to a terminal that type for the person in front of it, or take it over: TIOCSTI, TIOCCONS, TIOCLINUX, TIOCSETD.
const TERMINAL: &[u64] = &[0x5412, 0x541d, 0x541c, 0x5423];

/// The internet's two socket families, of which the network namespace has only loopback.
const INTERNET: &[libc::c_int] = &[libc::AF_INET, libc::AF_INET6];
/// What no family is.
const NO_FAMILY: u64 = 0xffff_ffff;

/// Whose programs a filter holds.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Holds {
    /// Whether a group counts all memory of the command.
    pub counted_memory: bool,
    /// Whether there is a network namespace; without one no internet sockets are made.
    pub own_network: bool,
    /// Whether local sockets may be made: not where they could reach a server of this machine through a folder.
    pub local_sockets: bool,
    /// Whether the calls that a [`super::Witness`] refuses are left to it.
    pub watched: bool,
}

/// The programs that refuse, to be applied in order, and how many calls they refuse or restrict.
#[derive(Debug)]
pub struct Filter {
    programs: Vec<BpfProgram>,
    /// How many calls are refused or restricted.
    pub calls: usize,
    /// Whether local sockets may be made.
    pub local_sockets: bool,
}

impl Filter {
    /// Makes the list ready.
    pub fn new(holds: Holds) -> Result<Self, BackendError> {
        let mut plain: BTreeMap<c_long, i32> = BTreeMap::new();
        let mut answer = |calls: &[c_long], error: i32| plain.extend(calls.iter().map(|call| (*call, error)));
        for group in [MOUNTS, KERNEL, PROCESSES, SURFACE, ARCHITECTURE] {
            answer(group, EPERM);
        }
        answer(UNKNOWN, libc::ENOSYS);
        if !holds.counted_memory {
            answer(UNCOUNTED, EPERM);
            answer(&[libc::SYS_memfd_create], libc::ENOSYS);
        }
        if holds.watched {
            plain.retain(|call, _| !super::watch::is_refused_there(*call));
        }
        let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
        rules.insert(libc::SYS_clone, any_bit(0, NAMESPACES)?);
        rules.insert(libc::SYS_ioctl, any_of(1, TERMINAL)?);
        rules.insert(libc::SYS_personality, vec![all(vec![is(0, Ne, 0)?, is(0, Ne, 0xffff_ffff)?])?]);
        rules.insert(libc::SYS_socket, sockets(holds)?);
        if !holds.local_sockets {
            // Of a pair only datagrams can be sent to others than the other end.
            let datagrams = is(1, MaskedEq(0xf), number(libc::SOCK_DGRAM))?;
            rules.insert(libc::SYS_socketpair, vec![all(vec![datagrams])?]);
        }
        rules.extend(special_bits()?);
        let calls = rules.len() + plain.len();
        let arguments = SeccompFilter::new(rules, SeccompAction::Allow, refuse(EPERM), architecture()?)?;
        Ok(Self { programs: vec![program(&plain), arguments.try_into()?], calls, local_sockets: holds.local_sockets })
    }

    /// Lets the list hold for this process and all that it starts.
    pub fn apply(&self) -> Result<(), seccompiler::Error> {
        self.programs.iter().try_for_each(|program| seccompiler::apply_filter(program))
    }
}

fn architecture() -> Result<TargetArch, BackendError> {
    std::env::consts::ARCH.try_into()
}

fn refuse(error: i32) -> SeccompAction {
    SeccompAction::Errno(error.unsigned_abs())
}

/// The program that answers calls whatever their arguments are.
///
/// It is a search tree, because the kernel walks through it once for every call that there is when it is applied, and that is
/// most of what applying costs. A foreign architecture ends the process, and so does a call in the x32 convention, which has
/// the same architecture and other numbers.
fn program(answers: &BTreeMap<c_long, i32>) -> BpfProgram {
    const ARCHITECTURE_AT: u32 = 4;
    const X32: u32 = 0x4000_0000;
    let kill = instruction(RETURN, 0, 0, libc::SECCOMP_RET_KILL_PROCESS);
    let mut program = vec![
        instruction(LOAD_WORD, 0, 0, ARCHITECTURE_AT),
        instruction(JUMP_IF_EQUAL, 1, 0, AUDIT_ARCHITECTURE),
        kill.clone(),
        instruction(LOAD_WORD, 0, 0, 0),
        instruction(JUMP_IF_AT_LEAST, 0, 1, X32),
        kill,
    ];
    let answers: Vec<(u32, i32)> =
        answers.iter().filter_map(|(call, error)| Some((u32::try_from(*call).ok()?, *error))).collect();
    program.extend(tree(&answers));
    program
}

fn tree(answers: &[(u32, i32)]) -> BpfProgram {
    if answers.len() <= 4 {
        let one = |(call, error): &(u32, i32)| {
            [instruction(JUMP_IF_EQUAL, 0, 1, *call), instruction(RETURN, 0, 0, refuse(*error).into())]
        };
        let mut leaf: BpfProgram = answers.iter().flat_map(one).collect();
        leaf.push(instruction(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW));
        return leaf;
    }
    let (lower, upper) = answers.split_at(answers.len() / 2);
    let (middle, lower, upper) = (upper.first().map_or(0, |(call, _)| *call), tree(lower), tree(upper));
    let skip = u32::try_from(lower.len()).unwrap_or(u32::MAX);
    let mut branch = vec![instruction(JUMP_IF_AT_LEAST, 0, 1, middle), instruction(JUMP, 0, 0, skip)];
    branch.extend(lower);
    branch.extend(upper);
    branch
}

const LOAD_WORD: u16 = 0x20;
const JUMP: u16 = 0x05;
const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP_IF_AT_LEAST: u16 = 0x35;
const RETURN: u16 = 0x06;

#[cfg(target_arch = "x86_64")]
const AUDIT_ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const AUDIT_ARCHITECTURE: u32 = 0xc000_00b7;
#[cfg(target_arch = "riscv64")]
const AUDIT_ARCHITECTURE: u32 = 0xc000_00f3;

const fn instruction(code: u16, jt: u8, jf: u8, k: u32) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

/// Sockets of other families, sockets below TCP and UDP, and TCP's variants that Landlock does not know.
fn sockets(holds: Holds) -> Result<Vec<SeccompRule>, BackendError> {
    let local = holds.local_sockets.then_some(libc::AF_UNIX);
    let internet = if holds.own_network { INTERNET } else { &[] };
    let mut others = vec![is(0, Ne, NO_FAMILY)?];
    for family in local.iter().chain(internet) {
        others.push(is(0, Ne, number(*family))?);
    }
    let mut rules = vec![all(others)?];
    // What a witness refuses is told there.
    let families: &[libc::c_int] = if holds.watched { &[] } else { INTERNET };
    for family in families {
        let family = *family;
        rules.push(all(vec![
            is(0, Eq, number(family))?,
            is(2, Ne, 0)?,
            is(2, Ne, number(libc::IPPROTO_TCP))?,
            is(2, Ne, number(libc::IPPROTO_UDP))?,
        ])?);
        rules.push(all(vec![is(0, Eq, number(family))?, is(1, MaskedEq(0xf), number(libc::SOCK_RAW))?])?);
    }
    Ok(rules)
}

/// Files that run as their owner or group: a work folder outlives the sandbox, and what is in it belongs to whoever granted it.
fn special_bits() -> Result<Vec<(i64, Vec<SeccompRule>)>, BackendError> {
    const BITS: [libc::c_int; 2] = [0o4000, 0o2000];
    let creates = |flags: u8, mode: u8| -> Result<Vec<SeccompRule>, BackendError> {
        let mut rules = Vec::new();
        for bit in BITS {
            for flag in [libc::O_CREAT, libc::O_TMPFILE] {
                rules.push(all(vec![bits(flags, flag)?, bits(mode, bit)?])?);
            }
        }
        Ok(rules)
    };
    let mut rules = vec![
        (libc::SYS_fchmod, any_bit(1, &BITS)?),
        (libc::SYS_fchmodat, any_bit(2, &BITS)?),
        (FCHMODAT2, any_bit(2, &BITS)?),
        (libc::SYS_mknodat, any_bit(2, &BITS)?),
        (libc::SYS_openat, creates(2, 3)?),
    ];
    #[cfg(target_arch = "x86_64")]
    rules.extend([
        (libc::SYS_chmod, any_bit(1, &BITS)?),
        (libc::SYS_creat, any_bit(1, &BITS)?),
        (libc::SYS_mknod, any_bit(1, &BITS)?),
        (libc::SYS_open, creates(1, 2)?),
    ]);
    Ok(rules)
}

fn any_bit(argument: u8, flags: &[libc::c_int]) -> Result<Vec<SeccompRule>, BackendError> {
    flags.iter().map(|flag| all(vec![bits(argument, *flag)?])).collect()
}

fn any_of(argument: u8, values: &[u64]) -> Result<Vec<SeccompRule>, BackendError> {
    values.iter().map(|value| all(vec![is(argument, Eq, *value)?])).collect()
}

fn all(conditions: Vec<SeccompCondition>) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions)
}

fn bits(argument: u8, flag: libc::c_int) -> Result<SeccompCondition, BackendError> {
    is(argument, MaskedEq(number(flag)), number(flag))
}

fn is(argument: u8, operator: seccompiler::SeccompCmpOp, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, Dword, operator, value)
}

fn number(value: libc::c_int) -> u64 {
    u64::from(value.cast_unsigned())
}
