//! The probes: small programs that try one thing and say LEAKED when it worked and BLOCKED when it did not.

/// One probe.
pub struct Probe {
    /// The attack that it belongs to, and what it tries.
    pub name: &'static str,
    /// The body of a Python function; what it answers is whether the attack worked.
    pub body: &'static str,
    /// Whether it is shown to work outside as an ordinary user rather than as root.
    pub as_user: bool,
}

const fn probe(name: &'static str, body: &'static str) -> Probe {
    Probe { name, body, as_user: false }
}

/// What every probe can use. `@NAME@` is replaced by what a test planted.
pub const PRELUDE: &str = r#"
import os, sys, socket, ctypes, struct, errno, glob, signal, mmap, fcntl, time
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    "the answer of a system call, and its error"
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments] + [ctypes.c_long(0)] * (6 - len(arguments))
    answer = libc.syscall(ctypes.c_long(number), *wide)
    return answer, ctypes.get_errno()
def reached(number, *arguments):
    "whether a call got as far as its arguments being looked at"
    answer, error = call(number, *arguments)
    return answer >= 0 or error not in (errno.EPERM, errno.ENOSYS, errno.EACCES)
def reads(path, size=4096):
    with open(path, 'rb') as file:
        return len(file.read(size)) > 0
def has(path, needle):
    with open(path, 'rb') as file:
        return needle.encode() in file.read(1 << 20)
def any_of(attempts):
    worked = []
    for name, attempt in attempts:
        try:
            if attempt(): worked.append(name)
        except Exception: pass
    if worked: print('worked:', *worked)
    return bool(worked)
def in_child(attempt):
    "what a process says that may die of it"
    r, w = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if attempt(): os.write(w, b'1')
        finally: os._exit(0)
    os.close(w)
    got = os.read(r, 1)
    os.waitpid(child, 0)
    return got == b'1'
def connects(family, kind, address):
    with socket.socket(family, kind) as s:
        s.settimeout(5)
        s.connect(address)
        return True
def probe():
"#;

/// Behind the body.
pub const END: &str = r"
try: print('LEAKED' if probe() else 'BLOCKED')
except BaseException as error: print('BLOCKED', type(error).__name__, error)
";

/// A whole program.
pub fn program(body: &str, planted: &[(&str, String)]) -> String {
    let mut lines = String::new();
    for line in body.trim().lines() {
        lines.push_str("    ");
        lines.push_str(line);
        lines.push('\n');
    }
    let mut whole = format!("{PRELUDE}{lines}{END}");
    for (name, value) in planted {
        whole = whole.replace(&format!("@{name}@"), value);
    }
    whole
}

