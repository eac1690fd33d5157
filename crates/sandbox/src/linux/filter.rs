//! The list of system calls that are refused, in groups with their reasons.
//!
//! What a program needs for its work on its own files, memory and processes is allowed. Refused is what reaches for the kernel,
//! for other processes, for new namespaces, or for parts of the kernel where most holes were found. The rules answer with an
//! error, so that libraries fall back; a call in a foreign calling convention ends the process, because the rules would not
//! understand its numbers.

use std::collections::BTreeMap;

use libc::{EPERM, c_long};
use seccompiler::{BpfProgram, sock_filter};

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

/// What lies where other programs of this machine find it.
const SHARED: &[c_long] = &[
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_msgget,
    libc::SYS_msgctl,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_semget,
    libc::SYS_semctl,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_send_signal,
];

/// Changes what is said of a file, and not the file: Landlock looks at none of them, and a file that is only read may belong to
/// the user.
const ATTRIBUTES: &[c_long] = &[
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    SETXATTRAT,
    REMOVEXATTRAT,
    FILE_SETATTR,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utime,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utimes,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_futimesat,
];

/// Calls whose first argument names a process, the caller by 0.
const BY_NUMBER: &[c_long] = &[
    libc::SYS_prlimit64,
    libc::SYS_sched_setscheduler,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setaffinity,
    libc::SYS_get_robust_list,
];

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
const SETXATTRAT: c_long = 463;
const REMOVEXATTRAT: c_long = 466;
const FILE_SETATTR: c_long = 469;

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
const TERMINAL: &[u32] = &[0x5412, 0x541d, 0x541c, 0x5423];

/// The internet's two socket families, of which the network namespace has only loopback.
const INTERNET: &[libc::c_int] = &[libc::AF_INET, libc::AF_INET6];
/// What no family is.
const NO_FAMILY: u32 = 0xffff_ffff;

/// Whose programs a filter holds.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Holds {
    /// Whether a group counts all memory of the command.
    pub counted_memory: bool,
    /// Whether there are namespaces; without them no internet sockets are made, nothing is shared by number or name, and no
    /// process is named but the caller.
    pub namespaces: bool,
    /// Whether local sockets may be made: not where they could reach a server of this machine through a folder.
    pub local_sockets: bool,
    /// Whether the calls that a [`super::Witness`] refuses are left to it.
    pub watched: bool,
}

/// The program that refuses, and how many calls it refuses or restricts.
#[derive(Debug)]
pub struct Filter {
    program: BpfProgram,
    /// How many calls are refused or restricted.
    pub calls: usize,
}

impl Filter {
    /// Makes the list ready.
    pub fn new(holds: Holds) -> Self {
        let mut answers: BTreeMap<u32, Answer> = BTreeMap::new();
        let mut answer = |calls: &[c_long], answer: &Answer| {
            answers.extend(calls.iter().filter_map(|call| Some((u32::try_from(*call).ok()?, answer.clone()))));
        };
        for group in [MOUNTS, KERNEL, PROCESSES, SURFACE, ARCHITECTURE] {
            answer(group, &Answer::Always(EPERM));
        }
        answer(UNKNOWN, &Answer::Always(libc::ENOSYS));
        if !holds.counted_memory {
            answer(UNCOUNTED, &Answer::Always(EPERM));
            answer(&[libc::SYS_memfd_create], &Answer::Always(libc::ENOSYS));
        }
        if !holds.namespaces {
            answer(SHARED, &Answer::Always(EPERM));
        }
        let mut restrict = |call: c_long, rules: Vec<Rule>| answer(&[call], &Answer::When(rules));
        restrict(libc::SYS_clone, any_bit(0, NAMESPACES));
        restrict(libc::SYS_ioctl, TERMINAL.iter().map(|request| vec![(1, Test::Is(*request))]).collect());
        restrict(libc::SYS_personality, vec![vec![(0, Test::IsNot(0)), (0, Test::IsNot(0xffff_ffff))]]);
        restrict(libc::SYS_socket, sockets(holds));
        if !holds.local_sockets {
            // Of pairs of other kinds, such as datagrams, either can be sent to others than the other end.
            restrict(libc::SYS_socketpair, vec![other_kinds([libc::SOCK_STREAM, libc::SOCK_SEQPACKET])]);
        }
        for (call, rules) in special_bits() {
            restrict(call, rules);
        }
        if !holds.namespaces {
            for call in BY_NUMBER {
                restrict(*call, vec![vec![(0, Test::IsNot(0))]]);
            }
            for call in [libc::SYS_setpriority, libc::SYS_ioprio_set] {
                restrict(call, vec![vec![(1, Test::IsNot(0))]]);
            }
        }
        if !holds.namespaces {
            answers
                .extend(ATTRIBUTES.iter().filter_map(|call| Some((u32::try_from(*call).ok()?, Answer::Always(EPERM)))));
        }
        if holds.watched {
            answers.retain(|call, answer| {
                matches!(answer, Answer::When(_)) || !super::watch::is_refused_there(c_long::from(*call))
            });
        }
        Self { program: program(&answers), calls: answers.len() }
    }

