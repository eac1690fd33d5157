//! Has the program linked for one address, so that it starts without relocations; where it is linked for any address, its
//! relocations are packed if the machine that builds can load such a program.

use std::env;
use std::fs;

/// Set to 0, the program is linked for machines with an older C library than this one, as what is shipped must be.
const PACKED: &str = "KONTOR_PACKED_RELOCATIONS";
/// Set to 1, the program is loaded at another address each time, and starts slower: see decision 0022.
const INDEPENDENT: &str = "KONTOR_POSITION_INDEPENDENT";
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
    if for_this_machine && wanted && reads_packed_relocations() {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
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