/// Files and secrets, and what is told of this machine.
pub const FILES: &[Probe] = &[
    probe("B1 a key in the home folder", "return has('@HOME@/.ssh/id_ed25519', '@CANARY@')"),
    probe("B1 the machine's passwords", "return reads('/etc/shadow')"),
    probe(
        "B1 every home folder",
        "return any(os.listdir(f) for f in glob.glob('/home/*') + ['/root'] if os.access(f, os.R_OK))",
    ),
    probe("B2 the environment", "return '@CANARY@' in os.environ.get('KONTOR_CANARY', '')"),
    probe(
        "B2 other processes' environment",
        "return any_of((p, lambda p=p: has(p, '@CANARY@')) for p in glob.glob('/proc/[0-9]*/environ') if p != '/proc/%d/environ' % os.getpid())",
    ),
    probe("B3 a socket in the home folder", "return connects(socket.AF_UNIX, socket.SOCK_STREAM, '@HOME@/agent.sock')"),
    probe("B4 /proc/self/root", "return has('/proc/self/root@HOME@/.ssh/id_ed25519', '@CANARY@')"),
    probe(
        "B4 other processes' root, folder and files",
        "return any_of((p, lambda p=p: has(p + '@HOME@/.ssh/id_ed25519', '@CANARY@')) for p in glob.glob('/proc/[0-9]*/root') + glob.glob('/proc/[0-9]*/cwd'))",
    ),
    probe("B4 up from the work folder", "return has('../../../../../../../../..@HOME@/.ssh/id_ed25519', '@CANARY@')"),
    probe(
        "B4 a file by its number",
        "return reached(304, -100, ctypes.create_string_buffer(b'\\x08' + b'\\0' * 31), 0)",
    ),
    probe(
        "B5 a descriptor left open",
        r"
for number in range(3, 256):
    try:
        if b'@CANARY@' in os.pread(number, 200, 0): return True
    except OSError: pass
",
    ),
    probe("B6 the skill's own folder", "open('@SKILL@/planted', 'w').write('x'); return True"),
    probe("B6 the skill's own files", "open('@SKILL@/SKILL.md', 'a').write('x'); return True"),
    probe("B6 the skill's folder through its mode", "os.chmod('@SKILL@/SKILL.md', 0o777); return True"),
    probe("B7 times and marks of a file that is only read", "os.utime('@SKILL@/SKILL.md'); return True"),
    probe("B7 a shell's start file", "open('@HOME@/.bashrc', 'a').write('x'); return True"),
    probe("B7 a hook of git", "open('@HOME@/.git/hooks/pre-commit', 'w').write('x'); return True"),
    probe("B7 an agent's orders", "open('@HOME@/CLAUDE.md', 'a').write('x'); return True"),
    probe(
        "B7 the system's folders",
        "open('/usr/kontor-planted', 'w').write('x'); os.unlink('/usr/kontor-planted'); return True",
    ),
    probe("B7 the machine's settings", "open('/etc/hosts', 'a').close(); return True"),
    probe("B9 the kernel's memory", "return os.path.exists('/proc/kcore')"),
    probe("B9 the machine's memory", "return os.path.exists('/dev/mem') or os.path.exists('/dev/kmsg')"),
    probe("B9 firmware and devices", "return len(os.listdir('/sys')) > 0"),
    probe("B9 keys", "return os.path.exists('/proc/keys')"),
    probe("B9 the kernel's command line", "return reads('/proc/cmdline')"),
    probe("B9 the kernel's symbols", "return reads('/proc/kallsyms')"),
    probe("B9 the kernel's settings", "return len(os.listdir('/proc/sys/kernel')) > 0"),
    probe("B9 magic keys", "return os.path.exists('/proc/sysrq-trigger')"),
    probe("B9 processors and memory", "return reads('/proc/cpuinfo') or reads('/proc/meminfo')"),
    probe("B9 the machine's name", "return socket.gethostname() == '@NAME@'"),
    probe(
        "B9 the machine's groups",
        "return any('kontor-run' in line or len(line.strip().split(':', 2)[2]) > 1 for line in open('/proc/self/cgroup'))",
    ),
    probe(
        "B9 block devices",
        "return len(glob.glob('/dev/vd*') + glob.glob('/dev/sd*') + glob.glob('/dev/nvme*')) > 0",
    ),
];

/// The network.
pub const NETWORK: &[Probe] = &[
    probe("C1 this machine's address", "return connects(socket.AF_INET, socket.SOCK_STREAM, ('@ADDRESS@', @PORT@))"),
    probe(
        "C2 a server of this machine",
        "return connects(socket.AF_INET, socket.SOCK_STREAM, ('127.0.0.1', @LOOPBACK@))",
    ),
    probe(
        "C2 a server of this machine, by IPv6",
        "return connects(socket.AF_INET6, socket.SOCK_STREAM, ('::1', @LOOPBACK6@))",
    ),
    probe(
        "C2 a server of this machine, mapped",
        "return connects(socket.AF_INET6, socket.SOCK_STREAM, ('::ffff:127.0.0.1', @LOOPBACK@))",
    ),
    probe(
        "C4 a datagram that is answered",
        r"
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.settimeout(3)
    s.sendto(b'ping', ('127.0.0.1', @DATAGRAM@))
    return s.recv(10) == b'pong'
",
    ),
    probe("C4 a name server", "return any(line.startswith('nameserver') for line in open('/etc/resolv.conf'))"),
    probe(
        "C5 an abstract socket of this machine",
        r"return connects(socket.AF_UNIX, socket.SOCK_STREAM, '\0@ABSTRACT@')",
    ),
    probe(
        "C6 a socket in a granted folder",
        "return connects(socket.AF_UNIX, socket.SOCK_STREAM, '@GRANTED@/agent.sock')",
    ),
    probe(
        "C6 a datagram to a socket in a granted folder",
        r"
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
    s.sendto(b'x', '@GRANTED@/datagram.sock')
    return True
",
    ),
    probe(
        "C6 a datagram from a pair",
        r"
one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
one.sendto(b'x', '@GRANTED@/datagram.sock')
return True
",
    ),
    probe(
        "C6 a datagram from a pair of raw sockets",
        r"
one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_RAW)
one.sendto(b'x', '@GRANTED@/datagram.sock')
return True
",
    ),
    probe(
        "C7 protocols beside TCP and UDP by their kind",
        "return any(reached(41, family, kind, 0) for family in (2, 10) for kind in (3, 4, 5, 6, 10))",
    ),
    probe("C7 virtual machine sockets", "socket.socket(40, socket.SOCK_STREAM).close(); return True"),
    probe("C7 netlink", "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close(); return True"),
    probe("C7 packets", "socket.socket(17, socket.SOCK_RAW, 0).close(); return True"),
    probe("C7 raw sockets", "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close(); return True"),
    probe("C7 echo sockets", "socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 1).close(); return True"),
    probe(
        "C7 all other families",
        r"
def make(family):
    socket.socket(family, socket.SOCK_SEQPACKET if family in (30,) else socket.SOCK_RAW).close()
    return True
def stream(family):
    socket.socket(family, socket.SOCK_DGRAM).close()
    return True
return any_of([(f, lambda f=f: make(f)) for f in range(3, 46) if f != 10] + [(f, lambda f=f: stream(f)) for f in range(3, 46) if f != 10])
",
    ),
];