    /// Lets the list hold for this process and all that it starts.
    pub fn apply(&self) -> Result<(), seccompiler::Error> {
        seccompiler::apply_filter(&self.program)
    }
}

/// What becomes of a call.
#[derive(Debug, Clone)]
enum Answer {
    /// It is refused with this error.
    Always(i32),
    /// It is refused when one of these fits.
    When(Vec<Rule>),
}

/// Tests of a call's arguments, by their places; the rule fits when all of them do. What counts is the lower half of an
/// argument, as the kernel takes no more of any that is tested here.
type Rule = Vec<(u8, Test)>;

#[derive(Debug, Clone, Copy)]
enum Test {
    Is(u32),
    IsNot(u32),
    /// These bits have this value.
    Has(u32, u32),
    /// These bits have another value.
    HasNot(u32, u32),
}

/// The program that answers all calls.
///
/// It is one, and a search tree, because the kernel translates each program and then walks through it once for every call that
/// there is when it is applied: that is what applying costs. A foreign architecture ends the process, and so does a call in the
/// x32 convention, which has the same architecture and other numbers.
fn program(answers: &BTreeMap<u32, Answer>) -> BpfProgram {
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
    let answers: Vec<(u32, BpfProgram)> = answers.iter().map(|(call, answer)| (*call, block(answer))).collect();
    program.extend(tree(&answers));
    program
}

