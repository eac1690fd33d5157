//! What a command uses up: each limit ends or stops the command, and nothing is left of it.

use std::fs;
use std::time::Duration;

use kontor_sandbox::{Ended, Job, Outcome, Stopped};
use rstest::rstest;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use crate::support::{As, everybody, probing, run, text};

fn shell(script: &str) -> Job {
    let mut job = Job::new(["bash", "-c", script]);
    job.limits.wall = Duration::from_mins(1);
    job
}

fn held(who: As, job: &Job) -> (Outcome, String) {
    let finished = run(who, job).unwrap();
    (finished.outcome, text(&finished.stdout.bytes))
}

/// How many processes of this machine have this word in their command line.
pub fn alive(word: &str) -> usize {
    let lines =
        fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(word)).count()
}

#[test]
fn a_fork_bomb_meets_the_number_of_processes() {
    for who in everybody() {
        let mut job = probing(
            "import os\nn = 0\ntry:\n  while n < 5000:\n    if os.fork() == 0:\n      import time; time.sleep(100)\n    n += 1\nexcept OSError as e: print('stopped', n, e.errno)",
        );
        job.limits.processes = 40;
        let (outcome, said) = held(*who, &job);
        assert_eq!(outcome.ended, Ended::Exit(0), "{who:?}");
        let number: usize = said.split(' ').nth(1).unwrap().parse().unwrap();
        assert!(number < 40, "{who:?}: {said}");
    }
}

#[rstest]
#[case::its_own("a = []\nwhile True: a.append(bytearray(8 << 20))")]
#[case::shared(
    "import mmap\na = []\nwhile True:\n  m = mmap.mmap(-1, 8 << 20)\n  m.write(b'x' * (8 << 20))\n  a.append(m)"
)]
#[case::of_many_processes(
    "import os, time\nfor i in range(30):\n  if os.fork() == 0:\n    a = bytearray(30 << 20)\n    time.sleep(1)\n    os._exit(0)\nif any(os.wait()[1] for i in range(30)): os._exit(1)"
)]
#[case::files_without_a_name(
    "import os\na = []\nwhile True:\n  f = os.memfd_create('x')\n  a.append(f)\n  os.write(f, b'x' * (8 << 20))"
)]
#[case::in_memory_folders(
    "import itertools\nfor i in itertools.count():\n  open('/dev/shm/%d' % i, 'wb').write(b'x' * (8 << 20))"
)]
fn memory_ends_at_its_limit(#[case] code: &str) {
    for who in everybody() {
        let mut job = probing(code);
        job.limits.memory = 128 << 20;
        job.limits.disk = 64 << 20;
        let (outcome, _) = held(*who, &job);
        assert_ne!(outcome.ended, Ended::Exit(0), "{who:?}");
        assert_ne!(outcome.stopped, Some(Stopped::Wall), "{who:?}: nothing but the clock stopped it");
        assert!(outcome.usage.memory < 300 << 20, "{who:?}: {:?}", outcome.usage);
    }
}

#[rstest]
#[case::bytes("cat /dev/zero > a; cat /dev/zero > b; echo $(($(stat -c %s a) + $(stat -c %s b)))")]
#[case::sparse("truncate -s 1T a; stat -c %s a")]
fn a_disk_cannot_be_filled(#[case] script: &str) {
    for who in everybody() {
        let mut job = shell(script);
        job.limits.disk = 16 << 20;
        let (_, said) = held(*who, &job);
        let size: u64 = said.lines().next().unwrap().parse().unwrap();
        assert!(size <= 18 << 20, "{who:?}: {said}");
    }
}

#[test]
fn files_cannot_be_made_without_end() {
    for who in everybody() {
        let mut job = shell("for i in $(seq 3000); do : > f$i || { echo $i; exit; }; done; echo 3000");
        job.limits.files = 100;
        let (_, said) = held(*who, &job);
        assert!(said.parse::<u32>().unwrap() < 1000, "{who:?}: {said}");
    }
}

#[test]
fn descriptors_end_at_their_limit() {
    for who in everybody() {
        let mut job = probing("import os\nn = 0\ntry:\n  while True: os.dup(0); n += 1\nexcept OSError: print(n)");
        job.limits.open_files = 64;
        assert!(held(*who, &job).1.parse::<u32>().unwrap() < 64);
    }
}

#[test]
fn processors_are_used_no_longer_than_granted() {
    for who in everybody() {
        let mut job = shell("for i in 1 2 3; do while :; do :; done & done; wait");
        job.limits.cpu = Duration::from_secs(1);
        let (outcome, _) = held(*who, &job);
        assert_eq!(outcome.stopped, Some(Stopped::Cpu), "{who:?}: {outcome:?}");
    }
}