/// The kernel, and ways out.
pub const KERNEL: &[Probe] = &[
    probe(
        "E1 looking into another process",
        r"
child = os.fork()
if child == 0:
    time.sleep(30); os._exit(0)
try: return reached(101, 0x4206, child, 0, 0)
finally: os.kill(child, 9); os.waitpid(child, 0)
",
    ),
    probe(
        "E1 reading another process's memory",
        r"
here = ctypes.create_string_buffer(b'x' * 8)
class Part(ctypes.Structure): _fields_ = [('at', ctypes.c_void_p), ('size', ctypes.c_size_t)]
part = Part(ctypes.addressof(here), 8)
return reached(310, os.getpid(), ctypes.byref(part), 1, ctypes.byref(part), 1, 0)
",
    ),
    probe("E1 the first process's memory", "os.close(os.open('/proc/1/mem', os.O_RDONLY)); return True"),
    probe("E1 a signal to a process of this machine", "os.kill(@NEIGHBOUR@, 0); return True"),
    probe("E1 a signal to everybody", "os.kill(-1, 0); return True"),
    probe(
        "E1 limits of a process of this machine",
        "return call(302, @NEIGHBOUR@, 7, 0, ctypes.create_string_buffer(16))[0] == 0",
    ),
    probe("E1 advice on another process's memory", "return reached(440, -1, 0, 0, 21, 0)"),
    probe("E1 what is left of a crash", "import resource; return resource.getrlimit(resource.RLIMIT_CORE)[1] != 0"),
    probe("E1 taking a descriptor", "return reached(438, -1, 0, 0)"),
    probe("E2 a new user namespace", "return in_child(lambda: call(272, 0x10000000)[0] == 0)"),
    probe(
        "E2 other new namespaces",
        "return in_child(lambda: any(call(272, flag)[0] == 0 for flag in (0x20000, 0x40000000, 0x8000000, 0x4000000, 0x2000000)))",
    ),
    probe(
        "E2 a process in a new user namespace",
        r"
answer, error = call(56, 0x10000000 | 17, 0, 0, 0, 0)
if answer == 0: os._exit(0)
if answer > 0: os.waitpid(answer, 0)
return answer > 0
",
    ),
    probe(
        "E2 the same by the newer call",
        "return reached(435, ctypes.create_string_buffer(struct.pack('<8Q', 0x10000000, 0, 0, 0, 17, 0, 0, 0)), 7)",
    ),
    probe("E2 entering a namespace", "return reached(308, -1, 0)"),
    probe("E3 mount", "return reached(165, b'x', b'/nonexistent', b'nonsense', 0, 0)"),
    probe("E3 unmount", "return reached(166, b'/nonexistent', 0)"),
    probe("E3 another root", "return reached(155, b'/nonexistent', b'/nonexistent')"),
    probe("E3 chroot", "return in_child(lambda: call(161, b'/usr')[0] == 0)"),
    probe(
        "E3 the newer mount calls",
        "return any_of([(n, lambda n=n, a=a: reached(n, *a)) for n, a in ((428, (-100, b'/', 0)), (429, (-1, b'', -1, b'', 4)), (430, (b'tmpfs', 0)), (431, (-1, 99, 0, 0, 0)), (432, (-1, 0, 0)), (433, (-100, b'/nonexistent', 0)), (442, (-1, b'', 0, 0, 0)))])",
    ),
    Probe {
        name: "E4 a program that runs as root",
        body: "return b'euid=0' in __import__('subprocess').run(['@GRANTED@/id'], stdout=-1).stdout",
        as_user: true,
    },
    probe(
        "E4 new privileges",
        "return any(line.split() == ['NoNewPrivs:', '0'] for line in open('/proc/self/status'))",
    ),
    probe(
        "E4 capabilities",
        "return any(line.startswith('Cap') and int(line.split()[1], 16) for line in open('/proc/self/status'))",
    ),
    probe(
        "E4 a file that runs as its owner",
        r"
path = '@SCRATCH@/special-%d' % os.getpid()
open(path, 'w').close()
try:
    os.chmod(path, 0o4755)
    return bool(os.stat(path).st_mode & 0o4000)
finally: os.unlink(path)
",
    ),
    probe(
        "E4 the same as it is made",
        r"
path = '@SCRATCH@/made-%d' % os.getpid()
os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o4755))
try: return bool(os.stat(path).st_mode & 0o4000)
finally: os.unlink(path)
",
    ),
    probe("E5 bpf", "return reached(321, 9999, 0, 0)"),
    probe("E5 counters of the processor", "return reached(298, 0, 0, -1, -1, 0)"),
    probe("E5 page faults in user space", "return reached(323, 0x7fff)"),
    probe("E5 another kernel", "return reached(246, 0, 99999, 0, 0) or reached(320, -1, -1, 0, 0, 0)"),
    probe("E5 modules", "return reached(175, 0, 0, 0) or reached(313, -1, 0, 0) or reached(176, b'nonexistent', 0)"),
    probe("E5 quotas", "return reached(179, 0x7fffffff, b'/nonexistent', 0, 0) or reached(443, -1, 0x7fffffff, 0, 0)"),
    probe("E5 swap", "return reached(167, b'/nonexistent', 0) or reached(168, b'/nonexistent')"),
    probe("E5 reboot", "return reached(169, 0, 0, 0, 0)"),
    probe("E5 the clock", "return reached(227, 99, 0) or reached(164, 1, 0) or reached(159, 1)"),
    probe("E5 the machine's name", "return reached(170, 0, -1) or reached(171, 0, -1)"),
    probe("E5 keys", "return reached(250, 0, -3, 0, 0, 0) or reached(248, b'user', b'kontor-probe', 1, 1, -1)"),
    probe("E5 rings of calls", "return reached(425, 0, 0)"),
    probe("E5 files by handle", "return reached(303, -100, 0, 0, 0, 0)"),
    probe("E5 the kernel's log", "return reached(103, 99, 0, 0)"),
    probe("E5 accounting", "return reached(163, b'/nonexistent')"),
    probe("E5 watching all files", "return reached(300, 0x7fffffff, 0)"),
    probe("E5 other layouts of memory", "return call(135, 0x0040000)[0] >= 0"),
    probe("E5 memory that nobody sees", "return reached(447, 0x7fffffff)"),
    probe("E5 ports of the machine", "return reached(172, 0) or reached(173, 0, 1, 0)"),
    probe("E5 typing into a terminal", "return reached(16, 0, 0x5412, b'x') or reached(16, 0, 0x541c, b'x')"),
    probe(
        "E6 a call of the 32-bit convention",
        r"
def attempt():
    code = mmap.mmap(-1, 4096, prot=7)
    code.write(b'\xb8\x14\x00\x00\x00\xcd\x80\xc3')
    run = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
    return run() == os.getpid()
return in_child(attempt)
",
    ),
    probe("E6 a call of the x32 convention", "return in_child(lambda: call(0x40000000 + 39)[0] == os.getpid())"),
    probe(
        "E7 where crashed programs go",
        "os.close(os.open('/proc/sys/kernel/core_pattern', os.O_WRONLY)); return True",
    ),
    probe("E7 how modules are loaded", "os.close(os.open('/proc/sys/kernel/modprobe', os.O_WRONLY)); return True"),
    probe("E7 how devices are announced", "os.close(os.open('/sys/kernel/uevent_helper', os.O_WRONLY)); return True"),
    probe(
        "E7 what is run when a group ends",
        "return any_of((p, lambda p=p: os.close(os.open(p, os.O_WRONLY)) is None) for p in glob.glob('/sys/fs/cgroup/*/release_agent'))",
    ),
    probe("E7 this process's groups", "return len(glob.glob('/sys/fs/cgroup/*')) > 0"),
    probe(
        "E7 making a device",
        "os.mknod('@SCRATCH@/device-%d' % os.getpid(), 0o600 | 0o060000, os.makedev(254, 0)); return True",
    ),
];