fn tree(answers: &[(u32, BpfProgram)]) -> BpfProgram {
    if answers.len() <= 4 {
        let mut leaf = BpfProgram::new();
        for (call, block) in answers {
            leaf.push(instruction(JUMP_IF_EQUAL, 0, short(block), *call));
            leaf.extend_from_slice(block);
        }
        leaf.push(allow());
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

/// What is done with one call; it always answers.
fn block(answer: &Answer) -> BpfProgram {
    match answer {
        Answer::Always(error) => vec![refuse(*error)],
        Answer::When(rules) => {
            let mut block: BpfProgram = rules.iter().flat_map(rule).collect();
            block.push(allow());
            block
        }
    }
}

/// Refuses when all tests fit, else goes on behind itself.
fn rule(tests: &Rule) -> BpfProgram {
    let mut rule = vec![refuse(EPERM)];
    for (argument, test) in tests.iter().rev() {
        let past = short(&rule);
        let mut before = vec![instruction(LOAD_WORD, 0, 0, argument_at(*argument))];
        match test {
            Test::Is(value) => before.push(instruction(JUMP_IF_EQUAL, 0, past, *value)),
            Test::IsNot(value) => before.push(instruction(JUMP_IF_EQUAL, past, 0, *value)),
            Test::Has(mask, value) => {
                before.push(instruction(AND, 0, 0, *mask));
                before.push(instruction(JUMP_IF_EQUAL, 0, past, *value));
            }
            Test::HasNot(mask, value) => {
                before.push(instruction(AND, 0, 0, *mask));
                before.push(instruction(JUMP_IF_EQUAL, past, 0, *value));
            }
        }
        before.append(&mut rule);
        rule = before;
    }
    rule
}

/// How far a conditional jump goes over these instructions. None is longer: a test of this file looks.
fn short(over: &[sock_filter]) -> u8 {
    u8::try_from(over.len()).unwrap_or(u8::MAX)
}

/// Where the lower half of an argument lies.
fn argument_at(argument: u8) -> u32 {
    let upper_first = if cfg!(target_endian = "big") { 4 } else { 0 };
    16 + 8 * u32::from(argument) + upper_first
}

fn refuse(error: i32) -> sock_filter {
    instruction(RETURN, 0, 0, libc::SECCOMP_RET_ERRNO | (error.unsigned_abs() & 0xffff))
}

fn allow() -> sock_filter {
    instruction(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW)
}

const LOAD_WORD: u16 = 0x20;
const JUMP: u16 = 0x05;
const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP_IF_AT_LEAST: u16 = 0x35;
const RETURN: u16 = 0x06;
const AND: u16 = 0x54;

#[cfg(target_arch = "x86_64")]
const AUDIT_ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const AUDIT_ARCHITECTURE: u32 = 0xc000_00b7;
#[cfg(target_arch = "riscv64")]
const AUDIT_ARCHITECTURE: u32 = 0xc000_00f3;

const fn instruction(code: u16, jt: u8, jf: u8, k: u32) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

/// Sockets of other families, and of the internet's all that is neither TCP nor UDP.
fn sockets(holds: Holds) -> Vec<Rule> {
    let local = holds.local_sockets.then_some(libc::AF_UNIX);
    let internet = if holds.namespaces { INTERNET } else { &[] };
    let families = local.iter().chain(internet);
    let others =
        std::iter::once((0, Test::IsNot(NO_FAMILY))).chain(families.map(|family| (0, Test::IsNot(number(*family)))));
    let mut rules = vec![others.collect()];
    // What a witness refuses is told there.
    let families: &[libc::c_int] = if holds.watched { &[] } else { INTERNET };
    for family in families.iter().copied() {
        rules.push(vec![
            (0, Test::Is(number(family))),
            (2, Test::IsNot(0)),
            (2, Test::IsNot(number(libc::IPPROTO_TCP))),
            (2, Test::IsNot(number(libc::IPPROTO_UDP))),
        ]);
        let mut kinds = vec![(0, Test::Is(number(family)))];
        kinds.extend(other_kinds([libc::SOCK_STREAM, libc::SOCK_DGRAM]));
        rules.push(kinds);
    }
    rules
}

/// Fits sockets of all kinds but these two.
fn other_kinds(kinds: [libc::c_int; 2]) -> Rule {
    kinds.map(|kind| (1, Test::HasNot(0xf, number(kind)))).to_vec()
}

/// Files that run as their owner or group: a work folder outlives the sandbox, and what is in it belongs to whoever granted it.
fn special_bits() -> Vec<(c_long, Vec<Rule>)> {
    const BITS: [libc::c_int; 2] = [0o4000, 0o2000];
    let creates = |flags: u8, mode: u8| -> Vec<Rule> {
        let pairs = BITS.iter().flat_map(|bit| [libc::O_CREAT, libc::O_TMPFILE].map(|flag| (flag, *bit)));
        pairs.map(|(flag, bit)| vec![bits(flags, flag), bits(mode, bit)]).collect()
    };
    let mut rules = vec![
        (libc::SYS_fchmod, any_bit(1, &BITS)),
        (libc::SYS_fchmodat, any_bit(2, &BITS)),
        (FCHMODAT2, any_bit(2, &BITS)),
        (libc::SYS_mknodat, any_bit(2, &BITS)),
        (libc::SYS_openat, creates(2, 3)),
    ];
    #[cfg(target_arch = "x86_64")]
    rules.extend([
        (libc::SYS_chmod, any_bit(1, &BITS)),
        (libc::SYS_creat, any_bit(1, &BITS)),
        (libc::SYS_mknod, any_bit(1, &BITS)),
        (libc::SYS_open, creates(1, 2)),
    ]);
    rules
}

fn any_bit(argument: u8, flags: &[libc::c_int]) -> Vec<Rule> {
    flags.iter().map(|flag| vec![bits(argument, *flag)]).collect()
}

fn bits(argument: u8, flag: libc::c_int) -> (u8, Test) {
    (argument, Test::Has(number(flag), number(flag)))
}

fn number(value: libc::c_int) -> u32 {
    value.cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::{Filter, Holds, RETURN};

    #[test]
    fn every_conditional_jump_is_short_enough_and_lands_inside() {
        for bits in 0..16 {
            let [counted_memory, namespaces, local_sockets, watched] = [1, 2, 4, 8].map(|bit| bits & bit > 0);
            let holds = Holds { counted_memory, namespaces, local_sockets, watched };
            let program = Filter::new(holds).program;
            assert!(program.len() < 1000);
            for (at, one) in program.iter().enumerate() {
                let furthest = at + usize::from(one.jt.max(one.jf)) + usize::from(one.code != RETURN);
                assert!(furthest < program.len() && one.jt.max(one.jf) < u8::MAX, "{at}: {one:?}");
            }
        }
    }
}