#[test]
fn the_time_of_processes_that_nobody_waits_for_counts() {
    for who in everybody() {
        let mut job = probing(
            "import os, signal, time\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\nend = time.monotonic() + 30\nwhile time.monotonic() < end:\n  child = os.fork()\n  if child == 0:\n    while time.process_time() < 0.08: pass\n    os._exit(0)\n  try: os.waitpid(child, 0)\n  except ChildProcessError: pass",
        );
        job.limits.cpu = Duration::from_secs(1);
        let (outcome, _) = held(*who, &job);
        assert_eq!(outcome.stopped, Some(Stopped::Cpu), "{who:?}: {outcome:?}");
        assert!(outcome.usage.cpu >= job.limits.cpu, "{who:?}: {:?}", outcome.usage);
    }
}

#[rstest]
#[case::asleep("sleep 7411", "7411")]
#[case::daemons(
    "trap '' TERM HUP INT; (setsid sleep 7423 & setsid sleep 7423 &) ; (setsid bash -c 'trap \"\" TERM; sleep 7423' &); sleep 7423",
    "7423"
)]
#[case::closed_streams("exec 0<&- 1>&- 2>&-; sleep 7424", "7424")]
fn the_clock_ends_everything(#[case] script: &str, #[case] mark: &str) {
    for who in everybody() {
        let mut job = shell(script);
        job.limits.wall = Duration::from_millis(400);
        let (outcome, _) = held(*who, &job);
        assert_eq!(outcome.stopped, Some(Stopped::Wall), "{who:?}");
        assert_eq!(outcome.code(), 124);
    }
    assert_eq!(alive(mark), 0);
}

#[test]
fn what_a_command_leaves_running_ends_with_it() {
    for who in everybody() {
        let (outcome, said) =
            held(*who, &shell("(setsid sleep 7412 >/dev/null 2>&1 &); (sleep 7412 &) >/dev/null 2>&1; echo gone"));
        assert_eq!((outcome.ended, said.as_str()), (Ended::Exit(0), "gone"), "{who:?}");
    }
    assert_eq!(alive("7412"), 0);
}

#[test]
fn a_job_that_nobody_wants_any_longer_ends() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for who in everybody() {
        runtime.block_on(async {
            let mut running = crate::support::sandbox(*who, &[]).spawn(&shell("echo begun; sleep 7413")).unwrap();
            let mut first = [0; 6];
            tokio::io::AsyncReadExt::read_exact(running.stdout.as_mut().unwrap(), &mut first).await.unwrap();
            running.cancel().await;
            let outcome = running.wait().await.unwrap();
            assert_eq!(outcome.stopped, Some(Stopped::Cancelled), "{who:?}");
        });
    }
    assert_eq!(alive("7413"), 0);
}

/// The process of this machine that runs this command, and its parent.
fn process(command: &str) -> Option<(Pid, Pid)> {
    fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
        let number: i32 = entry.file_name().to_str()?.parse().ok()?;
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        (line.strip_suffix(b"\0")? == command.replace(' ', "\0").as_bytes()).then_some(())?;
        Some((Pid::from_raw(number)?, parent(number)?))
    })
}

fn parent(number: i32) -> Option<Pid> {
    let status = fs::read_to_string(format!("/proc/{number}/status")).ok()?;
    Pid::from_raw(status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()?)
}

#[test]
fn a_command_does_not_outlive_its_launcher() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for who in everybody() {
        runtime.block_on(async {
            let mut running =
                crate::support::sandbox(*who, &[]).spawn(&shell("echo begun; sleep 7414 & wait")).unwrap();
            let mut first = [0; 6];
            tokio::io::AsyncReadExt::read_exact(running.stdout.as_mut().unwrap(), &mut first).await.unwrap();
            let (sleep, bash) = std::iter::from_fn(|| Some(process("sleep 7414"))).flatten().next().unwrap();
            let init = parent(bash.as_raw_nonzero().get()).unwrap();
            let launcher = parent(init.as_raw_nonzero().get()).unwrap();
            let watched = pidfd_open(sleep, PidfdFlags::empty()).unwrap();
            kill_process(launcher, Signal::KILL).unwrap();
            // Returns only when the process has ended; the test's own deadline is the only other way out.
            poll(&mut [PollFd::new(&watched, PollFlags::IN)], None).unwrap();
            let error = running.wait().await.unwrap_err();
            assert!(
                matches!(error, kontor_sandbox::Error::Lost { .. }),
                "{who:?}: it ran, and the error says: {error}"
            );
        });
    }
}

#[test]
fn streams_and_codes_pass_through() {
    for who in everybody() {
        let finished = {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let sandbox = crate::support::sandbox(*who, &[]);
            runtime.block_on(async {
                sandbox
                    .spawn(&shell("read line; echo got $line; echo why >&2; exit 7"))
                    .unwrap()
                    .finish(b"it\n", 5)
                    .await
                    .unwrap()
            })
        };
        assert_eq!(finished.outcome.ended, Ended::Exit(7), "{who:?}");
        assert_eq!((finished.stdout.bytes.as_slice(), finished.stdout.total), (b"got i".as_slice(), 7));
        assert!(finished.stdout.is_cut());
        assert_eq!(finished.stderr.bytes, b"why\n");
        let killed = held(*who, &shell("kill -9 $$")).0;
        assert_eq!((killed.ended, killed.stopped, killed.code()), (Ended::Signal(9), None, 137), "{who:?}");
    }
}
