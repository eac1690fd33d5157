//! Has the program linked for one address, so that it starts without relocations; where it is linked for any address, its
//! relocations are packed if the machine that builds can load such a program.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Set to 0, the program is linked for machines with an older C library than this one, as what is shipped must be.
const PACKED: &str = "KONTOR_PACKED_RELOCATIONS";
/// Set to 1, the program is loaded at another address each time, and starts slower: see decision 0022.
const INDEPENDENT: &str = "KONTOR_POSITION_INDEPENDENT";
/// The compiler's unwinder, as a library to link.
const UNWINDER: &str = "gcc_eh";
/// What a C library that reads packed relocations names among its versions.
const MARK: &[u8] = b"GLIBC_ABI_DT_RELR";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={PACKED}");
    println!("cargo::rerun-if-env-changed={INDEPENDENT}");
    let target = |part: &str| env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" && env::var_os(INDEPENDENT).is_none_or(|value| value != "1") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
    let for_this_machine = env::var_os("HOST") == env::var_os("TARGET");
    let wanted = env::var_os(PACKED).is_none_or(|value| value != "0");
    if for_this_machine && wanted && target("OS") == "linux" && target("ENV") == "gnu" {
        link_the_unwinder();
    }
    if for_this_machine && wanted && reads_packed_relocations() {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Links the compiler's unwinder in, where there is one to link: a library of it takes a tenth of the time in which a short
/// command is held to be loaded.
fn link_the_unwinder() {
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let Ok(said) = Command::new(compiler).arg(format!("-print-file-name=lib{UNWINDER}.a")).output() else { return };
    let file = PathBuf::from(String::from_utf8_lossy(&said.stdout).trim());
    if let Some(folder) = file.parent().filter(|_| file.is_absolute() && file.is_file()) {
        println!("cargo::rustc-link-search=native={}", folder.display());
        println!("cargo::rustc-link-lib=static:-bundle={UNWINDER}");
    }
}

/// Whether the C library that this script runs with knows packed relocations.
fn reads_packed_relocations() -> bool {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let library =
        maps.lines().filter_map(|line| line.split_whitespace().nth(5)).find(|path| path.ends_with("/libc.so.6"));
    let bytes = library.and_then(|path| fs::read(path).ok()).unwrap_or_default();
    bytes.windows(MARK.len()).any(|part| part == MARK)
}
