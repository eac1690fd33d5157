//! The launcher of sandboxes alone: the tests of this crate use it.

use std::process::ExitCode;

fn main() -> ExitCode {
    u8::try_from(kontor_sandbox::launcher()).map_or(ExitCode::FAILURE, ExitCode::from)
}
